/** Metrics: for each row a number whose weighted mean is the metric. */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
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
