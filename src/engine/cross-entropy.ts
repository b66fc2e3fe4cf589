/**
 * The softmax cross entropy of class indices as one kernel that gives loss and gradient at once, where TensorFlow.js composes
 * some thirty calls. Every engine registers it; other TensorFlow.js backends compose it.
 */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { tfCore } from './tf.js'

/** `logits: [rows, classes]`, `labels: int32 [rows]` -> losses `[rows]`, their gradients by the logits `[rows, classes]`. */
export const crossEntropyKernel = 'SparseSoftmaxCrossEntropy'

/** `-log softmax(logits)[label]`: `logits: [rows, classes]`, `labels: int32 [rows]` in [0, classes) -> `[rows]`. */
export function sparseSoftmaxCrossEntropy(logits: Tensor2D, labels: Tensor1D): Tensor1D {
  const tf = tfCore()
  return tf.customGrad((x, save) => {
    const [losses, gradients] =
      tf.getKernel(crossEntropyKernel, tf.getBackend()) === undefined
        ? composedCrossEntropy(x as Tensor2D, labels)
        : tf.engine().runKernel<[Tensor1D, Tensor2D]>(crossEntropyKernel, { logits: x as Tensor, labels })
    ;(save as (tensors: Tensor[]) => void)([gradients])
    return {
      value: losses,
      gradFunc: (dy: Tensor1D, saved: Tensor[]) => tf.mul(tf.reshape(dy, [-1, 1]), saved[0]!),
    }
  })(logits)
}

/** The kernel in terms of others. */
export function composedCrossEntropy(logits: Tensor2D, labels: Tensor1D): [Tensor1D, Tensor2D] {
  const tf = tfCore()
  const expected = tf.cast(tf.oneHot(labels, logits.shape[1]), 'float32')
  const logarithms = tf.logSoftmax(logits)
  const losses = tf.neg<Tensor1D>(tf.sum(tf.mul(expected, logarithms), 1))
  return [losses, tf.sub(tf.exp(logarithms), expected)]
}
