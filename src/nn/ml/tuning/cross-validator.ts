/** `CrossValidator`: every candidate on every fold. */
import { checkInteger } from '../../../core/check.js'
import type { AnyFrame } from '../../../frame/index.js'
import type { Estimator } from '../stage.js'
import { foldsOf } from './folds.js'
import type { ParamMap } from './params.js'
import { checkCandidates, searchAll, Tuner } from './tuner.js'
import type { TunerOptions, TunerPlan } from './tuner.js'

export interface CrossValidatorOptions<E extends Estimator = Estimator> extends TunerOptions<E> {
  /** Candidates, as `ParamGridBuilder` makes them. Default: the estimator as it is. */
  readonly estimatorParamMaps?: readonly ParamMap[]
  /** Default 3. */
  readonly numFolds?: number
  /** Column that says in which fold a row is held out: 0, ..., numFolds - 1. Default: parts of equal size, at random. */
  readonly foldCol?: string
}

/**
 * Scores candidates by cross-validation and fits the best on all rows: each fold is held out once and never trained on.
 *
 * @throws ShardbookError `argument` for fewer than two folds, an empty grid and parameters that the estimator has not.
 * @example
 * ```ts
 * const estimatorParamMaps = new ml.ParamGridBuilder().addGrid(cnn, 'stepSize', [0.001, 0.004]).build()
 * const tuned = await new ml.CrossValidator({ estimator: cnn, estimatorParamMaps, evaluator, numFolds: 5 }).fit(train)
 * ```
 */
export class CrossValidator<E extends Estimator = Estimator> extends Tuner<CrossValidatorOptions<E>> {
  readonly kind = 'CrossValidator'

  constructor(options: CrossValidatorOptions<E>) {
    super('CrossValidator', options)
    checkInteger('CrossValidator', 'numFolds', options.numFolds ?? 3, 2)
    checkCandidates('CrossValidator', options.estimator, options.estimatorParamMaps ?? [[]])
  }

  copy(changes: Partial<CrossValidatorOptions<E>>): CrossValidator<E> {
    return new CrossValidator({ ...this.options, ...changes })
  }

  protected plan(frame: AnyFrame): TunerPlan {
    const { estimatorParamMaps = [[]], numFolds = 3, foldCol, seed = 0, stratify } = this.options
    const options = { numFolds, foldCol, seed, stratify }
    return {
      candidates: estimatorParamMaps,
      identity: options,
      folds: async () => foldsOf('CrossValidator.fit', frame, options),
      search: searchAll,
    }
  }
}
