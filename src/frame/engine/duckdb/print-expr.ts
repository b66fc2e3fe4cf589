/** Expressions as DuckDB SQL. */
import { inferExpr } from '../../expr/infer.js'
import type {
  AggregateExpr,
  AggregateOp,
  ExprNode,
  LiteralValue,
  OverExpr,
  SortKey,
  WindowExpr,
} from '../../expr/node.js'
import type { TensorStore } from '../../plan.js'
import type { ColumnType, Schema } from '../../schema.js'
import { quoteString, sqlNames } from './names.js'
import { argumentsOf, printApply } from './apply.js'
import { printFunction } from './print-functions.js'
import { alignTo, sqlType } from './sql-type.js'

/** What an expression is printed over: rows of a query with the alias `t`. */
export interface ExprScope {
  readonly schema: Schema
  /** SQL that orders the rows: for `first`, `last` and windows. */
  readonly rowOrder?: string
  /** What the references in the rows' tensor columns point into. */
  readonly stores?: readonly TensorStore[]
}

export function printSqlExpr(node: ExprNode, scope: ExprScope): string {
  switch (node.kind) {
    case 'column':
      return `t.${sqlNames(scope.schema)[scope.schema.findIndex(({ name }) => name === node.name)]}`
    case 'literal':
      return printLiteral(node.literal)
    case 'cast': {
      const from = inferExpr('cast', node.input, scope.schema).type
      return printCast(printSqlExpr(node.input, scope), from, node.to, node.lenient ?? false)
    }
    case 'aggregate':
      return printAggregate(node, scope, true)
    case 'window':
      return printWindow(node, scope)
    case 'over':
      return printOver(node, scope)
    case 'call': {
      const types = node.args.map((arg) => inferExpr(node.op, arg, scope.schema).type)
      return printFunction[node.op]({ sql: node.args.map((arg) => printSqlExpr(arg, scope)), types, args: node.args })
    }
    case 'apply': {
      const args = argumentsOf(node)
      const types = args.map((arg) => inferExpr(node.fn, arg, scope.schema).type)
      return printApply(
        node,
        args.map((arg) => printSqlExpr(arg, scope)),
        types,
        scope.stores ?? [],
      )
    }
    default:
      return node satisfies never
  }
}

export function printSortKeys(keys: readonly SortKey[], scope: ExprScope): string[] {
  return keys.map(({ expr, descending }) => `${printSqlExpr(expr, scope)} ${descending ? 'DESC' : 'ASC'} NULLS LAST`)
}

export function printLiteral(literal: LiteralValue): string {
  switch (literal.kind) {
    case 'null':
      return 'NULL'
    case 'boolean':
      return literal.value ? 'TRUE' : 'FALSE'
    case 'string':
      return quoteString(literal.value)
    case 'number':
      // An integer stays one, so that a comparison with an integer column can be answered from file statistics.
      return /^-?\d{1,9}$/.test(literal.value) ? `(${literal.value})` : `CAST('${literal.value}' AS DOUBLE)`
    case 'bigint':
      return `CAST('${literal.value}' AS BIGINT)`
    case 'timestamp':
      return `CAST('${literal.value.replace('T', ' ').replace('Z', '')}' AS TIMESTAMP)`
    default:
      return literal satisfies never
  }
}

/** `ordered`: the aggregate sorts its rows itself, for it is over a group. */
function printAggregate({ op, input, where }: AggregateExpr, scope: ExprScope, ordered: boolean): string {
  const filter = where === undefined ? '' : ` FILTER (WHERE ${printSqlExpr(where, scope)})`
  if (input === null) return `count(*)${filter}`
  const sql = printSqlExpr(input, scope)
  const { type } = inferExpr(op, input, scope.schema)
  const double = type.kind === 'boolean' ? `CAST(CAST(${sql} AS TINYINT) AS DOUBLE)` : `CAST(${sql} AS DOUBLE)`
  const order = ordered ? ` ORDER BY ${scope.rowOrder ?? '1'}` : ''
  switch (op) {
    case 'count':
      return `count(${sql})${filter}`
    case 'countDistinct':
      return `count(DISTINCT ${sql})${filter}`
    case 'sum':
      // In 128 bits, of which the cast to 64 raises when they overflow.
      return type.kind === 'bigint' ? `sum(${sql})${filter}` : `sum(${double})${filter}`
    case 'mean':
      return `avg(${double})${filter}`
    case 'std':
      return `stddev_samp(${double})${filter}`
    case 'median':
      return `median(${double})${filter}`
    case 'min':
    case 'max':
      return `${op}(${sql})${filter}`
    case 'first':
    case 'last':
      return `${op}(${sql}${order})${filter}`
    case 'toList':
      return `list(${sql}${order})${filter}`
    default:
      return op satisfies never
  }
}

