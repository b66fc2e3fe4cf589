/**
 * Products with sparse vectors. They reach a program as `[batch, 2, entries]`: which components, then their values, filled up with
 * component 0 of value 0. Components are float32 there, exact below 2^24.
 */
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import type { Tf } from '../../engine/tf.js'
import { showShape } from './layer.js'
import type { Shape } from './layer.js'

/** `x: [batch, 2, entries]`, `kernel: [size, columns]` -> `[batch, columns]`: the weighted sum of the entries' rows of the kernel. */
export function sparseProduct(tf: Tf, x: Tensor3D, kernel: Tensor): Tensor2D {
  const [rows, , entries] = x.shape
  const columns = kernel.shape[1]!
  const [which, values] = tf.split(x, 2, 1) as [Tensor, Tensor]
  const picked = tf.gather(kernel, tf.cast(tf.reshape(which, [rows * entries]), 'int32'))
  const weighted = tf.mul(picked, tf.reshape(values, [rows * entries, 1]))
  return tf.sum(tf.reshape(weighted, [rows, entries, columns]), 1)
}

/** Raises unless samples are sparse vectors as the feed gives them. */
export function checkSparse(kind: string, input: Shape): void {
  if (input.length === 2 && input[0] === 2) return
  throw new ShardbookError(
    'argument',
    `nn.${kind}: expected samples of sparse vectors, [2, entries], got ${showShape(input)}.`,
  )
}
