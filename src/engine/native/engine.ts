/** The native engine: TensorFlow's C library under tfjs-node's kernels; traces become functions. */
import { cores } from '../../core/cores.js'
import { openMemory, preloadLibrary } from '../../ffi/index.js'
import { ShardbookError } from '../../core/errors.js'
import { registerAllReduce } from '../all-reduce.js'
import { stepProgram, whyEager } from '../eager-step.js'
import type { Engine, EngineOptions, Program } from '../engine.js'
import { registerGradients } from '../gradients.js'
import type { Libraries } from '../install/installation.js'
import { ValueStep } from '../step.js'
import { tfCore } from '../tf.js'
import type { Trace } from '../trace.js'
import { type NativeBackend, createBackend, nativeBackend } from './backend.js'
import { Binding } from './binding.js'
import { loadTensorFlow } from './c-api.js'
import { registerNativeKernels } from './kernels.js'
import { registerMatMul } from './mat-mul.js'
import { nativeProgram } from './program.js'
import { registerRandom } from './random.js'
import { registerScan } from './scan.js'
import { NativeStep } from './step.js'
import { openSavedModel } from './saved-model.js'
import { tensorStore } from './tensors.js'
import { registerWidening } from './widening.js'

/** Opens the engine with TensorFlow's library and those that it needs on GPUs. */
export async function openNative(
  libraries: Libraries,
  { threads = cores(), threadsPerOperation = 1, device }: EngineOptions = {},
): Promise<Engine> {
  const tf = tfCore()
  for (const path of libraries.gpu) await preloadLibrary(path)
  const tensorFlow = await loadTensorFlow(libraries.main, { threads, threadsPerOperation, device })
  const memory = await openMemory()
  const binding = new Binding(tensorFlow, tensorStore(tensorFlow, memory))
  const backend: NativeBackend = createBackend(binding)
  registerNativeKernels()
  registerMatMul()
  registerWidening()
  registerScan(tensorFlow)
  registerRandom()
  registerAllReduce(nativeBackend)
  registerGradients()
  tf.registerBackend(nativeBackend, () => backend)
  if (!(await tf.setBackend(nativeBackend))) {
    throw new ShardbookError(
      'engine',
      'openEngine: expected the native engine to start, got a refusal of TensorFlow.js.',
    )
  }
  const load = (trace: Trace, slices: number): Program =>
    stepProgram(trace, slices) ?? nativeProgram(trace, backend, tensorFlow, slices)
  const gpuCount = tensorFlow.devices().filter((type) => type === 'GPU').length
  if (typeof device === 'number' && gpuCount === 0) {
    throw new ShardbookError('engine', `openEngine: expected the GPU ${device} of the engine native, got none.`, {
      hint: 'shardbook doctor says what is there; shardbook engine install native --gpu brings what GPUs need.',
    })
  }
  const gpus = gpuCount === 0 ? '' : `, ${gpuCount} GPU${gpuCount === 1 ? '' : 's'}`
  return {
    name: 'native',
    description: `TensorFlow ${binding.TF_Version}, ${threads} thread${threads === 1 ? '' : 's'}${gpus}`,
    load: (trace, { slices = 1 } = {}) => load(trace, slices),
    loadStep: (traces, { slices = 1 } = {}) =>
      [traces.gradients, traces.update].some(whyEager)
        ? new ValueStep(traces, slices, load)
        : new NativeStep(traces, slices, backend, tensorFlow),
    loadSavedModel: (folder, options = {}) => openSavedModel(folder, options, backend, tensorFlow, memory),
    memory() {
      const { numTensors, numBytes } = tf.memory()
      return { tensors: numTensors, bytes: numBytes }
    },
  }
}
