/**
 * `MulticlassClassificationEvaluator`: how often a classifier is right. The frame's engine counts the pairs of label and
 * prediction; metrics follow from these counts (definitions as in Spark's MulticlassMetrics).
 */
import { checkOneOf, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { col } from '../../frame/index.js'
import type { AnyFrame, Frame } from '../../frame/index.js'
import { checkNumberColumn } from './columns.js'
import type { HasNumber } from './columns.js'

export const multiclassMetrics = ['accuracy', 'f1', 'weightedPrecision', 'weightedRecall'] as const
export type MulticlassMetric = (typeof multiclassMetrics)[number]

export interface MulticlassClassificationEvaluatorOptions<
  Label extends string = string,
  Prediction extends string = string,
> {
  /** Default `'label'`. */
  readonly labelCol?: Label
  /** Default `'prediction'`. */
  readonly predictionCol?: Prediction
  /** Default `'f1'`, as in Spark. */
  readonly metricName?: MulticlassMetric
}

/** How many rows have this label and this prediction. */
export interface ConfusionCount {
  readonly label: number
  readonly prediction: number
  readonly count: number
}

const caller = 'MulticlassClassificationEvaluator'

/**
 * Measures predictions against labels; every metric lies in [0, 1].
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
> {
  readonly options: MulticlassClassificationEvaluatorOptions<Label, Prediction>

  constructor(options: MulticlassClassificationEvaluatorOptions<Label, Prediction> = {}) {
    checkOneOf(caller, 'metricName', options.metricName ?? 'f1', multiclassMetrics)
    this.options = Object.freeze({ ...options })
  }

  /**
   * The metric over all rows.
   *
   * @throws ShardbookError `column` when a column is missing or holds no numbers, `data` for nulls and an empty frame.
   */
  async evaluate<S>(frame: Frame<S> & HasNumber<S, Label> & HasNumber<S, Prediction>): Promise<number> {
    return metricOf(this.options.metricName ?? 'f1', await this.#count(frame))
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
    frame: Frame<S> & HasNumber<S, Label> & HasNumber<S, Prediction>,
  ): Promise<{ readonly actual: Int32Array; readonly predicted: Int32Array; readonly labels: readonly number[] }> {
    const counts = await this.#count(frame)
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

  async #count(frame: AnyFrame): Promise<ConfusionCount[]> {
    const labelCol: string = this.options.labelCol ?? 'label'
    const predictionCol: string = this.options.predictionCol ?? 'prediction'
    for (const name of [labelCol, predictionCol]) checkNumberColumn(`${caller}.evaluate`, frame.schema, name)
    const counted = (frame as Frame).groupBy(labelCol, predictionCol).agg({ n: col.count() })
    const counts = ((await counted.toRows()) as Readonly<Record<string, unknown>>[]).map((row) => {
      const [label, prediction] = [row[labelCol], row[predictionCol]].map((value) => {
        if (typeof value === 'number' || typeof value === 'boolean') return Number(value)
        throw new ShardbookError(
          'data',
          `${caller}: expected numbers in every row, got ${show(value)} in ${Number(row['n'])}.`,
        )
      })
      return { label: label!, prediction: prediction!, count: Number(row['n']) }
    })
    if (counts.length > 0) return counts
    throw new ShardbookError('data', `${caller}: expected rows to evaluate, got an empty frame.`)
  }
}

/** A metric from counts. Weighted ones are means over the classes, each weighted by its share of the rows. */
function metricOf(metric: MulticlassMetric, counts: readonly ConfusionCount[]): number {
  const rows = sum(counts)
  const right = sum(counts.filter(({ label, prediction }) => label === prediction))
  if (metric === 'accuracy') return right / rows
  let total = 0
  for (const label of new Set(counts.map((count) => count.label))) {
    const labelled = sum(counts.filter((count) => count.label === label))
    const predicted = sum(counts.filter((count) => count.prediction === label))
    const both = sum(counts.filter((count) => count.label === label && count.prediction === label))
    const precision = predicted === 0 ? 0 : both / predicted
    const recall = both / labelled
    const f1 = both === 0 ? 0 : (2 * precision * recall) / (precision + recall)
    total += { f1, weightedPrecision: precision, weightedRecall: recall }[metric] * (labelled / rows)
  }
  return total
}

function sum(counts: readonly ConfusionCount[]): number {
  return counts.reduce((n, { count }) => n + count, 0)
}
