import { beforeAll, expect, test } from 'vitest'
import { sizeOf } from '../../src/core/dtype.js'
import type { TensorData } from '../../src/core/dtype.js'
import { fold, keyOf, uniform } from '../../src/core/random.js'
import { loadTf, openEngine } from '../../src/engine/index.js'
import type { Engine } from '../../src/engine/index.js'
import type { Tf } from '../../src/engine/tf.js'
import * as nn from '../../src/nn/index.js'
import { applyModel, initialWeights } from '../../src/nn/model.js'
import { recordPrograms } from '../../src/nn/train/programs.js'
import type { Objective } from '../../src/nn/train/programs.js'
import { onEngines } from './on-engines.js'

/** Uniform in [-1, 1). */
const noise = (seed: number, shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => 2 * uniform(keyOf(seed), i) - 1)

const cases: Record<string, { inputShape: number[]; layers: nn.Layer[] }> = {
  dense: { inputShape: [5], layers: [nn.dense({ units: 4, activation: 'tanh' }), nn.dense({ units: 3 })] },
  conv2d: {
    inputShape: [6, 7, 2],
    layers: [
      nn.conv2d({ filters: 3, kernelSize: [3, 2], activation: 'sigmoid' }),
      nn.flatten(),
      nn.dense({ units: 2 }),
    ],
  },
  'conv2d, strided, same': {
    inputShape: [7, 7, 2],
    layers: [
      nn.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }),
      nn.flatten(),
      nn.dense({ units: 2 }),
    ],
  },
  'two convolutions with pooling between': {
    inputShape: [12, 12, 1],
    layers: [
      nn.conv2d({ filters: 3, kernelSize: 3, activation: 'tanh' }),
      nn.maxPooling2d(),
      nn.conv2d({ filters: 4, kernelSize: 2, activation: 'softplus' }),
      nn.averagePooling2d(),
      nn.flatten(),
      nn.dense({ units: 3 }),
    ],
  },
  conv2dTranspose: {
    inputShape: [4, 4, 2],
    layers: [
      nn.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }),
      nn.flatten(),
      nn.dense({ units: 2 }),
    ],
  },
  'conv2dTranspose, valid': {
    inputShape: [4, 3, 2],
    layers: [
      nn.conv2dTranspose({ filters: 2, kernelSize: 3, activation: 'tanh' }),
      nn.flatten(),
      nn.dense({ units: 2 }),
    ],
  },
  'upSampling2d after a convolution': {
    inputShape: [5, 5, 1],
    layers: [
      nn.conv2d({ filters: 2, kernelSize: 2 }),
      nn.upSampling2d({ size: [2, 3] }),
      nn.flatten(),
      nn.dense({ units: 2 }),
    ],
  },
  'simpleRnn, relu': { inputShape: [13, 3], layers: [nn.simpleRnn({ units: 4, activation: 'relu' })] },
  'lstm after lstm': {
    inputShape: [13, 3],
    layers: [nn.lstm({ units: 4, returnSequences: true }), nn.lstm({ units: 3 }), nn.dense({ units: 2 })],
  },
  'gru after gru': {
    inputShape: [13, 3],
    layers: [nn.gru({ units: 4, returnSequences: true }), nn.gru({ units: 3 }), nn.dense({ units: 2 })],
  },
}

