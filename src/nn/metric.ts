/** Metrics: for each row a number whose weighted mean is the metric. */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { checkInteger } from '../core/check.js'
import type { Tf } from '../engine/tf.js'

export interface Metric {
  /** In events, charts and history. */
  readonly name: string
  /** `output: [rows, ...]`, `target: [rows, ...]` -> `[rows]`. */
  readonly rows: (tf: Tf, output: Tensor, target: Tensor) => Tensor1D
}

/** Share of rows whose greatest output is at the expected class: `output: [rows, classes]`, `target: [rows]` int32. */
export const accuracy: Metric = Object.freeze({
  name: 'accuracy',
  rows: (tf: Tf, output: Tensor, target: Tensor) =>
    tf.cast<Tensor1D>(tf.equal(tf.cast(tf.argMax(output, 1), 'int32'), target), 'float32'),
})

/**
 * Share of rows whose expected class is among the k greatest outputs: `output: [rows, classes]`, `target: [rows]` int32.
 *
 * @throws ShardbookError `argument` for k below one.
 * @example
 * ```ts
 * nn.topKAccuracy({ k: 3 })
 * ```
 */
export function topKAccuracy({ k }: { readonly k: number }): Metric {
  checkInteger('nn.topKAccuracy', 'k', k, 1)
  return Object.freeze({
    name: `top${k}Accuracy`,
    rows: (tf: Tf, output: Tensor, target: Tensor) => {
      const expected = tf.sum(tf.mul(output, tf.cast(tf.oneHot(target, output.shape[1]!), 'float32')), 1, true)
      const greater = tf.sum(tf.cast(tf.greater(output, expected), 'float32'), 1)
      return tf.cast<Tensor1D>(tf.less(greater, k), 'float32')
    },
  })
}

/** Share of numbers on the right side: `output` holds logits, `target` 0 or 1; shapes equal. */
export const binaryAccuracy: Metric = Object.freeze({
  name: 'binaryAccuracy',
  rows: (tf: Tf, output: Tensor, target: Tensor) => {
    const right = tf.cast(tf.equal(tf.greater(output, 0), tf.greater(target, 0.5)), 'float32')
    return tf.mean<Tensor1D>(tf.reshape(right, [output.shape[0], -1]), 1)
  },
})
