/** `stability`: how much a score depends on chance. The same estimator with several seeds, the same rows held out. */
import { checkInteger, show } from '../../../core/check.js'
import { displaySymbol } from '../../../core/display.js'
import type { Displayable, MimeBundle } from '../../../core/display.js'
import { ShardbookError } from '../../../core/errors.js'
import type { AnyFrame, Frame } from '../../../frame/index.js'
import type { Strategy } from '../../strategy.js'
import type { Estimator } from '../stage.js'
import { metricOf } from './scorer.js'
import type { Scorer } from './scorer.js'
import { checkFolds, splitOf } from './folds.js'
import { checkParam } from './params.js'
import type { Tunable } from './params.js'
import { checkRatio } from './train-validation-split.js'
import { trialFrame } from './tuned-model.js'
import { searchAll } from './tuner.js'
import { spreadOf } from './trial.js'
import type { TrialResult } from './trial.js'
import { Tuning } from './tuning.js'

export interface StabilityOptions {
  /** The seeds themselves, at least two. */
  readonly seeds: readonly number[]
  readonly evaluator: Scorer
  /** Whose `seed` it is. Default: the estimator's, or the last stage's of a pipeline. */
  readonly stage?: Tunable
  /** Rows to score on. Default: a part of the frame, held out. */
  readonly validation?: AnyFrame
  /** Share of the rows to train on, without validation rows. Default 0.75. */
  readonly trainRatio?: number
  /** Of the part held out, the same for all. Default 0. */
  readonly splitSeed?: number
  /** Where trainings run, each on one worker. */
  readonly on?: Strategy
  readonly parallelism?: number
  /** A folder that keeps finished trainings. */
  readonly resume?: string
}

/** Scores by seed. */
export class Stability implements Displayable {
  readonly metric: string
  readonly seeds: readonly number[]
  /** In the order of the seeds. */
  readonly scores: readonly number[]
  readonly mean: number
  /** Standard deviation of the sample. */
  readonly deviation: number
  readonly min: number
  readonly max: number
  readonly #results: readonly TrialResult[]

  constructor(metric: string, seeds: readonly number[], results: readonly TrialResult[]) {
    this.metric = metric
    this.seeds = seeds
    this.scores = results.map(({ score }) => score)
    const { mean, deviation } = spreadOf(this.scores)
    this.mean = mean
    this.deviation = deviation
    this.min = Math.min(...this.scores)
    this.max = Math.max(...this.scores)
    this.#results = results
  }

  /** A row a seed. */
  get trials(): Frame {
    return trialFrame({ metric: this.metric, results: this.#results })
  }

  toString(): string {
    const number = (value: number): string => value.toFixed(4)
    return `${this.metric} ${number(this.mean)} ± ${number(this.deviation)} over ${this.seeds.length} seeds, ${number(this.min)} to ${number(this.max)}`
  }

  [displaySymbol](): MimeBundle {
    return { 'text/plain': this.toString() }
  }
}

/**
 * Fits an estimator with several seeds and tells how far the scores lie apart: a difference between two models that is
 * smaller than that says nothing.
 *
 * @throws ShardbookError `argument` for fewer than two seeds, and an estimator without a seed.
 * @example
 * ```ts
 * const spread = await ml.stability(cnn, train, { seeds: [1, 2, 3, 4, 5], evaluator })
 * ```
 */
export function stability(estimator: Estimator, frame: AnyFrame, options: StabilityOptions): Tuning<Stability> {
  const caller = 'ml.stability'
  const { seeds, evaluator, trainRatio = 0.75, splitSeed = 0, validation } = options
  if (!Array.isArray(seeds) || new Set(seeds).size < 2 || new Set(seeds).size < seeds.length) {
    throw new ShardbookError('argument', `${caller}: expected at least two different seeds, got ${show(seeds)}.`)
  }
  for (const seed of seeds) checkInteger(caller, 'a seed', seed, 0)
  checkRatio(caller, trainRatio)
  const stages = (estimator.options as { readonly stages?: readonly Tunable[] }).stages
  const stage = options.stage ?? stages?.at(-1) ?? estimator
  checkParam(caller, stage, 'seed', seeds)
  const { on, parallelism, resume } = options
  return new Tuning({
    name: 'stability',
    estimator,
    candidates: seeds.map((seed) => [{ stage, param: 'seed', value: seed }]),
    evaluator,
    frame,
    on,
    parallelism,
    resume,
    collectSubModels: false,
    identity: { trainRatio, splitSeed, validation: validation?.plan.schema ?? null },
    folds: async () => {
      const fold =
        validation === undefined ? splitOf(frame, { trainRatio, seed: splitSeed }) : { train: frame, validation }
      await checkFolds(caller, [fold], evaluator)
      return [fold]
    },
    search: searchAll,
    finish: async ({ results }) => new Stability(metricOf(evaluator), seeds, results),
  })
}
