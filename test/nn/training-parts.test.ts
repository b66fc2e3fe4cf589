import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../src/engine/index.js'
import type { Tf } from '../../src/engine/tf.js'
import * as nn from '../../src/nn/index.js'
import { finishMetric } from '../../src/nn/metric-finish.js'
import { metricData, sumMetric } from '../../src/nn/metric.js'
import { onEngines } from './on-engines.js'

interface Reference {
  readonly rate: number
  readonly start: readonly number[]
  readonly optimisers: Readonly<Record<string, readonly number[]>>
  readonly logits: readonly number[]
  readonly classes: readonly number[]
  readonly score: readonly number[]
  readonly binary: readonly number[]
  readonly metrics: Readonly<Record<string, number>>
  readonly rates: Readonly<Record<string, readonly number[]>>
  readonly output: readonly number[]
  readonly target: readonly number[]
  readonly signs: readonly number[]
  readonly bits: readonly number[]
  readonly shares: readonly [readonly number[], readonly number[]]
  readonly losses: Readonly<Record<string, number>>
}

// Made by Keras: fixtures/training-parts.py
const reference = JSON.parse(
  readFileSync(new URL('fixtures/training-parts.json', import.meta.url), 'utf8'),
) as Reference

const optimisers: Readonly<Record<string, nn.Optimiser>> = {
  sgd: nn.sgd(),
  momentum: nn.sgd({ momentum: 0.9 }),
  nesterov: nn.sgd({ momentum: 0.9, nesterov: true }),
  adam: nn.adam(),
  adamw: nn.adamw({ weightDecay: 0.1 }),
  rmsprop: nn.rmsprop(),
  'rmsprop with momentum': nn.rmsprop({ rho: 0.8, momentum: 0.5 }),
  'centered rmsprop': nn.rmsprop({ centered: true }),
  adagrad: nn.adagrad(),
  lion: nn.lion(),
  'clip by value': nn.clip(nn.sgd(), { value: 0.5 }),
  'clip by norm': nn.clip(nn.sgd(), { norm: 0.5 }),
}

onEngines('training parts', (name) => {
  let tf: Tf
  beforeAll(async () => {
    await openEngine(name)
    tf = await loadTf()
  })

  test.each(Object.keys(reference.optimisers))('%s: 20 steps as Keras', (which) => {
    const optimiser = optimisers[which]!
    const data = (values: Iterable<number>) =>
      ({ shape: [3], dtype: 'float32', values: Float32Array.from(values) }) as const
    let weights = [data(reference.start)]
    let slots = optimiser.init(weights)
    for (let step = 1; step <= 20; step++) {
      const gradient = [...weights[0]!.values].map((w, i) => 2 * w + Math.sin(step + i))
      tf.tidy(() => {
        const next = optimiser.update(tf, {
          weights: weights.map(({ values }) => tf.tensor1d(values)),
          slots: slots.map(({ values }) => tf.tensor1d(values as Float32Array)),
          gradients: [tf.tensor1d(gradient)],
          learningRate: tf.scalar(reference.rate),
          step: tf.scalar(step),
        })
        weights = next.weights.map((t) => data(t.dataSync()))
        slots = next.slots.map((t) => data(t.dataSync()))
      })
    }
    for (const [i, value] of reference.optimisers[which]!.entries()) {
      expect(Math.abs(weights[0]!.values[i]! - value)).toBeLessThan(1e-5)
    }
  })

  const rows = 60
  /** The metric over two slices of the rows, of which some only fill up. */
  const measure = (metric: nn.Metric, output: (from: number, to: number) => Tensor, target: readonly number[]) => {
    const sums: number[] = []
    for (const [from, to] of [
      [0, 25],
      [25, rows],
    ] as const) {
      tf.tidy(() => {
        const filled = tf.pad(
          output(from, to),
          output(from, to).shape.map((_, axis) => [0, axis === 0 ? 7 : 0]),
        )
        const expected = tf.tensor1d([...target.slice(from, to), 1, 0, 1, 0, 1, 0, 1], 'int32')
        const weight = tf.tensor1d(Array.from({ length: to - from + 7 }, (_, i) => (i < to - from ? 1 : 0)))
        const part = sumMetric(tf, metric, filled, expected, weight).dataSync()
        for (const [i, value] of part.entries()) sums[i] = (sums[i] ?? 0) + value
      })
    }
    return finishMetric(metricData(metric).finish, sums, rows)
  }

  test.each<[string, nn.Metric]>([
    ['f1 macro', nn.f1()],
    ['f1 micro', nn.f1({ average: 'micro' })],
    ['f1 weighted', nn.f1({ average: 'weighted' })],
    ['accuracy', nn.accuracy],
    ['top2Accuracy', nn.topKAccuracy({ k: 2 })],
    ['precision of class 2', nn.precision({ average: 2 })],
    ['recall of class 2', nn.recall({ average: 2 })],
  ])('%s of three classes as Keras, added up over slices', (which, metric) => {
    const output = (from: number, to: number) => tf.tensor2d(reference.logits.slice(from * 3, to * 3), [to - from, 3])
    expect(measure(metric, output, reference.classes)).toBeCloseTo(reference.metrics[which]!, 6)
  })

  test.each<[string, nn.Metric]>([
    ['f1 binary', nn.f1()],
    ['precision', nn.precision()],
    ['recall', nn.recall()],
    ['auc', nn.auc()],
    ['auc PR', nn.auc({ curve: 'PR' })],
    ['auc 5 thresholds', nn.auc({ thresholds: 5 })],
  ])('%s of two classes as Keras, from one logit and from two', (which, metric) => {
    const one = (from: number, to: number) => tf.tensor2d(reference.score.slice(from, to), [to - from, 1])
    const two = (from: number, to: number) => tf.concat([tf.zerosLike(one(from, to)), one(from, to)], 1)
    expect(measure(metric, one, reference.binary)).toBeCloseTo(reference.metrics[which]!, 5)
    expect(measure(metric, two, reference.binary)).toBeCloseTo(reference.metrics[which]!, 5)
  })
})

