/** `SuccessiveHalving`: many candidates with little, the better ones with more. */
import { checkInteger } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { AnyFrame, Frame } from '../../../frame/index.js'
import type { Estimator } from '../stage.js'
import { partsOf } from './folds.js'
import type { Fold } from './folds.js'
import { checkParam } from './params.js'
import type { ParamSpace } from './param-grid-builder.js'
import type { ParamMap, Tunable } from './params.js'
import { candidatesOf, checkRatio } from './train-validation-split.js'
import { checkCandidates, Tuner } from './tuner.js'
import type { TunerOptions, TunerPlan } from './tuner.js'
import { scoresOf } from './trial.js'
import type { TrialResult } from './trial.js'
import type { Search } from './tuning.js'

export interface SuccessiveHalvingOptions<E extends Estimator = Estimator> extends TunerOptions<E> {
  /** Candidates, as `ParamGridBuilder` makes them; or a `space`. */
  readonly estimatorParamMaps?: readonly ParamMap[]
  /** Ranges that candidates are drawn from. */
  readonly space?: ParamSpace
  /** Number of candidates from a space. Default 10. */
  readonly numCandidates?: number
  /** What candidates get more of from round to round: training rows (the default), or an option such as `maxIter` of a stage. */
  readonly resource?: 'rows' | { readonly stage: Tunable; readonly param: string }
  /** How much they get in the last round. Default: all training rows; of an option it has to be said. */
  readonly maxResource?: number
  /** One in `factor` candidates goes on, with `factor` times as much. Default 3. */
  readonly factor?: number
  /** Folds, as `CrossValidator` has them. Default: one part held out. */
  readonly numFolds?: number
  /** Share of the rows to train on, without folds. Default 0.75. */
  readonly trainRatio?: number
}

/**
 * Tries all candidates with few rows or epochs, the best third of them with three times as much, and so on until the last ones
 * had all of it (Jamieson and Talwalkar, 2016); fits the best on all rows.
 *
 * @throws ShardbookError `argument` for no candidates, and options out of range.
 * @example
 * ```ts
 * const halving = new ml.SuccessiveHalving({ estimator: cnn, space, numCandidates: 27, evaluator })
 * const tuned = await halving.fit(train, { on: workers })
 * ```
 */
export class SuccessiveHalving<E extends Estimator = Estimator> extends Tuner<SuccessiveHalvingOptions<E>> {
  readonly kind = 'SuccessiveHalving'

  constructor(options: SuccessiveHalvingOptions<E>) {
    super(kind, options)
    const { resource = 'rows', maxResource, factor = 3, numFolds = 2 } = options
    checkRatio(kind, options.trainRatio)
    checkInteger(kind, 'factor', factor, 2)
    checkInteger(kind, 'numFolds', numFolds, 2)
    if (maxResource !== undefined) checkInteger(kind, 'maxResource', maxResource, 1)
    if (resource !== 'rows') {
      checkParam(kind, resource.stage, resource.param, [])
      if (maxResource === undefined) {
        throw new ShardbookError(
          'argument',
          `${kind}: expected maxResource, the greatest '${resource.param}' of the last round.`,
        )
      }
    }
    checkCandidates(kind, options.estimator, this.#candidates())
  }

  copy(changes: Partial<SuccessiveHalvingOptions<E>>): SuccessiveHalving<E> {
    return new SuccessiveHalving({ ...this.options, ...changes })
  }

  protected plan(frame: AnyFrame): TunerPlan {
    const { options } = this
    const { numFolds, trainRatio = 0.75, seed = 0, stratify, resource = 'rows', maxResource, factor = 3 } = options
    const parts = { numFolds, trainRatio, seed, stratify }
    const larger = options.evaluator.isLargerBetter
    return {
      candidates: this.#candidates(),
      identity: { ...parts, resource: resource === 'rows' ? resource : resource.param },
      folds: async () => partsOf(`${kind}.fit`, frame, parts),
      shrink: (params, rows, amount) => shrink(params, rows, resource, amount, seed),
      search: async (search) => {
        const most = maxResource ?? (await search.folds[0]!.train.count())
        return halve(search, roundsOf(search.params.length, most, factor), larger)
      },
    }
  }

  #candidates(): readonly ParamMap[] {
    const { estimatorParamMaps, space } = this.options
    if (estimatorParamMaps !== undefined && space !== undefined) {
      throw new ShardbookError('argument', `${kind}: expected one of estimatorParamMaps and space, got both.`)
    }
    return estimatorParamMaps ?? candidatesOf(kind, { ...this.options, space: space! })
  }
}

const kind = 'SuccessiveHalving'

/** How many candidates a round has, and how much each of them gets. */
export interface Round {
  readonly candidates: number
  readonly resource: number
}

/** Rounds that end with one candidate or few, and with the most that there is. */
export function roundsOf(candidates: number, most: number, factor: number): Round[] {
  // Whole numbers: a logarithm of 27 by 3 may fall short of 3.
  let count = 1
  while (factor ** count <= candidates && factor ** count <= most) count++
  return Array.from({ length: count }, (_, round) => ({
    candidates: Math.ceil(candidates / factor ** round),
    resource: Math.max(1, Math.floor(most / factor ** (count - 1 - round))),
  }))
}

async function halve(
  { folds, params, run, expect, drop }: Search,
  rounds: readonly Round[],
  largerIsBetter: boolean,
): Promise<readonly TrialResult[]> {
  expect(rounds.reduce((sum, { candidates }) => sum + candidates * folds.length, 0))
  const all: TrialResult[] = []
  let left = params.map((_, candidate) => candidate)
  for (const [i, { resource }] of rounds.entries()) {
    const trials = left.flatMap((candidate) =>
      folds.map((_, fold) => ({ candidate, params: params[candidate]!, fold, resource })),
    )
    const results = await run(trials)
    all.push(...results)
    const next = rounds[i + 1]
    if (next === undefined) break
    const value = (mean: number): number => (Number.isNaN(mean) ? -Infinity : largerIsBetter ? mean : -mean)
    const ranked = scoresOf(results).toSorted((a, b) => value(b.mean) - value(a.mean) || a.candidate - b.candidate)
    drop(ranked.slice(next.candidates).map(({ candidate }) => candidate))
    left = ranked.slice(0, next.candidates).map(({ candidate }) => candidate)
  }
  return all
}

/** A candidate with less of an option, or fewer rows for it. */
function shrink(
  params: ParamMap,
  rows: Fold,
  resource: NonNullable<SuccessiveHalvingOptions['resource']>,
  amount: number,
  seed: number,
): { params: ParamMap; rows: Fold } {
  if (resource !== 'rows') return { params: [...params, { ...resource, value: amount }], rows }
  const train = (rows.train as Frame).sample({ rows: amount, seed }) as unknown as AnyFrame
  return { params, rows: { ...rows, train } }
}
