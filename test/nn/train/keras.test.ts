import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadTf, openEngine, tensorOf } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { applyModel } from '../../../src/nn/model.js'
import { recordPrograms } from '../../../src/nn/train/programs.js'
import type { Objective } from '../../../src/nn/train/programs.js'
import { onEngines } from '../on-engines.js'
import { greatestDifference } from './networks.js'

interface Reference {
  readonly rate: number
  readonly batch: number
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly trainings: Readonly<
    Record<string, { weights: { shape: number[]; values: number[] }[]; losses: readonly number[] }>
  >
}

// Made by Keras: ../fixtures/trainings.py
const reference = JSON.parse(readFileSync(new URL('../fixtures/trainings.json', import.meta.url), 'utf8')) as Reference

const side = 6
const sequence = nn.reshape({ shape: [side, side] })
const logits = nn.dense({ units: 3 })
const networks: Readonly<Record<string, nn.Layer[]>> = {
  MLP: [nn.flatten(), nn.dense({ units: 10, activation: 'relu' }), logits],
  CNN: [nn.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }), nn.maxPooling2d(), nn.flatten(), logits],
  LSTM: [sequence, nn.lstm({ units: 6 }), logits],
  GRU: [sequence, nn.gru({ units: 6 }), logits],
  autoencoder: [
    nn.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
    nn.conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, padding: 'same' }),
  ],
}

onEngines('200 steps from the weights of Keras', (name) => {
  test.each(Object.keys(networks))('%s: have the losses of Keras', async (which) => {
    const engine = await openEngine(name)
    const tf = await loadTf()
    const { weights, losses: expected } = reference.trainings[which]!
    const { rate, batch } = reference
    const model = nn.model(networks[which]!, { inputShape: [side, side, 1] })
    const reconstructs = which === 'autoencoder'
    const objective: Objective = {
      weights: model.weights,
      columns: [
        { name: 'x', dtype: 'float32', shape: [side, side, 1] },
        { name: 'y', dtype: 'int32', shape: [] },
      ],
      loss: reconstructs ? nn.meanSquaredError : nn.softmaxCrossEntropy,
      metrics: [],
      forward: (context, own, [x, y]) => ({
        output: applyModel(model, context, own, x!),
        target: reconstructs ? x! : y!,
      }),
    }
    const first = weights.map(({ shape, values }) => ({
      shape,
      dtype: 'float32' as const,
      values: Float32Array.from(values),
    }))
    const optimiser = nn.adam()
    const start = { weights: first, slots: optimiser.init(first) }
    const programs = recordPrograms(tf, objective, optimiser, start, batch)
    const [gradients, update] = [engine.load(programs.gradients), engine.load(programs.update)]
    let state = [...start.weights, ...start.slots].map(tensorOf)
    const losses = expected.map((_, step) => {
      const from = (step % (reference.y.length / batch)) * batch
      const pixels = reference.x.slice(from * side * side, (from + batch) * side * side)
      const inputs = [
        tf.tensor(pixels, [batch, side, side, 1]),
        tf.tensor1d(reference.y.slice(from, from + batch), 'int32'),
        tf.ones([batch]),
        tf.zeros([batch], 'int32'),
        tf.scalar(1 / batch),
        tf.scalar(step, 'int32'),
      ]
      const [loss, ...gradient] = gradients.run([...state.slice(0, weights.length), ...inputs])
      const rates = [tf.scalar(rate), tf.scalar(step + 1)]
      const next = update.run([...state, ...gradient, ...rates])
      const value = loss!.dataSync()[0]!
      tf.dispose([...state, ...inputs, ...gradient, ...rates, loss!])
      state = next
      return value
    })
    tf.dispose(state)
    gradients.dispose()
    update.dispose()
    expect(expected.at(-1)).toBeLessThan(0.8 * expected[0]!)
    expect(greatestDifference(losses, expected)).toBeLessThanOrEqual(1e-2)
  })
})
