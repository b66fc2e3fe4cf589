/** What tuners have in common: their options, and from scores to the model of the best candidate. */
import { checkInteger, checkOneOf, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { AnyFrame, Schema } from '../../../frame/index.js'
import type { Strategy } from '../../strategy.js'
import type { Estimator, Transformer } from '../stage.js'
import { bestOf, choices, oneStandardError } from './choice.js'
import type { Choice } from './choice.js'
import { metricOf } from './scorer.js'
import type { Scorer } from './scorer.js'
import { checkFolds } from './folds.js'
import { withParams } from './params.js'
import type { ParamMap } from './params.js'
import { TunedModel } from './tuned-model.js'
import { scoresOf } from './trial.js'
import type { CandidateScore, TrialResult } from './trial.js'
import { Tuning } from './tuning.js'
import type { Search, TuningPlan } from './tuning.js'

export interface TunerOptions<E extends Estimator = Estimator> {
  readonly estimator: E
  readonly evaluator: Scorer
  /** Trials that run side by side, each on one worker. Default: the workers of the pool, 1 in this process. */
  readonly parallelism?: number
  /** Whether the models of all trials are kept as `subModels`. Default false. */
  readonly collectSubModels?: boolean
  /** Column whose every value is spread evenly over the parts, such as the label's. */
  readonly stratify?: string
  /** Which candidate wins. Default `'best'`. */
  readonly choose?: Choice
  /** Orders candidates from simple to complex for `choose: 'oneStandardError'`. Default: as they stand in the grid. */
  readonly complexity?: (params: Readonly<Record<string, unknown>>) => number
  /** Of the folds, and of candidates at random. Default 0. */
  readonly seed?: number
}

export interface TunerFitOptions {
  /** Where trials are fitted: a pool, or this process. */
  readonly on?: Strategy
  /** A folder that keeps finished trials: the same search goes on from there, and more candidates may be added. */
  readonly resume?: string
}

/** The model that an estimator fits. */
export type ModelOf<E> = E extends { fit(...args: never[]): PromiseLike<infer M extends Transformer> } ? M : Transformer

/** What a tuner searches, and how. */
export interface TunerPlan extends Pick<TuningPlan<unknown>, 'candidates' | 'identity' | 'folds'> {
  readonly shrink?: NonNullable<TuningPlan<unknown>['shrink']>
  search(search: Search): Promise<readonly TrialResult[]>
}

/** A tuner: an estimator that tries an estimator with several values and fits the best. */
export abstract class Tuner<O extends TunerOptions> implements Estimator<TunedModel<ModelOf<O['estimator']>>> {
  abstract readonly kind: string
  readonly options: O

  protected constructor(kind: string, options: O) {
    const { estimator, evaluator, parallelism = 1, seed = 0, choose = 'best' } = options
    if (typeof estimator?.fit !== 'function' || typeof estimator.copy !== 'function') {
      throw new ShardbookError('argument', `${kind}: expected an estimator, got ${show(estimator)}.`)
    }
    if (typeof evaluator?.evaluate !== 'function') {
      throw new ShardbookError('argument', `${kind}: expected an evaluator, got ${show(evaluator)}.`)
    }
    checkInteger(kind, 'parallelism', parallelism, 1)
    checkInteger(kind, 'seed', seed, 0)
    checkOneOf(kind, 'choose', choose, choices)
    this.options = Object.freeze({ ...options })
  }

  /** Begins to search, at once; `await` it for the best candidate's model. */
  fit(frame: AnyFrame, { on, resume }: TunerFitOptions = {}): Tuning<TunedModel<ModelOf<O['estimator']>>> {
    const { kind, options } = this
    const { estimator, evaluator, parallelism, collectSubModels = false, choose = 'best', complexity } = options
    const plan = this.plan(frame)
    const largerIsBetter = evaluator.isLargerBetter
    return new Tuning({
      ...plan,
      name: kind,
      estimator,
      evaluator,
      frame,
      on,
      resume,
      parallelism,
      collectSubModels,
      folds: async () => {
        const folds = await plan.folds()
        await checkFolds(`${kind}.fit`, folds, evaluator)
        return folds
      },
      finish: async ({ results, seconds, models, refit }) => {
        const scores = scoresOf(lastRounds(results))
        checkScores(kind, scores)
        const bestIndex =
          choose === 'best'
            ? bestOf(scores, largerIsBetter)
            : oneStandardError(scores, { largerIsBetter, ...(complexity && { complexity }) })
        const best = (await refit(scores[bestIndex]!.candidate)) as ModelOf<O['estimator']>
        const report = { name: kind, metric: metricOf(evaluator), largerIsBetter, seconds, results, scores, bestIndex }
        return new TunedModel(best, report, collectSubModels ? (models as ModelOf<O['estimator']>[][]) : undefined)
      },
    })
  }

  /** The columns that the best candidate's model adds. */
  transformSchema(schema: Schema): Schema {
    return this.options.estimator.transformSchema(schema)
  }

  /** A tuner holds code; what is kept is the model that it fits. */
  async save(_path: string): Promise<void> {
    throw new ShardbookError('argument', `${this.kind}.save: expected a fitted model to save, got a search.`, {
      hint: "Save what 'fit' gives.",
    })
  }

  abstract copy(changes: object): Tuner<O>
  protected abstract plan(frame: AnyFrame): TunerPlan
}

/** All candidates on all folds. */
export async function searchAll({ folds, params, run, expect }: Search): Promise<readonly TrialResult[]> {
  const trials = params.flatMap((own, candidate) =>
    Array.from({ length: folds.length }, (_, fold) => ({ candidate, params: own, fold })),
  )
  expect(trials.length)
  return run(trials)
}

/**
 * @throws ShardbookError `argument` for no candidates, and for one that the estimator refuses
 */
export function checkCandidates(caller: string, estimator: Estimator, candidates: readonly ParamMap[]): void {
  if (!Array.isArray(candidates) || candidates.length === 0) {
    throw new ShardbookError('argument', `${caller}: expected candidates, got an empty grid.`, {
      hint: 'new ml.ParamGridBuilder().addGrid(estimator, name, values).build() makes them.',
    })
  }
  for (const own of candidates) withParams(caller, estimator, own)
}

/** Of candidates that were tried with more and more, the trials with the most. */
function lastRounds(results: readonly TrialResult[]): TrialResult[] {
  const most = new Map<number, number>()
  for (const { trial } of results) {
    most.set(trial.candidate, Math.max(most.get(trial.candidate) ?? 0, trial.resource ?? 0))
  }
  const last = results.filter(({ trial }) => (trial.resource ?? 0) === most.get(trial.candidate))
  const reach = Math.max(...most.values())
  return last.filter(({ trial }) => (trial.resource ?? 0) === reach)
}

function checkScores(caller: string, scores: readonly CandidateScore[]): void {
  if (scores.some(({ mean }) => !Number.isNaN(mean))) return
  throw new ShardbookError('data', `${caller}.fit: expected scores to choose by, got none that is a number.`)
}
