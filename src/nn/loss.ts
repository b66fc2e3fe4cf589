/**
 * Losses: for each row a number, from what the model puts out and what was expected. Weighting, the mean over the global
 * batch and the sum over slices are the step's business.
 */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { checkNumber, checkOneOf } from '../core/check.js'
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

/** The mean over a row's numbers of `|output - target|`; shapes equal. */
export const meanAbsoluteError: Loss = Object.freeze({
  kind: 'meanAbsoluteError',
  target: 'float32',
  rows: (tf: Tf, output: Tensor, target: Tensor) =>
    tf.mean<Tensor1D>(tf.abs(tf.sub(flat(tf, output), flat(tf, target))), 1),
})

/**
 * The mean over a row's numbers of `e^2 / 2` where `e = |output - target|` is at most delta, else `delta (e - delta / 2)`
 * (Huber, 1964); shapes equal.
 *
 * @throws ShardbookError `argument` unless delta is above zero.
 * @example
 * ```ts
 * nn.huber({ delta: 2 })
 * ```
 */
export function huber({ delta = 1 }: { readonly delta?: number } = {}): Loss {
  checkNumber('nn.huber', 'delta', delta, Number.MIN_VALUE)
  return Object.freeze({
    kind: 'huber',
    target: 'float32',
    rows: (tf: Tf, output: Tensor, target: Tensor) => {
      const error = tf.abs(tf.sub(flat(tf, output), flat(tf, target)))
      const square = tf.minimum(error, delta)
      const linear = tf.mul(delta, tf.sub(error, square))
      return tf.mean<Tensor1D>(tf.add(tf.mul(0.5, tf.square(square)), linear), 1)
    },
  })
}

/** `-sum target log softmax(output)`: `output: [rows, classes]` logits, `target: [rows, classes]` probabilities. */
export const categoricalCrossEntropy: Loss = Object.freeze({
  kind: 'categoricalCrossEntropy',
  target: 'float32',
  rows: (tf: Tf, output: Tensor, target: Tensor) => tf.neg<Tensor1D>(tf.sum(tf.mul(target, tf.logSoftmax(output)), 1)),
})

/** The mean over a row's numbers of `max(0, 1 - target * output)`, targets -1 or 1; shapes equal. */
export const hinge: Loss = Object.freeze({
  kind: 'hinge',
  target: 'float32',
  rows: (tf: Tf, output: Tensor, target: Tensor) =>
    tf.mean<Tensor1D>(tf.relu(tf.sub(1, tf.mul(flat(tf, output), flat(tf, target)))), 1),
})

/**
 * `sum target log (target / output)`, both probabilities [rows, classes] and at least 1e-7: how far the output is from the
 * target.
 */
export const klDivergence: Loss = Object.freeze({
  kind: 'klDivergence',
  target: 'float32',
  rows: (tf: Tf, output: Tensor, target: Tensor) => {
    const [p, t] = [tf.clipByValue(flat(tf, output), 1e-7, 1), tf.clipByValue(flat(tf, target), 1e-7, 1)]
    return tf.sum<Tensor1D>(tf.mul(t, tf.sub(tf.log(t), tf.log(p))), 1)
  },
})

/** The cosine of the angle between output and target, negated: -1 for one direction, 1 for opposite ones; shapes equal. */
export const cosineSimilarity: Loss = Object.freeze({
  kind: 'cosineSimilarity',
  target: 'float32',
  rows: (tf: Tf, output: Tensor, target: Tensor) => {
    const unit = (x: Tensor): Tensor => tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), 1, true), 1e-12)))
    return tf.neg<Tensor1D>(tf.sum(tf.mul(unit(flat(tf, output)), unit(flat(tf, target))), 1))
  },
})

/**
 * A cross entropy whose targets are `(1 - amount) target + amount / classes`; of a binary one, with two classes (Szegedy and
 * others, 2016).
 *
 * @throws ShardbookError `argument` for another loss, and for an amount outside [0, 1).
 * @example
 * ```ts
 * nn.labelSmoothing(nn.softmaxCrossEntropy, 0.1)
 * ```
 */
export function labelSmoothing(loss: Loss, amount: number): Loss {
  const caller = 'nn.labelSmoothing'
  const { kind } = loss
  checkNumber(caller, 'amount', amount, 0, 1 - 2 ** -20)
  checkOneOf(
    caller,
    'loss',
    kind,
    [softmaxCrossEntropy, categoricalCrossEntropy, binaryCrossEntropy].map((l) => l.kind),
  )
  return Object.freeze({
    kind,
    target: loss.target,
    rows: (tf: Tf, output: Tensor, target: Tensor) => {
      const classes = loss === binaryCrossEntropy ? 2 : output.shape[1]!
      const sure = loss === softmaxCrossEntropy ? tf.cast(tf.oneHot(target, classes), 'float32') : target
      const smooth = tf.add(tf.mul(sure, 1 - amount), amount / classes)
      return (loss === binaryCrossEntropy ? binaryCrossEntropy : categoricalCrossEntropy).rows(tf, output, smooth)
    },
  })
}

function flat(tf: Tf, x: Tensor): Tensor2D {
  return tf.reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))])
}
