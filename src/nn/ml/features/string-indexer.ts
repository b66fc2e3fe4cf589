/** `StringIndexer` and `IndexToString`: labels as numbers, and back. */
import { checkOneOf, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { col, Frame } from '../../../frame/index.js'
import type { AnyFrame, Column, Plan } from '../../../frame/index.js'
import { aggregate, dropNulls } from '../../../frame/build.js'
import type { ExprNode } from '../../../frame/expr/node.js'
import {
  checkNames,
  ColumnEstimator,
  ColumnStage,
  computed,
  FeatureStage,
  inputColumn,
  isNumber,
  isText,
  withColumns,
} from '../column-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { labelAt, labelIndex, type InvalidPolicy } from './kernels/categories.js'

type Label = string | number | boolean | null

export interface StringIndexerOptions<Input extends string = string, Output extends string = string> {
  /** Column of texts, numbers or booleans. */
  readonly inputCol: Input
  /** Column of numbers. */
  readonly outputCol: Output
  /** Which label gets 0; those that are as frequent come by their characters. Default `'frequencyDesc'`. */
  readonly stringOrderType?: 'frequencyDesc' | 'frequencyAsc' | 'alphabetDesc' | 'alphabetAsc'
  /** For a label that was not learnt, or null: an error, no row, or the number of labels. Default `'error'`. */
  readonly handleInvalid?: InvalidPolicy
}

const kind = 'StringIndexer'

/**
 * Learns the labels of a column: the most frequent one becomes 0.
 *
 * Reference: pyspark.ml.feature.StringIndexer.
 *
 * @throws ShardbookError `argument` for an unknown order or policy.
 * @example
 * ```ts
 * const indexer = await new ml.StringIndexer({ inputCol: 'species', outputCol: 'label' }).fit(flowers)
 * indexer.labels // ['setosa', …]
 * ```
 */
export class StringIndexer<Input extends string = string, Output extends string = string> extends ColumnEstimator<
  Col<Input, Label>,
  Col<Output, number>,
  StringIndexerModel<Input, Output>
> {
  readonly kind = kind
  readonly options: StringIndexerOptions<Input, Output>

  constructor(options: StringIndexerOptions<Input, Output>) {
    super()
    const { stringOrderType = 'frequencyDesc', handleInvalid = 'error' } = options
    checkNames(kind, options, 'inputCol', 'outputCol')
    checkOneOf(kind, 'stringOrderType', stringOrderType, [
      'frequencyDesc',
      'frequencyAsc',
      'alphabetDesc',
      'alphabetAsc',
    ])
    checkOneOf(kind, 'handleInvalid', handleInvalid, ['error', 'skip', 'keep'])
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    return indexed(caller, input, this.options, [])
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<StringIndexerModel<Input, Output>> {
    const { inputCol, stringOrderType: order = 'frequencyDesc' } = this.options
    const column = labelColumn(caller, frame.plan, inputCol)
    const known = dropNulls(caller, frame.plan, [inputCol])
    const keys = [{ name: 'label', expr: textOf(column) }]
    const counted = aggregate(caller, known, keys, [{ name: 'count', expr: col.count().node }])
    const found = (await Frame.fromPlan(counted).toRows()) as unknown as { label: string; count: number }[]
    if (found.length === 0) {
      throw new ShardbookError('data', `${caller}: expected labels in '${inputCol}', got none.`)
    }
    const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
    const labels = found.toSorted((a, b) => {
      if (order === 'alphabetAsc') return byText(a.label, b.label)
      if (order === 'alphabetDesc') return byText(b.label, a.label)
      return (order === 'frequencyDesc' ? b.count - a.count : a.count - b.count) || byText(a.label, b.label)
    })
    return new StringIndexerModel({ ...this.options, labels: labels.map(({ label }) => label) })
  }
}

/** What `StringIndexer` fits. */
export class StringIndexerModel<Input extends string = string, Output extends string = string> extends ColumnStage<
  Col<Input, Label>,
  Col<Output, number>
> {
  readonly kind = 'StringIndexerModel'
  readonly options: StringIndexerOptions<Input, Output> & { readonly labels: readonly string[] }
  readonly #payload: object

  constructor(options: StringIndexerOptions<Input, Output> & { readonly labels: readonly string[] }) {
    super()
    this.options = Object.freeze({ ...options })
    this.#payload = payloadOf(options, options.labels)
  }

  static load({ params }: LoadedStage): StringIndexerModel {
    return new StringIndexerModel(params as never)
  }

  /** Labels by their number. */
  get labels(): readonly string[] {
    return this.options.labels
  }

  protected extend(caller: string, input: Plan): Plan {
    return indexed(caller, input, this.options, this.labels, this.#payload)
  }
}

function payloadOf({ inputCol, handleInvalid = 'error' }: StringIndexerOptions, labels: readonly string[]) {
  return { labels, invalid: handleInvalid, where: `${kind}: '${inputCol}'` }
}

function indexed(
  caller: string,
  input: Plan,
  options: StringIndexerOptions,
  labels: readonly string[],
  payload: object = payloadOf(options, labels),
): Plan {
  const { inputCol, outputCol, handleInvalid } = options
  const text = textOf(labelColumn(caller, input, inputCol))
  const skips = handleInvalid === 'skip'
  const gives = { type: { kind: 'number', storage: 'float64' }, nullable: skips } as const
  const plan = withColumns(caller, input, computed(outputCol, labelIndex, payload, [text], gives))
  return skips ? dropNulls(caller, plan, [outputCol]) : plan
}

function labelColumn(caller: string, { schema }: Plan, name: string): Column {
  return inputColumn(caller, schema, name, 'text or numbers', (column) => isText(column) || isNumber(column))
}

/** A label as text: numbers as JavaScript writes them. */
function textOf({ name, type }: Column): ExprNode {
  const column: ExprNode = { kind: 'column', name }
  return type.kind === 'string' ? column : { kind: 'cast', input: column, to: { kind: 'string' } }
}

export interface IndexToStringOptions<Input extends string = string, Output extends string = string> {
  /** Column of numbers. */
  readonly inputCol: Input
  /** Column of texts. */
  readonly outputCol: Output
  /** Labels by their number, as a `StringIndexerModel` has them. */
  readonly labels: readonly string[]
}

/**
 * Numbers as the labels that a `StringIndexer` gave them to.
 *
 * Reference: pyspark.ml.feature.IndexToString.
 *
 * @throws ShardbookError `argument` without labels.
 * @example
 * ```ts
 * const names = new ml.IndexToString({ inputCol: 'prediction', outputCol: 'name', labels: indexer.labels })
 * ```
 */
export class IndexToString<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, number>,
  Col<Output, string>
> {
  readonly kind = 'IndexToString'
  readonly options: IndexToStringOptions<Input, Output>
  readonly #payload: object

  constructor(options: IndexToStringOptions<Input, Output>) {
    super()
    const { labels, inputCol } = options
    checkNames(this.kind, options, 'inputCol', 'outputCol')
    if (!Array.isArray(labels) || labels.length === 0 || !labels.every((label) => typeof label === 'string')) {
      throw new ShardbookError('argument', `${this.kind}: expected labels, got ${show(labels)}.`)
    }
    this.options = Object.freeze({ ...options, labels: [...labels] as readonly string[] })
    this.#payload = { labels: this.options.labels, where: `${this.kind}: '${inputCol}'` }
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const { nullable } = inputColumn(caller, input.schema, inputCol, 'numbers', isNumber)
    const type = { kind: 'string' } as const
    return withColumns(caller, input, computed(outputCol, labelAt, this.#payload, [inputCol], { type, nullable }))
  }
}
