/** The pass that drops what no output needs: calls, constants and their values. Inputs stay: they are the signature. */
import { inputsOf, renameInputs } from './call-inputs.js'
import type { Call, ScanAttributes, Trace } from './trace.js'

/** The trace without the calls and constants that no output needs; values are numbered anew, in order of definition. */
export function removeDeadCalls(trace: Trace): Trace {
  const needed = new Set(trace.outputs.map((output) => output.value))
  const calls: Call[] = []
  for (const given of trace.calls.toReversed()) {
    const call = given.body === undefined ? given : removeDeadRows(given, given.body, needed)
    if (!call.outputs.some((value) => needed.has(value))) continue
    calls.unshift(call)
    for (const value of inputsOf(call)) needed.add(value)
  }
  const constants = trace.constants.filter((constant) => needed.has(constant.value))

  const order = [
    ...trace.inputs.map((input) => input.value),
    ...constants.map((constant) => constant.value),
    ...calls.flatMap((call) => call.outputs),
  ]
  const renumbered = new Map(order.map((value, i) => [value, i]))
  const at = (value: number): number => renumbered.get(value)!
  return {
    version: 1,
    values: order.map((value) => trace.values[value]!),
    inputs: trace.inputs.map((input) => ({ ...input, value: at(input.value) })),
    constants: constants.map((constant) => ({ ...constant, value: at(constant.value) })),
    calls: calls.map((call) => ({
      ...call,
      inputs: renameInputs(call.inputs, at),
      outputs: call.outputs.map(at),
    })),
    outputs: trace.outputs.map((output) => ({ ...output, value: at(output.value) })),
  }
}

/** A scan without the stacked outputs that nothing needs. Their values go too: the numbers of others stay as they are. */
function removeDeadRows(call: Call, body: Trace, needed: ReadonlySet<number>): Call {
  const { carried } = call.attrs as unknown as ScanAttributes
  const wanted = (_: unknown, i: number): boolean => i < carried || needed.has(call.outputs[i]!)
  return {
    ...call,
    outputs: call.outputs.filter(wanted),
    body: removeDeadCalls({ ...body, outputs: body.outputs.filter(wanted) }),
  }
}
