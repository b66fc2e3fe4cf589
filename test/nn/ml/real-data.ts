/**
 * Real data for estimators: MNIST's test images and the SMS Spam Collection, split once, and what is measured on them. What is
 * chosen (epochs, options) was chosen on a validation split of the training rows; the test rows are looked at once, at the end.
 */
import { keyOf, uniform } from '../../../src/core/random.js'
import { loadTf } from '../../../src/engine/index.js'
import { datasets, when } from '../../../src/frame/index.js'
import type { AnyFrame, Frame, Tensor } from '../../../src/frame/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import type { Transformer } from '../../../src/nn/ml/index.js'

export type Digits = Frame<{ image: Tensor; label: number }>

/** 9,000 images to learn from and 1,000 to test with. */
export async function digits(): Promise<{ train: Digits; test: Digits }> {
  const all = (await datasets.mnist({ split: 'test' })) as unknown as Digits
  const [train, test] = all.randomSplit([0.9, 0.1], { seed: 7 })
  return { train, test }
}

/** 80 and 20 of a hundred messages, stratified. Spam is 1. */
export async function messages() {
  const all = (await datasets.smsSpam()).withColumns((c) => ({ label: when(c.label.eq('spam')).then(1).otherwise(0) }))
  const [train, test] = all.randomSplit([0.8, 0.2], { seed: 7, stratify: 'label' })
  return { train, test }
}

/** How well predictions tell spam. */
export async function spamScores(given: AnyFrame) {
  const predictions = given as Frame<{ label: number; prediction: number; rawPrediction: Tensor }>
  const counts = new Map<string, number>()
  for (const { label, prediction } of await predictions.select('label', 'prediction').toRows()) {
    const key = `${label}${prediction}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const of = (key: string): number => counts.get(key) ?? 0
  const f1 = (2 * of('11')) / (2 * of('11') + of('01') + of('10'))
  const evaluator = new ml.BinaryClassificationEvaluator({ metricName: 'areaUnderROC' })
  return { f1, areaUnderROC: await evaluator.evaluate(predictions) }
}

export async function accuracyOf(predictions: AnyFrame): Promise<number> {
  return new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' }).evaluate(
    predictions as Frame<{ label: number; prediction: number }>,
  )
}

/** Numbers in [0, 1] of a column of images, row by row. */
async function pixels(images: AnyFrame): Promise<{ rows: number; size: number; values: Float32Array }> {
  const only = (images as Frame<{ image: Tensor }>).select('image')
  const { shape, values, dtype } = (await only.toColumns()).image
  const scale = dtype === 'uint8' ? 255 : 1
  const rows = shape[0]!
  return { rows, size: values.length / rows, values: Float32Array.from(values, (x) => x / scale) }
}

/** `1/2N sum |y - x|^2` of the best linear code of so many numbers (principal components of `train`), on `test`. */
export async function principalComponentsError(train: Digits, test: Digits, size: number): Promise<number> {
  const tf = await loadTf()
  const [a, b] = [await pixels(train), await pixels(test)]
  return tf.tidy(() => {
    const x = tf.tensor2d(a.values, [a.rows, a.size])
    const mean = tf.mean(x, 0, true)
    const centred = tf.sub(x, mean)
    const covariance = tf.div(tf.matMul(centred, centred, true), a.rows)
    // Subspace iteration: the directions of greatest variance, orthonormal after each product.
    let basis = tf.tensor2d(
      Float32Array.from({ length: a.size * size }, (_, i) => uniform(keyOf(1), i) - 0.5),
      [a.size, size],
    )
    for (let i = 0; i < 40; i++) basis = orthonormal(tf.matMul(covariance, basis).arraySync() as number[][])
    const y = tf.sub(tf.tensor2d(b.values, [b.rows, b.size]), mean)
    const left = tf.sub(y, tf.matMul(tf.matMul(y, basis), basis, false, true))
    return tf.div(tf.sum(tf.square(left)), 2 * b.rows).dataSync()[0]!

    function orthonormal(rows: number[][]) {
      for (let k = 0; k < size; k++) {
        for (let j = 0; j < k; j++) {
          const product = rows.reduce((sum, row) => sum + row[k]! * row[j]!, 0)
          for (const row of rows) row[k]! -= product * row[j]!
        }
        const norm = Math.sqrt(rows.reduce((sum, row) => sum + row[k]! ** 2, 0))
        for (const row of rows) row[k]! /= norm
      }
      return tf.tensor2d(rows)
    }
  })
}

/** The Euclidean distance of each image to the nearest of others. */
async function nearestDistances(of: AnyFrame, others: AnyFrame): Promise<number[]> {
  const tf = await loadTf()
  const [a, b] = [await pixels(of), await pixels(others)]
  return tf.tidy(() => {
    const [x, y] = [tf.tensor2d(a.values, [a.rows, a.size]), tf.tensor2d(b.values, [b.rows, b.size])]
    const squares = tf.add(
      tf.sum(tf.square(x), 1, true),
      tf.sub(tf.sum(tf.square(y), 1), tf.mul(2, tf.matMul(x, y, false, true))),
    )
    return [...tf.sqrt(tf.maximum(tf.min(squares, 1), 0)).dataSync()]
  })
}

/**
 * What the judge says of drawn images: how sure it is of its class on average, the share of the rarest class, and how many
 * are near-copies: nearer to a training image than half of what 99 of 100 real, unseen ones are.
 */
export async function judgeSamples(
  judge: Transformer,
  samples: AnyFrame,
  { train, test }: { train: Digits; test: Digits },
): Promise<{ confidence: number; rarest: number; copies: number }> {
  const judged = judge.transform(samples) as Frame<{ p: Tensor; prediction: number }>
  const rows = await judged.select('p', 'prediction').toRows()
  const confidence = rows.reduce((sum, { p }) => sum + Math.max(...p.values), 0) / rows.length
  const counts = Array.from({ length: 10 }, (_, digit) => rows.filter(({ prediction }) => prediction === digit).length)
  const real = (await nearestDistances(test, train)).toSorted((x, y) => x - y)
  const nearest = real[Math.floor(real.length / 100)]! / 2
  const copies = (await nearestDistances(samples, train)).filter((distance) => distance < nearest).length
  return { confidence, rarest: Math.min(...counts) / rows.length, copies }
}
