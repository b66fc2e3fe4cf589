/**
 * `MulticlassClassificationEvaluator`: how often a classifier is right. The frame's engine counts the pairs of label and
 * prediction; metrics follow from these counts (definitions as in Spark's MulticlassMetrics).
 */
import type { ExprNode } from '../../../frame/expr/node.js'
import { checkNumber, checkOneOf, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { col } from '../../../frame/index.js'
import type { AnyFrame, Frame } from '../../../frame/index.js'
import type { NumberRows, RowFunction, TensorRows } from '../../../frame/row-function.js'
import { computed, inputColumn } from '../column-stage.js'
import { checkNumberColumn } from '../columns.js'
import type { Col, Takes } from '../stage-types.js'
import { meanTally } from './bootstrap.js'
import type { Tally } from './bootstrap.js'
import { aggregated, asNumber, Evaluator, projected, weightExpr, talliedRows } from './evaluator.js'

export const multiclassMetrics = [
  ...(['f1', 'accuracy', 'weightedPrecision', 'weightedRecall', 'weightedTruePositiveRate'] as const),
  ...([
    'weightedFalsePositiveRate',
    'weightedFMeasure',
    'truePositiveRateByLabel',
    'falsePositiveRateByLabel',
  ] as const),
  ...(['precisionByLabel', 'recallByLabel', 'fMeasureByLabel', 'logLoss', 'hammingLoss'] as const),
] as const
export type MulticlassMetric = (typeof multiclassMetrics)[number]

/** Metrics of which less is better. */
const losses: readonly string[] = ['weightedFalsePositiveRate', 'falsePositiveRateByLabel', 'logLoss', 'hammingLoss']

export interface MulticlassClassificationEvaluatorOptions<
  Label extends string = string,
  Prediction extends string = string,
> {
  /** Default `'label'`. */
  readonly labelCol?: Label
  /** Default `'prediction'`. */
  readonly predictionCol?: Prediction
  /** Column of a vector of probabilities, for `logLoss`. Default `'probability'`. */
  readonly probabilityCol?: string
  /** Column of each row's weight. */
  readonly weightCol?: string
  /** Default `'f1'`, as in Spark. */
  readonly metricName?: MulticlassMetric
  /** The class of metrics by label. Default 0. */
  readonly metricLabel?: number
  /** Weight of recall in F measures. Default 1. */
  readonly beta?: number
  /** Probabilities are at least this, and at most 1 less this, for `logLoss`. Default 1e-15. */
  readonly eps?: number
}

/** How many rows have this label and this prediction, or how much they weigh. */
export interface ConfusionCount {
  readonly label: number
  readonly prediction: number
  readonly count: number
}

const caller = 'MulticlassClassificationEvaluator'

/**
 * Measures predictions against labels. Every metric but `logLoss` lies in [0, 1].
 *
 * Reference: pyspark.ml.evaluation.MulticlassClassificationEvaluator.
 *
 * @throws ShardbookError `argument` for an unknown metric.
 * @example
 * ```ts
 * const evaluator = new ml.MulticlassClassificationEvaluator({ labelCol: 'label', metricName: 'accuracy' })
 * const accuracy = await evaluator.evaluate(model.transform(test))
 * ```
 */
export class MulticlassClassificationEvaluator<
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Evaluator<Col<Label | Prediction, number | boolean>> {
  readonly kind = caller
  readonly options: MulticlassClassificationEvaluatorOptions<Label, Prediction>

  constructor(options: MulticlassClassificationEvaluatorOptions<Label, Prediction> = {}) {
    super()
    checkOneOf(caller, 'metricName', options.metricName ?? 'f1', multiclassMetrics)
    checkNumber(caller, 'beta', options.beta ?? 1, 0)
    checkNumber(caller, 'eps', options.eps ?? 1e-15, 0, 0.5)
    this.options = Object.freeze({ ...options })
  }

  get isLargerBetter(): boolean {
    return !losses.includes(this.options.metricName ?? 'f1')
  }

  /**
   * The pairs of label and prediction of all rows, as `viz.confusion` takes them.
   *
   * @throws ShardbookError as `evaluate`.
   * @example
   * ```ts
   * viz.confusion(await evaluator.confusion(model.transform(test)))
   * ```
   */
  async confusion<S>(
    frame: Takes<S, Col<Label | Prediction, number | boolean>>,
  ): Promise<{ readonly actual: Int32Array; readonly predicted: Int32Array; readonly labels: readonly number[] }> {
    this.check(`${caller}.confusion`, frame.schema)
    const counts = await this.#count(frame as AnyFrame as Frame, undefined)
    const rows = counts.reduce((n, { count }) => n + count, 0)
    const [actual, predicted] = [new Int32Array(rows), new Int32Array(rows)]
    let at = 0
    for (const { label, prediction, count } of counts) {
      actual.fill(label, at, at + count)
      predicted.fill(prediction, at, at + count)
      at += count
    }
    const labels = [...new Set(counts.flatMap(({ label, prediction }) => [label, prediction]))].sort((a, b) => a - b)
    return { actual, predicted, labels }
  }

  protected check(where: string, schema: AnyFrame['schema']): void {
    const { labelCol = 'label', predictionCol = 'prediction', probabilityCol = 'probability' } = this.options
    checkNumberColumn(where, schema, labelCol)
    if (this.options.metricName === 'logLoss') {
      inputColumn(where, schema, probabilityCol, 'vectors of probabilities', ({ type }) => type.kind === 'tensor')
    } else checkNumberColumn(where, schema, predictionCol)
  }

  protected async measure(frame: Frame, weightCol: string | undefined): Promise<number> {
    const { metricName = 'f1' } = this.options
    if (metricName === 'logLoss') return this.#logLoss(frame, weightCol)
    return metricOf(metricName, await this.#count(frame, weightCol), this.options)
  }

  protected override tally(frame: Frame, weightCol: string | undefined, samples: number) {
    const { metricName = 'f1', labelCol = 'label', predictionCol = 'prediction' } = this.options
    const weight = weightExpr(weightCol)
    if (metricName === 'logLoss') {
      return { rows: talliedRows(caller, frame, { value: this.#loss, weight }), tally: meanTally(samples) }
    }
    const [label, prediction] = [labelCol, predictionCol].map((name) => asNumber(col(name).node))
    const rows = talliedRows(caller, frame, { label: label!, prediction: prediction!, weight })
    return { rows, tally: countTally(samples, (counts) => metricOf(metricName, counts, this.options)) }
  }

  /** Each row's part of the log loss. */
  get #loss(): ExprNode {
    const { labelCol = 'label', probabilityCol = 'probability', eps = 1e-15 } = this.options
    const gives = { type: { kind: 'number', storage: 'float64' }, nullable: false } as const
    return computed('loss', logLoss, { eps }, [probabilityCol, labelCol], gives).expr
  }

  async #logLoss(frame: Frame, weightCol: string | undefined): Promise<number> {
    const rows = projected(caller, frame, { loss: this.#loss, weight: weightExpr(weightCol) })
    const sums = await aggregated(caller, rows, {
      loss: col('loss').mul(col('weight')).sum(),
      weight: col('weight').sum(),
    })
    return sums.loss / sums.weight
  }

  async #count(frame: Frame, weightCol: string | undefined): Promise<ConfusionCount[]> {
    const { labelCol = 'label', predictionCol = 'prediction' } = this.options
    const [label, prediction] = [labelCol, predictionCol].map((name) => asNumber(col(name).node))
    const pairs = projected(caller, frame, { label: label!, prediction: prediction!, weight: weightExpr(weightCol) })
    const counted = pairs.groupBy('label', 'prediction').agg({ count: col('weight').sum() })
    const counts = ((await counted.toRows()) as Readonly<Record<string, unknown>>[]).map((row) => {
      const { count } = row
      const [own, guessed] = [row['label'], row['prediction']].map((value) => {
        if (typeof value === 'number') return value
        throw new ShardbookError(
          'data',
          `${caller}: expected numbers in every row, got ${show(value)} in ${Number(count)}.`,
        )
      })
      return { label: own!, prediction: guessed!, count: Number(count) }
    })
    if (counts.length > 0) return counts
    throw new ShardbookError('data', `${caller}: expected rows to evaluate, got an empty frame.`)
  }
}

const logLoss = {
  kind: 'logLoss',
  make:
    ({ eps }: { eps: number }): RowFunction =>
    ([probabilities, labels], rows) => {
      const { values: p, width } = probabilities as TensorRows
      const { values: label } = labels as NumberRows
      const values = new Float64Array(rows)
      for (let row = 0; row < rows; row++) {
        const own = p[row * width + label[row]!]
        if (own === undefined || label[row]! >= width) {
          throw new ShardbookError('data', `${caller}: expected labels below ${width}, got ${label[row]}.`)
        }
        values[row] = -Math.log(Math.min(1 - eps, Math.max(eps, own)))
      }
      return { kind: 'numbers', values, valid: null }
    },
}

/** The confusion matrix of each resample. */
function countTally(samples: number, metric: (counts: readonly ConfusionCount[]) => number): Tally {
  const cells = new Map<number, Map<number, Float64Array>>()
  return {
    add({ label, prediction }, weights) {
      const row = cells.get(label!) ?? new Map<number, Float64Array>()
      const cell = row.get(prediction!) ?? new Float64Array(samples)
      cells.set(label!, row.set(prediction!, cell))
      for (let s = 0; s < samples; s++) cell[s]! += weights[s]!
    },
    metrics: () => {
      const pairs = [...cells].flatMap(([label, row]) =>
        Array.from(row, ([prediction, cell]) => ({ label, prediction, cell })),
      )
      return Float64Array.from({ length: samples }, (_, s) =>
        metric(pairs.map(({ label, prediction, cell }) => ({ label, prediction, count: cell[s]! }))),
      )
    },
  }
}

/** What is known of one class. */
interface ClassRates {
  readonly share: number
  readonly precision: number
  readonly recall: number
  readonly falsePositiveRate: number
  readonly fMeasure: number
}

/** A metric from counts. Weighted ones are means over the classes, each weighted by its share of the rows. */
function metricOf(
  metric: Exclude<MulticlassMetric, 'logLoss'>,
  counts: readonly ConfusionCount[],
  { metricLabel = 0, beta = 1 }: MulticlassClassificationEvaluatorOptions,
): number {
  const all = sum(counts)
  const ratesOf = (label: number, b = beta): ClassRates => {
    const labelled = sum(counts.filter((count) => count.label === label))
    const predicted = sum(counts.filter((count) => count.prediction === label))
    const both = sum(counts.filter((count) => count.label === label && count.prediction === label))
    const precision = predicted === 0 ? 0 : both / predicted
    const recall = labelled === 0 ? 0 : both / labelled
    const falsePositiveRate = all === labelled ? 0 : (predicted - both) / (all - labelled)
    const fMeasure = both === 0 ? 0 : ((1 + b * b) * precision * recall) / (b * b * precision + recall)
    return { share: labelled / all, precision, recall, falsePositiveRate, fMeasure }
  }
  const weighted = (of: (rates: ClassRates) => number, b = beta): number => {
    const labels = [...new Set(counts.map((count) => count.label))]
    return labels.map((label) => ratesOf(label, b)).reduce((total, rates) => total + of(rates) * rates.share, 0)
  }
  switch (metric) {
    case 'accuracy':
      return sum(counts.filter(({ label, prediction }) => label === prediction)) / all
    case 'hammingLoss':
      return sum(counts.filter(({ label, prediction }) => label !== prediction)) / all
    case 'f1':
      return weighted(({ fMeasure }) => fMeasure, 1)
    case 'weightedFMeasure':
      return weighted(({ fMeasure }) => fMeasure)
    case 'weightedPrecision':
      return weighted(({ precision }) => precision)
    case 'weightedRecall':
    case 'weightedTruePositiveRate':
      return weighted(({ recall }) => recall)
    case 'weightedFalsePositiveRate':
      return weighted(({ falsePositiveRate }) => falsePositiveRate)
    case 'truePositiveRateByLabel':
    case 'recallByLabel':
      return ratesOf(metricLabel).recall
    case 'falsePositiveRateByLabel':
      return ratesOf(metricLabel).falsePositiveRate
    case 'precisionByLabel':
      return ratesOf(metricLabel).precision
    case 'fMeasureByLabel':
      return ratesOf(metricLabel).fMeasure
    default:
      return metric satisfies never
  }
}

function sum(counts: readonly ConfusionCount[]): number {
  return counts.reduce((n, { count }) => n + count, 0)
}
