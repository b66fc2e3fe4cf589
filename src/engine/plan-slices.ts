/**
 * What of a trace depends on a slice's rows. Calls that do not (a transposed weight) run once, before the slices; the
 * others once a slice.
 *
 * A slice sees its own rows only. What needs the whole batch, such as the mean and variance of batch normalisation, must not be
 * computed within a slice: a layer that needs it takes it as an output that merges by sum and gets it back as an input that is
 * not split, in a pass of its own.
 */
import { inputsOf } from './remove-dead-calls.js'
import type { Call, Trace } from './trace.js'

export interface SlicePlan {
  readonly shared: readonly Call[]
  readonly sliced: readonly Call[]
}

export function planSlices(trace: Trace): SlicePlan {
  const dependent = new Set(trace.inputs.filter((input) => input.split).map((input) => input.value))
  const shared: Call[] = []
  const sliced: Call[] = []
  for (const call of trace.calls) {
    if (inputsOf(call).some((value) => dependent.has(value))) {
      sliced.push(call)
      for (const value of call.outputs) dependent.add(value)
    } else shared.push(call)
  }
  return { shared, sliced }
}
