/**
 * `BinaryClassificationEvaluator`: how well scores rank positives before negatives. Areas are exact: the engine sorts the
 * distinct scores and adds up what lies under the curve through all of them.
 */
import { checkInteger, checkOneOf } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { col, lit, when } from '../../../frame/index.js'
import type { AnyFrame, Frame, Schema } from '../../../frame/index.js'
import type { ExprNode } from '../../../frame/expr/node.js'
import { findColumn } from '../../../frame/index.js'
import type { RowFunction, TensorRows } from '../../../frame/row-function.js'
import { describeType } from '../../../frame/schema-spec.js'
import { computed, isNumber } from '../column-stage.js'
import { checkNumberColumn } from '../columns.js'
import type { Col, Takes } from '../stage-types.js'
import { vectorSize } from '../vectors.js'
import { areaTally, oneClass } from './area-tally.js'
import { aggregated, asNumber, Evaluator, projected, refuseNulls, talliedRows, weightExpr } from './evaluator.js'

export const binaryMetrics = ['areaUnderROC', 'areaUnderPR'] as const
export type BinaryMetric = (typeof binaryMetrics)[number]

export interface BinaryClassificationEvaluatorOptions<Label extends string = string> {
  /** Column of 0 and 1. Default `'label'`. */
  readonly labelCol?: Label
  /**
   * Column of scores: a number, or a vector of which the last of two components counts. Default `'rawPrediction'`. Where a
   * frame has no such column, that of probabilities is taken, then that of predictions.
   */
  readonly rawPredictionCol?: string
  /** Default `'probability'`. */
  readonly probabilityCol?: string
  /** Default `'prediction'`. */
  readonly predictionCol?: string
  /** Column of each row's weight. */
  readonly weightCol?: string
  /** Default `'areaUnderROC'`. */
  readonly metricName?: BinaryMetric
}

/** Rows whose probability lies in a range. */
export interface ReliabilityBin {
  readonly lower: number
  readonly upper: number
  readonly rows: number
  /** Mean of the probabilities. */
  readonly predicted: number
  /** Share of positives. */
  readonly observed: number
}

export interface Calibration {
  readonly bins: readonly ReliabilityBin[]
  /** Expected calibration error: mean distance of predicted from observed, weighted by rows. */
  readonly expectedError: number
  /** Greatest distance of predicted from observed. */
  readonly greatestError: number
  /** Mean squared distance of probabilities from labels. */
  readonly brierScore: number
}

const caller = 'BinaryClassificationEvaluator'

/**
 * Measures scores against labels of 0 and 1: the area under the ROC curve, or under precision by recall (by trapezoids from
 * the first threshold's precision on, as in Spark).
 *
 * Reference: pyspark.ml.evaluation.BinaryClassificationEvaluator with `numBins: 0`; scikit-learn's `roc_auc_score`.
 *
 * @throws ShardbookError `argument` for an unknown metric.
 * @example
 * ```ts
 * const evaluator = new ml.BinaryClassificationEvaluator({ metricName: 'areaUnderROC' })
 * const auc = await evaluator.evaluate(model.transform(test))
 * viz.roc(await evaluator.scores(model.transform(test)))
 * ```
 */
export class BinaryClassificationEvaluator<Label extends string = 'label'> extends Evaluator<
  Col<Label, number | boolean>
