/** Estimators over several columns: they learn what no column tells alone, and are the same after saving. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import { frame } from '../../../src/frame/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { onEngines } from '../on-engines.js'
import { accuracyOf, draw } from './small-data.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardbook-several-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

const side = 6

/** Bytes with a bright line that lies across or upright, and a sign: the label is which of both, turned over by the sign. */
function rows(count: number, seed: number) {
  const values = new Uint8Array(count * side * side)
  const [sign, label] = [new Float32Array(count), new Int32Array(count)]
  for (let row = 0; row < count; row++) {
    const across = draw(seed, row) < 0.5
    const line = Math.floor(draw(seed + 1, row) * side)
    for (let i = 0; i < side; i++) values[row * side * side + (across ? line * side + i : i * side + line)] = 255
    sign[row] = draw(seed + 2, row) < 0.5 ? -1 : 1
    label[row] = across === sign[row]! > 0 ? 1 : 0
  }
  return frame({ image: { shape: [count, side, side, 1] as const, dtype: 'uint8', values }, sign, label })
}

onEngines('estimators over several columns', (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })

  test.each(['convolutions by default', 'a network of its own'])('CNNClassifier, %s', async (which) => {
    const { image, sign } = nn.inputs({ image: [side, side, 1], sign: [1] })
    const seen = [image, nn.conv2d({ filters: 6, kernelSize: 3, activation: 'relu', name: 'look' }), nn.flatten()]
    const layers = [
      nn.concatenate({ branches: [[...seen, nn.dense({ units: 8 })], [sign]], name: 'both' }),
      nn.dense({ units: 24, activation: 'relu' }),
      nn.dense({ units: 2 }),
    ]
    const cnn = new ml.CNNClassifier({
      inputCols: ['image', 'sign'],
      maxIter: 20,
      batchSize: 32,
      stepSize: 0.01,
      ...(which.startsWith('a') ? { layers } : {}),
    })
    const model = await cnn.fit(rows(320, 1), { validation: rows(32, 4) })
    const held = rows(100, 7)
    const predictions = model.transform(held)
    expect(await accuracyOf(predictions)).toBeGreaterThan(0.95)
    expect(model.transformSchema(held.schema)).toEqual(predictions.schema)
    await model.save(join(folder, `${name}-${which}`))
    const again = (await ml.load(join(folder, `${name}-${which}`))) as unknown as typeof model
    expect(await again.transform(held).toRows()).toEqual(await predictions.toRows())
    const layer = model.network.layers[0]!.name
    const { shape, input } = await model.activations(held.limit(3), { layer })
    expect(shape).toEqual([3, ...model.network.layers[0]!.output])
    // Bytes come as [0, 1], beside the sign.
    expect(input.shape).toEqual([3, side * side + 1])
    expect(Math.max(...input.values)).toBeCloseTo(1, 6)
  })

  test('a perceptron takes them as one vector, and a regressor too', async () => {
    const options = { inputCols: ['image', 'sign'], maxIter: 30, batchSize: 32 } as const
    const model = await new ml.MultilayerPerceptronClassifier({ ...options, layers: [37, 32, 2] }).fit(rows(320, 1))
    expect(await accuracyOf(model.transform(rows(100, 7)))).toBeGreaterThan(0.9)
    const regressor = await new ml.MultilayerPerceptronRegressor(options).fit(rows(64, 1))
    expect(await regressor.transform(rows(5, 7)).count()).toBe(5)
  })
})

/** Words, tokens, a hashed vector and a number, each of which votes: the label says whether at least two of them do. */
function mixed(count: number, seed: number) {
  return frame(
    Array.from({ length: count }, (_, row) => {
      const [word, token, hash, number] = [0, 1, 2, 3].map((i) => draw(seed + i, row) < 0.5) as [
        boolean,
        boolean,
        boolean,
        boolean,
      ]
      return {
        text: `they said ${word ? 'yes' : 'no'}`,
        tokens: token ? [3, 1, 4] : [1, 4],
        hashed: { size: 1000, indices: hash ? [7, 500] : [500], values: hash ? [1, 1] : [1] },
        number: number ? 1 : -1,
        label: [word, token, hash, number].filter(Boolean).length >= 2 ? 1 : 0,
      }
    }),
  )
}

