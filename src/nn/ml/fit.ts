/** From an estimator's options to a running training: what all neural estimators share. */
import { checkInteger } from '../../core/check.js'
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { loadTf, openEngine, whyEager } from '../../engine/index.js'
import type { FrameSource } from '../../frame/index.js'
import type { TrainingJob, TrainingState } from '../train/job.js'
import type { Objective } from '../train/programs.js'
import { recordPrograms } from '../train/programs.js'
import { Training } from '../train/training.js'
import type { Savable } from '../train/training.js'
import { local } from '../train/local.js'
import type { Optimiser } from '../optimiser.js'
import type { Schedule } from '../schedule.js'
import type { Strategy } from '../strategy.js'

/** What an estimator knows once it has looked at the data. */
export interface Fitting<M> {
  readonly objective: Objective
  /** Rows of the data to train on. */
  readonly rows: number
  readonly optimiser: Optimiser
  readonly schedule: Schedule
  readonly weights: readonly TensorData[]
  /** Makes the model of the trained weights. */
  readonly finish: (weights: readonly TensorData[]) => Promise<M>
}

export interface FitPlan<M> {
  /** Names the training in its chart. */
  readonly name: string
  readonly on: Strategy | undefined
  readonly epochs: number
  readonly batchRows: number
  /** Default: `slicesOf` objective and batch. */
  readonly slices: number | undefined
  readonly seed: number
  /** Looks at the data and builds the network. */
  prepare(): Promise<Fitting<M>>
  source(): Promise<FrameSource>
  validation: (() => Promise<FrameSource>) | undefined
}

/** Begins a training at once. */
export function beginTraining<M extends Savable>(plan: FitPlan<M>): Training<M> {
  const prepare = async () => {
    const { name, epochs, batchRows, seed } = plan
    const strategy = plan.on ?? (await local())
    const { objective, rows, optimiser, schedule, weights, finish } = await plan.prepare()
    const slices = plan.slices ?? slicesOf(objective, batchRows)
    const [data, validation] = await Promise.all([plan.source(), plan.validation?.()])
    // The step is recorded for the engine that will run it.
    await openEngine(strategy.engine)
    const start = { step: 0, weights, slots: optimiser.init(weights) }
    const programs = recordPrograms(await loadTf(), objective, optimiser, start, batchRows / slices)
    checkRecorded(name, strategy, programs)
    return {
      strategy,
      job: {
        version: 1 as const,
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
        ...(optimiser.scalesLoss ? { scalesLoss: true as const } : {}),
      },
      finish: (state: TrainingState) => finish(optimiser.finish?.(state) ?? state.weights),
    }
  }
  return new Training(plan.name, prepare, { quiet: plan.on?.quiet ?? false })
}

/** Tells when a step could not be recorded: a warning here, an error where it would have to travel. */
function checkRecorded(name: string, strategy: Strategy, programs: TrainingJob['programs']): void {
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

/**
 * Checks the slices that a user wishes, if any.
 *
 * @throws ShardbookError `argument` when the slices do not divide the batch.
 */
export function checkSlices(caller: string, batchRows: number, slices?: number): void {
  if (slices === undefined) return
  checkInteger(caller, 'slices', slices, 1, batchRows)
  if (batchRows % slices === 0) return
  throw new ShardbookError(
    'argument',
    `${caller}: expected slices to divide the batch of ${batchRows} rows evenly, got ${slices}.`,
  )
}
