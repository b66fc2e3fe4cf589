/** From an estimator's options to a running training: what all neural estimators share. */
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { loadTf, openEngine, whyEager } from '../../engine/index.js'
import type { AnyFrame, FeedFields } from '../../frame/index.js'
import { metricData } from '../metric.js'
import { adam } from '../optimiser.js'
import type { Optimiser } from '../optimiser.js'
import { cosine } from '../schedule.js'
import type { Strategy } from '../strategy.js'
import { removeCheckpoints } from '../train/checkpoint.js'
import { blameLayer } from '../train/divergence.js'
import type { TrainingJob } from '../train/job.js'
import { local } from '../train/local.js'
import { checkFitOptions } from '../train/options.js'
import type { TrainingOptions } from '../train/options.js'
import { recordPrograms } from '../train/programs.js'
import type { Objective } from '../train/programs.js'
import { placeJob } from '../train/resume.js'
import { checkRules } from '../train/rules.js'
import type { Rule } from '../train/rules.js'
import { Training } from '../train/training.js'
import type { Prepared, Savable } from '../train/training.js'
import { weighObjective } from '../train/weigh.js'
import type { FitOptions } from './options.js'

/** What an estimator knows once it has looked at the data. */
export interface Fitting<M> {
  readonly objective: Objective
  /** How the columns of the objective come. */
  readonly fields: FeedFields
  /** Rows of the data to train on. */
  readonly rows: number
  /** Rows of each class, where classes are learnt. */
  readonly classRows?: readonly number[] | undefined
  readonly weights: readonly TensorData[]
  /** The optimiser, where it is not the option's or Adam. */
  readonly optimiser?: Optimiser
  /** Puts around the objective what happens to samples while training. */
  readonly augment?: ((objective: Objective) => Objective) | undefined
  /** Makes the model of the trained weights. */
  readonly finish: (weights: readonly TensorData[]) => Promise<M>
}

export interface FitPlan<M> {
  /** Names the training in its chart. */
  readonly name: string
  readonly frame: AnyFrame
  readonly epochs: number
  /** The highest learning rate, where there is no schedule. */
  readonly stepSize: number
  readonly batch: BatchPlan
  readonly seed: number
  /** How the estimator learns: its options, whatever else they hold. */
  readonly training: TrainingOptions
  readonly fit: FitOptions
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

/**
 * Begins a training at once.
 *
 * @throws ShardbookError `argument` for options that are out of range.
 */
export function beginTraining<M extends Savable>(plan: FitPlan<M>): Training<M> {
  const { callbacks = [], ...fit } = plan.fit
  checkFitOptions(`${plan.name}.fit`, fit)
  const functions = callbacks.filter((callback) => typeof callback === 'function')
  const rules = callbacks.filter((callback) => typeof callback !== 'function')
  const quiet = fit.verbose === false || (fit.on?.quiet ?? false)
  return new Training(plan.name, async () => prepareTraining(plan, fit, rules), functions, { quiet })
}

async function prepareTraining<M>(plan: FitPlan<M>, fit: FitOptions, rules: readonly Rule[]): Promise<Prepared<M>> {
  const { name, frame, seed, training } = plan
  const { validation: held } = fit
  const caller = `${name}.fit`
  const strategy = fit.on ?? (await local())
  const { rows, weights, fields, finish, ...fitting } = await plan.prepare()
  if (strategy.engine === 'pjrt' && (training.precision ?? 'float32') !== 'float32') {
    throw new ShardbookError(
      'argument',
      `${caller}: expected the precision of pjrt as an option of the engine, got ${training.precision}.`,
      {
        hint: "Open it so: engine.use('pjrt', { precision: 'bfloat16' }).",
      },
    )
  }
  const weighed = weighObjective(caller, fitting.objective, training, fitting.classRows)
  const objective = fitting.augment?.(weighed) ?? weighed
  const optimiser = fitting.optimiser ?? training.optimiser ?? adam()
  const metrics = objective.metrics.map(metricData)
  checkRules(caller, rules, names(metrics), held !== undefined)
  if (fit.validateEvery !== undefined && held === undefined) {
    throw new ShardbookError('argument', `${caller}: expected validation rows for validateEvery, got none.`)
  }
  const batchRows = batchOf(name, plan.batch, rows)
  const slices = plan.batch.slices ?? slicesFor(strategy, objective, batchRows)
  const columns = names(objective.columns)
  const sourceOf = async (source: AnyFrame) => ({ ...(await source.source(columns)), ...fields, finite: columns })
  const [data, validation] = await Promise.all([sourceOf(frame), held === undefined ? undefined : sourceOf(held)])
  // The step is recorded for the engine that will run it.
  await openEngine(strategy.engine)
  const start = { step: 0, weights, slots: optimiser.init(weights) }
  const programs = recordPrograms(await loadTf(), objective, optimiser, start, batchRows / slices)
  checkRecorded(name, strategy, programs)
  const stepsPerEpoch = Math.ceil(rows / batchRows)
  const epochs = fit.rates === undefined ? plan.epochs : Math.ceil(fit.rates.length / Math.max(stepsPerEpoch, 1))
  const schedule = training.schedule ?? cosine(plan.stepSize, { warmUp: 0.1 })
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
      rates: fit.rates ?? schedule(epochs * stepsPerEpoch),
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

/** An accelerator takes its rows at once: as many slices as there are of them. */
function slicesFor(
  { engine, workers }: Pick<Strategy, 'engine' | 'workers'>,
  objective: Objective,
  batchRows: number,
): number {
  return engine === 'pjrt' && batchRows % workers === 0 ? workers : slicesOf(objective, batchRows)
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
