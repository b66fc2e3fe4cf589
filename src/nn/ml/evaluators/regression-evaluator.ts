/** `RegressionEvaluator`: how far predicted numbers are from the true ones. */
import { checkOneOf } from '../../../core/check.js'
import { col } from '../../../frame/index.js'
import type { Frame, Schema } from '../../../frame/index.js'
import { inputColumn, isNumber } from '../column-stage.js'
import type { Col } from '../stage-types.js'
import type { Tally } from './bootstrap.js'
import {
  aggregated,
  asNumber,
  Evaluator,
  extended,
  projected,
  refuseNulls,
  weightExpr,
  talliedRows,
} from './evaluator.js'

export const regressionMetrics = ['rmse', 'mse', 'r2', 'mae', 'var'] as const
export type RegressionMetric = (typeof regressionMetrics)[number]

export interface RegressionEvaluatorOptions<Label extends string = string, Prediction extends string = string> {
  /** Default `'label'`. */
  readonly labelCol?: Label
  /** Default `'prediction'`. */
  readonly predictionCol?: Prediction
  /** Column of each row's weight. */
  readonly weightCol?: string
  /** Default `'rmse'`. `var` is the explained variance: mean squared distance of predictions from the mean label. */
  readonly metricName?: RegressionMetric
  /** Whether `r2` compares with zero rather than with the mean label. Default false. */
  readonly throughOrigin?: boolean
}

const caller = 'RegressionEvaluator'

/**
 * Measures predicted numbers against true ones.
 *
 * Reference: pyspark.ml.evaluation.RegressionEvaluator.
 *
 * @throws ShardbookError `argument` for an unknown metric.
 * @example
 * ```ts
 * const rmse = await new ml.RegressionEvaluator({ metricName: 'rmse' }).evaluate(model.transform(test))
 * ```
 */
export class RegressionEvaluator<
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Evaluator<Col<Label | Prediction, number>> {
  readonly kind = caller
  readonly options: RegressionEvaluatorOptions<Label, Prediction>

  constructor(options: RegressionEvaluatorOptions<Label, Prediction> = {}) {
    super()
    checkOneOf(caller, 'metricName', options.metricName ?? 'rmse', regressionMetrics)
    this.options = Object.freeze({ ...options })
  }

  get isLargerBetter(): boolean {
    const { metricName } = this.options
    return metricName === 'r2' || metricName === 'var'
  }

  protected check(where: string, schema: Schema): void {
    const { labelCol = 'label', predictionCol = 'prediction' } = this.options
    for (const name of [labelCol, predictionCol]) inputColumn(where, schema, name, 'numbers', isNumber)
  }

  protected override tally(frame: Frame, weightCol: string | undefined, samples: number) {
    const { labelCol = 'label', predictionCol = 'prediction' } = this.options
    const [label, prediction] = [labelCol, predictionCol].map((name) => asNumber(col(name).node))
    const rows = talliedRows(caller, frame, { label: label!, prediction: prediction!, weight: weightExpr(weightCol) })
    return { rows, tally: regressionTally(samples, this.options) }
  }

  protected async measure(frame: Frame, weightCol: string | undefined): Promise<number> {
    const {
      labelCol = 'label',
      predictionCol = 'prediction',
      metricName = 'rmse',
      throughOrigin = false,
    } = this.options
    const rows = projected(caller, frame, {
      y: asNumber(col(labelCol).node),
      p: asNumber(col(predictionCol).node),
      w: weightExpr(weightCol),
    })
    const [y, p, w] = [col('y'), col('p'), col('w')]
    const first = await aggregated(caller, rows, {
      weight: w.sum(),
      labels: y.mul(w).sum(),
      values: y.count(),
      predictions: p.count(),
      rows: col.count(),
    })
    refuseNulls(caller, first.rows - Math.min(first.values, first.predictions))
    const mean = first.labels / first.weight
    const apart = extended(caller, rows, {
      e: y.sub(p).node,
      d: y.sub(throughOrigin ? 0 : mean).node,
      v: p.sub(mean).node,
    })
    const [e, d, v] = [col('e'), col('d'), col('v')]
    const sums = await aggregated(caller, apart, {
      squares: e.mul(e).mul(w).sum(),
      sizes: e.abs().mul(w).sum(),
      total: d.mul(d).mul(w).sum(),
      explained: v.mul(v).mul(w).sum(),
    })
    switch (metricName) {
      case 'mse':
        return sums.squares / first.weight
      case 'rmse':
        return Math.sqrt(sums.squares / first.weight)
      case 'mae':
        return sums.sizes / first.weight
      case 'r2':
        return 1 - sums.squares / sums.total
      case 'var':
        return sums.explained / first.weight
      default:
        return metricName satisfies never
    }
  }
}

/** Moments about the first label, so that nothing is lost where values are far from zero. */
function regressionTally(
  samples: number,
  { metricName = 'rmse', throughOrigin = false }: RegressionEvaluatorOptions,
): Tally {
  const zeros = (): Float64Array => new Float64Array(samples)
  const [total, squares, sizes] = [zeros(), zeros(), zeros()]
  const [labels, labelSquares] = [zeros(), zeros()]
  const [predictions, predictionSquares] = [zeros(), zeros()]
  let centre: number | undefined = throughOrigin ? 0 : undefined
  return {
    add({ label, prediction }, weights) {
      centre ??= label!
      const [e, y, p] = [label! - prediction!, label! - centre, prediction! - centre]
      for (let s = 0; s < samples; s++) {
        const w = weights[s]!
        total[s]! += w
        squares[s]! += w * e * e
        sizes[s]! += w * Math.abs(e)
        labels[s]! += w * y
        labelSquares[s]! += w * y * y
        predictions[s]! += w * p
        predictionSquares[s]! += w * p * p
      }
    },
    metrics: () =>
      total.map((w, s) => {
        const mean = labels[s]! / w
        switch (metricName) {
          case 'mse':
            return squares[s]! / w
          case 'rmse':
            return Math.sqrt(squares[s]! / w)
          case 'mae':
            return sizes[s]! / w
          case 'r2':
            return 1 - squares[s]! / (labelSquares[s]! - (throughOrigin ? 0 : w * mean * mean))
          case 'var':
            return (predictionSquares[s]! - 2 * mean * predictions[s]!) / w + mean * mean
          default:
            return metricName satisfies never
        }
      }),
  }
}
