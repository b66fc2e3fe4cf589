/** `LinearSVC`: two classes apart by the widest margin. */
import { checkNumber } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { checkClassWeights } from '../../train/class-weights.js'
import type { AnyFrame, Column, Plan, Tensor } from '../../../frame/index.js'
import { savedArray } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { fitLinear } from './linear-fit.js'
import { checkLinear, linearDefaults } from './linear-options.js'
import type { LinearModelOptions } from './linear-options.js'
import { linearScores } from './logistic-regression.js'
import { classesOf, classified, ClassifierModel, Predictor, unfittedClasses } from './predictor.js'
import type { ClassifierOptions, Link } from './predictor.js'

export interface LinearSVCOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends
    Omit<ClassifierOptions<Features, Label, Prediction>, 'probabilityCol'>,
    Omit<LinearModelOptions, 'elasticNetParam'> {
  /** From which raw prediction on the second class is predicted. Default 0. */
  readonly threshold?: number
}

const kind = 'LinearSVC'

/**
 * Minimises the mean squared hinge `max(0, 1 - y (w x + b))^2` with an L2 penalty, `y` being -1 or 1, by L-BFGS. The square
 * makes the minimum unique, so that every solver finds the same. All rows are read into memory.
 *
 * Reference: scikit-learn's `LinearSVC` with `C = 1 / (rows regParam)` and `standardization: false`;
 * pyspark.ml.classification.LinearSVC, which has the hinge without the square.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.LinearSVC({ regParam: 0.1 }).fit(train)
 * const predictions = model.transform(test) // adds rawPrediction and prediction
 * ```
 */
export class LinearSVC<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<
  Features,
  Label,
  Col<Prediction, number> & { readonly rawPrediction: Tensor },
  LinearSVCModel<Features, Prediction>
> {
  readonly kind = kind
  readonly options: LinearSVCOptions<Features, Label, Prediction>

  constructor(options: LinearSVCOptions<Features, Label, Prediction> = {}) {
    super()
    checkLinear(kind, options)
    checkNumber(kind, 'threshold', options.threshold ?? 0)
    checkClassWeights(kind, options.classWeights)
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return classified(caller, input, features, this.options, unfittedClasses('none'))
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<LinearSVCModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    const classes = classesOf(caller, samples.labels)
    if (classes > 2) throw new ShardbookError('data', `${caller}: expected two classes, got ${classes}.`)
    const fit = fitLinear(samples, samples.labels, samples.weights, 1, squaredHinge, linearDefaults(this.options))
    return new LinearSVCModel(this.options, { coefficients: fit.coefficients, intercept: fit.intercepts[0]! })
  }
}

/** What `LinearSVC` fits. */
export class LinearSVCModel<
  Features extends string = string,
  Prediction extends string = string,
> extends ClassifierModel<Features, Prediction> {
  readonly kind = 'LinearSVCModel'
  readonly options: LinearSVCOptions
  readonly coefficients: Float64Array
  readonly intercept: number
  readonly numFeatures: number
  readonly numClasses = 2
  protected readonly scorer
  protected override readonly link: Link = 'none'
  protected override readonly threshold: number

  constructor(options: LinearSVCOptions, fit: { readonly coefficients: Float64Array; readonly intercept: number }) {
    super()
    this.options = options
    this.coefficients = fit.coefficients
    this.intercept = fit.intercept
    this.numFeatures = fit.coefficients.length
    const { coefficients } = fit
    this.scorer = { fn: linearScores, payload: { coefficients, intercepts: Float64Array.of(fit.intercept) } }
    this.threshold = options.threshold ?? 0
  }

  static load(saved: LoadedStage): LinearSVCModel {
    const { intercept, ...options } = saved.params as unknown as LinearSVCOptions & { intercept: number }
    return new LinearSVCModel(options, { coefficients: savedArray(saved, 'coefficients', 'float64'), intercept })
  }

  protected override params() {
    return { ...this.options, intercept: this.intercept }
  }

  protected override learnt() {
    const { coefficients } = this
    return { coefficients: { dtype: 'float64', shape: [coefficients.length], values: coefficients } } as const
  }
}

function squaredHinge(z: Float64Array, label: number): number {
  const y = 2 * label - 1
  const short = Math.max(0, 1 - y * z[0]!)
  z[0] = -2 * y * short
  return short * short
}
