/** `LogisticRegression`: classes from vectors by a linear model. */
import { checkNumber, checkOneOf } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { checkClassWeights } from '../../train/class-weights.js'
import type { AnyFrame, Column, Plan } from '../../../frame/index.js'
import type { RowFunction, SparseRows, TensorRows } from '../../../frame/row-function.js'
import { dot } from '../features/kernels/vectors.js'
import { savedArray } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import { fitLinear } from './linear-fit.js'
import type { RowLoss } from './linear-fit.js'
import { checkLinear, linearDefaults } from './linear-options.js'
import type { LinearModelOptions } from './linear-options.js'
import { classesOf, classified, ClassifierModel, Predictor, unfittedClasses } from './predictor.js'
import type { Classified, ClassifierOptions, Link } from './predictor.js'

export interface LogisticRegressionOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends ClassifierOptions<Features, Label, Prediction>, LinearModelOptions {
  /** Of two classes: from which probability on the second is predicted. Default 0.5. */
  readonly threshold?: number
  /** Default `'auto'`: binomial for two classes. */
  readonly family?: 'auto' | 'binomial' | 'multinomial'
}

const kind = 'LogisticRegression'

/**
 * Fits `p(class | x)`: the logistic function of a linear one for two classes, the softmax of one each for more, with an
 * elastic-net penalty, by L-BFGS (OWL-QN with L1). All rows are read into memory.
 *
 * Reference: pyspark.ml.classification.LogisticRegression; coefficients as scikit-learn's with `C = 1 / (rows regParam)` and
 * `standardization: false`.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.LogisticRegression({ regParam: 0.01 }).fit(train)
 * const predictions = model.transform(test) // adds rawPrediction, probability, prediction
 * ```
 */
export class LogisticRegression<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<Features, Label, Classified<Prediction>, LogisticRegressionModel<Features, Prediction>> {
  readonly kind = kind
  readonly options: LogisticRegressionOptions<Features, Label, Prediction>

  constructor(options: LogisticRegressionOptions<Features, Label, Prediction> = {}) {
    super()
    checkLinear(kind, options)
    checkNumber(kind, 'threshold', options.threshold ?? 0.5, 0, 1)
    checkClassWeights(kind, options.classWeights)
    checkOneOf(kind, 'family', options.family ?? 'auto', ['auto', 'binomial', 'multinomial'])
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return classified(caller, input, features, this.options, unfittedClasses('softmax'))
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<LogisticRegressionModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    const { labels, weights } = samples
    const classes = classesOf(caller, labels)
    const { family = 'auto' } = this.options
    if (family === 'binomial' && classes > 2) {
      throw new ShardbookError('data', `${caller}: expected two classes for the family binomial, got ${classes}.`)
    }
    const binary = classes === 2 && family !== 'multinomial'
    const outputs = binary ? 1 : classes
    const options = linearDefaults(this.options)
    const fit = fitLinear(samples, labels, weights, outputs, binary ? logistic : softmax, {
      ...options,
      startIntercepts: startOf(labels, weights, classes, binary),
    })
    if (!binary) centre(fit.coefficients, fit.intercepts, classes, options.regParam === 0)
    return new LogisticRegressionModel(this.options, { ...fit, numClasses: classes })
  }
}

/** What `LogisticRegression` fits. */
export class LogisticRegressionModel<
  Features extends string = string,
  Prediction extends string = string,
