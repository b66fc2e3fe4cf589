/** Intervals, slices, calibration, and what evaluators refuse. */
import { describe, expect, test } from 'vitest'
import { frame } from '../../../../src/frame/index.js'
import type { Frame } from '../../../../src/frame/index.js'
import { numbered, resampler, resampleWeight } from '../../../../src/nn/ml/evaluators/bootstrap.js'
import { uniform } from '../../../../src/core/random.js'
import * as ml from '../../../../src/nn/ml/index.js'
import * as viz from '../../../../src/viz/index.js'

const count = 400
const score = Float64Array.from({ length: count }, (_, i) => uniform(1, i))
const label = score.map((p, i) => (uniform(2, i) < p ? 1 : 0))
const predictions = frame({
  label,
  probability: score,
  prediction: score.map((p) => (p > 0.5 ? 1 : 0)),
  group: Array.from(score, (_, i) => (i % 4 === 0 ? 'few' : 'many')),
})

describe('bootstrap', () => {
  test('the interval is that of theory, the same for the same seed, and narrower for a lower level', async () => {
    const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
    const interval = await evaluator.evaluate(predictions, { bootstrap: { samples: 120, seed: 3 } })
    const accuracy = await evaluator.evaluate(predictions)
    expect(interval.value).toBe(accuracy)
    // A share of 400 rows has a standard deviation of sqrt(p (1 - p) / 400).
    const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / count)
    expect((interval.high - interval.low) / 2).toBeGreaterThan(0.7 * half)
    expect((interval.high - interval.low) / 2).toBeLessThan(1.3 * half)
    expect(await evaluator.evaluate(predictions, { bootstrap: { samples: 120, seed: 3 } })).toEqual(interval)
    const narrow = await evaluator.evaluate(predictions, { bootstrap: { samples: 120, seed: 3, level: 0.5 } })
    expect(narrow.high - narrow.low).toBeLessThan(0.6 * (interval.high - interval.low))
    expect(narrow).toMatchObject({ level: 0.5 })
  })

  const weighted = predictions.withColumns((c) => ({ w: c.probability.add(0.5) }))
  const vectors = frame({
    label,
    probability: {
      shape: [count, 2] as const,
      dtype: 'float64',
      values: Float64Array.from({ length: 2 * count }, (_, i) => (i % 2 === 1 ? score[i >> 1]! : 1 - score[i >> 1]!)),
    },
    w: score.map((p) => p + 0.5),
  })
  const recommended = frame({
    prediction: Array.from(score, (p) => [Math.floor(p * 3), 1]),
    label: Array.from(score, (_, i) => [i % 3]),
    w: score.map((p) => p + 0.5),
  })
  const multiclass = (metricName: ml.MulticlassMetric) =>
    [
      `multiclass ${metricName}`,
      new ml.MulticlassClassificationEvaluator({ metricName, weightCol: 'w' }),
      weighted,
    ] as const
  const regression = (metricName: 'mse' | 'rmse' | 'mae' | 'r2' | 'var', throughOrigin = false) =>
    [
      `regression ${metricName} ${throughOrigin}`,
      new ml.RegressionEvaluator({ predictionCol: 'probability', metricName, throughOrigin, weightCol: 'w' }),
      weighted,
    ] as const

  test.each([
    multiclass('accuracy'),
    multiclass('f1'),
    multiclass('weightedPrecision'),
    multiclass('recallByLabel'),
    ['log loss', new ml.MulticlassClassificationEvaluator({ metricName: 'logLoss', weightCol: 'w' }), vectors],
    regression('mse'),
    regression('rmse'),
    regression('mae'),
    regression('r2'),
    regression('r2', true),
    regression('var'),
    ['area under ROC', new ml.BinaryClassificationEvaluator({ weightCol: 'w' }), weighted],
    ['area under PR', new ml.BinaryClassificationEvaluator({ weightCol: 'w', metricName: 'areaUnderPR' }), weighted],
    ['ranking', new ml.RankingEvaluator({ weightCol: 'w' }), recommended],
  ] as const)('%s: one pass gives what a query for each resample gives', async (_, evaluator, rows) => {
    const given = rows as unknown as Frame
    const resample = resampler(numbered(given), 3, 'w')
    const Kind = evaluator.constructor as new (options: object) => ml.RankingEvaluator
    const again = new Kind({ ...evaluator.options, weightCol: resampleWeight })
    const metrics = [await again.evaluate(resample(0) as never), await again.evaluate(resample(1) as never)]
    const bootstrap = { samples: 2, seed: 3, level: 1 }
    const interval = await (evaluator as ml.RankingEvaluator).evaluate(given as never, { bootstrap })
    expect(interval.low).toBeCloseTo(Math.min(...metrics), 10)
    expect(interval.high).toBeCloseTo(Math.max(...metrics), 10)
    expect(interval.high).toBeGreaterThan(interval.low)
  })

  test('works for every evaluator', async () => {
    const bootstrap = { samples: 5, seed: 1 }
    const points = frame({
      features: { shape: [count, 1] as const, dtype: 'float64', values: score },
      prediction: label,
    })
    const lists = frame([
      { prediction: [1, 2], label: [1] },
      { prediction: [2, 1], label: [1] },
      { prediction: [3, 1], label: [1, 3] },
    ])
    for (const { value, low, high } of [
      await new ml.BinaryClassificationEvaluator().evaluate(predictions, { bootstrap }),
      await new ml.BinaryClassificationEvaluator({ metricName: 'areaUnderPR' }).evaluate(predictions, { bootstrap }),
      await new ml.RegressionEvaluator({ predictionCol: 'probability' }).evaluate(predictions, { bootstrap }),
      await new ml.ClusteringEvaluator().evaluate(points, { bootstrap }),
      await new ml.RankingEvaluator().evaluate(lists, { bootstrap }),
    ]) {
      expect(low).toBeLessThanOrEqual(high)
      expect(Math.abs(value - (low + high) / 2)).toBeLessThan(0.3)
    }
  })
})