onEngines('losses', (name) => {
  const { output, target, signs, bits, shares, logits, classes } = reference
  const { softmaxCrossEntropy } = nn
  test.each<[string, nn.Loss, readonly number[], readonly number[]]>([
    ['meanSquaredError', nn.meanSquaredError, output, target],
    ['meanAbsoluteError', nn.meanAbsoluteError, output, target],
    ['huber', nn.huber({ delta: 0.7 }), output, target],
    ['hinge', nn.hinge, output, signs],
    ['binaryCrossEntropy', nn.binaryCrossEntropy, output, bits],
    ['smoothed binaryCrossEntropy', nn.labelSmoothing(nn.binaryCrossEntropy, 0.2), output, bits],
    ['categoricalCrossEntropy', nn.categoricalCrossEntropy, output, shares[0]],
    ['klDivergence', nn.klDivergence, shares[1], shares[0]],
    ['cosineSimilarity', nn.cosineSimilarity, output, target],
    ['softmaxCrossEntropy', softmaxCrossEntropy, logits.slice(0, 60), classes.slice(0, 20)],
    ['smoothed softmaxCrossEntropy', nn.labelSmoothing(softmaxCrossEntropy, 0.1), logits, classes],
  ])('%s as Keras', async (which, loss, got, expected) => {
    await openEngine(name)
    const tf = await loadTf()
    const mean = tf.tidy(() => {
      const isClass = loss.target === 'int32'
      const rows = isClass ? expected.length : 20
      const wanted = isClass ? tf.tensor1d([...expected], 'int32') : tf.tensor2d([...expected], [rows, 4])
      return tf.mean(loss.rows(tf, tf.tensor2d([...got], [rows, got.length / rows]), wanted)).dataSync()[0]!
    })
    expect(Math.abs(mean - reference.losses[which]!)).toBeLessThan(1e-5)
  })

  test('weights of rows multiply losses, and the sum is divided by the rows, as Keras', async () => {
    await openEngine(name)
    const tf = await loadTf()
    const rows = tf.tidy(() =>
      softmaxCrossEntropy.rows(tf, tf.tensor2d([...logits], [60, 3]), tf.tensor1d([...classes], 'int32')).arraySync(),
    )
    const weighted = rows.reduce((sum, loss, row) => sum + loss * (row % 4), 0) / 60
    expect(weighted).toBeCloseTo(reference.losses['weighted softmaxCrossEntropy']!, 5)
  })
})

type Tensor = ReturnType<Tf['zeros']>

describe('metrics of counts', () => {
  test('are 0 where nothing was predicted or expected', () => {
    for (const kind of ['precision', 'recall', 'f1'] as const)
      expect(finishMetric({ kind }, [0, 0, 0, 0, 0, 0], 4)).toBe(0)
    expect(finishMetric({ kind: 'auc', curve: 'ROC' }, [0, 0, 0, 0, 0, 0, 0, 0], 4)).toBe(0)
  })

  test('refuse what is no average', () => {
    expect(() => nn.f1({ average: 'mean' as 'macro' })).toThrow(/nn.f1: expected average to be one of/)
    expect(() => nn.recall({ average: -1 })).toThrow(/nn.recall: expected average/)
    expect(() => nn.auc({ thresholds: 2 })).toThrow(/nn.auc: expected thresholds/)
  })
})

describe('schedules', () => {
  test.each<[string, nn.Schedule]>([
    ['exponential', nn.exponentialDecay(0.1, { factor: 0.5, every: 10 })],
    ['steps', nn.stepDecay(0.1, { factor: 0.5, every: 10 })],
    ['cosine with warm-up', nn.warmUp(nn.cosine(0.1), { steps: 6 })],
  ])('%s as Keras', (which, schedule) => {
    for (const [i, rate] of schedule(30).entries()) expect(rate).toBeCloseTo(reference.rates[which]![i]!, 7)
  })

  test('one cycle rises to its rate and falls to almost nothing', () => {
    const rates = nn.oneCycle(1, { rise: 0.2 })(100)
    expect(rates).toHaveLength(100)
    expect(rates[0]).toBeCloseTo(1 / 25)
    const top = rates.indexOf(Math.max(...rates))
    expect(top).toBe(19)
    expect(rates[top]).toBe(1)
    expect(rates.slice(0, top).every((rate, i) => i === 0 || rate > rates[i - 1]!)).toBe(true)
    expect(rates.slice(top + 1).every((rate, i) => i === 0 || rate < rates[top + i]!)).toBe(true)
    expect(rates[99]).toBeCloseTo(1 / 250_000, 9)
    expect(nn.oneCycle(1)(1)).toHaveLength(1)
  })

  test('warm-up holds where there are fewer steps', () => {
    expect(nn.warmUp(nn.constant(2), { steps: 4 })(2)).toEqual([0, 1, 2])
    expect(() => nn.warmUp(nn.constant(2), { steps: 0 })).toThrow(/nn.warmUp: expected steps/)
    expect(() => nn.stepDecay(1, { factor: 2, every: 1 })).toThrow(/nn.stepDecay: expected factor/)
  })
})
