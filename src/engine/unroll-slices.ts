/**
 * The pass that makes of a trace over one slice a trace over all slices of a process: split inputs are cut into rows, calls that
 * depend on a slice's rows stand in it once a slice, outputs are added up, in the order of the slices, or joined. What does not
 * depend on rows (a transposed weight, what follows from an `AllReduce` alone) is there once.
 *
 * An `AllReduce` becomes a sum over the slices; where other processes hold the rest of the batch, an `AllReduce` of that sum.
 */
import { allReduceKernel } from './all-reduce.js'
import { inputsOf, renameInputs } from './call-inputs.js'
import { removeDeadCalls } from './remove-dead-calls.js'
import type { Call, Trace, ValueSpec } from './trace.js'

export interface UnrollOptions {
  /** Whether these slices are a part of the batch only. Default false. */
  readonly spread?: boolean
}

/** The trace over `slices` slices, whose inputs carry the rows of all of them. */
export function unrollSlices(trace: Trace, slices: number, { spread = false }: UnrollOptions = {}): Trace {
  const values: ValueSpec[] = []
  const calls: Call[] = []
  const shared = new Map<number, number>()
  const own = Array.from({ length: slices }, () => new Map<number, number>())
  const define = (spec: ValueSpec): number => values.push(spec) - 1
  const call = (
    kernel: string,
    inputs: Call['inputs'],
    attrs: Call['attrs'],
    specs: readonly ValueSpec[],
  ): number[] => {
    const outputs = specs.map(define)
    calls.push({ kernel, inputs, attrs, outputs })
    return outputs
  }

  const inputs = trace.inputs.map((input) => {
    const spec = trace.values[input.value]!
    const shape = input.split ? [spec.shape[0]! * slices, ...spec.shape.slice(1)] : spec.shape
    return { ...input, split: false, value: define({ ...spec, shape }) }
  })
  const constants = trace.constants.map(({ value, data }) => {
    const id = define(trace.values[value]!)
    shared.set(value, id)
    return { value: id, data }
  })
  for (const [i, { value, split }] of trace.inputs.entries()) {
    const whole = inputs[i]!.value
    if (!split) shared.set(value, whole)
    else if (slices === 1) own[0]!.set(value, whole)
    else {
      const spec = trace.values[value]!
      const attrs = { numOrSizeSplits: own.map(() => spec.shape[0]!), axis: 0 }
      const parts = call(
        'SplitV',
        { x: whole },
        attrs,
        own.map(() => spec),
      )
      for (const [slice, part] of parts.entries()) own[slice]!.set(value, part)
    }
  }

  const copy = (original: Call, at: Map<number, number>): void => {
    const outputs = original.outputs.map((value) => define(trace.values[value]!))
    calls.push({
      ...original,
      inputs: renameInputs(original.inputs, (value) => at.get(value) ?? shared.get(value)!),
      outputs,
    })
    for (const [i, value] of original.outputs.entries()) at.set(value, outputs[i]!)
  }
  /** A value as every slice has it. */
  const partsOf = (value: number): number[] => own.map((at) => at.get(value) ?? shared.get(value)!)
  const sumOf = (value: number): number => {
    const parts = partsOf(value)
    return parts.length === 1 ? parts[0]! : call('AddN', { inputs: parts }, {}, [trace.values[value]!])[0]!
  }

  for (const { once, apart, reduce } of planSegments(trace)) {
    for (const original of once) copy(original, shared)
    for (const at of own) for (const original of apart) copy(original, at)
    if (reduce === undefined) continue
    const specs = reduce.outputs.map((value) => trace.values[value]!)
    const sums = inputsOf(reduce).map(sumOf)
    const results = spread ? call(allReduceKernel, { inputs: sums }, {}, specs) : sums
    for (const [i, value] of reduce.outputs.entries()) shared.set(value, results[i]!)
  }

  const outputs = trace.outputs.map(({ name, value, merge }) => {
    if (merge === 'sum' || slices === 1) return { name, merge, value: sumOf(value) }
    const { shape, dtype } = trace.values[value]!
    const joined = { dtype, shape: [shape[0]! * slices, ...shape.slice(1)] }
    return { name, merge, value: call('Concat', { inputs: partsOf(value) }, { axis: 0 }, [joined])[0]! }
  })
  return removeDeadCalls({ version: 1, values, inputs, constants, calls, outputs })
}

/** Calls up to an `AllReduce`, for which all slices have to wait, or to the end. */
interface Segment {
  /** Calls that do not depend on a slice's rows. */
  readonly once: readonly Call[]
  readonly apart: readonly Call[]
  readonly reduce: Call | undefined
}

function planSegments(trace: Trace): Segment[] {
  const bySlice = new Set(trace.inputs.filter((input) => input.split).map((input) => input.value))
  const segments: Segment[] = []
  let [once, apart]: [Call[], Call[]] = [[], []]
  for (const call of trace.calls) {
    if (call.kernel === allReduceKernel) {
      segments.push({ once, apart, reduce: call })
      ;[once, apart] = [[], []]
    } else if (inputsOf(call).some((value) => bySlice.has(value))) {
      apart.push(call)
      for (const value of call.outputs) bySlice.add(value)
    } else once.push(call)
  }
  return [...segments, { once, apart, reduce: undefined }]
}
