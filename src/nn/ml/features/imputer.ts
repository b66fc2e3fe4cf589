/** `Imputer`: values for what is missing. */
import { checkOneOf } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { Frame } from '../../../frame/index.js'
import type { AnyFrame, Plan } from '../../../frame/index.js'
import { aggregate, filter, reference, sort } from '../../../frame/build.js'
import { literalNode } from '../../../frame/expr/literal.js'
import type { AggregateOp, ExprNode } from '../../../frame/expr/node.js'
import { ColumnEstimator, ColumnStage, inputColumn, isNumber, withColumns } from '../column-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { pairsOf, type ColumnsOptions } from './columns-of.js'

export interface ImputerOptions<Input extends string = string, Output extends string = string> extends ColumnsOptions<
  Input,
  Output
> {
  /** Of the values that are there: their mean, their middle, or the most frequent, the least of several. Default `'mean'`. */
  readonly strategy?: 'mean' | 'median' | 'mode'
  /** What counts as missing beside null. Default NaN. */
  readonly missingValue?: number
}

const kind = 'Imputer'

/**
 * Learns a value for each column. The median is one of the values, the lower one of two in the middle.
 *
 * Reference: pyspark.ml.feature.Imputer.
 *
 * @throws ShardbookError `argument` for an unknown strategy.
 * @example
 * ```ts
 * const imputer = await new ml.Imputer({ inputCols: ['age'], outputCols: ['age'], strategy: 'median' }).fit(people)
 * ```
 */
export class Imputer<Input extends string = string, Output extends string = string> extends ColumnEstimator<
  Col<Input, number | null>,
  Col<Output, number>,
  ImputerModel<Input, Output>
> {
  readonly kind = kind
  readonly options: ImputerOptions<Input, Output>

  constructor(options: ImputerOptions<Input, Output>) {
    super()
    pairsOf(kind, options)
    checkOneOf(kind, 'strategy', options.strategy ?? 'mean', ['mean', 'median', 'mode'])
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    return filled(caller, input, this.options, [])
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<ImputerModel<Input, Output>> {
    const { strategy = 'mean', missingValue = NaN } = this.options
    const surrogates: number[] = []
    for (const [name] of pairsOf(kind, this.options)) {
      const there = filter(caller, frame.plan, call('not', isMissing(name, missingValue)))
      const value = await (strategy === 'mode' ? modeOf(caller, there, name) : middleOf(caller, there, name, strategy))
      if (value === undefined) {
        throw new ShardbookError('data', `${caller}: expected numbers in '${name}' to learn from, got none.`)
      }
      surrogates.push(value)
    }
    return new ImputerModel({ ...this.options, surrogates })
  }
}

/** What `Imputer` fits. */
export class ImputerModel<Input extends string = string, Output extends string = string> extends ColumnStage<
  Col<Input, number | null>,
  Col<Output, number>
> {
  readonly kind = 'ImputerModel'
  readonly options: ImputerOptions<Input, Output> & { readonly surrogates: readonly number[] }

  constructor(options: ImputerOptions<Input, Output> & { readonly surrogates: readonly number[] }) {
    super()
    this.options = Object.freeze({ ...options })
  }

  static load({ params }: LoadedStage): ImputerModel {
    return new ImputerModel(params as never)
  }

  /** The value for what is missing, by column. */
  get surrogates(): readonly number[] {
    return this.options.surrogates
  }

  protected extend(caller: string, input: Plan): Plan {
    return filled(caller, input, this.options, this.surrogates)
  }
}

function filled(caller: string, input: Plan, options: ImputerOptions, surrogates: readonly number[]): Plan {
  const columns = pairsOf(kind, options).map(([name, output], i) => {
    inputColumn(caller, input.schema, name, 'numbers', isNumber)
    const value = literalNode(caller, surrogates[i] ?? 0)
    const kept = call('fillNull', asNumber(name), value)
    return { name: output, expr: call('when', isMissing(name, options.missingValue ?? NaN), value, kept) }
  })
  return withColumns(caller, input, ...columns)
}

function isMissing(name: string, missingValue: number): ExprNode {
  const value = asNumber(name)
  const same = Number.isNaN(missingValue) ? call('isNaN', value) : call('eq', value, literalNode(kind, missingValue))
  return call('or', call('isNull', reference(name)), call('fillNull', same, literalNode(kind, false)))
}

async function middleOf(caller: string, there: Plan, name: string, op: 'mean' | 'median'): Promise<number | undefined> {
  if (op === 'mean') return one(aggregate(caller, there, [], [{ name: 'value', expr: over('mean', name) }]))
  const count = await Frame.fromPlan(there).count()
  if (count === 0) return undefined
  const sorted = sort(caller, there, [{ expr: asNumber(name), descending: false }])
  const at = Math.ceil(count / 2) - 1
  const [row] = (await Frame.fromPlan(sorted).slice(at, 1).toRows()) as readonly Record<string, unknown>[]
  return row === undefined ? undefined : Number(row[name])
}

async function modeOf(caller: string, there: Plan, name: string): Promise<number | undefined> {
  const keys = [{ name: 'value', expr: asNumber(name) }]
  const counted = aggregate(caller, there, keys, [{ name: 'n', expr: { kind: 'aggregate', op: 'count', input: null } }])
  const first = sort(caller, counted, [
    { expr: reference('n'), descending: true },
    { expr: reference('value'), descending: false },
  ])
  return one(Frame.fromPlan(first).limit(1).plan)
}

async function one(plan: Plan): Promise<number | undefined> {
  const [row] = (await Frame.fromPlan(plan).toRows()) as readonly Record<string, unknown>[]
  const value = row?.['value']
  return typeof value === 'number' ? value : undefined
}

function over(op: AggregateOp, name: string): ExprNode {
  return { kind: 'aggregate', op, input: asNumber(name) }
}

function asNumber(name: string): ExprNode {
  return { kind: 'cast', input: reference(name), to: { kind: 'number', storage: 'float64' } }
}

function call(op: 'not' | 'or' | 'eq' | 'isNull' | 'isNaN' | 'fillNull' | 'when', ...args: ExprNode[]): ExprNode {
  return { kind: 'call', op, args }
}
