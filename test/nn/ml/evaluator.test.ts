import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frame } from '../../../src/frame/index.js'
import * as ml from '../../../src/nn/ml/index.js'

const pairs = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 60 })

const frameOf = (list: readonly (readonly [number, number])[]) =>
  frame({ label: Int32Array.from(list, ([label]) => label), prediction: Int32Array.from(list, ([, p]) => p) })

const measure = async (metricName: ml.MulticlassMetric, list: readonly (readonly [number, number])[]) =>
  new ml.MulticlassClassificationEvaluator({ metricName }).evaluate(frameOf(list))

describe('MulticlassClassificationEvaluator', () => {
  test('agrees with the definitions, counted row by row', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, async (list) => {
        const share = (test_: (pair: readonly [number, number]) => boolean, of = list) =>
          of.filter(test_).length / of.length
        expect(await measure('accuracy', list)).toBeCloseTo(
          share(([a, b]) => a === b),
          12,
        )
        const classes = [...new Set(list.map(([label]) => label))]
        const expected = { f1: 0, weightedPrecision: 0, weightedRecall: 0 }
        for (const c of classes) {
          const weight = share(([label]) => label === c)
          const said = list.filter(([, p]) => p === c)
          const precision = said.length === 0 ? 0 : share(([label]) => label === c, said)
          const recall = share(
            ([, p]) => p === c,
            list.filter(([label]) => label === c),
          )
          expected.weightedPrecision += weight * precision
          expected.weightedRecall += weight * recall
          expected.f1 += precision + recall === 0 ? 0 : (weight * 2 * precision * recall) / (precision + recall)
        }
        for (const [name, value] of Object.entries(expected)) {
          expect(await measure(name as ml.MulticlassMetric, list)).toBeCloseTo(value, 12)
        }
      }),
      { numRuns: 15 },
    )
  })

  test('confusion holds every row', async () => {
    const list = [
      [0, 0],
      [2, 1],
      [0, 0],
      [1, 2],
    ] as const
    const { actual, predicted, labels } = await new ml.MulticlassClassificationEvaluator().confusion(frameOf(list))
    expect(Array.from(actual, (label, i) => [label, predicted[i]])).toEqual([
      [0, 0],
      [0, 0],
      [1, 2],
      [2, 1],
    ])
    expect(labels).toEqual([0, 1, 2])
  })

  test('refuses unknown metrics, missing columns, nulls and empty frames', async () => {
    expect(() => new ml.MulticlassClassificationEvaluator({ metricName: 'accurcy' as 'accuracy' })).toThrow(
      /Did you mean "accuracy"/,
    )
    const evaluator = new ml.MulticlassClassificationEvaluator({ predictionCol: 'predicted' })
    await expect(evaluator.evaluate(frameOf([[0, 0]]) as never)).rejects.toThrow(/no column 'predicted'/)
    const holes = frame([
      { label: 1, prediction: null },
      { label: 1, prediction: 1 },
    ])
    await expect(new ml.MulticlassClassificationEvaluator().evaluate(holes as never)).rejects.toThrow(/got null/)
    await expect(measure('f1', [])).rejects.toThrow(/empty frame/)
  })
})
