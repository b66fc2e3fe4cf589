/**
 * The wasm engine: `tfjs-backend-wasm` (SIMD, one thread), embedded, needs nothing installed. Traces are replayed call by call.
 *
 * One thread: the backend's threaded build starts its workers from `blob:` URLs, which Node's workers refuse
 * (`ERR_WORKER_PATH`, tried on Node 20 and 24 with its flag for threads set), so the backend leaves it off under Node.
 */
import { ShardbookError } from '../../core/errors.js'
import { registerAllReduce } from '../all-reduce.js'
import { eagerProgram } from '../eager-program.js'
import { stepProgram } from '../eager-step.js'
import type { Engine, Program } from '../engine.js'
import { registerGradients } from '../gradients.js'
import { ValueStep } from '../step.js'
import { tfCore } from '../tf.js'
import type { Trace } from '../trace.js'
import { completeBackend } from './backend.js'
import { registerWasmKernels } from './kernels.js'

export const wasmBackend = 'wasm'

export async function openWasm(): Promise<Engine> {
  const tf = tfCore()
  const version = completeBackend()
  registerWasmKernels()
  registerAllReduce(wasmBackend)
  registerGradients()
  // The module installs handlers that end the process at any unhandled rejection: that is the host's to decide.
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map((event) => new Set<unknown>(process.listeners(event as 'uncaughtException')))
  const started = await tf.setBackend(wasmBackend)
  for (const [i, event] of events.entries()) {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[i]!.has(listener)) process.off(event, listener)
    }
  }
  if (!started) {
    throw new ShardbookError('engine', 'openEngine: expected the wasm engine to start, got a refusal of its module.')
  }
  const load = (trace: Trace, slices: number): Program =>
    stepProgram(trace, slices) ?? eagerProgram(trace, wasmBackend, 'wasm', slices)
  return {
    name: 'wasm',
    description: `TensorFlow.js ${version} on WebAssembly, one thread`,
    load: (trace, { slices = 1 } = {}) => load(trace, slices),
    loadStep: (traces, { slices = 1 } = {}) => new ValueStep(traces, slices, load),
    memory() {
      const { numTensors, numBytes } = tf.memory()
      return { tensors: numTensors, bytes: numBytes }
    },
  }
}
