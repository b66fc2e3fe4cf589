/** One recorded kernel call, run through TensorFlow.js on tensors that stand for its values. */
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../core/errors.js'
import { decodeAttributes } from './attributes.js'
import { describe, sameShape } from './errors.js'
import { inputsOf } from './call-inputs.js'
import { type Tf, tensorOf, tfCore } from './tf.js'
import type { Call, Trace } from './trace.js'

/** Raises unless the backend has every kernel of the trace. */
export function checkKernels(trace: Trace, backend: string, engine: string): void {
  for (const call of trace.calls) {
    if (call.body !== undefined) checkKernels(call.body, backend, engine)
    if (tfCore().getKernel(call.kernel, backend) !== undefined) continue
    const inputs = inputsOf(call).map((value) => describe(trace.values[value]!))
    const outputs = call.outputs.map((value) => describe(trace.values[value]!))
    throw new ShardbookError(
      'engine',
      `load: expected kernels that the engine ${engine} has, got ${call.kernel}(${inputs.join(', ')}) -> ${outputs.join(', ')}.`,
    )
  }
}

/** Runs one call; its results, with the recorded shapes and dtypes. */
export function runCall(trace: Trace, call: Call, tensorAt: (value: number) => Tensor): Tensor[] {
  const named = Object.entries(call.inputs)
  const list = call.inputs['inputs']
  const inputs = Array.isArray(list)
    ? (list as number[]).map(tensorAt)
    : Object.fromEntries(
        named.flatMap(([name, value]) => {
          if (value === null) return []
          return [[name, typeof value === 'number' ? tensorAt(value) : value.map(tensorAt)]]
        }),
      )
  const plain = decodeAttributes(call.attrs)
  const attrs = (call.body === undefined ? plain : { ...plain, body: call.body }) as Parameters<
    ReturnType<Tf['engine']>['runKernel']
  >[2]
  const result = tfCore()
    .engine()
    .runKernel<Tensor | Tensor[]>(call.kernel, inputs as unknown as NamedTensorMap, attrs)
  const results = Array.isArray(result) ? result : [result]
  for (const [i, value] of call.outputs.entries()) {
    const spec = trace.values[value]!
    const got = results[i]
    if (got !== undefined && got.dtype === spec.dtype && sameShape(got.shape, spec.shape)) continue
    throw new ShardbookError(
      'engine',
      `run: expected ${call.kernel} to give ${describe(spec)}, got ${got === undefined ? 'nothing' : describe(got)}.`,
    )
  }
  return results
}

/** Runs a whole trace, one call after the other, on tensors of its inputs; its results, some of which may be those. */
export function runTrace(trace: Trace, inputs: readonly Tensor[]): Tensor[] {
  const values = new Map(trace.inputs.map(({ value }, i) => [value, inputs[i]!]))
  for (const { value, data } of trace.constants) values.set(value, tensorOf(data))
  for (const call of trace.calls) {
    const outputs = runCall(trace, call, (value) => values.get(value)!)
    for (const [i, value] of call.outputs.entries()) values.set(value, outputs[i]!)
  }
  return trace.outputs.map(({ value }) => values.get(value)!)
}
