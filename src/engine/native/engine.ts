/** The native engine: TensorFlow's C library under tfjs-node's kernels; traces become functions. */
import { availableParallelism } from 'node:os'
import { openMemory } from '../../ffi/index.js'
import { ShardbookError } from '../../core/errors.js'
import { stepProgram, whyEager } from '../eager-step.js'
import type { Engine, Program } from '../engine.js'
import { registerGradients } from '../gradients.js'
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
import { tensorStore } from './tensors.js'

/** Opens the engine with the TensorFlow library at `libraryPath`. */
export async function openNative(libraryPath: string, threads: number = availableParallelism()): Promise<Engine> {
  const tf = tfCore()
  const tensorFlow = await loadTensorFlow(libraryPath, threads)
  const binding = new Binding(tensorFlow, tensorStore(tensorFlow, await openMemory()))
  const backend: NativeBackend = createBackend(binding)
  registerNativeKernels()
  registerMatMul()
  registerScan(tensorFlow)
  registerRandom()
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
  return {
    name: 'native',
    description: `TensorFlow ${binding.TF_Version}, ${threads} thread${threads === 1 ? '' : 's'}`,
    load: (trace, { slices = 1 } = {}) => load(trace, slices),
    loadStep: (traces, { slices = 1 } = {}) =>
      [traces.gradients, traces.update].some(whyEager)
        ? new ValueStep(traces, slices, load)
        : new NativeStep(traces, slices, backend, tensorFlow),
    memory() {
      const { numTensors, numBytes } = tf.memory()
      return { tensors: numTensors, bytes: numBytes }
    },
  }
}
