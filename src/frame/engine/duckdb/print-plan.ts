/**
 * A plan as one SQL query: each node a SELECT over its input's. DuckDB itself prunes columns and pushes filters through it.
 *
 * Order of rows: DuckDB keeps the order of scans, filters, projections and unions; aggregates, joins, DISTINCT and ties of
 * sorts have none, so these number their input's rows and order by that, unless whoever reads them does not care
 * (`ordered: false`: a count, a sum). Every query gives exactly the columns of its node's schema, in order.
 */
import { ShardbookError } from '../../../core/errors.js'
import { hasWindow, partsOf, type ExprNode } from '../../expr/node.js'
import type { AggregateNode, Plan, ProjectNode, SortNode, TensorStore } from '../../plan.js'
import type { ColumnType } from '../../schema.js'
import { sqlNames } from './names.js'
import { printSortKeys, printSqlExpr, type ExprScope } from './print-expr.js'
import { printJoin } from './print-join.js'
import { printDistinct, printExplode, printSample } from './print-rows.js'
import { printScan } from './print-scan.js'
import { printUserSql } from './print-user-sql.js'
import { columnList, numbered, row } from './row-order.js'
import { alignTo, sqlType } from './sql-type.js'

/** A query, and the stores that the references in its tensor columns point into. */
export interface PrintedPlan {
  readonly sql: string
  readonly stores: readonly TensorStore[]
}

/** Prints a plan that has neither `map` nodes nor IDX sources left (`execute.ts` turns them into tables). */
export function printPlan(plan: Plan, options: { ordered?: boolean } = {}): PrintedPlan {
  const stores: TensorStore[] = []
  return { sql: print(plan, options.ordered ?? true, stores), stores }
}

function print(plan: Plan, ordered: boolean, stores: TensorStore[]): string {
  switch (plan.kind) {
    case 'scan':
      return printScan(plan, stores)
    case 'project':
      return printProject(plan, ordered, stores)
    case 'filter': {
      const input = print(plan.input, ordered, stores)
      const predicate = printSqlExpr(plan.predicate, { schema: plan.input.schema, stores })
      return `SELECT * FROM (${input}) t WHERE ${predicate}`
    }
    case 'aggregate':
      return printAggregateNode(plan, ordered, stores)
    case 'sort':
      return ordered ? printSort(plan, stores) : print(plan.input, false, stores)
    case 'slice': {
      const limit = plan.length === null ? '' : ` LIMIT ${plan.length}`
      return `SELECT * FROM (${print(plan.input, true, stores)}) t${limit} OFFSET ${plan.offset}`
    }
    case 'sample':
      return printSample(plan, print(plan.input, true, stores), ordered)
    case 'distinct':
      return printDistinct(plan, print(plan.input, true, stores), ordered)
    case 'join':
      return printJoin(plan, print(plan.left, ordered, stores), print(plan.right, ordered, stores), ordered)
    case 'concat':
      return plan.inputs
        .map((input) => {
          const names = sqlNames(input.schema)
          const list = plan.schema.map((column, i) => {
            const at = input.schema.findIndex(({ name }) => name === column.name)
            return `${alignTo(`t.${names[at]}`, input.schema[at]!.type, column.type)} AS ${sqlNames(plan.schema)[i]}`
          })
          return `SELECT ${list.join(', ')} FROM (${print(input, ordered, stores)}) t`
        })
        .join(' UNION ALL ')
    case 'explode':
      return printExplode(plan, print(plan.input, ordered, stores))
    case 'sql':
      return printUserSql(
        plan,
        plan.inputs.map((input) => print(input, true, stores)),
      )
    case 'map':
    case 'cache':
      throw new ShardbookError('internal', `printPlan: expected ${plan.kind} nodes to be computed first, got one.`)
    default:
      return plan satisfies never
  }
}

function printProject(plan: ProjectNode, ordered: boolean, stores: TensorStore[]): string {
  const windows = plan.columns.some(({ expr }) => hasWindow(expr))
  const input = print(plan.input, ordered || windows, stores)
  const scope = { schema: plan.input.schema, rowOrder: `t.${row}`, stores }
  const names = sqlNames(plan.schema)
  const list = plan.columns.map(({ expr }, i) => `${printColumn(expr, plan.schema[i]!.type, scope)} AS ${names[i]}`)
  if (!windows) return `SELECT ${list.join(', ')} FROM (${input}) t`
  return `SELECT ${list.join(', ')} FROM (${numbered(input, row)}) t${ordered ? ` ORDER BY t.${row}` : ''}`
}

function printAggregateNode(plan: AggregateNode, ordered: boolean, stores: TensorStore[]): string {
  const needsOrder = plan.aggregates.some(({ expr }) => readsOrder(expr))
  const input = print(plan.input, needsOrder, stores)
  const scope = { schema: plan.input.schema, rowOrder: row, stores }
  const names = sqlNames(plan.schema)
  const list = [...plan.keys, ...plan.aggregates].map(({ expr }, i) => {
    const to = plan.schema[i]!.type
    return `${i < plan.keys.length ? printColumn(expr, to, scope) : `CAST(${printSqlExpr(expr, scope)} AS ${sqlType(to)})`} AS ${names[i]}`
  })
  const ordinals = plan.keys.map((_, i) => i + 1)
  const group = ordinals.length === 0 ? '' : ` GROUP BY ${ordinals.join(', ')}`
  const order =
    ordinals.length === 0 || !ordered ? '' : ` ORDER BY ${ordinals.map((i) => `${i} NULLS LAST`).join(', ')}`
  return `SELECT ${list.join(', ')} FROM (${needsOrder ? numbered(input, row) : input}) t${group}${order}`
}

/** A literal that is whole prints as an integer: as a column it has the column's type. */
function printColumn(expr: ExprNode, type: ColumnType, scope: ExprScope): string {
  const sql = printSqlExpr(expr, scope)
  return type.kind !== 'number' || expr.kind === 'column' ? sql : `CAST(${sql} AS ${sqlType(type)})`
}

function readsOrder(expr: ExprNode): boolean {
  return (expr.kind === 'aggregate' && (expr.op === 'first' || expr.op === 'last')) || partsOf(expr).some(readsOrder)
}

function printSort(plan: SortNode, stores: TensorStore[]): string {
  const input = numbered(print(plan.input, true, stores), row)
  const keys = printSortKeys(plan.by, { schema: plan.schema })
  return `SELECT ${columnList(plan.schema)} FROM (${input}) t ORDER BY ${[...keys, row].join(', ')}`
}
