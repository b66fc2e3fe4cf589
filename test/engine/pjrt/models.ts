/** Whole training steps, one of each kind of network, with random batches of a seed: what engines are compared on and compiled with. */
import type { Rank, Tensor } from '@tensorflow/tfjs-core'
import { type DType, type TensorData, sizeOf } from '../../../src/core/dtype.js'
import { keyOf, uniform } from '../../../src/core/random.js'
import type { Engine } from '../../../src/engine/index.js'
import type { StepTraces } from '../../../src/engine/step.js'
import { type Tf, tensorOf } from '../../../src/engine/tf.js'
import * as nn from '../../../src/nn/index.js'
import type { LayerContext } from '../../../src/nn/layers/layer.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import type { Model } from '../../../src/nn/model.js'
import { type Objective, recordPrograms } from '../../../src/nn/train/programs.js'

const rows = 16
const learningRate = 0.005

/** A training step, where its state starts, and its batches. */
export interface ModelStep {
  readonly traces: StepTraces
  readonly state: readonly TensorData[]
  /** Inputs of step `i`, behind the state. */
  batch(i: number): TensorData[]
}

type Kind = 'pixels' | 'classes' | 'signs'

/** What a network learns, and from what. */
interface Task {
  readonly objective: Objective
  readonly weights: readonly TensorData[]
  readonly columns: readonly Kind[]
}

const logits = nn.dense({ units: 3 })

function supervised(layers: readonly nn.Layer[], inputShape: readonly number[], loss: nn.Loss, y: Kind | 'self'): Task {
  const model = nn.model(layers, { inputShape })
  const target = { pixels: inputShape, classes: [], signs: [1], self: inputShape }[y]
  return {
    objective: {
      weights: model.weights,
      columns: [
        { name: 'x', dtype: 'float32', shape: inputShape },
        ...(y === 'self' ? [] : [{ name: 'y', dtype: loss.target, shape: target }]),
      ],
      loss,
      metrics: [],
      forward: (context, weights, [x, given]) => ({
        output: applyModel(model, context, weights, x!),
        target: y === 'self' ? x! : given!,
      }),
    },
    weights: initialWeights(model, 7),
    columns: y === 'self' ? ['pixels'] : ['pixels', y],
  }
}

/** The losses of rows themselves are what the network puts out. */
const ofRows: nn.Loss = {
  name: 'rows',
  target: 'float32',
  rows: (_: Tf, output: Tensor) => output,
} as unknown as nn.Loss

const imageShape = [8, 8, 1]
const pixels = sizeOf(imageShape)
const codes = 4

const parts = {
  encoder: () =>
    nn.model([nn.flatten(), nn.dense({ units: 16, activation: 'relu' }), nn.dense({ units: 2 * codes })], {
      inputShape: imageShape,
    }),
  decoder: () =>
    nn.model([nn.dense({ units: 16, activation: 'relu' }), nn.dense({ units: pixels, activation: 'sigmoid' })], {
      inputShape: [codes],
    }),
  critic: () =>
    nn.model([nn.dense({ units: 16 }), nn.leakyRelu(), nn.dropout({ rate: 0.2 }), nn.dense({ units: 1 })], {
      inputShape: [pixels],
    }),
}

function unsupervised(models: readonly Model[], forward: Objective['forward']): Task {
  return {
    objective: {
      weights: models.flatMap((model, i) => model.weights.map((spec) => ({ ...spec, name: `${i}/${spec.name}` }))),
      columns: [{ name: 'x', dtype: 'float32', shape: imageShape }],
      loss: ofRows,
      metrics: [],
      forward,
    },
    weights: models.flatMap((model, i) => initialWeights(model, 11 + i)),
    columns: ['pixels'],
  }
}

/** Normal numbers while training, else their mean. */
function noise({ tf, random }: LayerContext, shape: readonly number[]): Tensor {
  return random?.normal(shape) ?? tf.zeros([...shape])
}

/** Reconstruction and divergence of codes that are drawn from distributions (Kingma and Welling, 2014). */
function variational(): Task {
  const [encoder, decoder] = [parts.encoder(), parts.decoder()]
  return unsupervised([encoder, decoder], (context, weights, [x]) => {
    const { tf } = context
    const [own, others] = [weights.slice(0, encoder.weights.length), weights.slice(encoder.weights.length)]
    const [mean, deviation] = tf.split(applyModel(encoder, context, own, x!), 2, 1)
    const code = tf.add(mean!, tf.mul(tf.exp(tf.mul(deviation!, 0.5)), noise(context, mean!.shape)))
    const error = tf.sub(applyModel(decoder, context, others, code), tf.reshape(x!, [rows, pixels]))
    const divergence = tf.sub(tf.add(tf.square(mean!), tf.exp(deviation!)), tf.add(deviation!, 1))
    const output = tf.add(tf.sum(tf.square(error), 1), tf.mul(0.5, tf.sum(divergence, 1)))
    return { output, target: output }
  })
}

