/** `LinearRegression`: numbers from vectors by a linear model. */
import type { AnyFrame, Column, Plan } from '../../../frame/index.js'
import type { RowFunction, SparseRows, TensorRows } from '../../../frame/row-function.js'
import { dot } from '../features/kernels/vectors.js'
import { savedArray } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { fitLinear } from './linear-fit.js'
import { checkLinear, linearDefaults } from './linear-options.js'
import type { LinearModelOptions } from './linear-options.js'
import { predicted, Predictor, RegressorModel, unfitted } from './predictor.js'
import type { PredictorOptions } from './predictor.js'

export interface LinearRegressionOptions<
  Features extends string = string,
  Label extends string = string,
  Prediction extends string = string,
>
  extends PredictorOptions<Features, Label, Prediction>, LinearModelOptions {}

const kind = 'LinearRegression'

/**
 * Minimises `1/2n sum (y - w x - b)^2` with an elastic-net penalty, by L-BFGS (OWL-QN with L1). All rows are read into memory.
 *
 * Reference: scikit-learn's `LinearRegression`, `Ridge(alpha = rows regParam)` and `ElasticNet(alpha = regParam)` with
 * `standardization: false`; pyspark.ml.regression.LinearRegression, which divides `regParam` by the labels' deviation.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.LinearRegression({ regParam: 0.1 }).fit(train)
 * model.coefficients
 * ```
 */
export class LinearRegression<
  Features extends string = 'features',
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Predictor<Features, Label, Col<Prediction, number>, LinearRegressionModel<Features, Prediction>> {
  readonly kind = kind
  readonly options: LinearRegressionOptions<Features, Label, Prediction>

  constructor(options: LinearRegressionOptions<Features, Label, Prediction> = {}) {
    super()
    checkLinear(kind, options)
    this.options = Object.freeze({ ...options })
  }

  protected addColumns(caller: string, input: Plan, features: Column): Plan {
    return predicted(caller, input, features, this.options, unfitted)
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<LinearRegressionModel<Features, Prediction>> {
    const samples = await this.samples(caller, frame)
    const { labels, weights } = samples
    const total = weights?.reduce((a, b) => a + b, 0) ?? labels.length
    const mean = labels.reduce((sum, label, row) => sum + label * (weights?.[row] ?? 1), 0) / total
    const fit = fitLinear(samples, labels, weights, 1, squared, {
      ...linearDefaults(this.options),
      startIntercepts: Float64Array.of(mean),
    })
    return new LinearRegressionModel(this.options, { coefficients: fit.coefficients, intercept: fit.intercepts[0]! })
  }
}

/** What `LinearRegression` fits. */
export class LinearRegressionModel<
  Features extends string = string,
  Prediction extends string = string,
> extends RegressorModel<Features, Prediction> {
  readonly kind = 'LinearRegressionModel'
  readonly options: LinearRegressionOptions
  readonly coefficients: Float64Array
  readonly intercept: number
  readonly numFeatures: number
  protected readonly scorer

  constructor(
    options: LinearRegressionOptions,
    fit: { readonly coefficients: Float64Array; readonly intercept: number },
  ) {
    super()
    this.options = options
    this.coefficients = fit.coefficients
    this.intercept = fit.intercept
    this.numFeatures = fit.coefficients.length
    this.scorer = { fn: linearNumber, payload: fit }
  }

  static load(saved: LoadedStage): LinearRegressionModel {
    const { intercept, ...options } = saved.params as unknown as LinearRegressionOptions & { intercept: number }
    return new LinearRegressionModel(options, { coefficients: savedArray(saved, 'coefficients', 'float64'), intercept })
  }

  protected override params() {
    return { ...this.options, intercept: this.intercept }
  }

  protected override learnt() {
    const { coefficients } = this
    return { coefficients: { dtype: 'float64', shape: [coefficients.length], values: coefficients } } as const
  }
}

const linearNumber = {
  kind: 'linearNumber',
  make: ({ coefficients, intercept }: { coefficients: Float64Array; intercept: number }): RowFunction => {
    return ([input], rows) => {
      const vectors = input as TensorRows | SparseRows
      const values = new Float64Array(rows)
      for (let row = 0; row < rows; row++) values[row] = dot(vectors, row, coefficients, 0) + intercept
      return { kind: 'numbers', values, valid: vectors.valid }
    }
  },
}

function squared(z: Float64Array, label: number): number {
  const error = z[0]! - label
  z[0] = error
  return 0.5 * error * error
}
