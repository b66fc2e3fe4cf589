/** Metrics that are ratios of counts: precision, recall, F1, and the areas under the curves of a binary score. */
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import { checkInteger, checkOneOf } from '../core/check.js'
import type { Tf } from '../engine/tf.js'
import type { SumMetric } from './metric.js'
import type { Average } from './metric-finish.js'

export interface AverageOptions {
  /** A class, or how classes become one number. Default: class 1 of two classes, else `'macro'`. */
  readonly average?: Average
}

/**
 * Of the rows that are predicted to be of a class, the share that is: `output: [rows, classes]` with `target: [rows]` int32, or
 * one logit a row with targets 0 and 1.
 *
 * @throws ShardbookError `argument` for an average that is none.
 * @example
 * ```ts
 * nn.precision({ average: 'macro' })
 * ```
 */
export function precision(options: AverageOptions = {}): SumMetric {
  return counting('precision', options)
}

/**
 * Of the rows that are of a class, the share that is predicted to be; outputs and targets as of `nn.precision`.
 *
 * @throws ShardbookError `argument` for an average that is none.
 * @example
 * ```ts
 * nn.recall({ average: 1 })
 * ```
 */
export function recall(options: AverageOptions = {}): SumMetric {
  return counting('recall', options)
}

/**
 * The harmonic mean of precision and recall; outputs and targets as of `nn.precision`.
 *
 * @throws ShardbookError `argument` for an average that is none.
 * @example
 * ```ts
 * nn.f1({ average: 'weighted' })
 * ```
 */
export function f1(options: AverageOptions = {}): SumMetric {
  return counting('f1', options)
}

export interface AucOptions {
  /** True against false positives, or precision against recall. Default `'ROC'`. */
  readonly curve?: 'ROC' | 'PR'
  /** Points of the curve. Default 200, as in Keras. */
  readonly thresholds?: number
}

/**
 * The area under a curve of a binary score, counted at thresholds between 0 and 1: `output: [rows, 2]` logits of which the second
 * is of the positive class, or one logit a row; targets 0 and 1.
 *
 * @throws ShardbookError `argument` for less than three thresholds.
 * @example
 * ```ts
 * nn.auc({ curve: 'PR' })
 * ```
 */
export function auc({ curve = 'ROC', thresholds = 200 }: AucOptions = {}): SumMetric {
  checkOneOf('nn.auc', 'curve', curve, ['ROC', 'PR'])
  checkInteger('nn.auc', 'thresholds', thresholds, 3)
  // The ends lie outside, so that the curve begins at none and ends at all.
  const points = Array.from({ length: thresholds }, (_, i) => i / (thresholds - 1))
  points[0] = -1e-7
  points[thresholds - 1] = 1 + 1e-7
  return Object.freeze({
    name: curve === 'ROC' ? 'auc' : 'aucPR',
    finish: { kind: 'auc', curve } as const,
    sums: (tf: Tf, output: Tensor, target: Tensor, rowWeight: Tensor1D) => {
      const rows = output.shape[0]
      const positive = tf.reshape(tf.cast(target, 'float32'), [rows])
      const above = tf.cast(tf.greater(tf.reshape(scoreOf(tf, output), [rows, 1]), tf.tensor2d([points])), 'float32')
      const [hits, misses] = [tf.mul(positive, rowWeight), tf.mul(tf.sub(1, positive), rowWeight)]
      const counts = tf.matMul(tf.stack([hits, misses]) as Tensor2D, above)
      const totals = tf.stack([tf.sum(hits), tf.sum(misses)])
      return tf.concat<Tensor1D>([tf.reshape(counts, [2 * thresholds]), totals as Tensor1D])
    },
  })
}

function counting(kind: 'precision' | 'recall' | 'f1', { average }: AverageOptions): SumMetric {
  if (typeof average === 'number') checkInteger(`nn.${kind}`, 'average', average, 0)
  else if (average !== undefined) checkOneOf(`nn.${kind}`, 'average', average, ['macro', 'micro', 'weighted'])
  return Object.freeze({
    name: kind,
    finish: average === undefined ? { kind } : { kind, average },
    sums: (tf: Tf, output: Tensor, target: Tensor, rowWeight: Tensor1D) => {
      const rows = output.shape[0]
      const many = output.rank === 2 && output.shape[1]! > 1
      const classes = many ? output.shape[1]! : 2
      const called = many ? tf.argMax(output, 1) : tf.reshape(tf.greater(output, 0), [rows])
      const weight = tf.reshape(rowWeight, [rows, 1])
      const oneHot = (x: Tensor): Tensor =>
        tf.mul(tf.cast(tf.oneHot(tf.cast(x, 'int32') as Tensor1D, classes), 'float32'), weight)
      const [predicted, expected] = [oneHot(called), oneHot(tf.reshape(target, [rows]))]
      const right = tf.mul(predicted, expected)
      return tf.concat<Tensor1D>([right, predicted, expected].map((counts) => tf.sum<Tensor1D>(counts, 0)))
    },
  })
}

/** The probability of the positive class. */
function scoreOf(tf: Tf, output: Tensor): Tensor {
  const rows = output.shape[0]
  if (output.rank !== 2 || output.shape[1] !== 2) return tf.sigmoid(tf.reshape(output, [rows]))
  const [no, yes] = tf.split(output, 2, 1)
  return tf.sigmoid(tf.reshape(tf.sub(yes!, no!), [rows]))
}
