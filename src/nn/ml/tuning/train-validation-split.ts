/** `TrainValidationSplit` and `RandomSearch`: every candidate once, or on folds; candidates from a grid or at random. */
import { checkInteger, checkNumber, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { AnyFrame } from '../../../frame/index.js'
import type { Estimator } from '../stage.js'
import { partsOf, splitOf } from './folds.js'
import { ParamSpace } from './param-grid-builder.js'
import type { ParamMap } from './params.js'
import { checkCandidates, searchAll, Tuner } from './tuner.js'
import type { TunerOptions, TunerPlan } from './tuner.js'

export interface TrainValidationSplitOptions<E extends Estimator = Estimator> extends TunerOptions<E> {
  /** Candidates, as `ParamGridBuilder` makes them. Default: the estimator as it is. */
  readonly estimatorParamMaps?: readonly ParamMap[]
  /** Share of the rows to train on. Default 0.75. */
  readonly trainRatio?: number
}

/**
 * Scores candidates on one part of the rows, held out, and fits the best on all: as `CrossValidator`, for less work and with
 * more chance in it.
 *
 * @throws ShardbookError `argument` for a ratio outside (0, 1), an empty grid and parameters that the estimator has not.
 * @example
 * ```ts
 * const tuned = await new ml.TrainValidationSplit({ estimator: cnn, estimatorParamMaps, evaluator }).fit(train)
 * ```
 */
export class TrainValidationSplit<E extends Estimator = Estimator> extends Tuner<TrainValidationSplitOptions<E>> {
  readonly kind = 'TrainValidationSplit'

  constructor(options: TrainValidationSplitOptions<E>) {
    super('TrainValidationSplit', options)
    checkRatio('TrainValidationSplit', options.trainRatio)
    checkCandidates('TrainValidationSplit', options.estimator, options.estimatorParamMaps ?? [[]])
  }

  copy(changes: Partial<TrainValidationSplitOptions<E>>): TrainValidationSplit<E> {
    return new TrainValidationSplit({ ...this.options, ...changes })
  }

  protected plan(frame: AnyFrame): TunerPlan {
    const { estimatorParamMaps = [[]], trainRatio = 0.75, seed = 0, stratify } = this.options
    const options = { trainRatio, seed, stratify }
    return {
      candidates: estimatorParamMaps,
      identity: options,
      folds: async () => [splitOf(frame, options)],
      search: searchAll,
    }
  }
}

export interface RandomSearchOptions<E extends Estimator = Estimator> extends TunerOptions<E> {
  /** Ranges that candidates are drawn from. */
  readonly space: ParamSpace
  /** Number of candidates. Default 10. */
  readonly numCandidates?: number
  /** Folds, as `CrossValidator` has them. Default: one part held out. */
  readonly numFolds?: number
  /** Share of the rows to train on, without folds. Default 0.75. */
  readonly trainRatio?: number
}

/**
 * Scores candidates drawn at random from ranges (Bergstra and Bengio, 2012) and fits the best on all rows.
 *
 * @throws ShardbookError `argument` for an empty space and options out of range.
 * @example
 * ```ts
 * const space = new ml.ParamSpace().addLogUniform(cnn, 'stepSize', 1e-4, 1e-1)
 * const tuned = await new ml.RandomSearch({ estimator: cnn, space, numCandidates: 12, evaluator }).fit(train)
 * ```
 */
export class RandomSearch<E extends Estimator = Estimator> extends Tuner<RandomSearchOptions<E>> {
  readonly kind = 'RandomSearch'

  constructor(options: RandomSearchOptions<E>) {
    super('RandomSearch', options)
    checkRatio('RandomSearch', options.trainRatio)
    checkInteger('RandomSearch', 'numFolds', options.numFolds ?? 2, 2)
    checkCandidates('RandomSearch', options.estimator, candidatesOf('RandomSearch', options))
  }

  copy(changes: Partial<RandomSearchOptions<E>>): RandomSearch<E> {
    return new RandomSearch({ ...this.options, ...changes })
  }

  protected plan(frame: AnyFrame): TunerPlan {
    const { numFolds, trainRatio = 0.75, seed = 0, stratify } = this.options
    const options = { numFolds, trainRatio, seed, stratify }
    return {
      candidates: candidatesOf('RandomSearch', this.options),
      identity: options,
      folds: async () => partsOf('RandomSearch.fit', frame, options),
      search: searchAll,
    }
  }
}

/** Candidates from ranges. @throws ShardbookError `argument` where there are none to draw from */
export function candidatesOf(
  caller: string,
  options: { readonly space: ParamSpace; readonly numCandidates?: number; readonly seed?: number },
): readonly ParamMap[] {
  const { space, numCandidates = 10, seed = 0 } = options
  if (!(space instanceof ParamSpace)) {
    throw new ShardbookError('argument', `${caller}: expected a space to draw from, got ${show(space)}.`, {
      hint: "new ml.ParamSpace().addLogUniform(estimator, 'stepSize', 1e-4, 1e-1) makes one.",
    })
  }
  checkInteger(caller, 'numCandidates', numCandidates, 1)
  return space.sample(numCandidates, { seed })
}

/** @throws ShardbookError `argument` for a ratio outside (0, 1) */
export function checkRatio(caller: string, trainRatio = 0.75): void {
  checkNumber(caller, 'trainRatio', trainRatio, 2 ** -20, 1 - 2 ** -20)
}
