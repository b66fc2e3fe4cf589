/** Nodes that choose or multiply rows, as SQL over their input. */
import { keyOf } from '../../../core/random.js'
import type { DistinctNode, ExplodeNode, SampleNode } from '../../plan.js'
import { internalPrefix, quoteName, sqlNames } from './names.js'
import { printSqlExpr } from './print-expr.js'
import { columnList, numbered, row } from './row-order.js'

const rank = quoteName(`${internalPrefix}rank`)
const total = quoteName(`${internalPrefix}total`)

/**
 * Rows by their rank in a seeded random order. The order is that of a hash of the row number: the 32-bit finaliser of
 * MurmurHash3 over (key xor row * golden ratio), a bijection, so that there are no ties below 2^32 rows.
 */
export function printSample(plan: SampleNode, input: string, ordered: boolean): string {
  const seed = `CAST(${keyOf(plan.seed)} AS UBIGINT)`
  let hashed = `SELECT *, xor(${seed}, (CAST(${row} AS UBIGINT) * 2654435769) & 4294967295) AS ${rank} FROM (${numbered(input, row)})`
  for (const [shift, factor] of [
    [16, 2246822507],
    [13, 3266489909],
    [16, 1],
  ]) {
    hashed = `SELECT * REPLACE ((xor(${rank}, ${rank} >> ${shift}) * ${factor}) & 4294967295 AS ${rank}) FROM (${hashed})`
  }
  const strata = plan.within.map((name) => printSqlExpr({ kind: 'column', name }, { schema: plan.schema }))
  const partition = strata.length === 0 ? '' : `PARTITION BY ${strata.join(', ')}`
  const ranked = `SELECT * REPLACE (row_number() OVER (${partition} ORDER BY ${rank}, ${row}) - 1 AS ${rank}), count(*) OVER (${partition}) AS ${total} FROM (${hashed}) t`
  const bound = (at: number): string =>
    plan.unit === 'rows' ? String(at) : `CAST(round(CAST('${at}' AS DOUBLE) * ${total}) AS BIGINT)`
  const range = `${rank} >= ${bound(plan.from)} AND ${rank} < ${bound(plan.to)}`
  return `SELECT ${columnList(plan.schema)} FROM (${ranked}) t WHERE ${range}${ordered ? ` ORDER BY ${row}` : ''}`
}

export function printDistinct(plan: DistinctNode, input: string, ordered: boolean): string {
  const keys = plan.on.map((name) => printSqlExpr({ kind: 'column', name }, { schema: plan.schema }))
  const first = `SELECT *, row_number() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${row}) AS ${rank} FROM (${numbered(input, row)}) t`
  return `SELECT ${columnList(plan.schema)} FROM (${first}) t WHERE ${rank} = 1${ordered ? ` ORDER BY ${row}` : ''}`
}

export function printExplode(plan: ExplodeNode, input: string): string {
  const names = sqlNames(plan.schema)
  const list = plan.schema.map((column, i) => {
    const value = `t.${names[i]}`
    if (column.name !== plan.column) return value
    return `unnest(${plan.keepEmpty ? `CASE WHEN len(${value}) > 0 THEN ${value} ELSE [NULL] END` : value}) AS ${names[i]}`
  })
  return `SELECT ${list.join(', ')} FROM (${input}) t`
}
