import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../src/engine/index.js'
import * as nn from '../../src/nn/index.js'
import { applyModel, initialWeights } from '../../src/nn/model.js'
import { modelData, modelOf } from '../../src/nn/model-data.js'

const cnn = () =>
  nn.model(
    [
      nn.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
      nn.maxPooling2d(),
      nn.conv2d({ filters: 6, kernelSize: [2, 3], strides: 2, padding: 'same' }),
      nn.upSampling2d({ size: [2, 1] }),
      nn.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' }),
      nn.averagePooling2d({ poolSize: 3, strides: 1 }),
      nn.flatten(),
      nn.dense({ units: 12 }),
      nn.reshape({ shape: [3, 4] }),
    ],
    { inputShape: [10, 12, 1] },
  )

describe('model', () => {
  test('infers the shape and the weights of every layer', () => {
    const model = cnn()
    expect(model.layers.map(({ name, output }) => [name, ...output])).toEqual([
      ['conv1', 8, 10, 4],
      ['pool1', 4, 5, 4],
      ['conv2', 2, 3, 6],
      ['up1', 4, 3, 6],
      ['deconv1', 8, 6, 2],
      ['pool2', 6, 4, 2],
      ['flatten1', 48],
      ['dense1', 12],
      ['reshape1', 3, 4],
    ])
    expect(model.weights.map(({ name, shape }) => [name, ...shape])).toEqual([
      ['conv1/kernel', 3, 3, 1, 4],
      ['conv1/bias', 4],
      ['conv2/kernel', 2, 3, 4, 6],
      ['conv2/bias', 6],
      ['deconv1/kernel', 3, 3, 2, 6],
      ['deconv1/bias', 2],
      ['dense1/kernel', 48, 12],
      ['dense1/bias', 12],
    ])
    const parameters = model.weights.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0)
    expect(model.summary().parameters).toBe(parameters)
    expect(String(model.summary())).toContain('deconv1')
  })

  test('computes what it inferred', async () => {
    await openEngine('wasm')
    const tf = await loadTf()
    const model = cnn()
    for (let to = 1; to <= model.layers.length; to++) {
      const shape = tf.tidy(() => {
        const weights = initialWeights(model, 1).map(({ values, shape: own }) => tf.tensor(values, [...own]))
        return applyModel(model, { tf }, weights, tf.ones([5, ...model.inputShape]), { to }).shape
      })
      expect(shape).toEqual([5, ...model.layers[to - 1]!.output])
    }
  })

  test('is the same after a round trip through JSON', () => {
    const model = cnn()
    const again = modelOf(JSON.parse(JSON.stringify(modelData(model))) as ReturnType<typeof modelData>)
    expect(modelData(again)).toEqual(modelData(model))
    expect(again.weights).toEqual(model.weights)
  })

  test('names the layer that does not fit and says what does', () => {
    const build = (...layers: nn.Layer[]) => nn.model(layers, { inputShape: [28, 28, 1] })
    expect(() => build(nn.flatten(), nn.dense({ units: 3 }), nn.maxPooling2d({ name: 'squeeze' }))).toThrow(
      /layer 3 \("squeeze"\).*expected samples of shape \[height, width, channels\], got \[3\]/,
    )
    expect(() => build(nn.dense({ units: 3 }))).toThrow(/"dense1".*Put nn\.flatten\(\) before it/)
    expect(() => build(nn.conv2d({ filters: 1, kernelSize: 29 }))).toThrow(/at least as large as the window/)
    expect(() => build(nn.reshape({ shape: [3] }))).toThrow(/samples of 3 numbers for \[3\], got \[28, 28, 1\]/)
    expect(() => build(nn.flatten({ name: 'a' }), nn.dense({ units: 1, name: 'a' }))).toThrow(/"a" twice/)
    expect(() => build()).toThrow(/at least one layer/)
    expect(() => nn.model([nn.flatten()], { inputShape: [] })).toThrow(/inputShape/)
  })

  test('refuses options out of range when the layer is made', () => {
    expect(() => nn.dense({ units: 0 })).toThrow(/nn\.dense: expected units/)
    expect(() => nn.dense({ units: 1, activation: 'rleu' as 'relu' })).toThrow(/Did you mean "relu"/)
    expect(() => nn.conv2d({ filters: 1, kernelSize: [3] as unknown as [number, number] })).toThrow(/kernelSize/)
    expect(() => nn.rescale({ scale: Number.NaN })).toThrow(/scale/)
  })

  test('initial weights follow from the seed, stay within their limits and fill them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (seed) => {
        const model = nn.model([nn.flatten(), nn.dense({ units: 30, kernelInitializer: 'heUniform' })], {
          inputShape: [40],
        })
        const [kernel, bias] = initialWeights(model, seed)
        const limit = Math.sqrt(6 / 40)
        const mean = Array.from(kernel!.values).reduce((sum, value) => sum + value, 0) / 1200
        expect(Math.max(...kernel!.values.map(Math.abs))).toBeLessThanOrEqual(limit)
        expect(Math.max(...kernel!.values)).toBeGreaterThan(0.97 * limit)
        expect(Math.abs(mean)).toBeLessThan(0.1 * limit)
        expect(bias!.values.every((value) => value === 0)).toBe(true)
        expect(initialWeights(model, seed)).toEqual(initialWeights(model, seed))
        expect(initialWeights(model, seed + 1)[0]!.values).not.toEqual(kernel!.values)
      }),
      { numRuns: 20 },
    )
  })

  test('pooling before bias and activation changes no bit', async () => {
    await openEngine('wasm')
    const tf = await loadTf()
    const model = nn.model([nn.conv2d({ filters: 5, kernelSize: 3, activation: 'tanh' }), nn.maxPooling2d()], {
      inputShape: [9, 9, 2],
    })
    const [both, apart] = tf.tidy(() => {
      const weights = initialWeights(model, 3).map(({ values, shape }) =>
        tf.tensor(
          values.map((v) => v + 0.1),
          [...shape],
        ),
      )
      const x = tf.randomNormal([4, 9, 9, 2], 0, 1, 'float32', 5)
      const between = applyModel(model, { tf }, weights, x, { to: 1 })
      return [
        applyModel(model, { tf }, weights, x).dataSync(),
        applyModel(model, { tf }, weights, between, { from: 1 }).dataSync(),
      ] as const
    }) as unknown as [Float32Array, Float32Array]
    expect(both).toEqual(apart)
  })

  describe('with a layer in several places', () => {
    const siamese = () => {
      const tower = nn.dense({ units: 4, activation: 'relu' })
      const both = nn.concatenate({
        branches: [
          [nn.slice({ start: 0, size: 4 }), tower],
          [nn.slice({ start: 4, size: 4 }), tower],
        ],
      })
      return nn.model([both, nn.dense({ units: 4 }), tower, tower, nn.batchNormalization({ local: true })], {
        inputShape: [8],
      })
    }

    test('has its weights once', () => {
      const model = siamese()
      expect(model.weights.map(({ name, shape }) => [name, ...shape])).toEqual([
        ['concatenate1/branch1/dense1/kernel', 4, 4],
        ['concatenate1/branch1/dense1/bias', 4],
        ['dense1/kernel', 8, 4],
        ['dense1/bias', 4],
        ['batchNormalization1/gamma', 4],
        ['batchNormalization1/beta', 4],
        ['batchNormalization1/movingMean', 4],
        ['batchNormalization1/movingVariance', 4],
      ])
      expect(model.layers.map(({ name, positions }) => [name, ...positions])).toEqual([
        ['concatenate1', 0, 1, 0, 1],
        ['dense1', 2, 3],
        ['dense2', 0, 1],
        ['dense2#2', 0, 1],
        ['batchNormalization1', 4, 5, 6, 7],
      ])
      const summary = model.summary()
      expect(summary.parameters).toBe(20 + 36 + 16)
      expect(String(summary)).toMatch(
        /concatenate1 .* 20 .*\n.*dense1 .* 36 .*\n.*dense2 .* shared .*\n.*dense2#2 .* shared .*\n/,
      )
      expect(String(summary)).toMatch(/72 parameters, 8 of them not trained$/)
    })

    test('is the same after a round trip through JSON', () => {
      const model = siamese()
      const again = modelOf(JSON.parse(JSON.stringify(modelData(model))) as ReturnType<typeof modelData>)
      expect(modelData(again)).toEqual(modelData(model))
      expect(again.weights).toEqual(model.weights)
      expect(again.layers.map(({ positions }) => positions)).toEqual(model.layers.map(({ positions }) => positions))
    })

    test('refuses samples that need other weights there', () => {
      const tower = nn.dense({ units: 4 })
      expect(() => nn.model([tower, tower], { inputShape: [3] })).toThrow(
        /"dense1#2" to share the weight "dense1\/kernel" \[3, 4\], got samples that need \[4, 4\]/,
      )
    })
  })

  test('a saved model with a reference to nothing is an error', () => {
    expect(() => modelOf({ inputShape: [2], layers: [{ same: 3 }] })).toThrow(/a layer before number 3/)
    expect(() => modelOf({ inputShape: [2], layers: [{ kind: 'toString', options: {} }] })).toThrow(
      /knows, got "toString"/,
    )
  })
})
