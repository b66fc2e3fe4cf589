import type { Tensor } from '@tensorflow/tfjs-core'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { displaySymbol } from '../../../src/core/display.js'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import { bars } from '../train/fixture.js'

let tf: Tf
beforeAll(async () => {
  await openEngine('wasm')
  tf = await loadTf()
})

const scale = nn.layer({
  name: 'scale',
  build: ([features]) => ({ weights: { factor: [features!] } }),
  call: ({ tf: t }, x, { factor }) => t.mul(x, t.exp(factor)),
})

describe('a layer of the user', () => {
  test('is trained like any other, without leaving this process', async () => {
    const layers = [nn.flatten(), nn.dense({ units: 8, activation: 'relu' }), scale, nn.dense({ units: 3 })]
    const model = await new ml.CNNClassifier({
      inputCol: 'image',
      layers,
      maxIter: 6,
      batchSize: 16,
      stepSize: 0.01,
    }).fit(bars(160))
    const at = model.network.weights.findIndex(({ name }) => name === 'scale/factor')
    expect(model.network.weights[at]!.shape).toEqual([8])
    expect(Math.max(...model.weights[at]!.values.map(Math.abs))).toBeGreaterThan(0)
  })

  test('is saved as what it does: the loaded model predicts the same bits, in branches and over steps too', async () => {
    const noisy = nn.layer({
      name: 'noisy',
      call: ({ tf: t, random }, x) => (random === undefined ? t.mul(x, t.tensor1d([0.5, 2])) : t.mul(x, 0)),
    })
    const layers = [
      nn.reshape({ shape: [8, 8] }),
      nn.add({ branches: [[scale], []] }),
      nn.timeDistributed({ layer: scale }),
      nn.flatten(),
      nn.dense({ units: 2 }),
      noisy,
      nn.dense({ units: 3 }),
    ]
    const rows = bars(90)
    const estimator = new ml.CNNClassifier({ inputCol: 'image', layers, maxIter: 2, batchSize: 16, stepSize: 0.01 })
    const model = await estimator.fit(rows)
    const folder = await mkdtemp(join(tmpdir(), 'shardbook-own-'))
    try {
      const predicted = model.transform(rows)
      await model.save(folder)
      const loaded = await ml.load(folder, 'CNNClassifierModel')
      const raw = async (of: ml.Transformer) => {
        const { values } = (await (of.transform(rows) as typeof predicted).toColumns()).rawPrediction
        return values
      }
      expect(await raw(loaded)).toEqual(await raw(model))
      await loaded.save(folder)
      expect(await raw(await ml.load(folder, 'CNNClassifierModel'))).toEqual(await raw(model))
      const traced = loaded.network.layers.slice(1).map(({ layer }) => layer)
      await expect(estimator.copy({ layers: traced }).fit(rows)).rejects.toThrow(/a layer that predicts only/)
      await expect(estimator.save(folder)).rejects.toThrow(/expected options that are plain data, got layers/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('is told when it gives another shape than it said', () => {
    const wrong = nn.layer({ name: 'wrong', build: () => ({ output: [2] }), call: (_, x) => x })
    const model = nn.model([wrong], { inputShape: [3] })
    expect(() => applyModel(model, { tf }, [], tf.ones([4, 3]))).toThrow(
      /expected call to give \[4, 2\], as build says, got \[4, 3\]/,
    )
    expect(() => nn.layer({} as never)).toThrow(/call to be a function/)
  })
})

test('an error about a layer names the line that made it', () => {
  const pool: nn.Layer = nn.maxPooling2d()
  expect(() => nn.model([nn.flatten(), pool], { inputShape: [4, 4, 1] as number[] })).toThrow(
    /The layer was made at .*own\.test\.ts:\d+:\d+/,
  )
})

test("Elman's network puts out g(h V + c) of every step, or of the last one", () => {
  const options = { units: 3, outputUnits: 2, activation: 'sigmoid', outputActivation: 'tanh' } as const
  const weights = initialWeights(nn.model([nn.elman(options)], { inputShape: [4, 5] }), 1).map(({ values, shape }) =>
    tf.tensor(values.slice(), [...shape]),
  )
  const [w, u, b, v, c] = weights as [Tensor, Tensor, Tensor, Tensor, Tensor]
  const x = tf.randomNormal([2, 4, 5], 0, 1, 'float32', 3)
  let h: Tensor = tf.zeros([2, 3])
  const expected = tf.unstack(x, 1).map((step) => {
    h = tf.sigmoid(tf.add(tf.add(tf.matMul(step, w), tf.matMul(h, u)), b))
    return tf.tanh(tf.add(tf.matMul(h, v), c))
  })
  const last = nn.elman(options).apply({ tf }, x, weights)
  const all = nn.elman({ ...options, returnSequences: true }).apply({ tf }, x, weights)
  const apart = (a: Tensor, e: Tensor): number => tf.max(tf.abs(tf.sub(a, e))).dataSync()[0]!
  expect(apart(last, expected.at(-1)!)).toBeLessThan(1e-6)
  expect(apart(all, tf.stack(expected, 1))).toBeLessThan(1e-6)
})

test('a summary is a table in HTML too', () => {
  const summary = nn.model([nn.dense({ units: 3, name: 'a<b' })], { inputShape: [4] }).summary()
  const { 'text/html': html } = summary[displaySymbol]() as { 'text/html': string }
  expect(html).toContain('a&lt;b')
  expect(html).toContain('15 parameters')
  expect(html.match(/<tr>/g)).toHaveLength(3)
})

test('a summary and an error say where a layer was made, also one of a network that is used again', () => {
  const here = /own\.test\.ts:\d+:\d+/
  const first = nn.model([nn.flatten(), nn.dense({ units: 3 })], { inputShape: [2, 2] })
  expect(String(first.summary())).toMatch(
    new RegExp(`layer .* made at\n.*\nflatten1 .*${here.source}\ndense1 .* 15  ${here.source}\n`),
  )
  const { 'text/html': html } = first.summary()[displaySymbol]() as { 'text/html': string }
  expect(html).toMatch(here)
  const layers: readonly nn.Layer[] = [nn.flatten(), nn.conv2d({ filters: 1, kernelSize: 3 }) as nn.Layer]
  expect(() => nn.model(layers, { inputShape: [4, 4, 1] })).toThrow(new RegExp(`"conv1".*made at .*${here.source}`))
})

test('tokens beyond the last one are the last one where an embedding clips', () => {
  const table = tf.tensor2d([1, 2, 3], [3, 1])
  const clipped = nn
    .embedding({ inputDim: 3, outputDim: 1, clip: true })
    .apply({ tf }, tf.tensor2d([[0, 2, 9]]), [table])
  expect([...clipped.dataSync()]).toEqual([1, 3, 3])
})
