/**
 * `scan`: a loop inside a step. What a `Scan` means is rule 5 of `trace.ts`.
 *
 * The body is recorded once, whether or not a step is being recorded, and the loop is one kernel call with the body's trace as
 * an attribute. So a recording holds one call, an engine without graphs runs the body row by row (`scanKernel`), and one with
 * graphs builds a loop. It has no gradient, and says so: whoever needs one scans backward in a custom gradient.
 */
import type { KernelFunc, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core'
import { type DType, allocate, sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { describe, sameShape } from './errors.js'
import { recordPart } from './record.js'
import { runTrace } from './run-call.js'
import { type Tf, tensorOf, tfCore } from './tf.js'
import type { ScanAttributes, Trace } from './trace.js'

export interface ScanInputs {
  /** What each run hands to the next; at first, what the first run gets. */
  readonly carried: readonly Tensor[]
  /** Tensors with one row a run as first axis, of which there is at least one. */
  readonly scanned: readonly Tensor[]
  /** What every run gets. */
  readonly shared?: readonly Tensor[]
  /** From the last row to the first. Default false. */
  readonly reverse?: boolean
}

export interface ScanOutputs {
  readonly carried: Tensor[]
  readonly stacked: Tensor[]
}

/**
 * Runs `body` once for each row of the scanned tensors: `scanned[i]: [runs, ...]`, `carried` keep their shapes, `stacked` results
 * get the axis of runs in front.
 *
 * @throws ShardbookError `engine` when scanned tensors differ in rows, the body changes the shape of a carried value, reads
 *   values or uses tensors that it was not given.
 * @example
 * ```ts
 * // running sums of the rows of x: [n, k]
 * const { stacked } = scan({ carried: [tf.zeros([k])], scanned: [x] }, ([sum], [row]) => {
 *   const next = tf.add(sum, row)
 *   return { carried: [next], stacked: [next] }
 * })
 * ```
 */
export function scan(
  { carried, scanned, shared = [], reverse = false }: ScanInputs,
  body: (carried: Tensor[], scanned: Tensor[], shared: Tensor[]) => ScanOutputs,
): ScanOutputs {
  const count = scanned[0]?.shape[0] ?? 0
  if (count < 1 || scanned.some(({ shape }) => shape[0] !== count)) {
    throw new ShardbookError(
      'engine',
      `scan: expected scanned tensors with the same number of rows, at least one, got ${scanned.map(describe).join(', ') || 'none'}.`,
    )
  }
  const rows = scanned.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype }))
  const trace = recordBody([...carried, ...rows, ...shared], (given) => {
    const row = carried.length + scanned.length
    const result = body(given.slice(0, carried.length), given.slice(carried.length, row), given.slice(row))
    for (const [i, before] of carried.entries()) {
      const after = result.carried[i]
      if (after !== undefined && after.dtype === before.dtype && sameShape(after.shape, before.shape)) continue
      throw new ShardbookError(
        'engine',
        `scan: expected carried value ${i} to stay ${describe(before)}, got ${after === undefined ? 'none' : describe(after)}.`,
      )
    }
    return [...result.carried, ...result.stacked]
  })
  const attrs = { count, carried: carried.length, scanned: scanned.length, reverse, body: trace } satisfies object
  const outputs = tfCore()
    .engine()
    .runKernel<Tensor[]>('Scan', [...carried, ...scanned, ...shared] as unknown as NamedTensorMap, attrs as never)
  return { carried: outputs.slice(0, carried.length), stacked: outputs.slice(carried.length) }
}

function recordBody(
  specs: readonly Pick<Tensor, 'shape' | 'dtype'>[],
  body: (given: Tensor[]) => readonly Tensor[],
): Trace {
  const tf = tfCore()
  const given = specs.map(({ shape, dtype }) =>
    tensorOf({ shape, dtype: dtype as DType, values: allocate(dtype as DType, sizeOf(shape)) }),
  )
  try {
    return recordPart(
      given.map((tensor, i) => ({ name: `input ${i}`, tensor, split: false })),
      () => body(given).map((tensor, i) => ({ name: `output ${i}`, tensor, merge: 'sum' })),
    )
  } finally {
    tf.dispose(given)
  }
}

/** The kernel of engines that run call by call. */
export const scanKernel: KernelFunc = ({ inputs, attrs }) => {
  const tf = tfCore()
  const { count, carried, scanned, reverse, body } = attrs as unknown as ScanAttributes & { readonly body: Trace }
  const given = inputs as unknown as Tensor[]
  const [rows, shared] = [given.slice(carried, carried + scanned), given.slice(carried + scanned)]
  return tf.tidy(() => {
    let state = given.slice(0, carried)
    const stacks = body.outputs.slice(carried).map((): Tensor[] => [])
    for (let run = 0; run < count; run++) {
      const row = reverse ? count - 1 - run : run
      const outputs = tf.tidy(() =>
        runTrace(body, [...state, ...rows.map((tensor) => rowOf(tf, tensor, row)), ...shared]).map((tensor) =>
          tf.clone(tensor),
        ),
      )
      if (run > 0) tf.dispose(state)
      state = outputs.slice(0, carried)
      for (const [i, stack] of stacks.entries()) stack[row] = outputs[carried + i]!
    }
    return [...state, ...stacks.map((stack) => tf.stack(stack))]
  })
}

function rowOf(tf: Tf, tensor: Tensor, row: number): Tensor {
  const shape = tensor.shape.slice(1)
  const begin = [row, ...shape.map(() => 0)]
  return tf.reshape(tf.slice(tensor, begin, [1, ...shape]), shape)
}
