/**
 * A cell run over time, with its backward pass.
 *
 * The input's share of all steps is one product before the first step. Backward, the gradients of the weights are products
 * over several steps at a time. In between the steps are in a row, or for long sequences in a loop (`passes.ts`).
 */
import type { Rank, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import type { Tf } from '../../engine/tf.js'
import type { Cell } from './cells.js'
import { looped, unrolled } from './passes.js'

/** Steps up to which each has calls of its own: faster than a loop, but a program grows with them. */
const longestUnrolled = 100

/** Weights of a recurrent layer. */
export interface RecurrentWeights {
  /** [in, gates * units] */
  readonly kernel: Tensor
  /** [units, gates * units] */
  readonly recurrent: Tensor
  /** [gates * units] */
  readonly bias: Tensor
  /** [gates * units], where the cell has one. */
  readonly stateBias: Tensor | undefined
}

/** `x: [batch, steps, in] -> [batch, units]`, the last output, or all of them `[batch, steps, units]` with `sequences`. */
export function recur(tf: Tf, cell: Cell, x: Tensor3D, weights: RecurrentWeights, sequences: boolean): Tensor {
  const [rows, steps, width] = x.shape
  const units = weights.recurrent.shape[0]
  const passes = steps > longestUnrolled ? looped : unrolled
  const extent = { tf, cell, rows, steps, units, sequences }
  const run = tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: Tensor[]) => void
    const [input, kernel, recurrent, bias, stateBias] = args as [Tensor, Tensor, Tensor, Tensor, Tensor?]
    const inTime = tf.reshape<Rank.R2>(tf.transpose(input, [1, 0, 2]), [steps * rows, width])
    const shares = tf.add(tf.matMul(inTime, kernel as Tensor2D), bias)
    const { value, saved } = passes.forward(extent, shares, { recurrent, stateBias })
    save([inTime, kernel, recurrent, ...saved])

    const gradFunc = (dy: Tensor | Tensor[], kept: Tensor[]): Tensor[] => {
      const [steppedX, w, u, ...others] = kept as [Tensor2D, Tensor2D, Tensor2D, ...Tensor[]]
      const parts = passes.backward(extent, dy as Tensor, others, tf.transpose(u))
      const xs = tf.split(
        steppedX,
        parts.map((part) => part.input.shape[0]),
      )
      const products = parts.map(({ input: dInput, recurrent: dRecurrent, before }, i) => [
        tf.matMul(dInput, w, false, true),
        tf.matMul(xs[i]!, dInput, true),
        tf.matMul(before, dRecurrent, true),
        tf.sum(dInput, 0),
        ...(stateBias === undefined ? [] : [tf.sum(dRecurrent, 0)]),
      ])
      const [dx, ...sums] = products[0]!.map((_, k) => products.map((product) => product[k]!))
      const inOrder = tf.transpose(tf.reshape(tf.concat(dx!), [steps, rows, width]), [1, 0, 2])
      return [inOrder, ...sums.map((terms) => tf.addN(terms))]
    }
    return { value, gradFunc }
  })
  const { kernel, recurrent, bias, stateBias } = weights
  return run(x, kernel, recurrent, bias, ...(stateBias === undefined ? [] : [stateBias]))
}
