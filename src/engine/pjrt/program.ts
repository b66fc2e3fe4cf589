/** A trace as one program on the device. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { checkInputs, inputSpecs } from '../check-inputs.js'
import type { Program } from '../engine.js'
import { isRecording } from '../record.js'
import { tfCore } from '../tf.js'
import type { Trace, ValueSpec } from '../trace.js'
import { type PjrtBackend, pjrtBackend } from './backend.js'
import type { DeviceBuffer } from './device-buffer.js'
import { type Element, elementOf } from './lower/builder.js'
import { type LowerOptions, checkLowerings, lowerTrace } from './lower/index.js'
import { type Module, buildModule } from './module.js'

/** The program of a trace: parameters and results in its order. */
function traceModule(trace: Trace, options: LowerOptions = {}): Module {
  checkLowerings(trace)
  const parameters = inputSpecs(trace, options.slices ?? 1).map(({ shape, dtype }) => ({
    shape,
    element: elementFor(dtype),
  }))
  return buildModule(parameters, (b, inputs) => lowerTrace(b, trace, inputs, options), options.replicas)
}

export function elementFor(dtype: string): Element {
  return elementOf[dtype as keyof typeof elementOf]
}

export function pjrtProgram(trace: Trace, backend: PjrtBackend, options: LowerOptions): Program {
  checkInteger('load', 'slices', options.slices ?? 1, 1)
  const specs = inputSpecs(trace, options.slices ?? 1)
  const module = traceModule(trace, options)
  const results = module.results.map(({ shape }, i): ValueSpec => ({
    shape,
    dtype: trace.values[trace.outputs[i]!.value]!.dtype,
  }))
  const executable = results.length === 0 ? undefined : backend.client.compile(module)
  let disposed = false
  return {
    run(inputs) {
      checkRunnable(disposed)
      checkInputs(specs, inputs)
      if (executable === undefined) return []
      const buffers = inputs.map((tensor) => backend.bufferOf(backend.entryOf(tensor)))
      const [outputs] = backend.client.execute(executable, [buffers])
      return tensorsOf(backend, outputs!, results)
    },
    dispose() {
      if (disposed) return
      disposed = true
      if (executable !== undefined) backend.client.destroyExecutable(executable)
    },
  }
}

/** Tensors of results, which they take over. */
export function tensorsOf(
  backend: PjrtBackend,
  buffers: readonly DeviceBuffer[],
  specs: readonly ValueSpec[],
): Tensor[] {
  const engine = tfCore().engine()
  return buffers.map((buffer, i) => {
    const { shape, dtype } = specs[i]!
    return engine.makeTensorFromTensorInfo(backend.adopt(buffer, shape, dtype))
  })
}

/** Raises unless a program is live, nothing is being recorded and the engine is the current one. */
export function checkRunnable(disposed: boolean, what: 'program' | 'step' = 'program'): void {
  if (disposed) throw new ShardbookError('state', `run: expected a live ${what}, got a disposed one.`)
  if (isRecording()) {
    throw new ShardbookError('engine', 'run: expected no recording in progress, got a program in a step.')
  }
  const current = tfCore().getBackend()
  if (current === pjrtBackend) return
  throw new ShardbookError('engine', `run: expected the engine pjrt to be current, got ${current}.`, {
    hint: "Call openEngine('pjrt') first.",
  })
}
