/** Small trainings for tests: images of 8 x 8 with a bright bar that tells the class, and loops that share a step. */
import { keyOf, uniform } from '../../../src/core/random.js'
import { loadTf } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import { frame, openFeed } from '../../../src/frame/index.js'
import type { AnyFrame } from '../../../src/frame/index.js'
import * as nn from '../../../src/nn/index.js'
import { metricData } from '../../../src/nn/metric.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import { beginTraining } from '../../../src/nn/ml/fit.js'
import type { TrainingEvent } from '../../../src/nn/train/event.js'
import type { TrainingJob, TrainingState } from '../../../src/nn/train/job.js'
import { createLoop } from '../../../src/nn/train/loop.js'
import type { Loop, LoopContext } from '../../../src/nn/train/loop.js'
import { checkTrainingOptions, type FitOptions, type TrainingOptions } from '../../../src/nn/train/options.js'
import { recordPrograms } from '../../../src/nn/train/programs.js'
import type { Objective } from '../../../src/nn/train/programs.js'
import type { Training } from '../../../src/nn/train/training.js'

const classes = 3

/** `rows` noisy images [8, 8, 1] of bytes with labels 0, 1, 2: a bright row, a bright column, or neither. */
export function bars(rows: number, seed = 1) {
  return frame(barColumns(rows, seed))
}

function barColumns(rows: number, seed: number) {
  const values = new Uint8Array(rows * 64)
  const label = new Int32Array(rows)
  for (let row = 0; row < rows; row++) {
    const draw = (i: number): number => uniform(keyOf(seed), row * 100 + i)
    label[row] = Math.floor(draw(99) * classes)
    const at = Math.floor(draw(98) * 8)
    for (let i = 0; i < 64; i++) {
      const bright = label[row] === 0 ? Math.floor(i / 8) === at : label[row] === 1 ? i % 8 === at : false
      values[row * 64 + i] = 80 * draw(i) + (bright ? 160 : 0)
    }
  }
  return { image: { shape: [rows, 8, 8, 1] as const, dtype: 'uint8' as const, values }, label }
}

export interface TaskOptions {
  readonly rows?: number
  readonly validationRows?: number
  readonly batchRows?: number
  readonly slices?: number
  readonly epochs?: number
  readonly rate?: number
  readonly seed?: number
  readonly optimiser?: nn.Optimiser
  /** Between pixels in [0, 1] and one number a class; default: a small convolutional network. */
  readonly layers?: readonly nn.Layer[]
  /** Learn the pixels themselves in place of the classes: `layers` end in [8, 8, 1]. */
  readonly reconstruct?: boolean
}

const convolutional = [
  nn.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }),
  nn.maxPooling2d(),
  nn.flatten(),
  nn.dense({ units: classes }),
] as const

/** A layer that leaves numbers as they are and reads one of them: what it is in cannot be recorded, and runs eagerly. */
export const reading: nn.Layer = {
  kind: 'reading',
  name: undefined,
  options: {},
  infer: (input) => ({ output: input, weights: [] }),
  apply: ({ tf }, x) => (Number.isNaN(tf.max(x).dataSync()[0]) ? tf.zerosLike(x) : x),
}

/** A job over `bars` for an engine. */
export async function makeJob(engine: Engine, options: TaskOptions = {}): Promise<TrainingJob> {
  const { rows = 70, validationRows = 0, batchRows = 16, slices = 4, epochs = 2, rate = 0.01, seed = 3 } = options
  const { optimiser = nn.adam(), layers = convolutional, reconstruct = false } = options
  const pixels = nn.rescale({ scale: 1 / 255 })
  const model = nn.model([pixels, ...layers], { inputShape: [8, 8, 1] })
  const objective: Objective = {
    weights: model.weights,
    columns: [
      { name: 'image', dtype: 'float32', shape: [8, 8, 1] },
      { name: 'label', dtype: 'int32', shape: [] },
    ],
    loss: reconstruct ? nn.meanSquaredError : nn.softmaxCrossEntropy,
    metrics: reconstruct ? [] : [nn.accuracy],
    forward: (context, weights, [x, y]) => ({
      output: applyModel(model, context, weights, x!),
      target: reconstruct ? pixels.apply(context, x!, []) : y!,
    }),
  }
  const weights = initialWeights(model, seed)
  const start = { step: 0, weights, slots: optimiser.init(weights) }
  return {
    version: 1,
    name: 'bars',
    engine: engine.name,
    seed,
    epochs,
    batchRows,
    slices,
    metrics: objective.metrics.map(metricData),
    programs: recordPrograms(await loadTf(), objective, optimiser, start, batchRows / slices),
    start,
    data: await bars(rows).source(['image', 'label']),
    ...(validationRows === 0 ? {} : { validation: await bars(validationRows, 2).source(['image', 'label']) }),
    rates: [rate],
    ...(optimiser.scalesLoss ? { scalesLoss: true } : {}),
  }
}

