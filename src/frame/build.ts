/**
 * Constructors of plan nodes: they check arguments, infer the schema and freeze. A plan that exists is well typed.
 */
import { checkInteger, checkNumber, checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { hasAggregate, printExpr, partsOf, type ExprNode } from './expr/node.js'
import { literalNode } from './expr/literal.js'
import { inferExpr, unify } from './expr/functions.js'
import type {
  AggregateNode,
  ConcatNode,
  DistinctNode,
  FilterNode,
  JoinHow,
  JoinNode,
  MapNode,
  NamedExpr,
  Plan,
  ProjectNode,
  SampleNode,
  ScanNode,
  SliceNode,
  SortKey,
  SortNode,
  Source,
} from './plan.js'
import { checkDistinctNames, describeType, findColumn, type Column, type Schema } from './schema.js'

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

export function filter(caller: string, input: Plan, predicate: ExprNode): FilterNode {
  const { type } = rowColumn(caller, 'predicate', predicate, input.schema)
  if (type.kind !== 'boolean') {
    throw new ShardbookError(
      'column',
      `${caller}: expected a boolean expression, got ${describeType({ type, nullable: false })} (${printExpr(predicate)}).`,
    )
  }
  return freeze({ kind: 'filter', input, predicate, schema: input.schema })
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
    const column = rowColumn(caller, name, expr, input.schema)
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
  for (const { expr } of by) checkKey(caller, rowColumn(caller, printExpr(expr), expr, input.schema))
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
  options: { seed: number; unit: 'fraction' | 'rows'; from: number; to: number },
): SampleNode {
  checkInteger(caller, 'seed', options.seed, Number.MIN_SAFE_INTEGER)
  if (options.unit === 'rows') checkInteger(caller, 'rows', options.to, 0)
  else checkNumber(caller, 'fraction', options.to, 0, 1)
  return freeze({ kind: 'sample', input, ...options, schema: input.schema })
}

export function distinct(caller: string, input: Plan, on: readonly string[]): DistinctNode {
  const names = on.length === 0 ? input.schema.map((column) => column.name) : on
  for (const name of names) checkKey(caller, findColumn(caller, input.schema, name))
  return freeze({ kind: 'distinct', input, on: names, schema: input.schema })
}

export function join(
  caller: string,
  left: Plan,
  right: Plan,
  options: { on: readonly string[]; how: JoinHow; suffix: string },
): JoinNode {
  const { on, how, suffix } = options
  checkOneOf(caller, 'how', how, ['inner', 'left', 'outer', 'semi', 'anti'])
  if (on.length === 0) throw new ShardbookError('argument', `${caller}: expected columns to join on, got none.`)
  checkDistinctNames(caller, on)
  for (const name of on) {
    const [ours, theirs] = [
      findColumn(`${caller} (left)`, left.schema, name),
      findColumn(`${caller} (right)`, right.schema, name),
    ]
    checkKey(caller, ours)
    if (unify(ours.type, theirs.type) !== undefined) continue
    throw new ShardbookError(
      'column',
      `${caller}: expected '${name}' to have one type on both sides, got ${describeType(ours)} and ${describeType(theirs)}.`,
    )
  }
  const schema = left.schema.map((column): Column => {
    if (how !== 'outer') return column
    if (!on.includes(column.name)) return { ...column, nullable: true }
    const theirs = findColumn(caller, right.schema, column.name)
    return {
      name: column.name,
      type: unify(column.type, theirs.type) ?? column.type,
      nullable: column.nullable || theirs.nullable,
    }
  })
  if (how !== 'semi' && how !== 'anti') {
    const taken = new Set(left.schema.map((column) => column.name))
    for (const column of right.schema) {
      if (on.includes(column.name)) continue
      const name = taken.has(column.name) ? `${column.name}${suffix}` : column.name
      schema.push({ name, type: column.type, nullable: column.nullable || how !== 'inner' })
    }
  }
  checkDistinctNames(
    caller,
    schema.map((column) => column.name),
  )
  return freeze({ kind: 'join', left, right, on, how, suffix, schema })
}

export function concat(caller: string, inputs: readonly Plan[]): ConcatNode {
  const [first, ...rest] = inputs
  if (first === undefined) throw new ShardbookError('argument', `${caller}: expected at least one frame, got none.`)
  const schema = first.schema.map((column): Column => {
    let { type, nullable } = column
    for (const other of rest) {
      const theirs = findColumn(caller, other.schema, column.name)
      const unified = unify(type, theirs.type)
      if (unified === undefined) {
        throw new ShardbookError(
          'column',
          `${caller}: expected '${column.name}' to have one type in all frames, got ${describeType(column)} and ${describeType(theirs)}.`,
        )
      }
      type = unified
      nullable ||= theirs.nullable
    }
    return { name: column.name, type, nullable }
  })
  for (const other of rest) for (const { name } of other.schema) findColumn(caller, schema, name)
  return freeze({ kind: 'concat', inputs, schema })
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
  if (type.kind === 'opaque' && type.sql === 'NULL') {
    throw new ShardbookError('column', `${caller}: expected '${name}' to have a type, got a bare null.`, {
      hint: `Cast it: lit(null).cast('number').`,
    })
  }
  return { name, type, nullable }
}

/** Whether an expression is made of aggregates and literals only. */
function isOverGroups(expr: ExprNode): boolean {
  if (expr.kind === 'aggregate' || expr.kind === 'literal') return true
  return expr.kind !== 'column' && partsOf(expr).every(isOverGroups)
}

function isCount(expr: ExprNode): boolean {
  return expr.kind === 'aggregate' && (expr.op === 'count' || expr.op === 'countDistinct')
}

function checkKey(caller: string, column: Column): void {
  if (column.type.kind !== 'tensor' && column.type.kind !== 'opaque') return
  throw new ShardbookError(
    'column',
    `${caller}: expected a key of plain values, got '${column.name}' of type ${describeType(column)}.`,
    caller === 'distinct' ? { hint: 'Name the columns that decide: distinct(…names).' } : {},
  )
}

function freeze<T extends Plan>(plan: T): T {
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
  const predicate = names
    .map((name): ExprNode => ({ kind: 'call', op: 'isNotNull', args: [reference(name)] }))
    .reduce((a, b): ExprNode => ({ kind: 'call', op: 'and', args: [a, b] }))
  const kept = filter(caller, input, predicate)
  const schema = input.schema.map((column) => (names.includes(column.name) ? { ...column, nullable: false } : column))
  return freeze({ ...kept, schema })
}

/** A column with `value` for null. */
export function fillNull(caller: string, schema: Schema, name: string, value: unknown): NamedExpr {
  findColumn(caller, schema, name)
  return { name, expr: { kind: 'call', op: 'fillNull', args: [reference(name), literalNode(caller, value)] } }
}
