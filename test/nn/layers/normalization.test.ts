import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { uniform } from '../../../src/core/random.js'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import * as nn from '../../../src/nn/index.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import { recordPrograms } from '../../../src/nn/train/programs.js'
import { onEngines } from '../on-engines.js'

const [rows, channels, momentum] = [4, 3, 0.8]

onEngines('batch normalisation while training', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  const optimisers = [
    ['sgd', nn.sgd()],
    ['adam with decay', nn.adamw({ weightDecay: 0.1 })],
    ['a scaled loss', nn.lossScaling(nn.sgd(), { scale: 64 })],
  ] as const
  const ways = [
    ['of a slice', true],
    ['of the batch', false],
  ] as const
  test.each(
    optimisers.flatMap(([title, optimiser]) => ways.map(([way, local]) => [title, way, optimiser, local] as const)),
  )('%s: the averages move by what the rows %s that count show, and by nothing else', (_, __, optimiser, local) => {
    const model = nn.model([nn.batchNormalization({ local, momentum }), nn.dense({ units: 2 })], {
      inputShape: [channels],
    })
    const weights = initialWeights(model, 1)
    const slots = optimiser.init(weights)
    const programs = recordPrograms(
      tf,
      {
        weights: model.weights,
        columns: [
          { name: 'x', dtype: 'float32', shape: [channels] },
          { name: 'y', dtype: 'float32', shape: [2] },
        ],
        loss: nn.meanSquaredError,
        metrics: [],
        forward: (context, own, [x, y]) => ({ output: applyModel(model, context, own, x!), target: y! }),
      },
      optimiser,
      { weights, slots },
      rows,
    )
    const gradients = engine.load(programs.gradients, { slices: 2 })
    const update = engine.load(programs.update)
    const x = Float32Array.from({ length: 2 * rows * channels }, (___, i) => 4 * uniform(3, i))
    const counts = [1, 1, 1, 1, 1, 1, 1, 0] // the last row fills up its slice
    const state = slots.map(({ values, shape, dtype }) => tf.tensor(values.slice(), [...shape], dtype))
    const tensors = weights.map(({ values, shape }) => tf.tensor(values.slice(), [...shape]))
    const [, ...found] = gradients.run([
      ...tensors,
      ...(optimiser.scalesLoss ? [state[0]!] : []),
      tf.tensor(x, [2 * rows, channels]),
      tf.ones([2 * rows, 2]),
      tf.tensor1d(counts),
      tf.zeros([2 * rows], 'int32'),
      tf.scalar(1 / 7),
      tf.scalar(1, 'int32'),
    ])
    const after = update.run([...tensors, ...state, ...found, tf.scalar(0.1), tf.scalar(1)])
    const got = (weight: string) => [
      ...after[model.weights.findIndex((spec) => spec.name.endsWith(weight))]!.dataSync(),
    ]

    const slices = local
      ? [
          [0, 1, 2, 3],
          [4, 5, 6],
        ]
      : [[0, 1, 2, 3, 4, 5, 6]]
    for (let c = 0; c < channels; c++) {
      const moments = slices.map((slice) => {
        const values = slice.map((row) => x[row * channels + c]!)
        const mean = values.reduce((a, b) => a + b) / values.length
        return {
          mean,
          variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length,
          share: values.length / 7,
        }
      })
      const mean = moments.reduce((sum, slice) => sum + slice.mean * slice.share, 0)
      const variance = moments.reduce((sum, slice) => sum + slice.variance * slice.share, 0)
      expect(got('movingMean')[c]).toBeCloseTo((1 - momentum) * mean, 4)
      expect(got('movingVariance')[c]).toBeCloseTo(momentum + (1 - momentum) * variance, 4)
    }
    expect(got('gamma')).not.toEqual([1, 1, 1])
    gradients.dispose()
    update.dispose()
  })

  test('a gradient of a gradient goes through the statistics', () => {
    const { layer } = nn.model([nn.batchNormalization()], { inputShape: [channels] }).layers[0]!
    const step = 1e-2
    const start = Float32Array.from({ length: rows * channels }, (_, i) => 2 * uniform(5, i))
    const towards = tf.tensor2d(
      Float32Array.from({ length: rows * channels }, (_, i) => uniform(6, i)),
      [rows, channels],
    )
    const objective = (x: Tensor): Tensor => {
      const weights = [tf.ones([channels]), tf.zeros([channels]), tf.mul(tf.ones([channels]), 0.7), tf.ones([channels])]
      const training = { mask: tf.tensor1d([1, 1, 0, 1]), share: tf.scalar(1) }
      return tf.sum(tf.mul(tf.square(layer.apply({ tf, training }, x, weights)), towards))
    }
    const penalty = (x: Tensor): Scalar => tf.sum(tf.square(tf.grad(objective)(x)))
    const at = (values: Float32Array): number => penalty(tf.tensor2d(values, [rows, channels])).dataSync()[0]!
    const found = tf
      .grad(penalty)(tf.tensor2d(start, [rows, channels]))
      .dataSync()
    for (const [i, slope] of found.entries()) {
      const moved = (by: number) => start.map((value, j) => (i === j ? value + by : value))
      expect(Math.abs(slope - (at(moved(step)) - at(moved(-step))) / (2 * step))).toBeLessThan(
        0.02 * Math.max(1, Math.abs(slope)),
      )
    }
  })
})
