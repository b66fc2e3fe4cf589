/** Cross-validation against PySpark's documented example (`fixtures/tuning.py`). */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { keyOf, uniform } from '../../../../src/core/random.js'
import { frame } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'

interface Reference {
  readonly numFolds: number
  readonly avgMetrics: readonly number[]
  readonly stdMetrics: readonly number[]
  readonly final: number
  readonly split: { readonly first: number; readonly final: number }
}
const reference = JSON.parse(readFileSync(new URL('../fixtures/tuning.json', import.meta.url), 'utf8')) as Reference

const points = [0, 0.4, 0.5, 0.6, 1]
const data = frame({
  features: {
    shape: [50, 1] as const,
    dtype: 'float64',
    values: Float64Array.from({ length: 50 }, (_, i) => points[i % 5]!),
  },
  label: Int32Array.from({ length: 50 }, (_, i) => [0, 1, 0, 1, 1][i % 5]!),
  fold: Int32Array.from({ length: 50 }, (_, i) => (i * 7) % 3),
})
const lr = new ml.LogisticRegression()
const estimatorParamMaps = new ml.ParamGridBuilder().addGrid(lr, 'maxIter', [0, 1]).build()
const evaluator = new ml.BinaryClassificationEvaluator()

test('the example of the documentation has the metrics that PySpark gives', async () => {
  const { numFolds, avgMetrics, stdMetrics, final } = reference
  const validator = new ml.CrossValidator({ estimator: lr, estimatorParamMaps, evaluator, numFolds, foldCol: 'fold' })
  const tuned = await validator.copy({ parallelism: 2 }).fit(data)
  for (const [i, mean] of avgMetrics.entries()) expect(tuned.avgMetrics[i]).toBeCloseTo(mean, 9)
  // PySpark divides by the number of folds, we by one less.
  for (const [i, own] of stdMetrics.entries()) {
    expect(tuned.stdMetrics[i]! * Math.sqrt((numFolds - 1) / numFolds)).toBeCloseTo(own, 9)
  }
  expect(final).toBeCloseTo(0.8333, 4)
  expect(await evaluator.evaluate(tuned.transform(data))).toBeCloseTo(final, 9)
  expect(tuned.bestParams).toEqual({ maxIter: 1 })
})

test('folds and splits at random have the parts of it that do not depend on chance', async () => {
  const tuned = await new ml.CrossValidator({ estimator: lr, estimatorParamMaps, evaluator }).fit(data)
  expect(tuned.avgMetrics[0]).toBe(0.5)
  expect(await evaluator.evaluate(tuned.transform(data))).toBeCloseTo(reference.final, 9)
  const split = await new ml.TrainValidationSplit({ estimator: lr, estimatorParamMaps, evaluator, seed: 42 }).fit(data)
  expect(split.avgMetrics[0]).toBe(reference.split.first)
  expect(await evaluator.evaluate(split.transform(data))).toBeCloseTo(reference.split.final, 9)
})

