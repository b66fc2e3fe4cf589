/** Graphs of layers by a function: as the same network by branches, by name, saved, and what is said against one. */
import { describe, expect, test } from 'vitest'
import type { Tensor2D } from '@tensorflow/tfjs-core'
import { displaySymbol } from '../../../src/core/display.js'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { packInputs } from '../../../src/nn/layers/input.js'
import { watchLayers } from '../../../src/nn/layers/watch.js'
import { modelData, modelOf } from '../../../src/nn/model-data.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import * as viz from '../../../src/viz/index.js'
import { onEngines } from '../on-engines.js'

const conv = (name: string) => nn.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'relu', name })

/** An image that is looked at twice, with a way around the second look, and a size. */
function build() {
  return nn.model(
    ({ image, size }) => {
      const seen = image.to(conv('look'))
      const again = seen.to(conv('lookAgain'), nn.dropout({ rate: 0.5 }))
      return seen
        .add(again)
        .to(nn.maxPooling2d(), nn.flatten())
        .concatenate(size.to(nn.dense({ units: 3, name: 'sized' })), { name: 'both' })
        .to(nn.dense({ units: 5, name: 'out' }))
    },
    { inputs: { image: [4, 4, 1], size: [2] } },
  )
}

/** The same as branches within branches. */
function branches() {
  const shapes = { image: [4, 4, 1], size: [2] } as const
  const { image, size } = nn.inputs(shapes)
  const seen = [image, conv('look'), nn.residual({ layers: [conv('lookAgain')] }), nn.maxPooling2d(), nn.flatten()]
  return nn.model(
    [
      nn.concatenate({ branches: [seen, [size, nn.dense({ units: 3, name: 'sized' })]] }),
      nn.dense({ units: 5, name: 'out' }),
    ],
    { inputs: shapes },
  )
}

onEngines('a graph', (name) => {
  async function outputs(models: readonly nn.Model[], part = {}): Promise<unknown[]> {
    await openEngine(name)
    const tf = await loadTf()
    return models.map((model) =>
      tf.tidy(() => {
        const weights = initialWeights(model, 3).map(({ values, shape }) => tf.tensor(values, [...shape]))
        const images = tf.reshape(tf.sin(tf.range(0, 48)), [3, 4, 4, 1])
        const x = model.inputs ? packInputs(tf, [images, tf.reshape(tf.range(0, 6), [3, 2])]) : images
        return (applyModel(model, { tf }, weights, x, part) as Tensor2D).arraySync()
      }),
    )
  }

  test('gives what the same network of branches gives, and what it gave before it was saved', async () => {
    const graph = build()
    const [one, other, saved] = await outputs([
      graph,
      branches(),
      modelOf(JSON.parse(JSON.stringify(modelData(graph))) as ReturnType<typeof modelData>),
    ])
    expect(one).toEqual(other)
    expect(saved).toEqual(one)
  })

  test('a layer by its name needs only what is before it', async () => {
    const graph = build()
    const to = graph.layers.findIndex((layer) => layer.name === 'sized') + 1
    const [sized] = await outputs([graph], { to })
    expect(sized).toHaveLength(3)
    expect((sized as number[][])[0]).toHaveLength(3)
  })

  test('multiplies: a gate', async () => {
    const gated = nn.model((x) => x.multiply(x.to(nn.activation({ activation: 'sigmoid' }))), { inputShape: [2] })
    await openEngine(name)
    const tf = await loadTf()
    const got = tf.tidy(() => (applyModel(gated, { tf }, [], tf.tensor2d([[0, 2]])) as Tensor2D).arraySync())
    expect(got[0]![1]).toBeCloseTo(2 / (1 + Math.exp(-2)), 6)
  })

  test('steps that only fill up are passed over behind a way around', async () => {
    await openEngine(name)
    const tf = await loadTf()
    const embed = nn.embedding({ inputDim: 5, outputDim: 3, maskZero: true })
    const model = nn.model(
      (x) => {
        const words = x.to(embed)
        return words.add(words.to(nn.timeDistributed({ layer: nn.dense({ units: 3 }) }))).to(nn.globalAveragePooling())
      },
      { inputShape: [4] },
    )
    const got = tf.tidy(() => {
      const weights = initialWeights(model, 1).map(({ values, shape }) => tf.tensor(values, [...shape]))
      const y = applyModel(
        model,
        { tf },
        weights,
        tf.tensor2d([
          [1, 2, 0, 0],
          [1, 2, 1, 2],
        ]),
      ) as Tensor2D
      return y.arraySync()
    })
    got[0]!.forEach((value, i) => expect(value).toBeCloseTo(got[1]![i]!, 5))
  })

  test('every layer tells what it gives while one looks for the first that is not finite', async () => {
    await openEngine(name)
    const tf = await loadTf()
    const seen: string[] = []
    const model = nn.model((x) => x.add(x.to(nn.rescale({ scale: 2 })), { name: 'sum' }), { inputShape: [2] })
    tf.tidy(() =>
      watchLayers(
        (layer) => void seen.push(layer),
        () => applyModel(model, { tf }, [], tf.ones([1, 2])),
      ),
    )
    expect(seen).toEqual(['rescale1', 'sum'])
  })
})

