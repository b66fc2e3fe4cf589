/** From an estimator's options to a running training: what all neural estimators share. */
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { loadTf, openEngine, whyEager } from '../../engine/index.js'
import type { AnyFrame, FeedFields } from '../../frame/index.js'
import type { Optimiser } from '../optimiser.js'
import type { Schedule } from '../schedule.js'
import { local } from '../train/local.js'
import type { TrainingJob } from '../train/job.js'
import { recordPrograms } from '../train/programs.js'
import type { Objective } from '../train/programs.js'
import { Training } from '../train/training.js'
import type { Savable } from '../train/training.js'
import type { FitOptions } from './options.js'

/** What an estimator knows once it has looked at the data. */
export interface Fitting<M> {
  readonly objective: Objective
  /** How the columns of the objective come. */
  readonly fields: FeedFields
  /** Rows of the data to train on. */
  readonly rows: number
  readonly optimiser: Optimiser
  readonly schedule: Schedule
  readonly weights: readonly TensorData[]
  /** Makes the model of the trained weights. */
  readonly finish: (weights: readonly TensorData[]) => Promise<M>
}

export interface FitPlan<M> extends FitOptions {
  /** Names the training in its chart. */
  readonly name: string
  readonly frame: AnyFrame
  readonly epochs: number
  readonly batch: BatchPlan
  readonly seed: number
  /** Looks at the data and builds the network. */
  readonly prepare: () => Promise<Fitting<M>>
}

/** The batch that is wished for. */
export interface BatchPlan {
  readonly rows: number
  /** Whether the user named the number: it is not made smaller then. */
  readonly isGiven: boolean
  /** Default: `slicesOf` objective and batch. */
  readonly slices?: number | undefined
}

/** Begins a training at once. */
export function beginTraining<M extends Savable>(plan: FitPlan<M>): Training<M> {
  return new Training(plan.name, async () => {
    const { name, epochs, seed } = plan
    const strategy = plan.on ?? (await local())
    const { objective, fields, rows, optimiser, schedule, weights, finish } = await plan.prepare()
    const batchRows = batchOf(name, plan.batch, rows)
    const slices = plan.batch.slices ?? slicesOf(objective, batchRows)
    const columns = objective.columns.map((column) => column.name)
    const sourceOf = async (frame: AnyFrame) => ({ ...(await frame.source(columns)), ...fields })
    const [data, validation] = await Promise.all([
      sourceOf(plan.frame),
      plan.validation === undefined ? undefined : sourceOf(plan.validation),
    ])
    // The step is recorded for the engine that will run it.
    await openEngine(strategy.engine)
    const start = { step: 0, weights, slots: optimiser.init(weights) }
    const programs = recordPrograms(await loadTf(), objective, optimiser, start, batchRows / slices)
    checkRecorded(name, strategy, programs)
    return {
      strategy,
      job: {
        version: 1,
        name,
        engine: strategy.engine,
        seed,
        epochs,
        batchRows,
        slices,
        metrics: objective.metrics.map((metric) => metric.name),
        programs,
        start,
        data,
        ...(validation === undefined ? {} : { validation }),
        rates: schedule(epochs * Math.ceil(rows / batchRows)),
        ...(optimiser.scalesLoss ? { scalesLoss: true } : {}),
      },
      finish: (state) => finish(optimiser.finish?.(state) ?? state.weights),
    }
  })
}

/** Tells when a step could not be recorded: a warning here, an error where it would have to travel. */
function checkRecorded(name: string, strategy: { readonly inProcess?: true }, programs: TrainingJob['programs']): void {
  const refusal = [programs.gradients, programs.update, programs.evaluate].map(whyEager).find(Boolean)
  if (refusal === undefined) return
  if (!strategy.inProcess) {
    throw new ShardbookError(
      'engine',
      `${name}.fit: expected layers that can be recorded and sent to workers, got ones that read values.`,
      { cause: refusal, ...(refusal.hint === undefined ? {} : { hint: refusal.hint }) },
    )
  }
  console.warn(`${name}.fit: trains without compiling its steps, which is slower. ${refusal.message}`)
}

/** Rows of a batch: those that were asked for; else no more than there are, but a whole number for each slice. */
function batchOf(name: string, { rows: wished, isGiven, slices = 1 }: BatchPlan, rows: number): number {
  if (wished <= rows) return wished
  if (!isGiven) return slices * Math.max(1, Math.floor(rows / slices))
  throw new ShardbookError(
    'data',
    `${name}.fit: expected batches no larger than the data, which has ${rows} rows, got ${wished} rows a batch.`,
  )
}

/**
 * Slices of a batch: chosen from batch and model alone, never from cores or workers, so that a training gives the same numbers
 * wherever it runs.
 *
 * Four keep both cores of a small machine busy and let up to four workers share a step. Slices under 32 rows make small
 * products slow, and each slice costs a pass over all weights, which counts above a million of them: two are left then.
 */
export function slicesOf({ weights }: Pick<Objective, 'weights'>, batchRows: number): number {
  const few = weights.reduce((n, { shape }) => n + sizeOf(shape), 0) <= 1_000_000
  const fits = (slices: number): boolean => slices === 2 || (few && batchRows >= 32 * slices)
  return [4, 3, 2].find((slices) => batchRows % slices === 0 && fits(slices)) ?? 1
}
