/** What passes over traces share: the values that a call reads, and other names for them. */
import type { Call, CallInput } from './trace.js'

/** The values that a call reads. */
export function inputsOf(call: Pick<Call, 'inputs'>): readonly number[] {
  return Object.values(call.inputs).flatMap((input) => input ?? [])
}

/** A call's inputs with `current` of each value in its place. */
export function renameInputs(inputs: Call['inputs'], current: (value: number) => number): Call['inputs'] {
  const one = (input: CallInput): CallInput => {
    if (input === null) return null
    return typeof input === 'number' ? current(input) : input.map(current)
  }
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, one(input)]))
}
