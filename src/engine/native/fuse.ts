/**
 * Rewrites a trace for TensorFlow's CPU kernels: the same values from fewer and faster operations.
 *
 * - A cast to the same type, a reshape to the same shape and a product with ones are their input.
 * - Adding a vector along the last axis is `BiasAdd`; summing over all axes but the last is its gradient, `BiasAddGrad`:
 *   several times faster than a broadcast and a general reduction, but for a vector of one.
 */
import { sizeOf } from '../../core/dtype.js'
import { sameShape } from '../errors.js'
import { inputsOf, removeDeadCalls } from '../remove-dead-calls.js'
import type { Call, CallInput, Trace, ValueSpec } from '../trace.js'

export const fusedKernels = { biasAdd: 'BiasAdd', biasAddGrad: 'BiasAddGrad' } as const

/** The trace with fused calls, which only the native engine has kernels for. */
export function fuse(trace: Trace): Trace {
  const ones = new Set(
    trace.constants.filter(({ data }) => data.values.every((value) => value === 1)).map(({ value }) => value),
  )
  const sources = new Map<number, number>()
  const current = (value: number): number => sources.get(value) ?? value
  const calls: Call[] = []
  for (const recorded of trace.calls) {
    const call = {
      ...recorded,
      inputs: renamed(recorded.inputs, current),
      ...(recorded.body === undefined ? {} : { body: fuse(recorded.body) }),
    }
    const source = sameAs(call, trace.values, ones)
    if (source === undefined) calls.push(biasCall(call, trace.values) ?? call)
    else sources.set(call.outputs[0]!, source)
  }
  const outputs = trace.outputs.map((output) => ({ ...output, value: current(output.value) }))
  return removeDeadCalls({ ...trace, calls, outputs })
}

function renamed(inputs: Call['inputs'], current: (value: number) => number): Call['inputs'] {
  const one = (input: CallInput): CallInput => {
    if (input === null) return null
    return typeof input === 'number' ? current(input) : input.map(current)
  }
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, one(input)]))
}

/** The value that a call only repeats, if it does. */
function sameAs(
  { kernel, inputs, outputs }: Call,
  values: readonly ValueSpec[],
  ones: ReadonlySet<number>,
): number | undefined {
  const output = values[outputs[0]!]!
  const repeats = (value: unknown): value is number =>
    typeof value === 'number' && values[value]!.dtype === output.dtype && sameShape(values[value]!.shape, output.shape)
  const { x, a, b } = inputs
  if ((kernel === 'Cast' || kernel === 'Reshape') && repeats(x)) return x
  if (kernel !== 'Multiply') return undefined
  if (repeats(a) && ones.has(b as number)) return a
  return repeats(b) && ones.has(a as number) ? b : undefined
}

function biasCall({ kernel, inputs, attrs, outputs }: Call, values: readonly ValueSpec[]): Call | undefined {
  const output = values[outputs[0]!]!
  if (output.shape.at(-1) === 1) return undefined
  if (output.dtype !== 'float32' || inputsOf({ inputs }).some((value) => values[value]!.dtype !== 'float32'))
    return undefined
  if (kernel === 'Add') {
    const [a, b] = [inputs['a'] as number, inputs['b'] as number]
    const [value, bias] = values[a]!.shape.length >= values[b]!.shape.length ? [a, b] : [b, a]
    const { shape } = values[value]!
    if (shape.length < 2 || !sameShape(values[bias]!.shape, shape.slice(-1)) || sizeOf(shape) === 0) return undefined
    return { kernel: fusedKernels.biasAdd, inputs: { value, bias }, attrs: {}, outputs }
  }
  if (kernel !== 'Sum' || attrs['keepDims'] === true) return undefined
  const x = inputs['x'] as number
  const { shape } = values[x]!
  const axes = new Set([attrs['axis'] ?? shape.map((_, axis) => axis)].flat() as number[])
  const outer = shape.slice(0, -1).every((_, axis) => axes.has(axis) || axes.has(axis - shape.length))
  if (shape.length < 2 || !outer || axes.size !== shape.length - 1 || sizeOf(shape) === 0) return undefined
  return { kernel: fusedKernels.biasAddGrad, inputs: { dy: x }, attrs: {}, outputs }
}
