/**
 * The trace: one step as plain data, engine-neutral.
 *
 * A trace is what a step did in terms of TensorFlow.js kernels: kernel name, attributes, and which value went where.
 * It is recorded once while the step runs eagerly, which gives every shape for free; engines lower or replay it; the
 * pool sends it to workers. It holds no code and no reference to an engine. `check-trace.ts` enforces these rules:
 *
 * 1. Values have ids `0 .. values.length - 1`; each is defined once (an input, a constant or a call's output), before use.
 * 2. Every value has a static shape and dtype. No call has a side effect; results depend on inputs only.
 * 3. Random masks, learning rates and step counters are inputs, never constants.
 * 4. Inputs that are `split` and outputs that merge by `concat` have the rows of the batch as first axis.
 * 5. A call of the kernel `Scan`, and no other, has a `body`: a trace without split inputs that runs `count` times in a row.
 *    Its input `inputs` lists, in this order: `carried` values, handed from one run to the next; `scanned` ones, whose first
 *    axis has one row a run; and those that all runs share. The body's inputs are these, scanned ones without their first
 *    axis; its outputs are the next carried values, then any number of others. The call's outputs are the carried values after
 *    the last run, then the other outputs of all runs, stacked along a new first axis. With `reverse` the runs go from the
 *    last row to the first. (A loop without these rules would have no static shapes, or would need writes.)
 * 6. A trace is what one slice of a batch does. A call of the kernel `AllReduce`, not allowed in a body, adds each of the float32
 *    values of its input `inputs` up over all slices of the batch, whichever processes run them; its outputs, of the same shapes,
 *    are those sums. (So whoever runs some slices has to wait there for the others. All run the same trace, hence the same calls.)
 */
import type { DType, TensorData } from '../core/dtype.js'

export interface ValueSpec {
  readonly shape: readonly number[]
  readonly dtype: DType
}

export interface TraceInput {
  readonly name: string
  readonly value: number
  /** True when each slice of a batch gets its own rows, false when all share the value (weights, rates, keys). */
  readonly split: boolean
}

export interface TraceOutput {
  readonly name: string
  readonly value: number
  /** How the outputs of several slices become one: added, or joined along the first axis. */
  readonly merge: 'sum' | 'concat'
}

/** A kernel's input: one value, a list of values (variadic kernels), or absent. */
export type CallInput = number | readonly number[] | null

export interface Call {
  /** TensorFlow.js kernel name: `Conv2D`, `Relu`, ... */
  readonly kernel: string
  /** By input name, in order; a variadic kernel has the single name `inputs`, mapped to a list. */
  readonly inputs: Readonly<Record<string, CallInput>>
  /** JSON attributes. */
  readonly attrs: Readonly<Record<string, unknown>>
  readonly outputs: readonly number[]
  /** Of a `Scan`: what it repeats. */
  readonly body?: Trace
}

/** The attributes of a `Scan` (rule 5). */
export interface ScanAttributes {
  readonly count: number
  readonly carried: number
  readonly scanned: number
  readonly reverse: boolean
}

export interface Trace {
  readonly version: 1
  readonly values: readonly ValueSpec[]
  readonly inputs: readonly TraceInput[]
  readonly constants: readonly { readonly value: number; readonly data: TensorData }[]
  readonly calls: readonly Call[]
  readonly outputs: readonly TraceOutput[]
}