> extends ClassifierModel<Features, Prediction> {
  readonly kind = 'LogisticRegressionModel'
  readonly options: LogisticRegressionOptions
  /** `[outputs, features]`, row-major; one output for two classes. */
  readonly coefficients: Float64Array
  readonly intercepts: Float64Array
  readonly numClasses: number
  readonly numFeatures: number
  /** The loss before the first iteration and after each. */
  readonly objectiveHistory: readonly number[]
  protected readonly scorer
  protected override readonly link: Link
  protected override readonly threshold: number | undefined

  constructor(
    options: LogisticRegressionOptions,
    fit: {
      readonly coefficients: Float64Array
      readonly intercepts: Float64Array
      readonly numClasses: number
      readonly history?: readonly number[]
    },
  ) {
    super()
    this.options = options
    this.coefficients = fit.coefficients
    this.intercepts = fit.intercepts
    this.numClasses = fit.numClasses
    this.numFeatures = fit.coefficients.length / fit.intercepts.length
    this.objectiveHistory = fit.history ?? []
    this.scorer = { fn: linearScores, payload: { coefficients: fit.coefficients, intercepts: fit.intercepts } }
    this.link = fit.intercepts.length === 1 ? 'logistic' : 'softmax'
    this.threshold = fit.numClasses === 2 ? (options.threshold ?? 0.5) : undefined
  }

  static load(saved: LoadedStage): LogisticRegressionModel {
    const { numClasses, ...options } = saved.params as unknown as LogisticRegressionOptions & { numClasses: number }
    return new LogisticRegressionModel(options, {
      coefficients: savedArray(saved, 'coefficients', 'float64'),
      intercepts: savedArray(saved, 'intercepts', 'float64'),
      numClasses,
    })
  }

  protected override params() {
    return { ...this.options, numClasses: this.numClasses }
  }

  protected override learnt() {
    const { coefficients, intercepts, numFeatures } = this
    return {
      coefficients: { dtype: 'float64', shape: [intercepts.length, numFeatures], values: coefficients },
      intercepts: { dtype: 'float64', shape: [intercepts.length], values: intercepts },
    } as const
  }
}

/** Scores of each class: `-m, m` where there is one output. */
export const linearScores = {
  kind: 'linearScores',
  make: ({ coefficients, intercepts }: { coefficients: Float64Array; intercepts: Float64Array }): RowFunction => {
    const outputs = intercepts.length
    const width = coefficients.length / outputs
    const classes = Math.max(2, outputs)
    return ([input], rows) => {
      const vectors = input as TensorRows | SparseRows
      const values = new Float64Array(rows * classes)
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < outputs; k++) {
          const score = dot(vectors, row, coefficients, k * width) + intercepts[k]!
          if (outputs > 1) values[row * classes + k] = score
          else {
            values[row * 2] = -score
            values[row * 2 + 1] = score
          }
        }
      }
      return { kind: 'tensors', width: classes, values, valid: vectors.valid }
    }
  },
}

const logistic: RowLoss = (z, label) => {
  const margin = z[0]!
  // log(1 + exp(-|m|)) does not overflow.
  const value = Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(margin, 0) - label * margin
  z[0] = 1 / (1 + Math.exp(-margin)) - label
  return value
}

const softmax: RowLoss = (z, label) => {
  let most = -Infinity
  for (const score of z) most = Math.max(most, score)
  const own = z[label]!
  let sum = 0
  for (let k = 0; k < z.length; k++) sum += z[k] = Math.exp(z[k]! - most)
  for (let k = 0; k < z.length; k++) z[k]! /= sum
  z[label]! -= 1
  return Math.log(sum) + most - own
}

/** Intercepts that alone give the shares of the classes. */
function startOf(
  labels: Float64Array,
  weights: Float64Array | undefined,
  classes: number,
  binary: boolean,
): Float64Array {
  const shares = new Float64Array(classes)
  labels.forEach((label, row) => (shares[label]! += weights?.[row] ?? 1))
  const logs = shares.map((share) => Math.log(Math.max(share, 1e-9)))
  if (binary) return Float64Array.of(logs[1]! - logs[0]!)
  const mean = logs.reduce((a, b) => a + b, 0) / classes
  return logs.map((log) => log - mean)
}

/** Softmax scores are the same with a constant added to all classes: the one with mean zero is told. */
function centre(coefficients: Float64Array, intercepts: Float64Array, classes: number, all: boolean): void {
  const mean = intercepts.reduce((a, b) => a + b, 0) / classes
  for (let k = 0; k < classes; k++) intercepts[k]! -= mean
  if (!all) return
  const width = coefficients.length / classes
  for (let j = 0; j < width; j++) {
    let sum = 0
    for (let k = 0; k < classes; k++) sum += coefficients[k * width + j]!
    for (let k = 0; k < classes; k++) coefficients[k * width + j]! -= sum / classes
  }
}
