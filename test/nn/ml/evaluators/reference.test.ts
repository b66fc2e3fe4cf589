/** Metrics against scikit-learn (`fixtures/metrics.py`). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { frame, type Frame } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'

type Values = Record<string, number>
interface Cases<Data> {
  readonly plain: Values
  readonly weighted: Values
  readonly data: Data
}
const reference = JSON.parse(readFileSync(new URL('../fixtures/metrics.json', import.meta.url), 'utf8')) as {
  multiclass: Cases<Record<'label' | 'prediction' | 'weight', number[]> & { probability: number[][] }>
  binary: Cases<Record<'label' | 'score' | 'weight', number[]>>
  regression: Cases<Record<'label' | 'prediction' | 'weight', number[]>>
  clustering: Record<'squaredEuclidean' | 'cosine', number> & { data: { features: number[][]; prediction: number[] } }
}

const vectors = (rows: readonly (readonly number[])[]) => ({
  shape: [rows.length, rows[0]!.length] as const,
  dtype: 'float64' as const,
  values: Float64Array.from(rows.flat()),
})

describe.each([
  ['plain', {}],
  ['weighted', { weightCol: 'weight' }],
] as const)('%s', (name, weights) => {
  test('multiclass metrics', async () => {
    const { data, ...expected } = reference.multiclass
    const rows = frame({ ...data, probability: vectors(data.probability) })
    for (const [metricName, value] of Object.entries(expected[name])) {
      const evaluator = new ml.MulticlassClassificationEvaluator({
        metricName: metricName as ml.MulticlassMetric,
        metricLabel: 1,
        beta: 2,
        ...weights,
      })
      expect(await evaluator.evaluate(rows)).toBeCloseTo(value, 9)
    }
  })

  test('binary metrics, from numbers and from vectors of two scores', async () => {
    const { data, ...expected } = reference.binary
    const pairs = vectors(data.score.map((score) => [1 - score, score]))
    const frames = [
      [frame({ ...data, rawPrediction: data.score }), {}],
      [frame({ ...data, rawPrediction: pairs }), {}],
      [frame({ label: data.label, weight: data.weight, probability: pairs }), {}],
      [frame({ label: data.label, weight: data.weight, guess: data.score }), { predictionCol: 'guess' }],
    ] as const
    for (const [rows, columns] of frames) {
      for (const metricName of ['areaUnderROC', 'areaUnderPR'] as const) {
        const evaluator = new ml.BinaryClassificationEvaluator({ metricName, ...columns, ...weights })
        expect(await evaluator.evaluate(rows as unknown as Frame<{ label: number }>)).toBeCloseTo(
          expected[name][metricName]!,
          9,
        )
      }
    }
    const evaluator = new ml.BinaryClassificationEvaluator({ ...weights })
    const { brierScore, expectedError, bins } = await evaluator.calibration(frames[2][0])
    expect(brierScore).toBeCloseTo(expected[name]['brier']!, 9)
    const rows = bins.reduce((n, bin) => n + bin.rows, 0)
    const byHand = bins.reduce((n, bin) => n + (bin.rows / rows) * Math.abs(bin.predicted - bin.observed), 0)
    expect(expectedError).toBeCloseTo(byHand, 12)
  })

  test('regression metrics', async () => {
    const { data, ...expected } = reference.regression
    for (const [metricName, value] of Object.entries(expected[name])) {
      const evaluator = new ml.RegressionEvaluator({ metricName: metricName as ml.RegressionMetric, ...weights })
      expect(await evaluator.evaluate(frame(data))).toBeCloseTo(value, 9)
    }
  })
})

test('silhouettes, of vectors by reference and of sparse ones', async () => {
  const { data, ...expected } = reference.clustering
  const dense = frame({ features: vectors(data.features), prediction: data.prediction })
  const sparse = frame(
    data.features.map((values, i) => ({
      features: { size: 3, indices: [0, 1, 2], values },
      prediction: data.prediction[i]!,
    })),
    { schema: { features: { sparse: 3 }, prediction: 'number' } },
  )
  for (const [distanceMeasure, value] of Object.entries(expected)) {
    const evaluator = new ml.ClusteringEvaluator({ distanceMeasure: distanceMeasure as 'cosine' })
    expect(await evaluator.evaluate(dense)).toBeCloseTo(value, 9)
    expect(await evaluator.evaluate(sparse)).toBeCloseTo(value, 5)
  }
})

test('ranking metrics are Spark’s (`fixtures/features.py`)', async () => {
  const { ranking } = JSON.parse(readFileSync(new URL('../fixtures/features.json', import.meta.url), 'utf8')) as {
    ranking: { metricName: ml.RankingMetric; k: number; value: number }[]
  }
  const lists = frame(
    [
      { prediction: [1, 6, 2, 7, 8, 3, 9, 10, 4, 5], label: [1, 2, 3, 4, 5] },
      { prediction: [4, 1, 5, 6, 2, 7, 3, 8, 9, 10], label: [1, 2, 3] },
      { prediction: [1, 2, 3, 4, 5], label: [] },
    ],
    { schema: { prediction: { list: 'number' }, label: { list: 'number' } } },
  )
  expect(ranking.length).toBeGreaterThan(9)
  for (const { metricName, k, value } of ranking) {
    expect(await new ml.RankingEvaluator({ metricName, k }).evaluate(lists)).toBeCloseTo(value, 9)
  }
  const words = frame([{ prediction: ['a', 'x', 'ß'], label: ['ß', 'a'] }])
  expect(await new ml.RankingEvaluator().evaluate(words)).toBeCloseTo((1 + 2 / 3) / 2, 12)
})
