/** From an estimator's options to a running training: what all neural estimators share. */
import { checkInteger } from '../../core/check.js'
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { loadTf, openEngine, whyEager } from '../../engine/index.js'
import type { FrameSource } from '../../frame/index.js'
import { removeCheckpoints } from '../train/checkpoint.js'
import { blameLayer } from '../train/divergence.js'
import type { TrainingJob } from '../train/job.js'
import { checkFitOptions, checkTrainingOptions } from '../train/options.js'
import type { FitOptions, TrainingOptions } from '../train/options.js'
import type { Objective } from '../train/programs.js'
import { recordPrograms } from '../train/programs.js'
import { placeJob } from '../train/resume.js'
import { checkRules } from '../train/rules.js'
import type { Rule } from '../train/rules.js'
import { Training } from '../train/training.js'
import type { Prepared, Savable } from '../train/training.js'
import { weighObjective } from '../train/weigh.js'
import { local } from '../train/local.js'
import { metricData } from '../metric.js'
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
  /** How the estimator learns: its options, whatever else they hold. */
  readonly training?: TrainingOptions
  /** The options of this fit, whatever else they hold. */
  readonly fit?: FitOptions
  /** Looks at the data and builds the network. */
  prepare(): Promise<Fitting<M>>
  /** The rows to train on, with the columns that are needed. */
  source(columns: readonly string[]): Promise<FrameSource>
  validation: ((columns: readonly string[]) => Promise<FrameSource>) | undefined
}

/**
 * Begins a training at once.
 *
 * @throws ShardbookError `argument` for options that are out of range.
 */
export function beginTraining<M extends Savable>(plan: FitPlan<M>): Training<M> {
  const { callbacks = [], ...fit } = plan.fit ?? {}
  checkFitOptions(`${plan.name}.fit`, fit)
  checkTrainingOptions(plan.name, plan.training ?? {})
  const functions = callbacks.filter((callback) => typeof callback === 'function')
  const rules = callbacks.filter((callback) => typeof callback !== 'function')
  return new Training(plan.name, async () => prepareTraining(plan, fit, rules), functions)
}

async function prepareTraining<M>(plan: FitPlan<M>, fit: FitOptions, rules: readonly Rule[]): Promise<Prepared<M>> {
  const { name, batchRows, seed, training = {} } = plan
  const caller = `${name}.fit`
  const strategy = plan.on ?? fit.on ?? (await local())
  const { rows, weights, finish, ...fitting } = await plan.prepare()
  const objective = weighObjective(caller, fitting.objective, training)
  const optimiser = training.optimiser ?? fitting.optimiser
  const metrics = objective.metrics.map(metricData)
  checkRules(caller, rules, names(metrics), plan.validation !== undefined)
  if (fit.validateEvery !== undefined && plan.validation === undefined) {
    throw new ShardbookError('argument', `${caller}: expected validation rows for validateEvery, got none.`)
  }
  const slices = plan.slices ?? slicesOf(objective, batchRows)
  const columns = names(objective.columns)
  const [data, validation] = await Promise.all([plan.source(columns), plan.validation?.(columns)])
  // The step is recorded for the engine that will run it.
  await openEngine(strategy.engine)
  const start = { step: 0, weights, slots: optimiser.init(weights) }
  const programs = recordPrograms(await loadTf(), objective, optimiser, start, batchRows / slices)
  checkRecorded(name, strategy, programs)
  const stepsPerEpoch = Math.ceil(rows / batchRows)
  const epochs = fit.rates === undefined ? plan.epochs : Math.ceil(fit.rates.length / Math.max(stepsPerEpoch, 1))
  const rates = fit.rates ?? (training.schedule ?? fitting.schedule)(epochs * stepsPerEpoch)
  const untrained = objective.weights.flatMap(({ momentum }, i) => (momentum === undefined ? [] : [i]))
  const job = await placeJob(
    caller,
    {
      version: 1,
      name,
      engine: strategy.engine,
      seed,
      epochs,
      batchRows,
      slices,
      metrics,
      programs,
      start,
      data,
      rates,
      rules,
      ...(validation === undefined ? {} : { validation }),
      ...(optimiser.scalesLoss ? { scalesLoss: true } : {}),
      ...(fit.rates === undefined ? {} : { maxSteps: fit.rates.length }),
      ...(fit.validateEvery === undefined ? {} : { validateEvery: fit.validateEvery }),
      ...(fit.gradientNorm ? { gradientNorm: { without: untrained } } : {}),
      ...(fit.profile ? { profile: true } : {}),
    },
    fit,
  )
  return {
    strategy,
    job,
    explain: async (error) => blameLayer(error, job, objective),
    finish: async (state) => {
      const model = await finish(optimiser.finish?.(state) ?? state.weights)
      const complete = state.step >= epochs * stepsPerEpoch || state.progress?.stopped !== undefined
      if (fit.backup !== undefined && complete) await removeCheckpoints(job.checkpoint!.path)
      return model
    },
  }
}

function names(list: readonly { readonly name: string }[]): string[] {
  return list.map(({ name }) => name)
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

/** Multiplications forward that make a slice worth its while: a convolutional autoencoder with half of them takes a tenth longer. */
const leastWork = 20_000_000

/**
 * Slices of a batch: chosen from batch and model alone, never from cores or workers, so that a training gives the same numbers
 * wherever it runs.
 *
 * Four keep both cores of a small machine busy and let up to four workers share a step. Slices under 32 rows or of little work
 * take longer to begin than to compute, and each slice costs a pass over all weights, which counts above a million of them: two
 * are left then.
 */
export function slicesOf({ weights }: Pick<Objective, 'weights'>, batchRows: number): number {
  const sum = (of: (weight: Objective['weights'][number]) => number): number => weights.reduce((n, w) => n + of(w), 0)
  const few = sum(({ shape }) => sizeOf(shape)) <= 1_000_000
  const work = batchRows * sum(({ shape, uses = 1 }) => sizeOf(shape) * uses)
  const fits = (slices: number): boolean =>
    slices === 2 || (few && batchRows >= 32 * slices && work >= leastWork * slices)
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
