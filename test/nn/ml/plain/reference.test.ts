/** Plain models against scikit-learn (`fixtures/plain.py`). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { frame, type Tensor } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'

type Numbers = readonly number[]
interface Linear {
  readonly coefficients: Numbers
  readonly intercepts: Numbers
}
interface TreeCase {
  readonly prediction: Numbers
  readonly probability: readonly Numbers[]
  readonly importances: Numbers
  readonly minInstancesPerNode: number
}
const reference = JSON.parse(readFileSync(new URL('../fixtures/plain.json', import.meta.url), 'utf8')) as {
  readonly [
    K in 'x' | 'held' | 'binary' | 'three' | 'numbers' | 'weight' | 'points' | 'gbtRegressor' | 'gbtClassifier'
  ]: Numbers
} & {
  readonly [
    K in 'logistic' | 'logisticWeighted' | 'logisticElastic' | 'linear' | 'ridge' | 'elastic' | 'linearWeighted' | 'svc'
  ]: Linear
} & {
  readonly [
    K in 'treeGini' | 'treeEntropy' | 'treeRegressor' | 'treeWeighted' | 'gbtRegressor' | 'gbtClassifier'
  ]: TreeCase
} & {
  readonly multinomial: Linear & { readonly probability: readonly Numbers[] }
  readonly kMeans: { readonly centres: readonly Numbers[]; readonly cost: number }
  readonly pca: {
    readonly components: readonly Numbers[]
    readonly explained: Numbers
    readonly scores: readonly Numbers[]
  }
}

const vectors = (values: Numbers) => ({
  shape: [values.length / 4, 4] as const,
  dtype: 'float64' as const,
  values: Float64Array.from(values),
})
const { binary, three, numbers, weight } = reference
const rows = frame({ features: vectors(reference.x), binary, three, numbers, weight })
const held = frame({ features: vectors(reference.held) })
const regParam = 0.05
const strict = { tol: 1e-10, maxIter: 1000, standardization: false } as const

function expectNear(got: ArrayLike<number>, expected: ArrayLike<number>, digits = 6): void {
  expect(got.length).toBe(expected.length)
  for (let i = 0; i < got.length; i++) expect(got[i], `number ${i}`).toBeCloseTo(expected[i]!, digits)
}
const values = (tensor: unknown): ArrayLike<number> => (tensor as Tensor).values

describe('LogisticRegression', () => {
  test('two classes, with and without weights of the rows', async () => {
    const model = await new ml.LogisticRegression({ labelCol: 'binary', regParam, ...strict }).fit(rows)
    expectNear(model.coefficients, reference.logistic.coefficients)
    expectNear(model.intercepts, reference.logistic.intercepts, 4)
    const own = await new ml.LogisticRegression({ labelCol: 'binary', weightCol: 'weight', regParam, ...strict }).fit(
      rows,
    )
    expectNear(own.coefficients, reference.logisticWeighted.coefficients)
  })

  test('three classes', async () => {
    const model = await new ml.LogisticRegression({ labelCol: 'three', regParam, ...strict }).fit(rows)
    expectNear(model.coefficients, reference.multinomial.coefficients)
    const predicted = await model.transform(held).toRows()
    predicted.forEach((row, i) => {
      expectNear(values(row.probability), reference.multinomial.probability[i]!)
      const p = reference.multinomial.probability[i]!
      expect(row.prediction).toBe(p.indexOf(Math.max(...p)))
    })
  })

  test('an elastic net on standardised features', async () => {
    const options = { labelCol: 'binary', regParam, elasticNetParam: 0.4, tol: 1e-10, maxIter: 2000 } as const
    const model = await new ml.LogisticRegression(options).fit(rows)
    expectNear(model.coefficients, reference.logisticElastic.coefficients, 5)
  })

  test('sparse features give what dense ones do', async () => {
    const sparse = frame(
      Array.from({ length: 120 }, (_, i) => ({
        features: { size: 4, indices: [0, 1, 2, 3], values: reference.x.slice(i * 4, i * 4 + 4) },
        label: binary[i]!,
      })),
      { schema: { features: { sparse: 4 }, label: 'number' } },
    )
    const model = await new ml.LogisticRegression({ regParam, ...strict }).fit(sparse)
    expectNear(model.coefficients, reference.logistic.coefficients, 5)
  })
})

test('LinearRegression: plain, ridge, elastic net, weighted', async () => {
  const fit = async (options: ml.LinearRegressionOptions) =>
    new ml.LinearRegression({ ...options, ...strict, labelCol: 'numbers' } as const).fit(rows)
  for (const [options, { coefficients, intercepts }] of [
    [{}, reference.linear],
    [{ regParam }, reference.ridge],
    [{ regParam: 0.3, elasticNetParam: 0.5 }, reference.elastic],
    [{ weightCol: 'weight' }, reference.linearWeighted],
  ] as const) {
    const model = await fit(options)
    expectNear(model.coefficients, coefficients)
    expect(model.intercept).toBeCloseTo(intercepts[0]!, 4)
  }
})

test('LinearSVC', async () => {
  const options = { labelCol: 'binary', regParam, fitIntercept: false, ...strict } as const
  const model = await new ml.LinearSVC(options).fit(rows)
  expectNear(model.coefficients, reference.svc.coefficients)
  const [first] = await model.transform(held).toRows()
  const margin = reference.held.slice(0, 4).reduce((sum, x, j) => sum + x * model.coefficients[j]!, 0)
  expectNear(values(first!.rawPrediction), [-margin, margin])
})

describe('trees', () => {
  const limits = ({ minInstancesPerNode }: TreeCase) => ({ minInstancesPerNode, maxBins: 512 })

  test.each([
    ['treeGini', 'gini'],
    ['treeEntropy', 'entropy'],
  ] as const)('DecisionTreeClassifier by %s', async (name, impurity) => {
    const tree = new ml.DecisionTreeClassifier({ labelCol: 'three', impurity, maxDepth: 4, ...limits(reference[name]) })
    const model = await tree.fit(rows)
    const predicted = await model.transform(held).toRows()
    predicted.forEach((row, i) => expectNear(values(row.probability), reference[name].probability[i]!, 9))
    expectNear(
      predicted.map(({ prediction }) => prediction),
      reference[name].prediction,
    )
    expectNear(model.featureImportances, reference[name].importances)
  })

  test('DecisionTreeRegressor', async () => {
    const options = { labelCol: 'numbers', ...limits(reference.treeRegressor) } as const
    const tree = await new ml.DecisionTreeRegressor({ ...options, maxDepth: 5 }).fit(rows)
    const { prediction } = await tree.transform(held).toColumns()
    expectNear(prediction, reference.treeRegressor.prediction, 9)
    expectNear(tree.featureImportances, reference.treeRegressor.importances)
    const weighted = await new ml.DecisionTreeRegressor({
      labelCol: 'numbers',
      ...limits(reference.treeWeighted),
      maxDepth: 3,
      weightCol: 'weight',
    } as const).fit(rows)
    expectNear((await weighted.transform(held).toColumns()).prediction, reference.treeWeighted.prediction, 9)
  })

  test('GBTRegressor and GBTClassifier', async () => {
    const options = { maxIter: 8, maxDepth: 2 } as const
    const regressor = await new ml.GBTRegressor({
      labelCol: 'numbers',
      ...options,
      ...limits(reference.gbtRegressor),
    } as const).fit(rows)
    expectNear((await regressor.transform(held).toColumns()).prediction, reference.gbtRegressor.prediction)
    const classifier = await new ml.GBTClassifier({
      labelCol: 'binary',
      ...options,
      ...limits(reference.gbtClassifier),
    } as const).fit(rows)
    const predicted = await classifier.transform(held).toRows()
    expectNear(
      predicted.map(({ probability }) => values(probability)[1]!),
      reference.gbtClassifier.prediction,
    )
  })

  test('a forest of one tree on all rows and features is that tree; more trees do better on held rows', async () => {
    const one = {
      labelCol: 'three',
      numTrees: 1,
      bootstrap: false,
      maxDepth: 4,
      ...limits(reference.treeGini),
    } as const
    const forest = await new ml.RandomForestClassifier(one).fit(rows)
    const { prediction } = await forest.transform(held).toColumns()
    expectNear(prediction, reference.treeGini.prediction)
    const many = { labelCol: 'numbers', numTrees: 60, maxDepth: 8, seed: 3, featureSubsetStrategy: 'all' } as const
    const error = async (model: ml.RandomForestRegressionModel) =>
      new ml.RegressionEvaluator({ labelCol: 'numbers' }).evaluate(model.transform(train[1]))
    const train = rows.randomSplit([0.7, 0.3], { seed: 1 })
    const few = await new ml.RandomForestRegressor({ ...many, numTrees: 1 }).fit(train[0])
    const all = await new ml.RandomForestRegressor(many).fit(train[0])
    expect(await error(all)).toBeLessThan(0.8 * (await error(few)))
    const again = await new ml.RandomForestRegressor(many).fit(train[0])
    expect(again.forest).toEqual(all.forest)
  })
})

test('KMeans finds the centres', async () => {
  const points = frame({ features: vectors(reference.points) })
  const model = await new ml.KMeans({ k: 3, seed: 1, tol: 0, maxIter: 100 }).fit(points)
  const sorted = (centres: readonly ArrayLike<number>[]) =>
    centres.map((c) => Array.from(c)).sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!)
  sorted(model.clusterCenters).forEach((centre, i) => expectNear(centre, sorted(reference.kMeans.centres)[i]!))
  expect(model.trainingCost).toBeCloseTo(reference.kMeans.cost, 6)
  const { prediction } = await model.transform(points).toColumns()
  expect(new Set(prediction).size).toBe(3)
})

test('PCA has scikit-learn’s components, signs included', async () => {
  const model = await new ml.PCA({ k: 3, inputCol: 'features', outputCol: 'scores' }).fit(rows)
  expectNear(model.pc, reference.pca.components.flat(), 9)
  expectNear(model.explainedVariance, reference.pca.explained, 9)
  const offset = [0, 1, 2].map((k) => model.mean.reduce((sum, m, j) => sum + m * model.pc[k * 4 + j]!, 0))
  const scores = await model.transform(held).toRows()
  scores.forEach((row, i) => {
    expectNear(
      Array.from(values(row.scores), (v, k) => v - offset[k]!),
      reference.pca.scores[i]!,
    )
  })
})
