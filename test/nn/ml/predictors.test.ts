/** Recurrent networks, perceptrons and regressors: what each column becomes, and that a saved one is the same again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import { frame } from '../../../src/frame/index.js'
import type { AnyFrame, Frame } from '../../../src/frame/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { onEngines } from '../on-engines.js'
import { bars } from '../train/fixture.js'
import { accuracyOf, draw, hashed, messages, vectors } from './small-data.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardbook-predictors-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

/** Saves a model, loads it, and expects the bits of what it adds. */
async function expectSame(
  name: string,
  model: { save(path: string): Promise<void>; transform(frame: AnyFrame): Frame },
  rows: AnyFrame,
) {
  await model.save(join(folder, name))
  const again = (await ml.load(join(folder, name))) as unknown as typeof model
  expect(await again.transform(rows).toRows()).toEqual(await model.transform(rows).toRows())
}

onEngines('RNNClassifier', (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })

  test.each([
    ['simple', {}],
    ['lstm', { units: [12, 8] }],
    ['gru', { bidirectional: true, dropout: 0.1 }],
  ] as const)('%s %j: learns from text with words of its own, whatever fills messages up', async (cell, options) => {
    const rnn = new ml.RNNClassifier({
      inputCol: 'text',
      cell,
      units: 12,
      embeddingSize: 8,
      maxIter: 8,
      batchSize: 16,
      stepSize: 0.02,
      ...options,
    })
    const model = await rnn.fit(messages(200, 1))
    const held = messages(150, 50)
    expect(await accuracyOf(model.transform(held))).toBeGreaterThan(0.95)
    await expectSame(`text-${name}-${cell}`, model, held)
    // Words that were not seen are unknown, and texts that are longer are cut: neither is an error.
    expect(await model.transform(frame([{ text: 'entirely new '.repeat(300) }, { text: '' }])).count()).toBe(2)
  })

  test('takes lists of tokens of different lengths', async () => {
    const rows = (n: number, seed: number) =>
      frame(
        Array.from({ length: n }, (_, row) => {
          const label = draw(seed, row) < 0.5 ? 1 : 0
          const tokens = Array.from({ length: 1 + Math.floor(draw(seed + 1, row) * 9) }, (__, i) =>
            Math.floor(draw(seed + 2, row * 10 + i) * 8),
          )
          return { tokens: label === 1 ? [...tokens, 8] : [...tokens, 0], label }
        }),
      )
    const model = await new ml.RNNClassifier({
      inputCol: 'tokens',
      units: 8,
      embeddingSize: 6,
      maxIter: 8,
      batchSize: 16,
      stepSize: 0.02,
    }).fit(rows(200, 3))
    expect(await accuracyOf(model.transform(rows(150, 40)))).toBeGreaterThan(0.95)
    await expectSame(`tokens-${name}`, model, rows(10, 7))
    expect(await model.transform(frame([{ tokens: [900] }])).count()).toBe(1) // a token that was not seen
    await expect(
      new ml.RNNClassifier({ inputCol: 'tokens' }).fit(
        frame([
          { tokens: [0.5], label: 0 },
          { tokens: [1], label: 1 },
        ]),
      ),
    ).rejects.toThrow(/'tokens' to hold tokens 0, 1, 2, ..., got 0.5/)
  })

  test('takes steps of vectors, and vectors as sequences of one step', async () => {
    const steps = (rows: number, seed: number) => {
      const values = Float32Array.from({ length: rows * 12 }, (_, i) => draw(seed, i))
      const label = Int32Array.from({ length: rows }, (_, row) => (values[row * 12]! > values[row * 12 + 10]! ? 1 : 0))
      return frame({ steps: { shape: [rows, 6, 2] as const, dtype: 'float32', values }, label })
    }
    const rnn = new ml.RNNClassifier({ inputCol: 'steps', units: 12, maxIter: 25, batchSize: 16, stepSize: 0.02 })
    const model = await rnn.fit(steps(200, 1))
    expect(model.network.layers.map(({ name: layer }) => layer)).toEqual(['recurrent1', 'logits'])
    expect(await accuracyOf(model.transform(steps(100, 2)))).toBeGreaterThan(0.85)

    const one = await new ml.RNNClassifier({ inputCol: 'v', units: 8, maxIter: 20, batchSize: 16, stepSize: 0.02 }).fit(
      vectors(128, 1),
    )
    expect(one.network.layers[0]!.output).toEqual([1, 3])
    expect(await accuracyOf(one.transform(vectors(100, 2)))).toBeGreaterThan(0.85)
    expect(() => rnn.fit(bars(10) as never)).toThrow(/no column 'steps'/)
    expect(() => new ml.RNNClassifier({ inputCol: 'image' }).fit(bars(10))).toThrow(
      /expected 'image' to hold text, lists/,
    )
  })

  test.each(['simple', 'lstm', 'gru'] as const)(
    '%s: takes sparse vectors of 262,144 components with a weight for those that occur',
    async (cell) => {
      const rnn = new ml.RNNClassifier({
        inputCol: 'features',
        cell,
        units: 8,
        maxIter: 6,
        batchSize: 16,
        stepSize: 0.02,
      })
      const model = await rnn.fit(hashed(200, 1), { validation: hashed(50, 7) })
      expect(await accuracyOf(model.transform(hashed(150, 30)))).toBeGreaterThan(0.95)
      const kernel = model.network.weights[0]!
      expect(kernel.shape[0]).toBeLessThan(60)
      await expectSame(`sparse-${name}-${cell}`, model, hashed(20, 3))
      // Components that training did not show count for nothing.
      const known = { size: 262_144, indices: [1000, 2000], values: [1, 1] }
      const more = { size: 262_144, indices: [3, 1000, 2000, 250_000], values: [9, 1, 1, 9] }
      const [a, b] = await model.transform(frame([{ features: known }, { features: more }])).toRows()
      expect([...a!.rawPrediction.values]).toEqual([...b!.rawPrediction.values])
      expect(() => model.transform(frame([{ features: { size: 9, indices: [1], values: [1] } }]))).toThrow(
        /sparse vectors of 262144 components/,
      )
    },
  )
})

