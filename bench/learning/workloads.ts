/** What the benchmark of learning trains: a network and its rows, as an estimator would have them. */
import { keyOf, uniform } from '../../src/core/random.js'
import * as nn from '../../src/nn/index.js'
import type { Layer } from '../../src/nn/layers/layer.js'
import { initialWeights } from '../../src/nn/model.js'
import { cnnLayers, type Workload } from '../engine/workloads.js'

export interface FitWorkload extends Workload {
  readonly epochs: number
}

const rate = 1e-3

/** Every training of the benchmark, made when it is asked for. `goal`: our speed over that of Keras. */
export const workloads = {
  CNN: () => digits('CNN', 1 / 0.75, nn.softmaxCrossEntropy, [nn.rescale({ scale: 1 / 255 }), ...cnnLayers()]),
  RNN: () => sentences('RNN', 1 / 0.75),
  autoencoder: () =>
    digits('autoencoder', 1 / 0.8, nn.meanSquaredError, [
      nn.flatten(),
      nn.dense({ units: 128, activation: 'relu' }),
      nn.dense({ units: 32 }),
      nn.dense({ units: 128, activation: 'relu' }),
      nn.dense({ units: 784, activation: 'sigmoid' }),
    ]),
} as const satisfies Record<string, () => FitWorkload>

/** Bytes in ten noisy classes; the autoencoder learns them as shares of 255, flat, and again as they came. */
function digits(name: string, goal: number, loss: nn.Loss, layers: readonly Layer[]): FitWorkload {
  const [rows, size, shares] = [4096, 784, loss.target === 'float32']
  const y = Int32Array.from({ length: rows }, (_, row) => Math.floor(10 * uniform(keyOf(3), row)))
  const x = new Float32Array(rows * size)
  for (let i = 0; i < x.length; i++) {
    const centre = uniform(keyOf(1), y[Math.floor(i / size)]! * size + (i % size))
    const value = Math.floor(255 * (0.8 * centre + 0.2 * uniform(keyOf(2), i)))
    x[i] = shares ? value / 255 : value
  }
  const network = nn.model(layers, { inputShape: [28, 28, 1] })
  return {
    name,
    goal,
    network,
    loss,
    batchRows: 128,
    learningRate: rate,
    epochs: shares ? 12 : 2,
    x: { shape: [rows, 28, 28, 1], dtype: 'float32', values: x },
    y: shares ? { shape: [rows, size], dtype: 'float32', values: x } : { shape: [rows], dtype: 'int32', values: y },
    weights: initialWeights(network, 7),
  }
}

/** Fifty tokens each, of one of two vocabularies that overlap. */
function sentences(name: string, goal: number): FitWorkload {
  const [rows, length, vocabulary] = [2048, 50, 5000]
  const x = Int32Array.from({ length: rows * length }, (_, i) => {
    const from = Math.floor(i / length) % 2 === 0 ? 0 : vocabulary / 4
    return Math.floor(from + 0.75 * vocabulary * uniform(keyOf(4), i))
  })
  const layers = [nn.embedding({ inputDim: vocabulary, outputDim: 32 }), nn.lstm({ units: 64 }), nn.dense({ units: 1 })]
  const network = nn.model(layers, { inputShape: [length] })
  return {
    name,
    goal,
    network,
    loss: nn.binaryCrossEntropy,
    batchRows: 64,
    learningRate: rate,
    epochs: 3,
    x: { shape: [rows, length], dtype: 'int32', values: x },
    y: { shape: [rows, 1], dtype: 'float32', values: Float32Array.from({ length: rows }, (_, row) => row % 2) },
    weights: initialWeights(network, 7),
  }
}
