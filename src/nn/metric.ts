/**
 * Metrics: numbers that add up over rows, slices and workers, and what the sums become at the end. Most are the mean of one
 * number a row; precision, recall, F1 and the area under a curve are counts of rows.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { checkInteger } from '../core/check.js'
import type { Tf } from '../engine/tf.js'
import type { MetricFinish } from './metric-finish.js'

/** The mean of a number a row. */
export interface RowMetric {
  /** In events, charts and history. */
  readonly name: string
  /** `output: [rows, ...]`, `target: [rows, ...]` -> `[rows]`. */
  readonly rows: (tf: Tf, output: Tensor, target: Tensor) => Tensor1D
}

/** Sums over rows that are finished once all are added up. */
export interface SumMetric {
  readonly name: string
  readonly finish: MetricFinish
  /** `output: [rows, ...]`, `target: [rows, ...]`, `rowWeight: [rows]` 1, or 0 where a row does not count -> `[sums]`. */
  readonly sums: (tf: Tf, output: Tensor, target: Tensor, rowWeight: Tensor1D) => Tensor1D
}

export type Metric = RowMetric | SumMetric

/** A metric as data: what its sums become. */
export interface MetricData {
  readonly name: string
  readonly finish: MetricFinish
}

export function metricData(metric: Metric): MetricData {
  return { name: metric.name, finish: 'rows' in metric ? { kind: 'mean' } : metric.finish }
}

/** The sums of a metric over the rows of a slice: `[]` or `[sums]`. */
export function sumMetric(tf: Tf, metric: Metric, output: Tensor, target: Tensor, rowWeight: Tensor1D): Tensor {
  if ('rows' in metric) return tf.sum(tf.mul(metric.rows(tf, output, target), rowWeight))
  return metric.sums(tf, output, target, rowWeight)
}

/** Share of rows whose greatest output is at the expected class: `output: [rows, classes]`, `target: [rows]` int32. */
export const accuracy: RowMetric = Object.freeze({
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
export function topKAccuracy({ k }: { readonly k: number }): RowMetric {
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
export const binaryAccuracy: RowMetric = Object.freeze({
  name: 'binaryAccuracy',
  rows: (tf: Tf, output: Tensor, target: Tensor) => {
    const right = tf.cast(tf.equal(tf.greater(output, 0), tf.greater(target, 0.5)), 'float32')
    return tf.mean<Tensor1D>(tf.reshape(right, [output.shape[0], -1]), 1)
  },
})
