/**
 * Losses: for each row a number, from what the model puts out and what was expected. Weighting, the mean over the global
 * batch and the sum over slices are the step's business.
 */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { sizeOf } from '../core/dtype.js'
import type { DType } from '../core/dtype.js'
import { sparseSoftmaxCrossEntropy } from '../engine/index.js'
import type { Tf } from '../engine/tf.js'

export interface Loss {
  readonly kind: string
  /** Type of the expected values on the engine. */
  readonly target: DType
  /** `output: [rows, ...]`, `target: [rows, ...]` -> `[rows]`. */
  readonly rows: (tf: Tf, output: Tensor, target: Tensor) => Tensor1D
}

/**
 * `-log softmax(output)[target]`: `output: [rows, classes]` logits, `target: [rows]` class indices.
 *
 * @example
 * ```ts
 * nn.softmaxCrossEntropy
 * ```
 */
export const softmaxCrossEntropy: Loss = Object.freeze({
  kind: 'softmaxCrossEntropy',
  target: 'int32',
  rows: (_: Tf, output: Tensor, target: Tensor) => sparseSoftmaxCrossEntropy(output as Tensor2D, target as Tensor1D),
})

/** The mean over a row's numbers of `(output - target)^2`; shapes equal. */
export const meanSquaredError: Loss = Object.freeze({
  kind: 'meanSquaredError',
  target: 'float32',
  rows: (tf: Tf, output: Tensor, target: Tensor) => {
    const [a, b] = [flat(tf, output), flat(tf, target)]
    return tf.mean<Tensor1D>(tf.squaredDifference(a, b), 1)
  },
})

/** `1/2 sum (output - target)^2` over a row's numbers: what an autoencoder minimises; shapes equal. */
export const halfSquaredError: Loss = Object.freeze({
  kind: 'halfSquaredError',
  target: 'float32',
  rows: (tf: Tf, output: Tensor, target: Tensor) => {
    const [a, b] = [flat(tf, output), flat(tf, target)]
    return tf.mul<Tensor1D>(0.5, tf.sum(tf.squaredDifference(a, b), 1))
  },
})

/**
 * The mean over a row's numbers of `-t log p - (1 - t) log (1 - p)`, `p = sigmoid(output)`: `output` holds logits; shapes equal.
 */
export const binaryCrossEntropy: Loss = Object.freeze({
  kind: 'binaryCrossEntropy',
  target: 'float32',
  rows: (tf: Tf, output: Tensor, target: Tensor) => {
    const [z, t] = [flat(tf, output), flat(tf, target)]
    // log(1 + e^z) - t z, without overflow: relu(z) + log(1 + e^-|z|) - t z
    const softplus = tf.add(tf.relu(z), tf.log1p(tf.exp(tf.neg(tf.abs(z)))))
    return tf.mean<Tensor1D>(tf.sub(softplus, tf.mul(t, z)), 1)
  },
})

function flat(tf: Tf, x: Tensor): Tensor2D {
  return tf.reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))])
}