onEngines('text, tokens, sparse vectors and numbers side by side', (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })
  const options = {
    inputCols: ['text', 'tokens', 'hashed', 'number'],
    maxIter: 20,
    batchSize: 32,
    stepSize: 0.02,
  } as const

  test.each([
    ['CNNClassifier', new ml.CNNClassifier(options)],
    ['RNNClassifier', new ml.RNNClassifier({ ...options, units: 16, cell: 'gru' })],
  ])('%s learns of all of them, and is the same when loaded', async (kind, estimator) => {
    const held = mixed(100, 70)
    const model = await estimator.fit(mixed(320, 1), { validation: held })
    const predictions = model.transform(held)
    expect(await accuracyOf(predictions)).toBeGreaterThan(0.95)
    await model.save(join(folder, `${name}-${kind}`))
    const again = (await ml.load(join(folder, `${name}-${kind}`))) as unknown as typeof model
    expect(await again.transform(held).toRows()).toEqual(await predictions.toRows())
  })
})

describe('estimators over several columns say', () => {
  const options = { inputCols: ['image', 'sign'], maxIter: 1 } as const

  test('what their options must be', () => {
    expect(() => new ml.CNNClassifier({ ...options, inputCol: 'image' })).toThrow(/one of inputCol and inputCols/)
    expect(() => new ml.CNNClassifier({ inputCols: ['image'] })).toThrow(/inputCols to name two columns or more/)
    expect(() => new ml.CNNClassifier({ inputCols: ['image', 'image'] })).toThrow(/each once/)
    expect(() => new ml.CNNClassifier({})).toThrow(/inputCol to name a column, got undefined/)
    expect(() => new ml.AutoEncoders({ inputCols: ['a', 'b'] } as never)).toThrow(/expected inputCol, got inputCols/)
  })

  test('which column is missing or of another type', async () => {
    const cnn = new ml.CNNClassifier(options)
    expect(() => cnn.fit(rows(8, 1).drop('sign') as never)).toThrow(/sign/)
    const dates = rows(8, 1).withColumns((c) => ({ sign: c.label.cast('date') })) as never
    expect(() => cnn.fit(dates)).toThrow(/'sign' to hold tensors, numbers, text, lists of tokens or sparse vectors/)
    const texts = rows(8, 1).withColumns((c) => ({ sign: c.label.cast('string') })) as never
    const perceptron = new ml.MultilayerPerceptronClassifier(options)
    expect(() => perceptron.fit(texts)).toThrow(/'sign' to hold tensors or numbers/)
  })

  test('which inputs the network must have', () => {
    const { sign, image } = nn.inputs({ sign: [1], image: [side, side, 1] })
    const layers = [nn.concatenate({ branches: [[sign], [image, nn.flatten()]] }), nn.dense({ units: 2 })]
    expect(() => new ml.CNNClassifier({ ...options, layers }).fit(rows(8, 1))).toThrow(
      /CNNClassifier.fit: expected inputs image \[6, 6, 1\], sign \[1\], got sign \[1\], image \[6, 6, 1\]/,
    )
  })

  test('an estimator that is not fitted is the same after saving', async () => {
    const { image, sign } = nn.inputs({ image: [side, side, 1], sign: [1] })
    const layers = [nn.concatenate({ branches: [[sign], [image, nn.flatten()]] }), nn.dense({ units: 2 })]
    await new ml.CNNClassifier({ ...options, layers }).save(join(folder, 'estimator'))
    const again = (await ml.load(join(folder, 'estimator'))) as unknown as ml.CNNClassifier
    expect(again.options.inputCols).toEqual(['image', 'sign'])
    const model = await again.fit(rows(16, 1) as never)
    expect(model.network.inputs).toEqual([
      ['image', [side, side, 1]],
      ['sign', [1]],
    ])
  })
})
