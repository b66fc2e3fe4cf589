/** The networks of the engine's benchmark, each with learnable data of a fixed seed and its weights at the start. */
import { sizeOf } from '../../src/core/dtype.js'
import type { TensorData } from '../../src/core/dtype.js'
import { keyOf, uniform } from '../../src/core/random.js'
import * as nn from '../../src/nn/index.js'
import type { Layer } from '../../src/nn/layers/layer.js'
import type { Loss } from '../../src/nn/loss.js'
import { applyModel, initialWeights } from '../../src/nn/model.js'
import type { Model } from '../../src/nn/model.js'
import type { Objective } from '../../src/nn/train/programs.js'

/** A network, what it learns and from what: the same for every contestant. */
export interface Workload {
  readonly name: string
  readonly network: Model
  readonly loss: Loss
  readonly batchRows: number
  readonly learningRate: number
  /** `[rows, ...]`: some whole batches. */
  readonly x: TensorData
  readonly y: TensorData
  readonly weights: readonly TensorData[]
  /** Our speed over that of Keras's `train_on_batch`. */
  readonly goal: number
}

const batches = 8
const learningRate = 1e-3

/** What is minimised, as an estimator states it. */
export function objectiveOf({ network, loss, x, y }: Workload): Objective {
  const column = { name: 'x', dtype: 'float32', shape: x.shape.slice(1) } as const
  return {
    weights: network.weights,
    // What is its own target is read once.
    columns: x.values === y.values ? [column] : [column, { name: 'y', dtype: loss.target, shape: y.shape.slice(1) }],
    loss,
    metrics: [],
    forward: (context, weights, [input, target]) => ({
      output: applyModel(network, context, weights, input!),
      target: target ?? input!,
    }),
  }
}

export const cnnLayers = (): Layer[] => [
  nn.conv2d({ filters: 32, kernelSize: 3, activation: 'relu' }),
  nn.maxPooling2d(),
  nn.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
  nn.maxPooling2d(),
  nn.flatten(),
  nn.dense({ units: 128, activation: 'relu' }),
  nn.dense({ units: 10 }),
]

/** Every training of the benchmark, made when it is asked for. */
export const workloads: readonly (() => Workload)[] = [
  () => classes('CNN', 1.5, [28, 28, 1], cnnLayers()),
  () =>
    classes(
      'MLP',
      1.3,
      [784],
      [
        nn.dense({ units: 2048, activation: 'relu' }),
        nn.dense({ units: 2048, activation: 'relu' }),
        nn.dense({ units: 10 }),
      ],
    ),
  () => autoencoder('convolutional autoencoder', 1.4),
  () => sequences('LSTM', 1.6, nn.lstm({ units: 128 }), 50),
  () => sequences('GRU', 1.5, nn.gru({ units: 128 }), 50),
  () => sequences('LSTM, 500 steps', 1.3, nn.lstm({ units: 128 }), 500),
]

/** Ten classes of noisy samples round ten random centres. */
function classes(name: string, goal: number, inputShape: readonly number[], layers: readonly Layer[]): Workload {
  const batchRows = 128
  const rows = batches * batchRows
  const size = sizeOf(inputShape)
  const [centre, noise] = [keyOf(1), keyOf(2)]
  const y = Int32Array.from({ length: rows }, (_, row) => Math.floor(10 * uniform(keyOf(3), row)))
  const x = new Float32Array(rows * size)
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) {
      x[row * size + i] = 0.8 * uniform(centre, y[row]! * size + i) + 0.2 * uniform(noise, row * size + i)
    }
  }
  return {
    name,
    goal,
    batchRows,
    learningRate,
    ...started(layers, inputShape),
    loss: nn.softmaxCrossEntropy,
    x: { shape: [rows, ...inputShape], dtype: 'float32', values: x },
    y: { shape: [rows], dtype: 'int32', values: y },
  }
}

/** Noisy sequences, each around the features of one of two classes. */
function sequences(name: string, goal: number, recurrent: Layer, steps: number): Workload {
  const batchRows = 64
  const rows = batches * batchRows
  const features = 32
  const [centre, noise] = [keyOf(5), keyOf(6)]
  const x = new Float32Array(rows * steps * features)
  const y = new Float32Array(rows)
  for (let row = 0; row < rows; row++) {
    y[row] = row % 2
    for (let i = row * steps * features; i < (row + 1) * steps * features; i++) {
      x[i] = 0.8 * uniform(centre, y[row]! * features + (i % features)) + 0.2 * uniform(noise, i)
    }
  }
  return {
    name,
    goal,
    batchRows,
    learningRate,
    ...started([recurrent, nn.dense({ units: 1 })], [steps, features]),
    loss: nn.binaryCrossEntropy,
    x: { shape: [rows, steps, features], dtype: 'float32', values: x },
    y: { shape: [rows, 1], dtype: 'float32', values: y },
  }
}

/** Bright squares of random place and size, to be drawn again. */
function autoencoder(name: string, goal: number): Workload {
  const batchRows = 128
  const rows = batches * batchRows
  const key = keyOf(4)
  const x = new Float32Array(rows * 784)
  for (let row = 0; row < rows; row++) {
    const [left, top, width] = [0, 1, 2].map((i) => uniform(key, row * 3 + i)) as [number, number, number]
    const side = 4 + Math.floor(10 * width)
    const [x0, y0] = [Math.floor(left * (28 - side)), Math.floor(top * (28 - side))]
    for (let dy = 0; dy < side; dy++) {
      x.fill(0.9, row * 784 + (y0 + dy) * 28 + x0, row * 784 + (y0 + dy) * 28 + x0 + side)
    }
  }
  const data: TensorData = { shape: [rows, 28, 28, 1], dtype: 'float32', values: x }
  const stride = { kernelSize: 3, strides: 2, padding: 'same' } as const
  const layers = [
    nn.conv2d({ ...stride, filters: 16, activation: 'relu' }),
    nn.conv2d({ ...stride, filters: 32, activation: 'relu' }),
    nn.conv2dTranspose({ ...stride, filters: 16, activation: 'relu' }),
    nn.conv2dTranspose({ ...stride, filters: 1, activation: 'sigmoid' }),
  ]
  return {
    name,
    goal,
    batchRows,
    learningRate,
    ...started(layers, [28, 28, 1]),
    loss: nn.meanSquaredError,
    x: data,
    y: data,
  }
}

function started(layers: readonly Layer[], inputShape: readonly number[]): Pick<Workload, 'network' | 'weights'> {
  const network = nn.model(layers, { inputShape })
  return { network, weights: initialWeights(network, 7) }
}
