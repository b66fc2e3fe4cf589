/**
 * Which rows of a Parquet file a filter may keep, as its footer's statistics tell: the run from the first row group that may hold
 * one to the last. Says too many rows rather than too few.
 *
 * NaN is greater than every number and in no statistics, so of fractions nothing is known upwards.
 */
import { queryRows } from '../engine/duckdb/database.js'
import { quoteString } from '../engine/duckdb/names.js'
import { printLiteral } from '../engine/duckdb/print-expr.js'
import { printFiles } from '../engine/duckdb/print-scan.js'
import { sqlType } from '../engine/duckdb/sql-type.js'
import type { ExprNode, LiteralValue, ScalarOp } from '../expr/node.js'
import type { RowRange, ScanNode } from '../plan.js'
import { findColumn, type ColumnType } from '../schema.js'

/** `[from, to)` of the file at `path`, which has at least its footer; undefined for all rows. */
export async function matchingRows(
  path: string,
  scan: ScanNode,
  predicates: readonly ExprNode[],
): Promise<RowRange | undefined> {
  const known = predicates.flatMap(conjuncts).flatMap((each) => condition(each, scan) ?? [])
  if (known.length === 0) return undefined
  const groups = await queryRows(
    `SELECT any_value(row_group_num_rows), bool_and(CASE ${known.join(' ')} ELSE true END)
     FROM parquet_metadata(${printFiles([path])}) GROUP BY row_group_id ORDER BY row_group_id`,
  )
  let rows = 0
  let range: RowRange | undefined
  for (const [count, may] of groups) {
    const next = rows + Number(count)
    if (may !== false) range = { from: range?.from ?? rows, to: next }
    rows = next
  }
  return range ?? { from: 0, to: 0 }
}

function conjuncts(node: ExprNode): readonly ExprNode[] {
  return node.kind === 'call' && node.op === 'and' ? node.args.flatMap(conjuncts) : [node]
}

const mirrored: Partial<Record<ScalarOp, ScalarOp>> = { eq: 'eq', lt: 'gt', le: 'ge', gt: 'lt', ge: 'le' }

/** A comparison of a column with a literal, as a case over the statistics of one column in one row group. */
function condition(node: ExprNode, scan: ScanNode): string | undefined {
  if (node.kind !== 'call' || mirrored[node.op] === undefined) return undefined
  const [a, b] = node.args
  if (a?.kind === 'literal' && b?.kind === 'column') return compared(b.name, mirrored[node.op]!, a.literal, scan)
  return a?.kind === 'column' && b?.kind === 'literal' ? compared(a.name, node.op, b.literal, scan) : undefined
}

function compared(name: string, op: ScalarOp, literal: LiteralValue, { source, schema }: ScanNode): string | undefined {
  const { type } = findColumn('read.parquet', schema, name)
  if (source.kind !== 'parquet' || !hasOrder(type, literal)) return undefined
  const column = source.columns[schema.findIndex((each) => each.name === name)]!
  const value = printLiteral(literal)
  const bound = (statistic: string): string => `TRY_CAST(${statistic} AS ${sqlType(type)})`
  const isFraction = type.kind === 'number' && type.storage.startsWith('float')
  const above =
    op === 'lt' || op === 'le' || op === 'eq'
      ? [`${bound('stats_min_value')} ${op === 'lt' ? '<' : '<='} ${value}`]
      : []
  // Equal to a number that is written down: NaN is not.
  const upwards = op === 'eq' ? value !== `CAST('NaN' AS DOUBLE)` : !isFraction
  const below =
    upwards && (op === 'gt' || op === 'ge' || op === 'eq')
      ? [`${bound('stats_max_value')} ${op === 'gt' ? '>' : '>='} ${value}`]
      : []
  const all = [...above, ...below]
  if (all.length === 0) return undefined
  return `WHEN path_in_schema = ${quoteString(column)} AND NOT coalesce(${all.join(' AND ')}, true) THEN false`
}

/** Whether statistics in the order of a type answer for a literal, as values are compared. */
function hasOrder(type: ColumnType, literal: LiteralValue): boolean {
  if (type.kind === 'number') return literal.kind === 'number'
  if (type.kind === 'bigint') return literal.kind === 'bigint' || literal.kind === 'number'
  return type.kind === literal.kind && (type.kind === 'string' || type.kind === 'timestamp')
}
