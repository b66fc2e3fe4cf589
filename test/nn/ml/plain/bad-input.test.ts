/** What plain models refuse: vectors that are not finite, by column and row; and that a label's name is its own affair. */
import { expect, test } from 'vitest'
import { frame } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'

const vectors = (values: readonly number[]) =>
  frame({
    features: { shape: [values.length / 2, 2] as const, dtype: 'float32', values: Float32Array.from(values) },
    label: Int32Array.from({ length: values.length / 2 }, (_, row) => row % 2),
  })

test.each([
  new ml.LogisticRegression({}),
  new ml.LinearRegression({}),
  new ml.LinearSVC({}),
  new ml.DecisionTreeClassifier({}),
  new ml.RandomForestRegressor({ numTrees: 2 }),
  new ml.GBTClassifier({ maxIter: 2 }),
  new ml.KMeans({ k: 2 }),
])('$kind names the row of a feature that is not finite', async (estimator: ml.Estimator) => {
  const bad = (value: number): string =>
    `${estimator.kind}.fit: expected finite numbers in 'features', got ${value} in row 2.`
  await expect(estimator.fit(vectors([1, 2, 3, 4, 5, NaN, 7, 8]))).rejects.toThrow(bad(NaN))
  await expect(estimator.fit(vectors([1, 2, 3, 4, -Infinity, 6, 7, 8]))).rejects.toThrow(bad(-Infinity))
})

test('of sparse vectors too', async () => {
  const entries = (indices: number[], values: number[]) => ({
    size: 9,
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
  })
  const rows = frame({
    features: [entries([1], [1]), entries([], []), entries([2, 5], [1, Infinity])],
    label: [0, 1, 1],
  })
  await expect(new ml.LogisticRegression({}).fit(rows)).rejects.toThrow("'features', got Infinity in row 2.")
})

test('labels, slices and folds may have any name', async () => {
  const rows = vectors(Array.from({ length: 40 }, (_, i) => Math.sin(i))).withColumns((c) => ({
    n: c.label,
    rows: c.label,
    prediction: c.label,
  }))
  const options = { inputCol: 'features', maxIter: 1 } as const
  for (const labelCol of ['n', 'rows'] as const) {
    const model = await new ml.MultilayerPerceptronClassifier({ ...options, labelCol }).fit(rows.drop('prediction'))
    expect(model.network.outputShape).toEqual([2])
    expect((await ml.oversample(rows.drop('prediction'), { labelCol, seed: 1 }).then((all) => all.count())) > 0).toBe(
      true,
    )
  }
  const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
  expect(await evaluator.evaluate(rows, { by: 'rows' })).toHaveLength(2)
})