test('a grid reaches the stages of a pipeline, and a fold with one class is told before anything is fitted', async () => {
  const texts = frame({
    text: Array.from({ length: 40 }, (_, i) =>
      i % 2 === 0 ? `spark number ${i} of many` : `quiet evening ${i} by the sea`,
    ),
    label: Int32Array.from({ length: 40 }, (_, i) => i % 2),
    half: Int32Array.from({ length: 40 }, (_, i) => i % 2),
  })
  const hashing = new ml.HashingTF({ inputCol: 'words', outputCol: 'features' })
  const last = new ml.LogisticRegression({ maxIter: 10 })
  const pipeline = new ml.Pipeline({
    stages: [new ml.Tokenizer({ inputCol: 'text', outputCol: 'words' }), hashing, last],
  })
  const maps = new ml.ParamGridBuilder()
    .addGrid(hashing, 'numFeatures', [4, 64])
    .addGrid(last, 'regParam', [0.1, 0.01])
    .build()
  const validator = new ml.CrossValidator({ estimator: pipeline, estimatorParamMaps: maps, evaluator, numFolds: 2 })
  const tuned = await validator.fit(texts)
  expect(tuned.scores.map(({ params }) => params)).toEqual([
    { 'HashingTF.numFeatures': 4, 'LogisticRegression.regParam': 0.1 },
    { 'HashingTF.numFeatures': 4, 'LogisticRegression.regParam': 0.01 },
    { 'HashingTF.numFeatures': 64, 'LogisticRegression.regParam': 0.1 },
    { 'HashingTF.numFeatures': 64, 'LogisticRegression.regParam': 0.01 },
  ])
  expect(tuned.avgMetrics[tuned.bestIndex]).toBeGreaterThan(0.95)
  await expect(validator.copy({ foldCol: 'half' }).fit(texts)).rejects.toThrow(
    "CrossValidator.fit: expected two classes in every part held out, got only 'label' 0 in fold 0. Spread the classes evenly: stratify: 'label'.",
  )
  expect(() => new ml.ParamGridBuilder().addGrid(last, 'regParam', ['much' as unknown as number])).toThrow(
    'expected values of type number for \'regParam\' of LogisticRegression, got "much".',
  )
  const wrong = new ml.ParamGridBuilder().addGrid(last, 'regParam', [Number.NaN]).build()
  expect(() => validator.copy({ estimatorParamMaps: wrong })).toThrow(
    'LogisticRegression: expected regParam to be a finite number',
  )
  expect(() => new ml.ParamGridBuilder().addGrid(last, 'regparam' as 'regParam', [1])).toThrow(
    'ParamGridBuilder.addGrid: expected a parameter of LogisticRegression, got "regparam". Did you mean "regParam"?',
  )
  expect(() => new ml.ParamSpace().addUniform(hashing, 'depth' as 'numFeatures', 0, 1)).toThrow(
    'expected a parameter of HashingTF, got "depth". It has: inputCol, outputCol, numFeatures, binary.',
  )
  await expect(validator.fit(texts.drop('text'))).rejects.toThrow('Tokenizer')
})

test('random search and halving take plain estimators, by rows and by an option of a stage within a pipeline', async () => {
  const draw = (i: number): number => uniform(keyOf(5), i)
  const [x, y] = [0, 1].map((j) => Float64Array.from({ length: 240 }, (_, i) => draw(2 * i + j) - 0.5)) as [
    Float64Array<ArrayBuffer>,
    Float64Array<ArrayBuffer>,
  ]
  const rows = frame({ x, y, label: Int32Array.from(x, (value, i) => (value + 2 * y[i]! > 0 ? 1 : 0)) })
  const last = new ml.LogisticRegression()
  const estimator = new ml.Pipeline({
    stages: [new ml.VectorAssembler({ inputCols: ['x', 'y'], outputCol: 'features' }), last],
  })
  const space = new ml.ParamSpace().addLogUniform(last, 'regParam', 1e-4, 10)
  const shared = { estimator, space, evaluator, seed: 2 }
  const random = await new ml.RandomSearch({ ...shared, numCandidates: 4 }).fit(rows)
  expect(random.avgMetrics).toHaveLength(4)
  expect(random.avgMetrics[random.bestIndex]).toBeGreaterThan(0.95)
  const byRows = await new ml.SuccessiveHalving({ ...shared, numCandidates: 9 }).fit(rows)
  const resources = (await byRows.trials.toRows()) as { resource: number }[]
  expect(resources.map(({ resource }) => resource)).toEqual([...Array(9).fill(20), 60, 60, 60, 180])
  const halving = { ...shared, numCandidates: 9, resource: { stage: last, param: 'maxIter' }, maxResource: 18 } as const
  const byIterations = await new ml.SuccessiveHalving(halving).fit(rows)
  expect(byIterations.avgMetrics[byIterations.bestIndex]).toBeGreaterThan(0.95)
})