> {
  readonly kind = caller
  readonly options: BinaryClassificationEvaluatorOptions<Label>

  constructor(options: BinaryClassificationEvaluatorOptions<Label> = {}) {
    super()
    checkOneOf(caller, 'metricName', options.metricName ?? 'areaUnderROC', binaryMetrics)
    this.options = Object.freeze({ ...options })
  }

  get isLargerBetter(): boolean {
    return true
  }

  /**
   * Labels and scores of all rows, as `viz.roc`, `viz.precisionRecall` and `viz.calibration` take them.
   *
   * @param options.of scores as they are, or probabilities
   * @throws ShardbookError as `evaluate`.
   */
  async scores<S>(
    frame: Takes<S, Col<Label, number | boolean>>,
    options: { readonly of?: 'scores' | 'probabilities' } = {},
  ): Promise<{ readonly actual: Float64Array; readonly score: Float64Array }> {
    const rows = this.#rows(`${caller}.scores`, frame as AnyFrame as Frame, undefined, options.of === 'probabilities')
    const { label, score } = (await rows.select('label', 'score').toColumns()) as Record<string, ArrayLike<number>>
    return { actual: Float64Array.from(label!), score: Float64Array.from(score!) }
  }

  /**
   * How far probabilities are from the shares of positives, in bins of equal width.
   *
   * @throws ShardbookError `data` for probabilities outside of [0, 1].
   * @example
   * ```ts
   * const { bins, expectedError } = await evaluator.calibration(model.transform(test))
   * viz.calibration(await evaluator.scores(model.transform(test), { of: 'probabilities' }))
   * ```
   */
  async calibration<S>(
    frame: Takes<S, Col<Label, number | boolean>>,
    options: { readonly bins?: number } = {},
  ): Promise<Calibration> {
    const { bins = 10 } = options
    const where = `${caller}.calibration`
    checkInteger(where, 'bins', bins, 1, 1000)
    const rows = this.#rows(where, frame as AnyFrame as Frame, this.options.weightCol, true)
    const score = col('score')
    const binned = rows.withColumns({
      bin: when(score.ge(1))
        .then(bins - 1)
        .otherwise(score.mul(bins).floor()),
      weighted: score.mul(col('weight')),
      positive: col('label').mul(col('weight')),
      square: score
        .sub(col('label'))
        .mul(score.sub(col('label')))
        .mul(col('weight')),
    } as never) as Frame
    const groups = (await binned
      .groupBy('bin')
      .agg({
        rows: col('weight').sum(),
        sum: col('weighted').sum(),
        positives: col('positive').sum(),
        squares: col('square').sum(),
        least: col('score').min(),
        most: col('score').max(),
      } as never)
      .toRows()) as unknown as Record<'bin' | 'rows' | 'sum' | 'positives' | 'squares' | 'least' | 'most', number>[]
    const odd = groups.find(({ least, most }) => !(least >= 0 && most <= 1))
    if (odd !== undefined) {
      throw new ShardbookError('data', `${where}: expected probabilities in [0, 1], got ${odd.least}.`)
    }
    if (groups.length === 0)
      throw new ShardbookError('data', `${where}: expected rows to evaluate, got an empty frame.`)
    const total = groups.reduce((n, group) => n + group.rows, 0)
    const found = groups.map((group): ReliabilityBin => ({
      lower: group.bin / bins,
      upper: (group.bin + 1) / bins,
      rows: group.rows,
      predicted: group.sum / group.rows,
      observed: group.positives / group.rows,
    }))
    const errors = found.map(({ predicted, observed }) => Math.abs(predicted - observed))
    return {
      bins: found,
      expectedError: found.reduce((n, { rows: own }, i) => n + (own / total) * errors[i]!, 0),
      greatestError: Math.max(...errors),
      brierScore: groups.reduce((n, { squares }) => n + squares, 0) / total,
    }
  }

  protected check(where: string, schema: Schema): void {
    checkNumberColumn(where, schema, this.options.labelCol ?? 'label')
    scoreColumn(where, schema, this.options, false)
  }

  protected async measure(frame: Frame, weightCol: string | undefined): Promise<number> {
    const rows = this.#rows(caller, frame, weightCol, false)
    const sides = rows.withColumns({
      positive: col('label').mul(col('weight')),
      negative: lit(1).sub(col('label')).mul(col('weight')),
    } as never) as Frame
    const ofScores = sides
      .groupBy('score')
      .agg({ positive: col('positive').sum(), negative: col('negative').sum() } as never) as unknown as Frame
    const order = { orderBy: col('score').desc() }
    const steps = ofScores.withColumns({
      hits: col('positive').sum().over(order),
      alarms: col('negative').sum().over(order),
    } as never) as Frame
    const totals = await aggregated(caller, sides, {
      positives: col('positive').sum(),
      negatives: col('negative').sum(),
      nulls: when(col('score').isNull().or(col('label').isNull()))
        .then(1)
        .otherwise(0)
        .sum(),
      odd: when(col('label').isIn([0, 1]))
        .then(0)
        .otherwise(1)
        .sum(),
    })
    refuseNulls(caller, totals.nulls)
    if (totals.odd > 0) {
      throw new ShardbookError('data', `${caller}: expected labels of 0 and 1, got others in ${totals.odd} rows.`)
    }
    const { positives, negatives } = totals
    if (this.options.metricName === 'areaUnderPR') {
      if (positives === 0) throw oneClass('positive')
      return precisionArea(steps, positives)
    }
    if (positives === 0 || negatives === 0) throw oneClass(positives === 0 ? 'positive' : 'negative')
    // A step to the right by its negatives, at the mean height of its ends.
    const height = col('hits').sub(col('positive').div(2))
    const { area } = await aggregated(caller, steps, { area: col('negative').mul(height).sum() })
    return area / (positives * negatives)
  }

  protected override tally(frame: Frame, weightCol: string | undefined, samples: number) {
    const { labelCol = 'label', metricName = 'areaUnderROC' } = this.options
    const score = scoreColumn(caller, frame.schema, this.options, false)
    const label = asNumber(col(labelCol).node)
    const rows = talliedRows(caller, frame, { label, score, weight: weightExpr(weightCol) })
    return { rows: rows.sort(col('score').desc() as never), tally: areaTally(samples, metricName) }
  }

  #rows(where: string, frame: Frame, weightCol: string | undefined, probabilities: boolean): Frame {
    const { labelCol = 'label' } = this.options
    checkNumberColumn(where, frame.schema, labelCol)
    const label = asNumber(col(labelCol).node)
    const score = scoreColumn(where, frame.schema, this.options, probabilities)
    return projected(where, frame, { label, score, weight: weightExpr(weightCol) })
  }
}

