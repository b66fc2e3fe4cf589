/** Networks with several inputs: what goes where, what is said against it, and that it is the same after saving. */
import { describe, expect, test } from 'vitest'
import type { Tensor2D } from '@tensorflow/tfjs-core'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { packInputs } from '../../../src/nn/layers/input.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import { modelData, modelOf } from '../../../src/nn/model-data.js'
import { onEngines } from '../on-engines.js'

const shapes = { image: [4, 4, 1], size: [3] }

function build() {
  const { image, size } = nn.inputs(shapes)
  const seen = [image, nn.conv2d({ filters: 2, kernelSize: 3, name: 'look' }), nn.flatten()]
  return nn.model([nn.concatenate({ branches: [seen, [size]] }), nn.dense({ units: 5 })], { inputs: shapes })
}

onEngines('a network with several inputs', (name) => {
  test('gives each branch its input, in its shape', async () => {
    await openEngine(name)
    const tf = await loadTf()
    const { image, size } = nn.inputs(shapes)
    const model = nn.model(
      [
        nn.concatenate({
          branches: [
            [size, nn.rescale({ scale: 10 })],
            [image, nn.maxPooling2d({ poolSize: 4 }), nn.flatten()],
          ],
        }),
      ],
      { inputs: shapes },
    )
    const got = tf.tidy(() => {
      const images = tf.reshape(tf.range(0, 32), [2, 4, 4, 1])
      const sizes = tf.tensor2d([
        [1, 2, 3],
        [4, 5, 6],
      ])
      const y = applyModel(model, { tf }, [], packInputs(tf, [images, sizes])) as Tensor2D
      return y.arraySync() as never
    })
    expect(got).toEqual([
      [10, 20, 30, 15],
      [40, 50, 60, 31],
    ])
  })
})

describe('a model with several inputs', () => {
  test('infers weights and shapes, and shows its inputs', () => {
    const model = build()
    expect(model.inputShape).toEqual([19])
    expect(model.weights.map(({ name, shape }) => [name, ...shape])).toEqual([
      ['concatenate1/branch1/look/kernel', 3, 3, 1, 2],
      ['concatenate1/branch1/look/bias', 2],
      ['dense1/kernel', 11, 5],
      ['dense1/bias', 5],
    ])
    expect(String(model.summary())).toMatch(/\(image\) +\[4, 4, 1\] *\n\(size\) +\[3\] *\nconcatenate1/)
  })

  test('is the same after a round trip through JSON', () => {
    const model = build()
    const again = modelOf(JSON.parse(JSON.stringify(modelData(model))) as ReturnType<typeof modelData>)
    expect(modelData(again)).toEqual(modelData(model))
    expect(again.inputs).toEqual(model.inputs)
    expect(initialWeights(again, 3)).toEqual(initialWeights(model, 3))
  })

  test('says what does not fit', () => {
    const { image, size } = nn.inputs(shapes)
    const both = nn.concatenate({ branches: [[image, nn.flatten()], [size]] })
    expect(() => nn.inputs({ image: [4, 4, 1] })).toThrow(/nn\.inputs: expected at least two inputs/)
    expect(() => nn.model([both], { inputs: { image: [4, 4, 1], size: [0] } })).toThrow(/positive integers/)
    expect(() => nn.model([both], { inputShape: [19] })).toThrow(/expected no layers of nn\.inputs, got image/)
    expect(() => nn.model([both], { inputs: { size: [3], image: [4, 4, 1] } })).toThrow(
      /expected inputs size \[3\], image \[4, 4, 1\], got image \[4, 4, 1\], size \[3\]/,
    )
    expect(() => nn.model([nn.dense({ units: 2 }), both], { inputs: shapes })).toThrow(
      /expected samples of 19 numbers, those of image \[4, 4, 1\], size \[3\], got \[2\]/,
    )
    expect(() => nn.model([nn.concatenate({ branches: [[image], [size]] })], { inputs: shapes })).toThrow(
      /differ in the last axis only, got \[4, 4, 1\] and \[3\]/,
    )
  })
})
