/** Networks of the user's own in estimators: those that were fitted before, and graphs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import { frame } from '../../../src/frame/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { onEngines } from '../on-engines.js'
import { draw } from './small-data.js'

onEngines("a fitted network as 'layers' of another fit", (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })

  const rows = 48
  const bytes = Uint8Array.from({ length: rows * 36 }, (_, i) => Math.floor(256 * draw(5, i)))
  const label = Int32Array.from({ length: rows }, (_, row) => (bytes[row * 36]! > 127 ? 1 : 0))
  const images = frame({ image: { shape: [rows, 6, 6, 1] as const, dtype: 'uint8', values: bytes }, label })

  test('bytes are brought to [0, 1] once: the same network learns the same', async () => {
    const options = { inputCol: 'image', maxIter: 2, batchSize: 16, seed: 2 } as const
    const first = await new ml.CNNClassifier(options).fit(images)
    const again = await new ml.CNNClassifier({ ...options, layers: first.network }).fit(images)
    expect(again.network.layers.map((layer) => layer.name)).toEqual(first.network.layers.map((layer) => layer.name))
    expect(await again.transform(images).toRows()).toEqual(await first.transform(images).toRows())
    const own = [nn.rescale({ scale: 1 / 255 }), nn.flatten(), nn.dense({ units: 2 })]
    const { network } = await new ml.CNNClassifier({ ...options, layers: own }).fit(images)
    expect(network.layers.map(({ layer }) => layer.kind)).toEqual(['rescale', 'flatten', 'dense'])
  })

  test("a regressor's numbers are in the unit of the new label", async () => {
    const options = { inputCol: 'image', maxIter: 2, batchSize: 16, seed: 2 } as const
    const first = await new ml.CNNRegressor(options).fit(images)
    const far = images.withColumns((c) => ({ label: c.label.mul(100).add(5000) }))
    const again = await new ml.CNNRegressor({ ...options, layers: first.network }).fit(far)
    const mean = (
      await again
        .transform(far)
        .agg((c) => ({ mean: c.prediction.mean() }))
        .toRows()
    )[0]!.mean!
    expect(Math.abs(mean - 5050)).toBeLessThan(100)
  })
})

onEngines('a graph as layers', (name) => {
  const shape = [6, 6, 1] as const
  const rows = 64
  const label = Int32Array.from({ length: rows }, (_, row) => row % 2)
  const values = Uint8Array.from({ length: rows * 36 }, (_, i) => {
    const isAbove = i % 36 < 18
    return Math.floor(80 * draw(1, i)) + (isAbove === (label[Math.floor(i / 36)] === 1) ? 170 : 0)
  })
  const size = Float32Array.from({ length: rows }, (_, row) => draw(2, row))
  const images = frame({ image: { shape: [rows, ...shape] as const, dtype: 'uint8', values }, size, label })
  const options = { maxIter: 2, batchSize: 16, seed: 3 } as const
  let folder: string
  beforeAll(async () => {
    await openEngine(name)
    folder = await mkdtemp(join(tmpdir(), 'shardbook-graph-'))
  })
  afterAll(async () => rm(folder, { recursive: true, force: true }))

  const conv = (filters: number, label_: string) =>
    nn.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', name: label_ })

  test('learns what the same network of layers in a row learns; its layers are found by name', async () => {
    const graph = nn.model(
      (x) => {
        const seen = x.to(conv(3, 'look'))
        return seen.add(seen.to(conv(3, 'again'))).to(nn.flatten(), nn.dense({ units: 2, name: 'out' }))
      },
      { inputShape: shape },
    )
    const row = [
      conv(3, 'look'),
      nn.residual({ layers: [conv(3, 'again')] }),
      nn.flatten(),
      nn.dense({ units: 2, name: 'out' }),
    ]
    const cnn = new ml.CNNClassifier({ ...options, inputCol: 'image' })
    const [model, same] = [await cnn.copy({ layers: graph }).fit(images), await cnn.copy({ layers: row }).fit(images)]
    expect(await model.transform(images).toRows()).toEqual(await same.transform(images).toRows())
    const seen = await model.activations(images.limit(2), { layer: 'again' })
    expect(seen.shape).toEqual([2, 6, 6, 3])
    expect(model.filters({ layer: 'look' }).shape).toEqual([3, 3, 1, 3])

    await model.save(join(folder, 'model'))
    const loaded = await ml.load(join(folder, 'model'), 'CNNClassifierModel')
    expect(await loaded.transform(images).toRows()).toEqual(await model.transform(images).toRows())
    await cnn.copy({ layers: graph }).save(join(folder, 'estimator'))
    const again = await (await ml.load(join(folder, 'estimator'), 'CNNClassifier')).fit(images)
    expect(await again.transform(images).toRows()).toEqual(await model.transform(images).toRows())
  })

  test('takes several columns by name', async () => {
    const graph = nn.model(
      ({ image, size: number }) =>
        image
          .to(conv(2, 'look'), nn.flatten())
          .concatenate(number)
          .to(nn.dense({ units: 2, name: 'out' })),
      { inputs: { image: shape, size: [1] } },
    )
    const { image, size: number } = nn.inputs({ image: shape, size: [1] })
    const branches = [[image, conv(2, 'look'), nn.flatten()], [number]]
    const row = [nn.concatenate({ branches }), nn.dense({ units: 2, name: 'out' })]
    const cnn = new ml.CNNClassifier({ ...options, inputCols: ['image', 'size'] })
    const [model, same] = [await cnn.copy({ layers: graph }).fit(images), await cnn.copy({ layers: row }).fit(images)]
    expect(await model.transform(images).toRows()).toEqual(await same.transform(images).toRows())
    expect((await model.activations(images.limit(2), { layer: 'look' })).shape).toEqual([2, 6, 6, 2])
  })
})
