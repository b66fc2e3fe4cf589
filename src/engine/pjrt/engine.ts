/** The pjrt engine: traces become StableHLO programs that a PJRT plugin compiles for its devices. */
import { cacheDir } from '../../core/paths.js'
import { ShardbookError } from '../../core/errors.js'
import { openLibrary, preloadLibrary, systemLibrary } from '../../ffi/index.js'
import { stepProgram, whyEager } from '../eager-step.js'
import type { Engine, EngineOptions, Program } from '../engine.js'
import { registerGradients } from '../gradients.js'
import { ValueStep } from '../step.js'
import { tfCore } from '../tf.js'
import type { Trace } from '../trace.js'
import { PjrtError } from './api.js'
import { createBackend, pjrtBackend } from './backend.js'
import { Client } from './client.js'
import { ExecutableCache } from './executable-cache.js'
import { registerPjrtKernels } from './kernels.js'
import { findPlugin } from './plugin.js'
import { pjrtProgram } from './program.js'
import { PjrtStep } from './step.js'

/** Opens the engine on one device of the machine. */
export async function openPjrt({
  device: wanted = deviceOfEnvironment(),
  precision = 'float32',
}: EngineOptions = {}): Promise<Engine> {
  const device = Number(wanted) // `openEngine` lets no other device through
  const client = await openClient(device)
  const tf = tfCore()
  const backend = createBackend(client, { precision })
  tf.registerBackend(pjrtBackend, () => backend)
  registerPjrtKernels()
  registerGradients()
  if (!(await tf.setBackend(pjrtBackend))) {
    throw new ShardbookError('engine', 'openEngine: expected the pjrt engine to start, got a refusal of TensorFlow.js.')
  }
  const load = (trace: Trace, slices: number): Program =>
    stepProgram(trace, slices) ?? pjrtProgram(trace, backend, { slices, precision })
  const kind = client.kinds[Math.min(device, client.deviceCount - 1)]!
  return {
    name: 'pjrt',
    description: `XLA on ${client.platform} device ${device} (${kind}), ${precision}`,
    load: (trace, { slices = 1 } = {}) => load(trace, slices),
    loadStep: (traces, { slices = 1 } = {}) =>
      [traces.gradients, traces.update].some(whyEager)
        ? new ValueStep(traces, slices, load)
        : new PjrtStep(traces, backend, { slices, precision }),
    memory() {
      const { numTensors, numBytes } = tf.memory()
      return { tensors: numTensors, bytes: numBytes }
    },
    deviceMemory: () => client.memory(),
  }
}

async function openClient(device: number): Promise<Client> {
  const { path, libraries, options } = await findPlugin()
  // The C function: `process.env` may be a copy. The plugin's failures come through its API.
  const { setenv } = await openLibrary(systemLibrary, { setenv: ['int', 'string', 'string', 'int'] })
  setenv('TF_CPP_MIN_LOG_LEVEL', '3', 0)
  for (const library of libraries) await preloadLibrary(library)
  try {
    return await Client.open(path, { ...options(device), cache: new ExecutableCache(cacheDir('pjrt')) })
  } catch (error) {
    if (!(error instanceof PjrtError)) throw error
    throw explained(error, device)
  }
}

/** What to do about a client that does not start. */
function explained(error: PjrtError, device: number): ShardbookError {
  const hints: readonly (readonly [RegExp, string])[] = [
    [
      /No visible GPU devices|NO_DEVICE|no CUDA-capable device/i,
      'This machine has no NVIDIA GPU that its driver shows: see nvidia-smi and shardbook doctor.',
    ],
    [
      /libcuda|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH|driver version/i,
      'The driver is missing or older than CUDA 13 needs (580 or later): see shardbook doctor.',
    ],
    [
      /visible.?devices|invalid device ordinal|INVALID_DEVICE/i,
      `There is no device ${device}: devices are counted from 0; see shardbook doctor.`,
    ],
  ]
  const hint = hints.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'shardbook doctor tells what is there.'
  return new ShardbookError('engine', error.message, { hint, cause: error })
}

function deviceOfEnvironment(): number {
  const given = process.env['SHARDBOOK_DEVICE'] ?? ''
  if (given === '') return 0
  if (/^\d+$/.test(given)) return Number(given)
  throw new ShardbookError('argument', `SHARDBOOK_DEVICE: expected the number of a device, got ${given}.`)
}
