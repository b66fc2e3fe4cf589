/**
 * Objectives of several parts: a program puts out each row's parts side by side, `[rows, parts]`. Their sum is minimised, each of
 * them told as a metric.
 */
import type { Rank, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core'
import type { Tf } from '../../engine/tf.js'
import type { Loss } from '../loss.js'
import type { Metric } from '../metric.js'

export const sumOfParts: Loss = Object.freeze({
  kind: 'sumOfParts',
  target: 'float32',
  rows: (tf: Tf, output: Tensor) => tf.sum<Tensor1D>(output, 1),
})

/** The parts as metrics, in order. */
export function partMetrics(names: readonly string[]): Metric[] {
  return names.map((name, i) => ({
    name,
    rows: (tf, output) => tf.reshape<Rank.R1>(tf.slice(output as Tensor2D, [0, i], [-1, 1]), [output.shape[0]]),
  }))
}

/** What `forward` gives: `[rows]` each. */
export function partsOf(tf: Tf, parts: readonly Tensor[]): { readonly output: Tensor; readonly target: Tensor } {
  const output = tf.stack([...parts], 1)
  return { output, target: output }
}

/** The sum over a row's numbers: `[rows, ...] -> [rows]`. */
export function rowSums(tf: Tf, x: Tensor): Tensor1D {
  return tf.sum<Tensor1D>(tf.reshape(x, [x.shape[0], -1]), 1)
}