const shared = nn.dense({ units: 3, activation: 'tanh' })
Object.assign(cases, {
  'a residual connection around convolutions': {
    inputShape: [5, 4, 2],
    layers: [
      nn.residual({
        layers: [
          nn.groupNormalization({ groups: 2 }),
          nn.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'silu' }),
        ],
      }),
      nn.globalAveragePooling(),
    ],
  },
  'branches added and side by side': {
    inputShape: [6],
    layers: [
      nn.concatenate({
        branches: [
          [nn.slice({ start: 0, size: 2 }), nn.dense({ units: 3, activation: 'gelu' })],
          [nn.slice({ start: 2, size: 4 }), nn.reshape({ shape: [4, 1] }), nn.lstm({ units: 2 })],
        ],
      }),
      nn.add({ branches: [[nn.dense({ units: 5 }), nn.prelu()], []] }),
    ],
  },
  'a layer in several places': {
    inputShape: [6],
    layers: [
      nn.concatenate({
        branches: [
          [nn.slice({ start: 0, size: 3 }), shared],
          [nn.slice({ start: 3, size: 3 }), shared],
        ],
      }),
      nn.slice({ start: 1, size: 3 }),
      shared,
      shared,
    ],
  },
  'transformer blocks after positions': {
    inputShape: [5, 4],
    layers: [
      nn.positionEmbedding(),
      nn.transformerBlock({ heads: 2, keySize: 3, units: 6, activation: 'gelu' }),
      nn.transformerBlock({ heads: 1, keySize: 4, units: 5, causal: true, activation: 'tanh' }),
      nn.globalAveragePooling(),
    ],
  },
  'one input that looks at another': {
    inputShape: [14],
    layers: [
      nn.concatenate({
        branches: [
          [
            nn.crossAttention({
              heads: 2,
              keySize: 3,
              queries: [nn.slice({ start: 0, size: 6 }), nn.reshape({ shape: [2, 3] })],
              memory: [
                nn.slice({ start: 6, size: 8 }),
                nn.reshape({ shape: [4, 2] }),
                nn.lstm({ units: 2, returnSequences: true }),
              ],
            }),
            nn.flatten(),
          ],
          [nn.slice({ start: 0, size: 2 })],
        ],
      }),
    ],
  },
  'kernels with gaps, and pooling of volumes': {
    inputShape: [6, 6, 2],
    layers: [
      nn.conv2d({ filters: 3, kernelSize: [3, 2], dilationRate: [2, 3], activation: 'tanh' }),
      nn.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, padding: 'same' }),
      nn.reshape({ shape: [2, 3, 1, 2] }),
      nn.averagePooling3d({ poolSize: [2, 2, 1], strides: 1 }),
      nn.maxPooling3d({ poolSize: [1, 2, 1] }),
    ],
  },
  'one-dimensional convolutions and pooling': {
    inputShape: [9, 2],
    layers: [
      nn.conv1d({ filters: 3, kernelSize: 3, padding: 'causal', activation: 'elu' }),
      nn.averagePooling1d(),
      nn.upSampling1d(),
      nn.timeDistributed({ layer: nn.dense({ units: 2 }) }),
      nn.bidirectional({ layer: nn.gru({ units: 2 }) }),
    ],
  },
} satisfies typeof cases)

onEngines('recorded gradients', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  test.each(Object.keys(cases))('%s: equal finite differences along random directions', (which) => {
    const { inputShape, layers } = cases[which]!
    const model = nn.model(layers, { inputShape })
    const rows = 3
    const weights = initialWeights(model, 5).map((w, i) => ({
      ...w,
      values: w.values.map((v, j) => v + 0.1 * uniform(fold(9, i), j)),
    }))
    const run = load(engine, tf, model, weights, rows)
    const { gradients } = run(weights)
    const wrong: string[] = []
    for (let k = 0; k < weights.length; k++) {
      const direction = noise(100 + k, weights[k]!.shape)
      const along = (epsilon: number): number =>
        run(
          weights.map((w, i) => (i === k ? { ...w, values: w.values.map((v, j) => v + epsilon * direction[j]!) } : w)),
        ).loss
      const epsilon = 1e-3 // small: a maximum may change places
      const difference = (along(epsilon) - along(-epsilon)) / (2 * epsilon)
      const product = gradients[k]!.reduce((sum, g, j) => sum + g * direction[j]!, 0)
      const error = Math.abs(product - difference) / (0.1 + Math.abs(difference))
      if (error > 0.02) wrong.push(`${model.weights[k]!.name}: ${product} for ${difference}`)
    }
    expect(wrong).toEqual([])
  })
})

/** Loss and gradients of a model for fixed random samples; two slices of `rows` rows at once. */
function load(engine: Engine, tf: Tf, model: nn.Model, start: readonly TensorData[], rows: number) {
  const objective: Objective = {
    weights: model.weights,
    columns: [
      { name: 'x', dtype: 'float32', shape: model.inputShape },
      { name: 'y', dtype: 'float32', shape: model.outputShape },
    ],
    loss: nn.meanSquaredError,
    metrics: [],
    forward: (context, weights, [x, y]) => ({ output: applyModel(model, context, weights, x!), target: y! }),
  }
  const { gradients } = recordPrograms(tf, objective, nn.sgd(), { weights: start, slots: [] }, rows)
  const program = engine.load(gradients, { slices: 2 })
  const all = 2 * rows
  const [xShape, yShape] = [
    [all, ...model.inputShape],
    [all, ...model.outputShape],
  ]
  return (weights: readonly TensorData[]): { loss: number; gradients: Float32Array[] } =>
    tf.tidy(() => {
      const inputs = [
        ...weights.map(({ values, shape }) => tf.tensor(values.slice(), [...shape])),
        tf.tensor(noise(1, xShape), xShape),
        tf.tensor(noise(2, yShape), yShape),
        tf.ones([all]),
        tf.zeros([all], 'int32'),
        tf.scalar(1 / all),
        tf.scalar(1, 'int32'),
      ]
      const [loss, ...rest] = program.run(inputs).map((tensor) => (tensor.dataSync() as Float32Array).slice())
      return { loss: loss![0]!, gradients: rest } as never
    })
}