/** A generator and a critic at once: each learns from its own loss only (Goodfellow and others, 2014). */
function adversarial(): Task {
  const [generator, critic] = [parts.decoder(), parts.critic()]
  return unsupervised([generator, critic], (context, weights, [x]) => {
    const { tf } = context
    const frozen = (tensor: Tensor): Tensor =>
      tf.customGrad((value) => ({ value: (value as Tensor).clone(), gradFunc: (dy: Tensor) => tf.zerosLike(dy) }))(
        tensor,
      )
    const [own, others] = [weights.slice(0, generator.weights.length), weights.slice(generator.weights.length)]
    const fake = applyModel(generator, context, own, noise(context, [rows, codes]))
    const judged = (image: Tensor, given: readonly Tensor[]): Tensor => applyModel(critic, context, given, image)
    const real = judged(tf.reshape<Rank.R2>(x!, [rows, pixels]), others)
    const seen = judged(frozen(fake), others)
    const meant = judged(fake, others.map(frozen))
    const perRow = [tf.softplus(tf.neg(real)), tf.softplus(seen), tf.softplus(tf.neg(meant))]
    const output = tf.reshape(tf.addN(perRow), [rows])
    return { output, target: output }
  })
}

const sequence = [12, 6]

export const tasks: Readonly<Record<string, () => Task>> = {
  CNN: () =>
    supervised(
      [
        nn.conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' }),
        nn.maxPooling2d(),
        nn.conv2d({ filters: 6, kernelSize: 2, strides: 2, activation: 'relu' }),
        nn.flatten(),
        nn.dense({ units: 16, activation: 'relu' }),
        logits,
      ],
      imageShape,
      nn.softmaxCrossEntropy,
      'classes',
    ),
  'residual CNN with batch normalisation': () =>
    supervised(
      [
        nn.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }),
        nn.residual({
          layers: [
            nn.batchNormalization(),
            nn.activation('relu'),
            nn.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }),
          ],
        }),
        nn.depthwiseConv2d({ kernelSize: 3, activation: 'elu' }),
        nn.averagePooling2d(),
        nn.globalAveragePooling(),
        logits,
      ],
      imageShape,
      nn.softmaxCrossEntropy,
      'classes',
    ),
  LSTM: () =>
    supervised(
      [nn.lstm({ units: 10 }), nn.dropout({ rate: 0.1 }), nn.dense({ units: 1 })],
      sequence,
      nn.binaryCrossEntropy,
      'signs',
    ),
  GRU: () =>
    supervised(
      [nn.gru({ units: 10, returnSequences: true }), nn.gru({ units: 8 }), logits],
      sequence,
      nn.softmaxCrossEntropy,
      'classes',
    ),
  // Smooth, for at a kink the last bit of a number decides about a whole gradient.
  'transformer block': () =>
    supervised(
      [
        nn.transformerBlock({ heads: 2, keySize: 4, units: 16, activation: 'gelu', dropout: 0.1 }),
        nn.globalAveragePooling(),
        logits,
      ],
      sequence,
      nn.softmaxCrossEntropy,
      'classes',
    ),
  autoencoder: () =>
    supervised(
      [
        nn.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
        nn.conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, padding: 'same', activation: 'sigmoid' }),
      ],
      imageShape,
      nn.meanSquaredError,
      'self',
    ),
  VAE: variational,
  GAN: adversarial,
}

/** Records the step of a task for slices of `share` rows. */
export function modelStep(tf: Tf, name: string, slices = 1): ModelStep {
  const { objective, weights, columns } = tasks[name]!()
  const optimiser = nn.adam()
  const slots = optimiser.init(weights)
  const programs = recordPrograms(tf, objective, optimiser, { weights, slots }, rows / slices)
  const column = (kind: Kind, shape: readonly number[], dtype: DType, step: number): TensorData => {
    const size = rows * sizeOf(shape)
    const draw = (i: number): number => uniform(keyOf(step + 100), i)
    const values = Float32Array.from({ length: size }, (_, i) =>
      kind === 'pixels' ? draw(i) : kind === 'classes' ? Math.floor(3 * draw(i)) : Math.round(draw(i)),
    )
    return { shape: [rows, ...shape], dtype, values: dtype === 'int32' ? Int32Array.from(values) : values }
  }
  const scalar = (value: number): TensorData => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })
  return {
    traces: { gradients: programs.gradients, update: programs.update, reads: weights.length, results: 1 },
    state: [...weights, ...slots],
    batch: (i) => [
      ...objective.columns.map(({ shape, dtype }, c) => column(columns[c]!, shape, dtype, i)),
      { shape: [rows], dtype: 'float32', values: new Float32Array(rows).fill(1) },
      { shape: [rows], dtype: 'int32', values: Int32Array.from({ length: rows }, (_, row) => i * rows + row) },
      scalar(1 / rows),
      { shape: [], dtype: 'int32', values: Int32Array.of(keyOf(i) | 0) },
      scalar(learningRate),
      scalar(i + 1),
    ],
  }
}

/** The losses of the first steps. The engine must be the current one. */
export async function losses(engine: Engine, model: ModelStep, steps: number, slices = 1): Promise<number[]> {
  const { traces, state } = model
  const step = engine.loadStep(traces, { slices })
  const start = state.map(tensorOf)
  step.restore(start)
  for (const tensor of start) tensor.dispose()
  const found: number[] = []
  for (let i = 0; i < steps; i++) {
    const inputs = model.batch(i).map(tensorOf)
    const [loss] = step.run(inputs)
    found.push((await loss!.data())[0]!)
    for (const tensor of [...inputs, loss!]) tensor.dispose()
  }
  step.dispose()
  return found
}
