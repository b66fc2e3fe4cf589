/** Layers with windows get only what reaches their output: with the same results and gradients as one layer after the other. */
import type { Tensor } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { keyOf, uniform } from '../../../src/core/random.js'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import * as nn from '../../../src/nn/index.js'
import { cropUnread } from '../../../src/nn/layers/crop.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import type { Model } from '../../../src/nn/model.js'
import { onEngines } from '../on-engines.js'

const convolution = fc.record({
  filters: fc.integer({ min: 1, max: 3 }),
  kernelSize: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  strides: fc.integer({ min: 1, max: 2 }),
  padding: fc.constantFrom('valid' as const, 'valid' as const, 'same' as const),
  activation: fc.constantFrom('linear' as const, 'tanh' as const),
})
const window = fc.record({ poolSize: fc.integer({ min: 1, max: 3 }), strides: fc.integer({ min: 1, max: 3 }) })
const layer = fc.oneof(
  convolution.map((options) => nn.conv2d(options)),
  window.map((options) => nn.maxPooling2d(options)),
  window.map((options) => nn.averagePooling2d(options)),
  fc.constant(nn.activation('tanh')),
)

onEngines('chains of windows', (name) => {
  let tf: Tf
  beforeAll(async () => {
    await openEngine(name)
    tf = await loadTf()
  })

  test('give what their layers give one after the other, and the same gradients', () => {
    fc.assert(
      fc.property(
        fc.array(layer, { minLength: 1, maxLength: 4 }),
        fc.tuple(fc.integer({ min: 20, max: 33 }), fc.integer({ min: 20, max: 33 })),
        (layers, size) => {
          const built = buildable(layers, [...size, 2])
          fc.pre(built !== undefined)
          const together = run(built, (weights, x) => applyModel(built, { tf }, weights, x))
          const apart = run(built, (weights, x) => {
            return built.layers.reduce<Tensor>(
              (y, { layer: one, positions }) =>
                one.apply(
                  { tf },
                  y,
                  positions.map((at) => weights[at]!),
                ),
              x,
            )
          })
          for (const [i, values] of together.entries()) expect(distance(values, apart[i]!)).toBeLessThan(1e-4)
        },
      ),
      { numRuns: 25, seed: 4 },
    )
  })

  test('leave out the rows and columns that no window reaches', () => {
    const layers = [
      nn.conv2d({ filters: 2, kernelSize: 3 }),
      nn.maxPooling2d(),
      nn.conv2d({ filters: 2, kernelSize: 3 }),
      nn.maxPooling2d(),
    ]
    const read = (given: readonly nn.Layer[], shape: [number, number, number, number]): number[] => {
      return tf.tidy(() => cropUnread(tf, given, tf.zeros(shape)).shape)
    }
    expect(read([...layers, nn.flatten()], [1, 28, 28, 1])).toEqual([1, 26, 26, 1])
    expect(read(layers, [1, 26, 30, 1])).toEqual([1, 26, 30, 1])
    const same = nn.conv2d({ filters: 2, kernelSize: 3, padding: 'same' })
    expect(read([same, nn.maxPooling2d()], [1, 27, 27, 1])).toEqual([1, 27, 27, 1])
  })

  /** The values, then the gradients of the input and of all weights. */
  function run(built: Model, apply: (weights: readonly Tensor[], x: Tensor) => Tensor): number[][] {
    return tf.tidy(() => {
      const weights = initialWeights(built, 3).map(({ values, shape }) => tf.tensor(values.slice(), [...shape]))
      const shape = [2, ...built.inputShape] as [number, number, number, number]
      const count = shape.reduce((a, b) => a * b)
      const x = tf.tensor4d(
        Float32Array.from({ length: count }, (_, i) => 2 * uniform(keyOf(8), i) - 1),
        shape,
      )
      const { value, grads } = tf.valueAndGrads((input: Tensor, ...given: Tensor[]) => {
        return tf.sum(tf.square(apply(given, input)))
      })([x, ...weights])
      return [value, ...grads].map((tensor) => [...tensor.dataSync()])
    })
  }
})

function buildable(layers: readonly nn.Layer[], inputShape: readonly number[]): Model | undefined {
  try {
    return nn.model(layers, { inputShape })
  } catch {
    return undefined // the windows are larger than what is left
  }
}

function distance(a: readonly number[], b: readonly number[]): number {
  const scale = Math.max(1, ...b.map(Math.abs))
  return a.length === b.length ? Math.max(0, ...a.map((x, i) => Math.abs(x - b[i]!))) / scale : Infinity
}
