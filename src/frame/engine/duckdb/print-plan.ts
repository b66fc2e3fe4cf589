/**
 * A plan as one SQL query: each node a SELECT over its input's. DuckDB itself prunes columns and pushes filters through it.
 *
 * Order of rows: DuckDB keeps the order of scans, filters, projections and unions; aggregates, joins, DISTINCT and ties of
 * sorts have none, so these number their input's rows and order by that, unless whoever reads them does not care
 * (`ordered: false`: a count, a sum). Every query gives exactly the columns of its node's schema, in order.
 */
import { ShardbookError } from '../../../core/errors.js'
import { keyOf } from '../../../core/random.js'
import { partsOf, type ExprNode } from '../../expr/node.js'
import type { AggregateNode, DistinctNode, JoinNode, Plan, SampleNode, SortNode, TensorStore } from '../../plan.js'
import type { Schema } from '../../schema.js'
import { internalPrefix, quoteName, sqlNames } from './names.js'
import { alignTo, printSqlExpr, sqlType } from './print-expr.js'
import { printScan } from './print-scan.js'

/** A query, and the stores that the references in its tensor columns point into. */
export interface PrintedPlan {
  readonly sql: string
  readonly stores: readonly TensorStore[]
}

const row = quoteName(`${internalPrefix}row`)
const rank = quoteName(`${internalPrefix}rank`)
const total = quoteName(`${internalPrefix}total`)
const leftRow = quoteName(`${internalPrefix}left`)
const rightRow = quoteName(`${internalPrefix}right`)

/** Prints a plan that has neither `map` nodes nor IDX sources left (`execute.ts` turns them into tables). */
export function printPlan(plan: Plan, options: { ordered?: boolean } = {}): PrintedPlan {
  const stores: TensorStore[] = []
  return { sql: print(plan, options.ordered ?? true, stores), stores }
}

/** The query with a 0-based row number in a column of the given name. */
export function numbered(sql: string, name: string): string {
  return `SELECT *, row_number() OVER () - 1 AS ${name} FROM (${sql})`
}

