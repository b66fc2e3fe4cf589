/**
 * A small convolutional training for the tests of the pool: 240 images of stripes, 10 steps an epoch, 4 slices.
 *
 * Six epochs: what a test does at an early step (a kill, a pause) has to come before the last one, on a loaded machine too.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import { keyOf, uniform } from '../../src/core/random.js'
import { loadTf, openEngine, type EngineName } from '../../src/engine/index.js'
import { read } from '../../src/frame/index.js'
import { softmaxCrossEntropy } from '../../src/nn/loss.js'
import { accuracy } from '../../src/nn/metric.js'
import { accumulate, clip, lossScaling, movingAverage } from '../../src/nn/optimiser-transforms.js'
import { adam, sgd } from '../../src/nn/optimiser.js'
import type { TransformJob } from '../../src/nn/strategy.js'
import type { TrainingJob, TrainingState } from '../../src/nn/train/job.js'
import { recordPrograms, recordTransform, type Objective } from '../../src/nn/train/programs.js'

const rows = 240
const side = 16
const batchRows = 24
const slices = 4
const shapes = [
  ['kernel', [5, 5, 1, 4]],
  ['dense', [4 * 4 * 4, 10]],
  ['bias', [10]],
] as const

export const stepsPerEpoch = rows / batchRows
export const epochs = 6
/** Numbers of the steps of `smallJob`, as they are told. */
export const allSteps = Array.from({ length: epochs * stepsPerEpoch }, (_, i) => i + 1)

/** Writes the images and their labels, as IDX files, into `folder`. */
export function writeStripes(folder: string): void {
  const images = new Uint8Array(rows * side * side)
  const labels = Uint8Array.from({ length: rows }, (_, row) => row % 10)
  for (const [i] of images.entries()) {
    const label = labels[Math.floor(i / (side * side))]!
    const stripe = (i % (side * side)) % (label + 3) === 0 ? 127 : 0
    images[i] = stripe + 128 * uniform(keyOf(3), i)
  }
  const header = (...axes: number[]): Buffer => {
    const bytes = Buffer.from([0, 0, 8, axes.length, ...axes.flatMap(() => [0, 0, 0, 0])])
    for (const [axis, size] of axes.entries()) bytes.writeUInt32BE(size, 4 + 4 * axis)
    return bytes
  }
  writeFileSync(join(folder, 'images'), Buffer.concat([header(rows, side, side), images]))
  writeFileSync(join(folder, 'labels'), Buffer.concat([header(rows), labels]))
}

export async function smallJob(
  folder: string,
  engine: EngineName,
  options: { epochs?: number; optimiser?: 'sgd' | 'adam' | 'transformed'; seed?: number; name?: string } = {},
): Promise<TrainingJob> {
  await openEngine(engine)
  const { optimiser = 'adam', seed = 1, name = 'small' } = options
  const paths = { image: join(folder, 'images'), label: join(folder, 'labels') }
  const frame = await read.idx(paths, { shapes: { image: [side, side, 1] } })
  const chosen = { adam, sgd, transformed }[optimiser]()
  const weights = shapes.map(([, shape], i) => {
    const values = new Float32Array(shape.reduce<number>((n, d) => n * d, 1))
    const fanIn = values.length / shape.at(-1)!
    return {
      shape,
      dtype: 'float32' as const,
      values: values.map((_, j) => (i === 2 ? 0 : (uniform(keyOf(i), j) - 0.5) * Math.sqrt(12 / fanIn))),
    }
  })
  const start = { step: 0, weights, slots: chosen.init(weights) }
  const [data, validation] = await Promise.all([
    frame.source(['image', 'label']),
    frame.limit(100).source(['image', 'label']),
  ])
  return {
    version: 1,
    name,
    engine,
    seed,
    epochs: options.epochs ?? epochs,
    batchRows,
    slices,
    metrics: [{ name: 'accuracy', finish: { kind: 'mean' } }],
    programs: recordPrograms(await loadTf(), objective, chosen, start, batchRows / slices),
    start,
    data,
    validation,
    rates: [optimiser === 'adam' ? 0.003 : 0.05],
    ...(chosen.scalesLoss ? { scalesLoss: true } : {}),
  }
}

/** The class scores of every image, by trained weights. */
export async function smallTransform(job: TrainingJob, state: TrainingState): Promise<TransformJob> {
  const tf = await loadTf()
  const program = recordTransform(tf, objective, 16, (context, weights, columns) => ({
    scores: objective.forward(context, weights, columns).output,
  }))
  return { version: 1, engine: job.engine, program, weights: state.weights, data: job.data, batchRows: 16 }
}

/** The bytes of a state, for comparison bit by bit. */
export function bytesOf(state: TrainingState): Buffer {
  const arrays = [...state.weights, ...state.slots].map(({ values }) => values)
  return Buffer.concat(arrays.map((values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)))
}

/** |difference of weights| / |weights|. */
export function distance(a: TrainingState, b: TrainingState): number {
  let [difference, size] = [0, 0]
  for (const [i, { values }] of a.weights.entries()) {
    for (const [j, value] of values.entries()) {
      difference += (value - b.weights[i]!.values[j]!) ** 2
      size += value ** 2
    }
  }
  return Math.sqrt(difference / size)
}

const objective: Objective = {
  weights: shapes.map(([name, shape]) => ({ name, shape, initial: { kind: 'zeros' } })),
  columns: [
    { name: 'image', dtype: 'float32', shape: [16, 16, 1] },
    { name: 'label', dtype: 'int32', shape: [] },
  ],
  loss: softmaxCrossEntropy,
  metrics: [accuracy],
  forward: ({ tf }, [kernel, dense, bias], [image, label]) => {
    const x = tf.div<Tensor4D>(image as Tensor4D, 255)
    const convolved = tf.relu(tf.conv2d(x, kernel as Tensor4D, 2, 'same'))
    const pooled = tf.maxPool(convolved, 2, 2, 'same')
    const flat = tf.reshape(pooled, [pooled.shape[0], 4 * 4 * 4])
    return { output: tf.add(tf.matMul(flat, dense as Tensor), bias!), target: label! }
  },
}

/** Plain descent with everything around it. */
function transformed() {
  const clipped = clip(sgd({ momentum: 0.5 }), { globalNorm: 0.5 })
  return lossScaling(movingAverage(accumulate(clipped, { steps: 2 }), { decay: 0.9 }), { scale: 64 })
}
