/**
 * Options that every neural estimator has, in one place: those of how it learns, which belong to the estimator, and those of one
 * `fit`. An estimator lists them in its own options, checks them when it is made, and hands them to `beginTraining`.
 */
import { checkInteger, checkNumber, checkOneOf, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { precisions } from '../layers/half-precision.js'
import type { Precision } from '../layers/half-precision.js'
import type { Metric } from '../metric.js'
import type { Optimiser } from '../optimiser.js'
import type { Schedule } from '../schedule.js'
import type { Strategy } from '../strategy.js'
import { checkClassWeights } from './class-weights.js'
import type { ClassWeights } from './class-weights.js'
import type { TrainingEvent } from './event.js'
import type { Rule } from './rules.js'
import type { Training, Savable } from './training.js'

/** How an estimator learns. */
export interface TrainingOptions {
  /** Column of a number a row that its loss is multiplied by; the loss stays divided by the number of rows, as in Keras. */
  readonly weightCol?: string
  /** What the losses of a class's rows are multiplied by: given, or `'balanced'` by how many there are; not on validation rows. */
  readonly classWeights?: ClassWeights
  /** Share of the expected probability that goes to all classes alike; cross entropies only. Default 0. */
  readonly labelSmoothing?: number
  /**
   * Adds `regParam * (elasticNetParam * |w|_1 + (1 - elasticNetParam) / 2 * |w|_2^2)` to the loss, Spark's formula, over all
   * weights but biases, scales and the like (those of one axis). Default 0.
   */
  readonly regParam?: number
  /** Between L2 (0, the default) and L1 (1). */
  readonly elasticNetParam?: number
  /** How gradients become steps, with clipping, accumulation and the like around it. Default `nn.adam()`. */
  readonly optimiser?: Optimiser
  /** The learning rate of every step, in place of `stepSize`. */
  readonly schedule?: Schedule
  /**
   * In which layers multiply while training, with weights, sums and losses in single precision: what such hardware would give, for
   * which `nn.lossScaling` keeps small gradients of `'float16'`. It is no faster on processors; on `pjrt` it is an option of the
   * engine, `engine.use('pjrt', { precision: 'bfloat16' })`. Default `'float32'`.
   */
  readonly precision?: Precision
  /** Metrics that are told besides the estimator's own. */
  readonly metrics?: readonly Metric[]
}

/** A function that is called with every event and may end the training, or a rule that the loop itself follows. */
export type Callback = ((event: TrainingEvent, training: Training<Savable>) => 'stop' | void) | Rule

export interface CheckpointOptions {
  /** The folder. It must hold no checkpoints yet, unless the training resumes from it. */
  readonly path: string
  /** After every so many steps or epochs. Default: every epoch. */
  readonly everySteps?: number
  readonly everyEpochs?: number
  /** How many stay. Default 3. */
  readonly keep?: number
}

/** One `fit`. */
export interface FitOptions {
  /** Where it runs: a pool, or this process. */
  readonly on?: Strategy
  /** Whether it shows a live chart. Default true. */
  readonly verbose?: boolean
  /**
   * Functions on events and rules (`nn.earlyStopping`, `nn.reduceOnPlateau`). A function is called in this process and returns
   * `'stop'` to end the training: after an epoch's event at once, else after the step in flight.
   */
  readonly callbacks?: readonly Callback[]
  /** Tells loss and metrics on the validation rows after every so many steps, besides the end of every epoch. */
  readonly validateEvery?: number
  /** Saves where the training stands. */
  readonly checkpoint?: CheckpointOptions
  /** A folder of checkpoints: goes on from the newest whole one, to the bits of the undisturbed training. */
  readonly resume?: string
  /** A folder for checkpoints of every epoch: goes on from there if it has any; they are removed once the training is done. */
  readonly backup?: string
  /** Whether step events tell the Euclidean norm of all gradients, which costs a little. Default false. */
  readonly gradientNorm?: boolean
  /** Whether step events tell the time of each phase; steps are then not overlapped. Default false. */
  readonly profile?: boolean
  /** The learning rate of each step, in place of the estimator's schedule; the training ends after the last one. */
  readonly rates?: readonly number[]
}

/**
 * Checks options of learning when an estimator is made.
 *
 * @throws ShardbookError `argument` for one that is out of range.
 */
export function checkTrainingOptions(caller: string, options: TrainingOptions): void {
  const { weightCol, classWeights, labelSmoothing = 0, regParam = 0, elasticNetParam = 0, metrics = [] } = options
  if (weightCol !== undefined && typeof weightCol !== 'string') {
    throw new ShardbookError(
      'argument',
      `${caller}: expected weightCol to name a column of numbers, got ${show(weightCol)}.`,
    )
  }
  checkClassWeights(caller, classWeights)
  checkOneOf(caller, 'precision', options.precision ?? 'float32', precisions)
  checkNumber(caller, 'labelSmoothing', labelSmoothing, 0, 1 - 2 ** -20)
  checkNumber(caller, 'regParam', regParam, 0)
  checkNumber(caller, 'elasticNetParam', elasticNetParam, 0, 1)
  const names = metrics.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return
  throw new ShardbookError('argument', `${caller}: expected metrics of different names, got "${twice}" twice.`)
}

/**
 * Checks the options of one fit.
 *
 * @throws ShardbookError `argument` for one that is out of range, or for two that exclude each other.
 */
export function checkFitOptions(caller: string, options: FitOptions): void {
  const { validateEvery, checkpoint, backup, resume, rates } = options
  if (validateEvery !== undefined) checkInteger(caller, 'validateEvery', validateEvery, 1)
  if (checkpoint !== undefined) {
    const { path, everySteps, everyEpochs, keep = 3 } = checkpoint
    checkFolder(caller, 'checkpoint.path', path)
    checkInteger(caller, 'checkpoint.everySteps', everySteps ?? 1, 1)
    checkInteger(caller, 'checkpoint.everyEpochs', everyEpochs ?? 1, 1)
    checkInteger(caller, 'checkpoint.keep', keep, 1)
    if (everySteps !== undefined && everyEpochs !== undefined) {
      throw new ShardbookError('argument', `${caller}: expected one of everySteps and everyEpochs, got both.`)
    }
  }
  if (resume !== undefined) checkFolder(caller, 'resume', resume)
  if (backup !== undefined) checkFolder(caller, 'backup', backup)
  if (backup !== undefined && (checkpoint !== undefined || resume !== undefined)) {
    throw new ShardbookError('argument', `${caller}: expected backup alone, or checkpoint and resume, got both.`, {
      hint: 'backup keeps checkpoints, resumes and cleans up by itself.',
    })
  }
  if (rates?.length === 0) throw new ShardbookError('argument', `${caller}: expected one rate or more, got none.`)
  for (const rate of rates ?? []) checkNumber(caller, 'a rate', rate, 0)
}

function checkFolder(caller: string, name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return
  throw new ShardbookError('argument', `${caller}: expected ${name} to be a folder, got ${show(value)}.`)
}
