/**
 * Takes calls out of a trace that only repeat a value: casts to the same type, reshapes to the same shape, products with ones.
 * TensorFlow.js makes many of them in gradients.
 */
import { sameShape } from '../errors.js'
import { renameInputs } from '../call-inputs.js'
import { removeDeadCalls } from '../remove-dead-calls.js'
import type { Call, Trace, ValueSpec } from '../trace.js'

/** The trace without them. */
export function removeRepeats(trace: Trace): Trace {
  const ones = new Set(
    trace.constants.filter(({ data }) => data.values.every((value) => value === 1)).map(({ value }) => value),
  )
  const sources = new Map<number, number>()
  const current = (value: number): number => sources.get(value) ?? value
  const calls: Call[] = []
  for (const recorded of trace.calls) {
    const call = {
      ...recorded,
      inputs: renameInputs(recorded.inputs, current),
      ...(recorded.body === undefined ? {} : { body: removeRepeats(recorded.body) }),
    }
    const source = sameAs(call, trace.values, ones)
    if (source === undefined) calls.push(call)
    else sources.set(call.outputs[0]!, source)
  }
  const outputs = trace.outputs.map((output) => ({ ...output, value: current(output.value) }))
  return removeDeadCalls({ ...trace, calls, outputs })
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