describe('nn.model of a function', () => {
  test('names its layers and shows what each takes; viz.graph draws that', () => {
    const model = build()
    expect(model.weights.map(({ name }) => name)).toEqual([
      'look/kernel',
      'look/bias',
      'lookAgain/kernel',
      'lookAgain/bias',
      'sized/kernel',
      'sized/bias',
      'out/kernel',
      'out/bias',
    ])
    const text = String(model.summary())
    expect(text).toMatch(/\nadd1 +add +\[4, 4, 2\] +0 +look, dropout1 /)
    expect(text).toMatch(/\nsized .* 9 +\(size\) /)
    expect(viz.graph(model.summary().layers).text).toContain('both')
    expect(model[displaySymbol]()).toEqual(model.summary()[displaySymbol]())
  })

  test('a layer in several places has its weights once; what leads nowhere is left out', () => {
    const shared = nn.dense({ units: 2, name: 'shared' })
    const model = nn.model(
      ({ left, right }) => {
        left.to(nn.dense({ units: 99 }))
        return left.to(shared).add(right.to(shared))
      },
      { inputs: { left: [3], right: [3] } },
    )
    expect(model.weights.map(({ shape }) => [...shape])).toEqual([[3, 2], [2]])
    expect(model.layers.map((layer) => layer.name)).toEqual(['left', 'right', 'shared', 'shared#2', 'add1'])
  })

  test.each<[string, () => unknown, RegExp]>([
    [
      'shapes that do not add up',
      () => nn.model((x) => x.add(x.to(nn.dense({ units: 2 })) as never), { inputShape: [3] }),
      /layer 2 \("add1"\) does not fit: nn.add: expected branches with one output shape, got \[3\] and \[2\]/,
    ],
    [
      'a layer that does not fit',
      () => nn.model((x) => x.to(...([nn.lstm({ units: 2 })] as never)), { inputShape: [3] }),
      /layer 1 \("lstm1"\) does not fit.*made at .*graph\.test\.ts:/,
    ],
    ['no layers', () => nn.model((x) => x, { inputShape: [3] }), /at least one layer, got none/],
    [
      'another result',
      () => nn.model((() => 3) as never, { inputShape: [3] }),
      /expected a tensor of this graph, got 3/,
    ],
    [
      'what is no layer',
      () => nn.model((x) => x.to(...(['dense'] as never)), { inputShape: [3] }),
      /expected what a tensor goes to to be layers/,
    ],
  ])('raises for %s', (_, make, message) => {
    expect(make).toThrow(message)
  })

  test('a saved graph whose places make no sense is refused', () => {
    const data = modelData(build())
    const from = data.from!.map((each, i) => (i === 3 ? [7] : each))
    expect(() => modelOf({ ...data, from })).toThrow(/expected layers before number 3 that it takes, got \[7\]/)
  })
})