test('slices: a metric for each value of a column, with intervals where asked', async () => {
  const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
  const slices = await evaluator.evaluate(predictions, { by: 'group' })
  expect(slices.map(({ slice, rows }) => [slice, rows])).toEqual([
    ['few', 100],
    ['many', 300],
  ])
  const mean = slices.reduce((sum, { rows, value }) => sum + (rows / count) * value, 0)
  expect(mean).toBeCloseTo(await evaluator.evaluate(predictions), 12)
  const both = await evaluator.evaluate(predictions, { by: 'group', bootstrap: { samples: 10 } })
  expect(both[0]!.low).toBeLessThanOrEqual(both[0]!.value)
  await expect(evaluator.evaluate(predictions, { by: 'grup' as 'group' })).rejects.toThrow(/no column 'grup'/)
})

test('calibration: probabilities that are right are close to the shares; charts take the same scores', async () => {
  const evaluator = new ml.BinaryClassificationEvaluator()
  const { bins, expectedError, greatestError } = await evaluator.calibration(predictions, { bins: 5 })
  expect(bins.map(({ lower }) => lower)).toEqual([0, 0.2, 0.4, 0.6, 0.8])
  expect(bins.reduce((n, { rows }) => n + rows, 0)).toBe(count)
  expect(expectedError).toBeLessThan(0.08)
  expect(greatestError).toBeGreaterThanOrEqual(expectedError)
  const scores = await evaluator.scores(predictions, { of: 'probabilities' })
  expect(viz.calibration(scores).text).toContain('Calibration')
  const auc = await evaluator.evaluate(predictions)
  expect(viz.roc(scores).text).toContain(`AUC ${auc.toFixed(3)}`)
  const off = frame({ label: [0, 1], probability: [0.5, 1.5] })
  await expect(evaluator.calibration(off)).rejects.toThrow(/expected probabilities in \[0, 1\]/)
})

test('refuses one class, other labels, nulls, empty frames and unknown metrics', async () => {
  const evaluator = new ml.BinaryClassificationEvaluator()
  await expect(evaluator.evaluate(frame({ label: [1, 1], probability: [0.1, 0.2] }))).rejects.toThrow(
    /expected rows of both classes, got no negative one/,
  )
  await expect(evaluator.evaluate(frame({ label: [0, 2], probability: [0.1, 0.2] }))).rejects.toThrow(
    /labels of 0 and 1/,
  )
  await expect(
    evaluator.evaluate(
      frame([
        { label: 0, probability: 0.1 },
        { label: 1, probability: null },
        { label: 1, probability: 0.3 },
      ]),
    ),
  ).rejects.toThrow(/got null or NaN in 1 rows/)
  const none = frame([], { schema: { label: 'number', probability: 'number', prediction: 'number' } })
  await expect(evaluator.evaluate(none)).rejects.toThrow(/empty frame/)
  await expect(new ml.RegressionEvaluator().evaluate(none)).rejects.toThrow(/empty frame/)
  expect(() => new ml.BinaryClassificationEvaluator({ metricName: 'areaUnderRoc' as 'areaUnderROC' })).toThrow(
    /Did you mean "areaUnderROC"/,
  )
  await expect(evaluator.evaluate(frame({ label: [1] }))).rejects.toThrow(/no column 'rawPrediction'/)
  const one = frame({
    features: { shape: [2, 1] as const, dtype: 'float64', values: Float64Array.of(1, 2) },
    prediction: [0, 0],
  })
  await expect(new ml.ClusteringEvaluator().evaluate(one)).rejects.toThrow(/at least two clusters/)
})

test('which metrics are better when they are greater', () => {
  const multiclass = (metricName: ml.MulticlassMetric) => new ml.MulticlassClassificationEvaluator({ metricName })
  expect(multiclass('f1').isLargerBetter).toBe(true)
  expect(multiclass('logLoss').isLargerBetter).toBe(false)
  expect(new ml.RegressionEvaluator().isLargerBetter).toBe(false)
  expect(new ml.RegressionEvaluator({ metricName: 'r2' }).isLargerBetter).toBe(true)
})