function printWindow({ op, args }: WindowExpr, scope: ExprScope): string {
  const [a = '', b = '1', fill] = args.map((arg) => printSqlExpr(arg, scope))
  switch (op) {
    case 'rowNumber':
      return 'row_number()'
    case 'rank':
      return 'rank()'
    case 'denseRank':
      return 'dense_rank()'
    case 'percentRank':
      return 'percent_rank()'
    case 'ntile':
      return `ntile(CAST(${a} AS BIGINT))`
    case 'lag':
    case 'lead':
      return `${op}(${a}, CAST(${b} AS BIGINT)${fill === undefined ? '' : `, ${fill}`})`
    default:
      return op satisfies never
  }
}

/** Aggregates whose result depends on the order of the rows. */
const inOrder: readonly AggregateOp[] = ['first', 'last', 'toList']

function printOver(node: OverExpr, scope: ExprScope): string {
  const { input, partitionBy, orderBy, frame } = node
  const ranks = input.kind === 'window' && /rank/i.test(input.op)
  const whole = orderBy.length === 0 || (input.kind === 'aggregate' && (input.op === 'first' || input.op === 'last'))
  // The whole partition in no order is what the engine has a shortcut for.
  const anyOrder = input.kind === 'aggregate' && frame === null && whole && !inOrder.includes(input.op)
  const order = [...printSortKeys(orderBy, scope), ...(ranks ? [] : [scope.rowOrder ?? '1'])]
  const parts = [
    ...(partitionBy.length === 0
      ? []
      : [`PARTITION BY ${partitionBy.map((key) => printSqlExpr(key, scope)).join(', ')}`]),
    // Ranks are equal for equal keys; everything else takes the rows one by one.
    ...(anyOrder ? [] : [`ORDER BY ${order.join(', ')}`]),
    ...(anyOrder || input.kind === 'window' ? [] : [printFrame(frame ?? [null, whole ? null : 0])]),
  ]
  const call = input.kind === 'window' ? printWindow(input, scope) : printAggregate(input, scope, false)
  const over = `${call} OVER (${parts.join(' ')})`
  return `CAST(${over} AS ${sqlType(inferExpr('over', node, scope.schema).type)})`
}

function printFrame([from, to]: readonly [number | null, number | null]): string {
  const bound = (at: number | null, unbounded: string): string =>
    at === null
      ? `UNBOUNDED ${unbounded}`
      : at === 0
        ? 'CURRENT ROW'
        : `${Math.abs(at)} ${at < 0 ? 'PRECEDING' : 'FOLLOWING'}`
  return `ROWS BETWEEN ${bound(from, 'PRECEDING')} AND ${bound(to, 'FOLLOWING')}`
}

function printCast(sql: string, from: ColumnType, to: ColumnType, lenient: boolean): string {
  if (to.kind === 'boolean' && from.kind === 'number') return `(${sql} <> 0)`
  if (from.kind === 'timestamp' && to.kind === 'number') return `CAST(epoch_ms(${sql}) AS DOUBLE)`
  if (from.kind === 'number' && to.kind === 'timestamp') return `make_timestamp_ms(CAST(${sql} AS BIGINT))`
  if (from.kind === 'number' && to.kind === 'date') return `CAST(make_timestamp_ms(CAST(${sql} AS BIGINT)) AS DATE)`
  if (from.kind === 'categorical' && to.kind !== 'string')
    return printCast(`CAST(${sql} AS VARCHAR)`, { kind: 'string' }, to, lenient)
  // As JavaScript writes them: 3, not 3.0.
  if (from.kind === 'number' && to.kind === 'string') return `regexp_replace(CAST(${sql} AS VARCHAR), '\\.0$', '')`
  if (lenient) return `TRY_CAST(${sql} AS ${sqlType(to)})`
  return alignTo(sql, from, to)
}
