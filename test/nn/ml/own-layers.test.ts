/** Networks of the user's own in estimators: those that were fitted before, and graphs. */
import { beforeAll, expect, test } from 'vitest'
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
