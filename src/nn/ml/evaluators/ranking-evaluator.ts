/** `RankingEvaluator`: how early a list of recommendations has what is relevant. */
import type { ExprNode } from '../../../frame/expr/node.js'
import { checkInteger, checkOneOf } from '../../../core/check.js'
import { col } from '../../../frame/index.js'
import type { Column, Frame, Schema } from '../../../frame/index.js'
import type { ListRows, RowFunction } from '../../../frame/row-function.js'
import { computed, inputColumn } from '../column-stage.js'
import type { Col } from '../stage-types.js'
import { meanTally } from './bootstrap.js'
import { aggregated, Evaluator, projected, weightExpr, talliedRows } from './evaluator.js'

export const rankingMetrics = [
  'meanAveragePrecision',
  'meanAveragePrecisionAtK',
  'precisionAtK',
  'ndcgAtK',
  'recallAtK',
] as const
export type RankingMetric = (typeof rankingMetrics)[number]

export interface RankingEvaluatorOptions<Label extends string = string, Prediction extends string = string> {
  /** Column of lists of what is relevant. Default `'label'`. */
  readonly labelCol?: Label
  /** Column of lists of what was recommended, the best first. Default `'prediction'`. */
  readonly predictionCol?: Prediction
  /** Column of each row's weight. */
  readonly weightCol?: string
  /** Default `'meanAveragePrecision'`. */
  readonly metricName?: RankingMetric
  /** How many recommendations count for metrics at k. Default 10. */
  readonly k?: number
}

const caller = 'RankingEvaluator'
type Item = readonly (string | number)[]

/**
 * Measures ranked lists of numbers or texts against sets of relevant ones; the mean over all rows.
 *
 * Reference: pyspark.ml.evaluation.RankingEvaluator.
 *
 * @throws ShardbookError `argument` for an unknown metric.
 * @example
 * ```ts
 * const lists = frame([{ prediction: [1, 6, 2], label: [1, 2, 3] }])
 * const ndcg = await new ml.RankingEvaluator({ metricName: 'ndcgAtK', k: 3 }).evaluate(lists)
 * ```
 */
export class RankingEvaluator<
  Label extends string = 'label',
  Prediction extends string = 'prediction',
> extends Evaluator<Col<Label | Prediction, Item>> {
  readonly kind = caller
  readonly options: RankingEvaluatorOptions<Label, Prediction>
  readonly #payload: { readonly metric: RankingMetric; readonly k: number }

  constructor(options: RankingEvaluatorOptions<Label, Prediction> = {}) {
    super()
    const { metricName = 'meanAveragePrecision', k = 10 } = options
    checkOneOf(caller, 'metricName', metricName, rankingMetrics)
    checkInteger(caller, 'k', k, 1)
    this.options = Object.freeze({ ...options })
    this.#payload = { metric: metricName, k }
  }

  get isLargerBetter(): boolean {
    return true
  }

  protected check(where: string, schema: Schema): void {
    const { labelCol = 'label', predictionCol = 'prediction' } = this.options
    for (const name of [labelCol, predictionCol]) inputColumn(where, schema, name, 'lists of numbers or text', isItems)
  }

  protected override tally(frame: Frame, weightCol: string | undefined, samples: number) {
    const rows = talliedRows(caller, frame, { value: this.#value, weight: weightExpr(weightCol) })
    return { rows, tally: meanTally(samples) }
  }

  /** Each row's metric. */
  get #value(): ExprNode {
    const { labelCol = 'label', predictionCol = 'prediction' } = this.options
    const gives = { type: { kind: 'number', storage: 'float64' }, nullable: false } as const
    return computed('value', ranked, this.#payload, [predictionCol, labelCol], gives).expr
  }

  protected async measure(frame: Frame, weightCol: string | undefined): Promise<number> {
    const rows = projected(caller, frame, { value: this.#value, weight: weightExpr(weightCol) })
    const sums = await aggregated(caller, rows, {
      value: col('value').mul(col('weight')).sum(),
      weight: col('weight').sum(),
    })
    return sums.value / sums.weight
  }
}

function isItems({ type }: Column): boolean {
  return type.kind === 'list' && (type.element.type.kind === 'string' || type.element.type.kind === 'number')
}

const ranked = {
  kind: 'ranked',
  make:
    ({ metric, k }: { metric: RankingMetric; k: number }): RowFunction =>
    ([predictions, labels], rows) => {
      const [guessed, relevant] = [itemsOf(predictions as ListRows), itemsOf(labels as ListRows)]
      const values = new Float64Array(rows)
      for (let row = 0; row < rows; row++) values[row] = metricOf(metric, guessed(row), new Set(relevant(row)), k)
      return { kind: 'numbers', values, valid: null }
    },
}

function itemsOf({ starts, ends, items }: ListRows): (row: number) => (string | number)[] {
  const decoder = new TextDecoder()
  return (row) =>
    Array.from({ length: ends[row]! - starts[row]! }, (_, i) => {
      const at = starts[row]! + i
      return items.kind === 'numbers'
        ? items.values[at]!
        : decoder.decode(items.bytes.subarray(items.starts[at], items.ends[at]))
    })
}

/** Definitions of Spark's RankingMetrics; without anything relevant a row counts 0. */
function metricOf(metric: RankingMetric, guessed: Item, relevant: ReadonlySet<string | number>, k: number): number {
  if (relevant.size === 0) return 0
  const isHit = guessed.map((item) => relevant.has(item))
  const hits = (count: number): number => isHit.slice(0, count).filter(Boolean).length
  switch (metric) {
    case 'precisionAtK':
      return hits(k) / k
    case 'recallAtK':
      return hits(k) / relevant.size
    case 'meanAveragePrecision':
    case 'meanAveragePrecisionAtK': {
      const atK = metric === 'meanAveragePrecisionAtK'
      const count = atK ? Math.min(guessed.length, k) : guessed.length
      let sum = 0
      for (let i = 0; i < count; i++) if (isHit[i]) sum += hits(i + 1) / (i + 1)
      return sum / (atK ? Math.min(relevant.size, k) : relevant.size)
    }
    case 'ndcgAtK': {
      const length = Math.min(Math.max(guessed.length, relevant.size), k)
      let [gain, most] = [0, 0]
      for (let i = 0; i < length; i++) {
        const discount = 1 / Math.log(i + 2)
        if (isHit[i]) gain += discount
        if (i < relevant.size) most += discount
      }
      return gain / most
    }
    default:
      return metric satisfies never
  }
}
