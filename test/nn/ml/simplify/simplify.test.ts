import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyOf, uniform } from '../../../../src/core/random.js'
import { openEngine } from '../../../../src/engine/index.js'
import { datasets, frame } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'
import * as nn from '../../../../src/nn/index.js'

const folder = mkdtempSync(join(tmpdir(), 'simplify-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
const glyphs = await datasets.glyphs({ rows: 900, seed: 1 })
const [train, held] = [glyphs.limit(600), glyphs.slice(600)]
const on = { frame: held, evaluator }
const layers = [
  nn.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
  nn.maxPooling2d(),
  nn.flatten(),
  nn.dense({ units: 10 }),
]
const cnn = new ml.CNNClassifier({ inputCol: 'image', layers, maxIter: 4, batchSize: 32, seed: 1 })
let model: ml.ClassifierModel<'image', 'prediction', 'rawPrediction', never>
beforeAll(async () => {
  await openEngine('wasm')
  model = await cnn.fit(train)
})

function weightsSize(path: string): number {
  return statSync(
    join(
      path,
      readdirSync(path).find((name) => name.endsWith('.safetensors'))!,
    ),
  ).size
}

test.each([
  ['float16', 1.9],
  ['int8', 3.4],
] as const)(
  'a network in %s is %d times smaller on disk, loads to the same bits and tells its loss',
  async (to, factor) => {
    const small = await ml.quantise(model, { to, on })
    expect(small.model).not.toBe(model)
    expect(Math.abs(small.loss!)).toBeLessThan(0.02)
    expect(small.score!.before).toBe(await evaluator.evaluate(model.transform(held)))
    const [whole, path] = [join(folder, `whole-${to}`), join(folder, to)]
    await model.save(whole)
    await small.model.save(path)
    expect(weightsSize(whole) / weightsSize(path)).toBeGreaterThan(factor)
    expect(small.sizeBytes.after).toBeLessThan(weightsSize(path))
    const loaded = await ml.load(path, 'CNNClassifierModel')
    expect(loaded.weights.map(({ values }) => [...values])).toEqual(
      small.model.weights.map(({ values }) => [...values]),
    )
    await loaded.save(join(folder, `again-${to}`))
    expect(weightsSize(join(folder, `again-${to}`))).toBe(weightsSize(path))
    const [a, b] = await Promise.all([small.model.transform(held).toRows(), loaded.transform(held).toRows()])
    expect(b.map((row) => row['prediction'])).toEqual(a.map((row) => row.prediction))
    expect(String(small)).toMatch(
      new RegExp(`^${to}: .* kB to .* kB, a factor of .* · accuracy 0\\.\\d{4} to 0\\.\\d{4}$`),
    )
  },
)

test('pruning sets the smallest weights of kernels to zero, and nothing else', async () => {
  const sparse = await ml.prune(model, { sparsity: 0.5, on })
  const pairs = model.weights.map((weight, i) => [weight, sparse.model.weights[i]!] as const)
  const vectors = pairs.filter(([{ shape }]) => shape.length < 2)
  expect(vectors.map(([, after]) => [...after.values])).toEqual(vectors.map(([before]) => [...before.values]))
  const numbers = pairs
    .filter(([{ shape }]) => shape.length >= 2)
    .flatMap(([before, after]) => [...after.values].map((value, i) => ({ value, was: before.values[i]! })))
  const [dropped, left] = [numbers.filter(({ value }) => value === 0), numbers.filter(({ value }) => value !== 0)]
  expect(left.every(({ value, was }) => value === was)).toBe(true)
  const most = Math.max(...dropped.map(({ was }) => Math.abs(was)))
  const least = Math.min(...left.map(({ was }) => Math.abs(was)))
  const [zero, all] = [dropped.length, numbers.length]
  expect(zero / all).toBeCloseTo(0.5, 2)
  expect(most).toBeLessThan(least)
  expect(sparse.loss!).toBeLessThan(0.1)
  expect(sparse.sizeBytes.before - sparse.sizeBytes.after).toBe(4 * zero)
  const each = await ml.prune(model, { sparsity: 0.25, scope: 'layer' })
  for (const { shape, values } of each.model.weights) {
    if (shape.length < 2) continue
    expect([...values].filter((value) => value === 0).length / values.length).toBeCloseTo(0.25, 1)
  }
})

test('a student learns what its teacher says, of rows that nobody labelled too', async () => {
  const student = new ml.MultilayerPerceptronClassifier({
    inputCol: 'image',
    layers: [nn.flatten(), nn.dense({ units: 10 })],
    maxIter: 6,
    seed: 1,
  })
  const [few, many] = [train.limit(150), train.slice(150).drop('label')]
  const alone = await ml.distill(model, student, few, { on })
  const more = await ml.distill(model, student, few, { unlabelled: many, on })
  expect(more.fidelity).toBeGreaterThan(alone.fidelity)
  expect(more.fidelity).toBeGreaterThan(0.7)
  expect(more.score!.before).toBe(await evaluator.evaluate(model.transform(held)))
  expect(more.score!.after).toBe(await evaluator.evaluate(more.model.transform(held)))
})

test('a temperature has a student learn probabilities: a linear one finds its teacher, divided by it', async () => {
  const rows = 300
  const draw = (i: number): number => uniform(keyOf(3), i)
  const values = Float64Array.from({ length: rows * 2 }, (_, i) => 4 * draw(i) - 2)
  const label = Int32Array.from({ length: rows }, (_, i) => {
    const noise = 2 * draw(2 * rows + i) - 1
    return values[2 * i]! - 0.5 * values[2 * i + 1]! + noise > 0 ? 1 : 0
  })
  const samples = frame({ label, features: { shape: [rows, 2] as const, dtype: 'float64', values } })
  const linear = new ml.LogisticRegression({ maxIter: 500, tol: 1e-12, standardization: false })
  const teacher = await linear.copy({ regParam: 0.05 }).fit(samples)
  for (const temperature of [1, 4]) {
    const { model: student, fidelity } = await ml.distill(teacher, linear, samples, { temperature })
    expect(fidelity).toBe(1)
    for (const [i, coefficient] of teacher.coefficients.entries()) {
      expect(student.coefficients[i]! * temperature).toBeCloseTo(coefficient, 3)
    }
  }
  // Of a network: its logits.
  const tree = new ml.DecisionTreeClassifier({ featuresCol: 'image', maxDepth: 6 })
  const distilled = await ml.distill(model, tree, train.limit(300), { temperature: 2, on })
  expect(distilled.fidelity).toBeGreaterThan(0.25)
  const groups = new ml.KMeans({ weightCol: 'own' })
  await expect(ml.distill(teacher, groups, samples, { temperature: 2 })).rejects.toThrow(
    'ml.distill: expected a student whose rows can be weighted for soft labels, got a KMeans with weightCol "own".',
  )
  await expect(ml.distill(teacher, linear, samples, { temperature: 0.5 })).rejects.toThrow('expected temperature')
})

test('mistakes are told', async () => {
  await expect(ml.quantise(model, { to: 'int4' as 'int8' })).rejects.toThrow('ml.quantise: expected to to be one of')
  await expect(ml.prune(model, { sparsity: 1 })).rejects.toThrow(
    'ml.prune: expected sparsity to be a finite number in [0,',
  )
  await expect(ml.prune({} as never, { sparsity: 0.5 })).rejects.toThrow(
    'ml.prune: expected a fitted network, got {  }.',
  )
  await expect(ml.distill({} as never, cnn, train)).rejects.toThrow('ml.distill: expected a fitted model to learn from')
})