function print(plan: Plan, ordered: boolean, stores: TensorStore[]): string {
  switch (plan.kind) {
    case 'scan':
      return printScan(plan, stores)
    case 'project': {
      const scope = { schema: plan.input.schema }
      const names = sqlNames(plan.schema)
      const list = plan.columns.map(({ expr }, i) => `${printSqlExpr(expr, scope)} AS ${names[i]}`)
      return `SELECT ${list.join(', ')} FROM (${print(plan.input, ordered, stores)}) t`
    }
    case 'filter': {
      const predicate = printSqlExpr(plan.predicate, { schema: plan.input.schema })
      return `SELECT * FROM (${print(plan.input, ordered, stores)}) t WHERE ${predicate}`
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
      return printSample(plan, ordered, stores)
    case 'distinct':
      return printDistinct(plan, ordered, stores)
    case 'join':
      return printJoin(plan, ordered, stores)
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
    case 'map':
      throw new ShardbookError('internal', 'printPlan: expected maps to be computed first, got one.')
    default:
      return plan satisfies never
  }
}

function columnList(schema: Schema): string {
  return sqlNames(schema)
    .map((name) => `t.${name}`)
    .join(', ')
}

function printAggregateNode(plan: AggregateNode, ordered: boolean, stores: TensorStore[]): string {
  const needsOrder = plan.aggregates.some(({ expr }) => readsOrder(expr))
  const input = print(plan.input, needsOrder, stores)
  const scope = { schema: plan.input.schema, rowOrder: row }
  const names = sqlNames(plan.schema)
  const list = [...plan.keys, ...plan.aggregates].map(({ expr }, i) => {
    const to = plan.schema[i]!.type
    return `${i < plan.keys.length ? printSqlExpr(expr, scope) : `CAST(${printSqlExpr(expr, scope)} AS ${sqlType(to)})`} AS ${names[i]}`
  })
  const ordinals = plan.keys.map((_, i) => i + 1)
  const group = ordinals.length === 0 ? '' : ` GROUP BY ${ordinals.join(', ')}`
  const order =
    ordinals.length === 0 || !ordered ? '' : ` ORDER BY ${ordinals.map((i) => `${i} NULLS LAST`).join(', ')}`
  return `SELECT ${list.join(', ')} FROM (${needsOrder ? numbered(input, row) : input}) t${group}${order}`
}

function readsOrder(expr: ExprNode): boolean {
  return (expr.kind === 'aggregate' && (expr.op === 'first' || expr.op === 'last')) || partsOf(expr).some(readsOrder)
}

function printSort(plan: SortNode, stores: TensorStore[]): string {
  const input = numbered(print(plan.input, true, stores), row)
  const keys = plan.by.map(({ expr, descending }) => {
    return `${printSqlExpr(expr, { schema: plan.schema })} ${descending ? 'DESC' : 'ASC'} NULLS LAST`
  })
  return `SELECT ${columnList(plan.schema)} FROM (${input}) t ORDER BY ${[...keys, row].join(', ')}`
}

/**
 * Rows by their rank in a seeded random order. The order is that of a hash of the row number: the 32-bit finaliser of
 * MurmurHash3 over (key xor row * golden ratio), a bijection, so that there are no ties below 2^32 rows.
 */
function printSample(plan: SampleNode, ordered: boolean, stores: TensorStore[]): string {
  const seed = `CAST(${keyOf(plan.seed)} AS UBIGINT)`
  let hashed = `SELECT *, xor(${seed}, (CAST(${row} AS UBIGINT) * 2654435769) & 4294967295) AS ${rank} FROM (${numbered(print(plan.input, true, stores), row)})`
  for (const [shift, factor] of [
    [16, 2246822507],
    [13, 3266489909],
    [16, 1],
  ]) {
    hashed = `SELECT * REPLACE ((xor(${rank}, ${rank} >> ${shift}) * ${factor}) & 4294967295 AS ${rank}) FROM (${hashed})`
  }
  const ranked = `SELECT * REPLACE (row_number() OVER (ORDER BY ${rank}, ${row}) - 1 AS ${rank}), count(*) OVER () AS ${total} FROM (${hashed})`
  const bound = (at: number): string =>
    plan.unit === 'rows' ? String(at) : `CAST(round(CAST('${at}' AS DOUBLE) * ${total}) AS BIGINT)`
  const range = `${rank} >= ${bound(plan.from)} AND ${rank} < ${bound(plan.to)}`
  return `SELECT ${columnList(plan.schema)} FROM (${ranked}) t WHERE ${range}${ordered ? ` ORDER BY ${row}` : ''}`
}

function printDistinct(plan: DistinctNode, ordered: boolean, stores: TensorStore[]): string {
  const keys = plan.on.map((name) => printSqlExpr({ kind: 'column', name }, { schema: plan.schema }))
  const first = `SELECT *, row_number() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${row}) AS ${rank} FROM (${numbered(print(plan.input, true, stores), row)}) t`
  return `SELECT ${columnList(plan.schema)} FROM (${first}) t WHERE ${rank} = 1${ordered ? ` ORDER BY ${row}` : ''}`
}

function printJoin(plan: JoinNode, ordered: boolean, stores: TensorStore[]): string {
  const side = (input: Plan, name: string): string => {
    const sql = print(input, ordered, stores)
    return ordered ? numbered(sql, name) : sql
  }
  const [leftNames, rightNames, names] = [
    sqlNames(plan.left.schema),
    sqlNames(plan.right.schema),
    sqlNames(plan.schema),
  ]
  const rightName = (name: string): string =>
    `r.${rightNames[plan.right.schema.findIndex((each) => each.name === name)]}`
  const condition = plan.on.map((name) => {
    return `l.${leftNames[plan.left.schema.findIndex((each) => each.name === name)]} = ${rightName(name)}`
  })
  const list = plan.left.schema.map(({ name }, i) => {
    const ours = `l.${leftNames[i]}`
    return plan.how === 'outer' && plan.on.includes(name) ? `coalesce(${ours}, ${rightName(name)})` : ours
  })
  const filtering = plan.how === 'semi' || plan.how === 'anti'
  if (!filtering) {
    list.push(...plan.right.schema.filter(({ name }) => !plan.on.includes(name)).map(({ name }) => rightName(name)))
  }
  const order = filtering ? `l.${leftRow}` : `l.${leftRow} NULLS LAST, r.${rightRow} NULLS LAST`
  const keyword = { inner: 'INNER', left: 'LEFT', outer: 'FULL', semi: 'SEMI', anti: 'ANTI' }[plan.how]
  return `SELECT ${list.map((sql, i) => `${sql} AS ${names[i]}`).join(', ')} FROM (${side(plan.left, leftRow)}) l ${keyword} JOIN (${side(plan.right, rightRow)}) r ON ${condition.join(' AND ')}${ordered ? ` ORDER BY ${order}` : ''}`
}