onEngines('MultilayerPerceptronClassifier', (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })

  test("takes Spark's layers, from features to classes, and says when they do not fit the data", async () => {
    const mlp = new ml.MultilayerPerceptronClassifier({
      inputCol: 'v',
      layers: [3, 8, 2],
      activation: 'tanh',
      maxIter: 30,
      batchSize: 16,
    })
    const model = await mlp.fit(vectors(128, 1))
    expect(model.network.layers.map(({ output }) => output)).toEqual([[8], [2]])
    expect(await accuracyOf(model.transform(vectors(100, 2)))).toBeGreaterThan(0.9)
    await expectSame(`mlp-${name}`, model, vectors(20, 2))
    expect(() => mlp.copy({ layers: [4, 8, 2] }).fit(vectors(40, 1))).toThrow(
      /layers from 3 features on, got \[4, 8, 2\]/,
    )
    await expect(mlp.copy({ layers: [3, 8, 5] }).fit(vectors(40, 1))).rejects.toThrow(/to 2 outputs/)
    expect(() => mlp.copy({ layers: [3] })).toThrow(/sizes from the features to the outputs/)
  })

  test('takes images, and sparse vectors without making them dense', async () => {
    const images = await new ml.MultilayerPerceptronClassifier({ inputCol: 'image', maxIter: 20, batchSize: 16 }).fit(
      bars(240),
    )
    expect(await accuracyOf(images.transform(bars(200, 2)))).toBeGreaterThan(0.7)
    const sparse = await new ml.MultilayerPerceptronClassifier({
      inputCol: 'features',
      layers: [262_144, 8, 2],
      maxIter: 6,
      batchSize: 16,
    }).fit(hashed(200, 1))
    expect(sparse.network.weights[0]!.shape[0]).toBeLessThan(60)
    expect(await accuracyOf(sparse.transform(hashed(150, 30)))).toBeGreaterThan(0.95)
  })
})

