/**
 * Takes calls out of a trace that only repeat values: casts to the same type, reshapes to the same shape, products with ones.
 * TensorFlow.js makes many of them in gradients. Products with ones that widen a value go too where the elementwise call behind
 * them widens it as well: of the gradient of a mean, one number a row is multiplied instead of one an element. Every bit stays.
 */
import { renameInputs } from '../call-inputs.js'
import { sameShape } from '../errors.js'
import { removeDeadCalls } from '../remove-dead-calls.js'
import { tfCore } from '../tf.js'
import type { Call, Trace, ValueSpec } from '../trace.js'

/** The trace without them. */
export function removeRepeats(trace: Trace): Trace {
  const ones = new Set(
    trace.constants.filter(({ data }) => data.values.every((value) => value === 1)).map(({ value }) => value),
  )
  const sources = new Map<number, number>()
  const current = (value: number): number => sources.get(value) ?? value
  const values = [...trace.values]
  const calls: Call[] = []
  const narrow = new Map<number, number>()
  for (const recorded of trace.calls) {
    const call = {
      ...recorded,
      inputs: renameInputs(recorded.inputs, current),
      ...(recorded.body === undefined ? {} : { body: removeRepeats(recorded.body) }),
    }
    const source = sameAs(call, values, ones)
    if (source === undefined) calls.push(...narrowed(call, values, ones, narrow))
    else sources.set(call.outputs[0]!, source)
  }
  const outputs = trace.outputs.map((output) => ({ ...output, value: current(output.value) }))
  return removeDeadCalls({ ...trace, values, calls, outputs })
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

/** Kernels of two values that treat every element alike, and widen. */
const elementwise: ReadonlySet<string> = new Set(['Add', 'Sub', 'Multiply', 'RealDiv'])

/**
 * A call on what its inputs were before they were widened, as far as its output is as it was; otherwise also a call with a narrow
 * output. `narrow`: values that are widened ones, by those.
 */
function narrowed(call: Call, values: ValueSpec[], ones: ReadonlySet<number>, narrow: Map<number, number>): Call[] {
  const { kernel, inputs, outputs } = call
  const { a, b } = inputs
  if (!elementwise.has(kernel) || typeof a !== 'number' || typeof b !== 'number') return [call]
  const { shape, dtype } = values[outputs[0]!]!
  const widened = kernel !== 'Multiply' ? undefined : ones.has(b) ? a : ones.has(a) ? b : undefined
  if (widened !== undefined && values[widened]!.dtype === dtype) {
    narrow.set(outputs[0]!, narrow.get(widened) ?? widened)
    return [call]
  }
  const given = { a: narrow.get(a) ?? a, b: narrow.get(b) ?? b }
  if (given.a === a && given.b === b) return [call]
  const own = tfCore().broadcast_util.assertAndGetBroadcastShape(
    [...values[given.a]!.shape],
    [...values[given.b]!.shape],
  )
  if (sameShape(own, shape)) return [{ ...call, inputs: given }]
  const value = values.push({ shape: own, dtype }) - 1
  narrow.set(outputs[0]!, value)
  return [call, { ...call, inputs: given, outputs: [value] }]
}