async function precisionArea(steps: Frame, positives: number): Promise<number> {
  const precision = col('hits').div(col('hits').add(col('alarms')))
  const counted = steps.filter(col('hits').add(col('alarms')).gt(0) as never)
  const points = counted.withColumns({ precision } as never) as Frame
  const order = { orderBy: col('score').desc() }
  const before = points.withColumns({ before: col('precision').lag().over(order) } as never) as Frame
  // Before the first threshold precision is as at it.
  const mean = col('precision')
    .add(col('before').fillNull(col('precision') as never) as never)
    .div(2)
  const { area } = await aggregated(caller, before, { area: col('positive').mul(mean).sum() })
  return area / positives
}

/** The score of a row as a number. */
function scoreColumn(
  where: string,
  schema: Schema,
  options: BinaryClassificationEvaluatorOptions,
  probabilities: boolean,
): ExprNode {
  const { rawPredictionCol = 'rawPrediction', probabilityCol = 'probability', predictionCol = 'prediction' } = options
  const names = probabilities ? [probabilityCol, predictionCol] : [rawPredictionCol, probabilityCol, predictionCol]
  const name = names.find((each) => schema.some((column) => column.name === each)) ?? names[0]!
  const column = findColumn(where, schema, name)
  if (isNumber(column)) return asNumber(col(name).node)
  const size = column.type.kind === 'tensor' ? vectorSize(column) : 0
  if (size === 1 || size === 2) {
    const gives = { type: { kind: 'number', storage: 'float64' }, nullable: column.nullable } as const
    return computed('score', lastComponent, lastComponent.payload, [name], gives).expr
  }
  throw new ShardbookError(
    'column',
    `${where}: expected '${name}' to hold a score, or scores of two classes, got ${describeType(column)}.`,
  )
}

const lastComponent = {
  kind: 'lastComponent',
  payload: {},
  make:
    (): RowFunction =>
    ([input], rows) => {
      const { values: x, width, valid } = input as TensorRows
      const values = Float64Array.from({ length: rows }, (_, row) => x[(row + 1) * width - 1]!)
      return { kind: 'numbers', values, valid }
    },
}