onEngines('regressors', (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })

  test.each([
    ['CNN', (o: object) => new ml.CNNRegressor({ inputCol: 'image', ...o })],
    ['RNN', (o: object) => new ml.RNNRegressor({ inputCol: 'v', units: 16, ...o })],
    ['MLP', (o: object) => new ml.MultilayerPerceptronRegressor({ inputCol: 'v', ...o })],
  ] as const)('%s: predicts numbers far from zero in their own unit', async (which, make) => {
    const regressor = make({ maxIter: 25, batchSize: 16, stepSize: 0.01, labelCol: 'y' })
    const rows = (n: number, seed: number): Frame => {
      const values = Float32Array.from({ length: n * 64 }, (_, i) => draw(seed, i))
      const y = Float64Array.from({ length: n }, (_, row) => 1000 + 200 * values[row * 64]!)
      const v = {
        shape: [n, 3],
        dtype: 'float32',
        values: Float32Array.from({ length: n * 3 }, (_, i) => values[Math.floor(i / 3) * 64 + (i % 3)]!),
      } as const
      return frame({
        image: { shape: [n, 8, 8, 1], dtype: 'float32', values: values.map((__, i) => values[i - (i % 64)]!) },
        v,
        y,
      } as const) as unknown as Frame
    }
    const training = regressor.fit(rows(200, 1) as never, { validation: rows(60, 2) as never })
    const model = await training
    const held = await model.transform(rows(100, 3)).toRows()
    const error = Math.sqrt(
      held.reduce((sum, row) => sum + ((row['prediction'] as number) - (row['y'] as number)) ** 2, 0) / 100,
    )
    expect(error).toBeLessThan(20) // the label's standard deviation is 58
    expect(training.history.at(-1)!['validationMeanAbsoluteError']).toBeLessThan(20)
    await expectSame(`regressor-${name}-${which}`, model, rows(9, 3))
  })
})

describe('labels and features', () => {
  test('that cannot be learnt from are named', async () => {
    const mlp = new ml.MultilayerPerceptronClassifier({ inputCol: 'v', maxIter: 1 })
    const v = { shape: [4, 2] as const, dtype: 'float32' as const, values: Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]) }
    const bad = { ...v, values: Float32Array.from([1, 2, 3, 4, 5, Infinity, 7, 8]) }
    await expect(mlp.fit(frame({ v, label: [0, 0, 0, 0] }))).rejects.toThrow(
      /at least two classes in 'label', got 0 in all 4 rows/,
    )
    await expect(mlp.fit(frame({ v: bad, label: [0, 1, 0, 1] }))).rejects.toThrow(
      /finite numbers in 'v', got Infinity in row 2/,
    )
    await expect(mlp.copy({ batchSize: 5 }).fit(frame({ v, label: [0, 1, 0, 1] }))).rejects.toThrow(
      /no larger than the data, which has 4 rows, got 5/,
    )
    const model = await mlp.fit(frame({ v, label: [0, 1, 0, 1] }))
    await expect(model.transform(frame({ v: bad })).toRows()).rejects.toThrow(/'v', got Infinity in row 2/)
    const regressor = new ml.MultilayerPerceptronRegressor({ inputCol: 'v', maxIter: 1 })
    await expect(regressor.fit(frame({ v, label: [1, NaN, 3, 4] }))).rejects.toThrow(/'label'/)
    await expect(regressor.fit(vectors(0, 1))).rejects.toThrow(/expected rows to train on/)
    expect(() => mlp.fit(frame({ v, label: ['a', 'b', 'c', 'd'] }) as never)).toThrow(/Give each class a number/)
    expect(() =>
      frame([
        { v: { shape: [2], dtype: 'float32', values: new Float32Array(2) } },
        { v: { shape: [3], dtype: 'float32', values: new Float32Array(3) } },
      ]),
    ).toThrow(/shape/)
  })
})

describe('an estimator', () => {
  test('says which columns come out, is copied with changes, and is saved before it is fitted', async () => {
    const rnn = new ml.RNNClassifier({
      inputCol: 'text',
      cell: 'gru',
      probabilityCol: 'p',
      layers: [nn.embedding({ inputDim: 9, outputDim: 2 }), nn.gru({ units: 2 })],
    })
    const { schema } = messages(2, 1)
    expect(rnn.transformSchema(schema).map(({ name }) => name)).toEqual([
      'text',
      'label',
      'rawPrediction',
      'p',
      'prediction',
    ])
    expect(() => rnn.transformSchema(schema.slice(0, 1))).toThrow(/RNNClassifier: there is no column 'label'/)
    const changed = rnn.copy({ maxIter: 3, outputCol: 'spam' as 'prediction' })
    expect([rnn.options.maxIter, changed.options.maxIter, changed.options.cell]).toEqual([undefined, 3, 'gru'])
    expect(() => rnn.copy({ maxIter: 0 })).toThrow(/maxIter/)
    await changed.save(join(folder, 'estimator'))
    const again = await ml.load(join(folder, 'estimator'), 'RNNClassifier')
    expect(JSON.stringify(again.options)).toBe(JSON.stringify(changed.options))
    await expect(rnn.copy({ optimiser: nn.sgd() }).save(join(folder, 'own'))).rejects.toThrow(/optimiser/)
  })
})
