/**
 * Constructors of plan nodes: they check arguments, infer the schema and freeze. A plan that exists is well typed.
 */
import { checkInteger, checkNumber, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { hasAggregate, hasWindow, partsOf, type ExprNode, type SortKey } from './expr/node.js'
import { inferExpr } from './expr/infer.js'
import { literalNode } from './expr/literal.js'
import { printExpr } from './expr/print.js'
import { comparable } from './expr/unify.js'
import type {
  AggregateNode,
  CacheNode,
  DistinctNode,
  FilterNode,
  MapNode,
  NamedExpr,
  Plan,
  ProjectNode,
  SampleNode,
  ScanNode,
  SliceNode,
  SortNode,
  Source,
} from './plan.js'
import { checkDistinctNames, findColumn, isNullType, type Column, type Schema } from './schema.js'
import { describeType } from './schema-spec.js'

export function scan(caller: string, source: Source, schema: Schema): ScanNode {
  checkDistinctNames(
    caller,
    schema.map((column) => column.name),
  )
  return freeze({ kind: 'scan', source, schema })
}

/** Exactly these columns. */
export function project(caller: string, input: Plan, columns: readonly NamedExpr[]): ProjectNode {
  if (columns.length === 0) throw new ShardbookError('argument', `${caller}: expected at least one column, got none.`)
  checkDistinctNames(
    caller,
    columns.map((column) => column.name),
  )
  const schema = columns.map(({ name, expr }) => rowColumn(caller, name, expr, input.schema))
  return freeze({ kind: 'project', input, columns, schema })
}

/** These columns of the input, as they are. */
export function select(caller: string, input: Plan, names: readonly string[]): ProjectNode {
  const columns = names.map((name) => ({ name: findColumn(caller, input.schema, name).name, expr: reference(name) }))
  return project(caller, input, columns)
}

/** All columns of the input, some replaced in place, new ones at the end. */
export function extend(caller: string, input: Plan, added: readonly NamedExpr[]): ProjectNode {
  checkDistinctNames(
    caller,
    added.map((column) => column.name),
  )
  const replaced = new Map(added.map((column) => [column.name, column.expr]))
  const kept = input.schema.map(({ name }) => ({ name, expr: replaced.get(name) ?? reference(name) }))
  const names = new Set(input.schema.map(({ name }) => name))
  return project(caller, input, [...kept, ...added.filter(({ name }) => !names.has(name))])
}

/** The rows where the predicate is true; columns that it says are not null hold no null any more. */
export function filter(caller: string, input: Plan, predicate: ExprNode): FilterNode {
  const { type } = plainColumn(caller, 'predicate', predicate, input.schema)
  if (type.kind !== 'boolean') {
    throw new ShardbookError(
      'column',
      `${caller}: expected a boolean expression, got ${describeType({ type, nullable: false })} (${printExpr(predicate)}).`,
    )
  }
  const held = new Set(columnsNotNull(predicate))
  const schema = input.schema.map((column) => (held.has(column.name) ? { ...column, nullable: false } : column))
  return freeze({ kind: 'filter', input, predicate, schema })
}

/** Columns of which a predicate says with `isNotNull`, alone or joined by `and`, that they are not null. */
function columnsNotNull(predicate: ExprNode): readonly string[] {
  if (predicate.kind !== 'call') return []
  if (predicate.op === 'and') return predicate.args.flatMap(columnsNotNull)
  const [input] = predicate.args
  return predicate.op === 'isNotNull' && input?.kind === 'column' ? [input.name] : []
}

export function aggregate(
  caller: string,
  input: Plan,
  keys: readonly NamedExpr[],
  aggregates: readonly NamedExpr[],
): AggregateNode {
  checkDistinctNames(
    caller,
    [...keys, ...aggregates].map((column) => column.name),
  )
  if (keys.length + aggregates.length === 0) {
    throw new ShardbookError('argument', `${caller}: expected at least one aggregate, got none.`)
  }
  const keyColumns = keys.map(({ name, expr }) => {
    const column = plainColumn(caller, name, expr, input.schema)
    checkKey(caller, column)
    return column
  })
  const aggregateColumns = aggregates.map(({ name, expr }): Column => {
    if (!isOverGroups(expr)) {
      throw new ShardbookError(
        'column',
        `${caller}: expected '${name}' to be an aggregate, got the row expression ${printExpr(expr)}.`,
        { hint: `Say which value of the group: .first(), .mean(), .sum() …` },
      )
    }
    const typed = inferExpr(caller, expr, input.schema)
    // Without keys there is one group even when there is no row, and its aggregates but for counts are null.
    const emptyGroup = keys.length === 0 && !isCount(expr)
    return { name, type: typed.type, nullable: typed.nullable || emptyGroup }
  })
  return freeze({ kind: 'aggregate', input, keys, aggregates, schema: [...keyColumns, ...aggregateColumns] })
}

export function sort(caller: string, input: Plan, by: readonly SortKey[]): SortNode {
  if (by.length === 0) throw new ShardbookError('argument', `${caller}: expected at least one key, got none.`)
  for (const { expr } of by) checkKey(caller, plainColumn(caller, printExpr(expr), expr, input.schema))
  return freeze({ kind: 'sort', input, by, schema: input.schema })
}

export function slice(caller: string, input: Plan, offset: number, length: number | null): SliceNode {
  checkInteger(caller, 'offset', offset, 0)
  if (length !== null) checkInteger(caller, 'rows', length, 0)
  return freeze({ kind: 'slice', input, offset, length, schema: input.schema })
}

export function sample(
  caller: string,
  input: Plan,
  options: { seed: number; unit: 'fraction' | 'rows'; from: number; to: number; within?: readonly string[] },
): SampleNode {
  const within = options.within ?? []
  for (const name of within) checkKey(caller, findColumn(caller, input.schema, name))
  checkInteger(caller, 'seed', options.seed, Number.MIN_SAFE_INTEGER)
  if (options.unit === 'rows') checkInteger(caller, 'rows', options.to, 0)
  else checkNumber(caller, 'fraction', options.to, 0, 1)
  return freeze({ kind: 'sample', input, ...options, within, schema: input.schema })
}

export function distinct(caller: string, input: Plan, on: readonly string[]): DistinctNode {
  const names = on.length === 0 ? input.schema.map((column) => column.name) : on
  for (const name of names) checkKey(caller, findColumn(caller, input.schema, name))
  return freeze({ kind: 'distinct', input, on: names, schema: input.schema })
}

export function map(caller: string, node: Omit<MapNode, 'kind' | 'schema'>): MapNode {
  for (const name of node.reads) findColumn(caller, node.input.schema, name)
  const schema = [
    ...node.input.schema.filter(({ name }) => !node.adds.some((added) => added.name === name)),
    ...node.adds,
  ]
  checkDistinctNames(
    caller,
    schema.map((column) => column.name),
  )
  return freeze({ kind: 'map', ...node, schema })
}

export function reference(name: string): ExprNode {
  return { kind: 'column', name }
}

function rowColumn(caller: string, name: string, expr: ExprNode, schema: Schema): Column {
  if (hasAggregate(expr)) {
    throw new ShardbookError('column', `${caller}: expected a row expression, got the aggregate ${printExpr(expr)}.`, {
      hint: 'Aggregates belong in groupBy(…).agg({ … }) or agg({ … }).',
    })
  }
  const { type, nullable } = inferExpr(caller, expr, schema)
  if (isNullType(type)) {
    throw new ShardbookError('column', `${caller}: expected '${name}' to have a type, got a bare null.`, {
      hint: `Cast it: lit(null).cast('number').`,
    })
  }
  return { name, type, nullable }
}

/** A column that a verb computes for itself, where no window can be. */
function plainColumn(caller: string, name: string, expr: ExprNode, schema: Schema): Column {
  if (!hasWindow(expr)) return rowColumn(caller, name, expr, schema)
  throw new ShardbookError('column', `${caller}: expected no window here, got ${printExpr(expr)}.`, {
    hint: 'Add it as a column first: withColumns({ … }).',
  })
}

/** Whether an expression is made of aggregates and literals only. */
function isOverGroups(expr: ExprNode): boolean {
  if (expr.kind === 'aggregate' || expr.kind === 'literal') return true
  return (expr.kind === 'call' || expr.kind === 'cast') && partsOf(expr).every(isOverGroups)
}

function isCount(expr: ExprNode): boolean {
  return expr.kind === 'aggregate' && (expr.op === 'count' || expr.op === 'countDistinct')
}

export function checkKey(caller: string, column: Column): void {
  if (comparable.includes(column.type.kind)) return
  throw new ShardbookError(
    'column',
    `${caller}: expected a key of plain values, got '${column.name}' of type ${describeType(column)}.`,
    caller === 'distinct' ? { hint: 'Name the columns that decide: distinct(…names).' } : {},
  )
}

export function freeze<T extends Plan>(plan: T): T {
  Object.freeze(plan.schema)
  return Object.freeze(plan)
}

/** Bounds of the parts that `weights` cut out of [0, 1]. */
export function splitBounds(caller: string, weights: readonly number[]): readonly { from: number; to: number }[] {
  const total = weights.reduce((sum, weight) => {
    if (!(weight > 0 && Number.isFinite(weight))) {
      throw new ShardbookError('argument', `${caller}: expected weights > 0, got ${show(weight)}.`)
    }
    return sum + weight
  }, 0)
  if (weights.length === 0) throw new ShardbookError('argument', `${caller}: expected at least one weight, got none.`)
  let before = 0
  return weights.map((weight, index) => {
    const from = before / total
    before += weight
    // The last bound is exactly 1, whatever rounding did before.
    return { from, to: index === weights.length - 1 ? 1 : before / total }
  })
}

/** The rows without null in the given columns, which then hold none. */
export function dropNulls(caller: string, input: Plan, names: readonly string[]): Plan {
  if (names.length === 0) return input
  const conditions = names.map((name): ExprNode => ({ kind: 'call', op: 'isNotNull', args: [reference(name)] }))
  return filter(caller, input, { kind: 'call', op: 'and', args: conditions })
}

/** A column with `value` for null. */
export function fillNull(caller: string, schema: Schema, name: string, value: unknown): NamedExpr {
  findColumn(caller, schema, name)
  return { name, expr: { kind: 'call', op: 'fillNull', args: [reference(name), literalNode(caller, value)] } }
}

/** Rows that are computed once and kept; `check` is applied to each. */
export function cache(input: Plan, check: string | null = null): CacheNode {
  return freeze({ kind: 'cache', input, check, schema: input.schema })
}
