/**
 * A cell run over time, with its backward pass.
 *
 * The input's share of all steps is one product before the first step. Backward, the gradients of the weights are products
 * over several steps at a time, added up. In between the steps are in a row, or for long sequences in a loop (`passes.ts`).
 */
import type { Rank, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { maskedCell } from './cells.js'
import type { Cell } from './cells.js'
import type { LayerContext } from './layer.js'
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

/**
 * `x: [batch, steps, in] -> [batch, units]`, the last output, or all of them `[batch, steps, units]` with `sequences`. Where the
 * context's mask is 0 the state stays as it was.
 */
export function recur(
  { tf, mask }: LayerContext,
  plain: Cell,
  x: Tensor3D,
  weights: RecurrentWeights,
  sequences: boolean,
): Tensor {
  const cell = mask === undefined ? plain : maskedCell(plain)
  const [rows, steps, width] = x.shape
  const units = weights.recurrent.shape[0]
  const passes = steps > longestUnrolled ? looped : unrolled
  const extent = { tf, cell, rows, steps, units, sequences }
  const run = tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: Tensor[]) => void
    const [input, kernel, recurrent, bias, stateBias] = args as [Tensor, Tensor, Tensor, Tensor, Tensor?]
    const inTime = tf.reshape<Rank.R2>(tf.transpose(input, [1, 0, 2]), [steps * rows, width])
    const product = tf.add(tf.matMul(inTime, kernel as Tensor2D), bias)
    const shares =
      mask === undefined ? product : tf.concat([product, tf.reshape(tf.transpose(mask), [steps * rows, 1])], 1)
    const { value, saved } = passes.forward(extent, shares, { recurrent, stateBias })
    save([inTime, kernel, recurrent, ...saved])

    const gradFunc = (dy: Tensor | Tensor[], kept: Tensor[]): Tensor[] => {
      const [steppedX, w, u, ...others] = kept as [Tensor2D, Tensor2D, Tensor2D, ...Tensor[]]
      const given = { x: steppedX, kernel: w, transposed: tf.transpose(u) }
      const [dx, ...sums] = passes.backward(extent, dy as Tensor, others, given)
      return [tf.transpose(tf.reshape(dx!, [steps, rows, width]), [1, 0, 2]), ...sums]
    }
    return { value, gradFunc }
  })
  const { kernel, recurrent, bias, stateBias } = weights
  return run(x, kernel, recurrent, bias, ...(stateBias === undefined ? [] : [stateBias]))
}
