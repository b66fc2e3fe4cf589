import { afterEach, expect, test, vi } from 'vitest'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { local } from '../../../src/nn/train/local.js'
import { onEngines } from '../on-engines.js'
import { bars, reading } from './fixture.js'

const classifier = (reads: boolean) =>
  new ml.CNNClassifier({
    inputCol: 'image',
    maxIter: 2,
    batchSize: 16,
    layers: [
      nn.conv2d({ filters: 3, kernelSize: 3 }),
      ...(reads ? [reading] : []),
      nn.flatten(),
      nn.dense({ units: 3 }),
    ],
  })

afterEach(() => {
  vi.restoreAllMocks()
})

onEngines('a layer that reads values', (name) => {
  test('trains without compiling, to the same weights, with one warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const on = await local(name)
    const data = bars(70)
    const eager = await classifier(true).fit(data, { on, validation: bars(20, 2) })
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /^CNNClassifier.fit: trains without compiling.*reads values. Leave data\(\), dataSync\(\)/,
        ),
      ],
    ])
    const compiled = await classifier(false).fit(data, { on })
    expect(warn).toHaveBeenCalledOnce()
    for (const [i, { values }] of eager.weights.entries()) {
      for (const [j, value] of values.entries()) expect(value).toBeCloseTo(compiled.weights[i]!.values[j]!, 4)
    }
    const rows = await eager.transform(bars(9, 5)).toRows()
    const same = await compiled.transform(bars(9, 5)).toRows()
    expect(rows.map((row) => row.prediction)).toEqual(same.map((row) => row.prediction))
  })

  test('cannot be sent to workers: an error that says so', async () => {
    const { inProcess, ...elsewhere } = await local(name)
    expect(inProcess).toBe(true)
    await expect(classifier(true).fit(bars(70), { on: { ...elsewhere, workers: 2 } })).rejects.toThrow(
      /expected layers that can be recorded and sent to workers, got ones that read values. Leave data\(\)/,
    )
  })
})