/** What becomes of a training over `bars`. */
export interface Bars {
  readonly weights: TrainingState['weights']
  save(path: string): Promise<void>
}

/** A small estimator over `bars`: options of learning, then of the fit. */
export function fitBars(
  training: TrainingOptions = {},
  {
    validation = false,
    epochs = 4,
    rows = 70,
    batchRows = 16,
    layers = convolutional,
    weights: weightOf = () => 1,
    ...fit
  }: FitOptions & {
    readonly validation?: boolean
    readonly epochs?: number
    readonly rows?: number
    readonly batchRows?: number
    readonly layers?: readonly nn.Layer[]
    /** Of a row, in the column `weight`. */
    readonly weights?: (row: number) => number
  } = {},
): Training<Bars> {
  checkTrainingOptions('Bars', training)
  const pixels = nn.rescale({ scale: 1 / 255 })
  const model = nn.model([pixels, ...layers], { inputShape: [8, 8, 1] })
  const weighted = (count: number, seed: number): AnyFrame =>
    frame({
      ...barColumns(count, seed),
      weight: Float32Array.from({ length: count }, (_, row) => weightOf(row)),
    }) as AnyFrame
  return beginTraining<Bars>({
    name: 'Bars',
    frame: weighted(rows, 1),
    epochs,
    stepSize: 0.02,
    batch: { rows: batchRows, isGiven: true },
    seed: 3,
    training,
    fit: validation ? { ...fit, validation: weighted(20, 2) } : fit,
    prepare: async () => ({
      objective: {
        weights: model.weights,
        columns: [
          { name: 'image', dtype: 'float32', shape: [8, 8, 1] },
          { name: 'label', dtype: 'int32', shape: [] },
        ],
        loss: nn.softmaxCrossEntropy,
        metrics: [nn.accuracy],
        forward: (context, weights, [x, y]) => ({ output: applyModel(model, context, weights, x!), target: y! }),
      },
      fields: {},
      rows,
      weights: initialWeights(model, 3),
      finish: async (weights) => ({ weights, save: async () => {} }),
    }),
  })
}

/** An all-reduce between loops of one process: every vector becomes the sum over all, in the order of ranks. */
function joined(workers: number) {
  let waiting: { vector: Float32Array; rank: number; resolve: () => void }[] = []
  return (rank: number) => async (_step: number, vector: Float32Array) =>
    new Promise<void>((resolve) => {
      waiting.push({ vector, rank, resolve })
      if (waiting.length < workers) return
      const all = waiting.toSorted((a, b) => a.rank - b.rank)
      waiting = []
      const sum = new Float32Array(vector.length)
      for (const { vector: own } of all) for (let i = 0; i < sum.length; i++) sum[i]! += own[i]!
      for (const { vector: own, resolve: go } of all) {
        own.set(sum)
        go()
      }
    })
}

/** A loop that owns every slice. */
export async function loneLoop(engine: Engine, job: TrainingJob, context: Partial<LoopContext> = {}): Promise<Loop> {
  return createLoop(job, {
    engine,
    owned: Array.from({ length: job.slices }, (_, slice) => slice),
    workers: 1,
    open: openFeed,
    reduce: async () => {
      throw new Error('there is nobody to reduce with')
    },
    gate: async () => 'go',
    report: () => {},
    ...context,
  })
}

/** Trains with `workers` loops side by side; the states at the end, and what the first one told. */
export async function trainWith(engine: Engine, job: TrainingJob, workers: number) {
  const events: TrainingEvent[] = []
  const reduce = joined(workers)
  const loops = await Promise.all(
    Array.from({ length: workers }, async (_, rank) =>
      loneLoop(engine, job, {
        owned: Array.from({ length: job.slices }, (__, slice) => slice).filter((slice) => slice % workers === rank),
        workers,
        reduce: reduce(rank),
        report: (event) => void (rank === 0 && events.push(event)),
      }),
    ),
  )
  await Promise.all(loops.map(async (loop) => loop.run()))
  const states = await Promise.all(loops.map(async (loop) => loop.snapshot()))
  await Promise.all(loops.map(async (loop) => loop.dispose()))
  return { states, events, state: states[0]! }
}

/** All weights of a state in one list. */
export function numbersOf({ weights }: TrainingState): number[] {
  return weights.flatMap(({ values }) => [...values])
}

/** The greatest difference between two states' weights. */
export function distance(a: TrainingState, b: TrainingState): number {
  const other = numbersOf(b)
  return Math.max(...numbersOf(a).map((value, i) => Math.abs(value - other[i]!)))
}
