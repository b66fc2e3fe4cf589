/** Queries of the user's own, over frames. */
import type { Plan, SqlNode } from '../../plan.js'
import type { Column, Schema } from '../../schema.js'
import { internalPrefix, sqlNames } from './names.js'
import { printLiteral } from './print-expr.js'
import { sqlType, typeFromSql } from './sql-type.js'

/** Columns that SQL has no type for pass through a query of the user's in a struct whose field says which they are. */
const wrapPrefix = `${internalPrefix}column_`

function needsWrap({ type }: Column): boolean {
  return type.kind === 'tensor' || type.kind === 'sparse'
}

/** The text of a user's query, over `inputs` as SQL. */
export function userQuery(plan: Pick<SqlNode, 'text' | 'holes' | 'inputs'>, inputs: readonly string[]): string {
  let first = 0
  const sources = plan.inputs.map(({ schema }, i) => {
    const names = sqlNames(schema)
    const list = schema.map((column, c) => {
      const value = `t.${names[c]}`
      return needsWrap(column) ? `struct_pack(${wrapPrefix}${first + c} := ${value}) AS ${names[c]}` : value
    })
    first += schema.length
    return `(SELECT ${list.join(', ')} FROM (${inputs[i]}) t)`
  })
  return plan.text.reduce((sql, text, i) => {
    const hole = plan.holes[i - 1]!
    const printed = typeof hole === 'number' ? sources[hole]! : hole.map(printLiteral).join(', ')
    return `${sql}${printed}${text}`
  })
}

export function printUserSql(plan: SqlNode, inputs: readonly string[]): string {
  const names = sqlNames(plan.schema)
  const list = plan.schema.map(({ type }, i) => {
    const [value, wrapped] = [`t.${names[i]}`, plan.wrapped[i]]
    return `${wrapped === null || wrapped === undefined ? `CAST(${value} AS ${sqlType(type)})` : `${value}.${wrapPrefix}${wrapped}`} AS ${names[i]}`
  })
  return `SELECT ${list.join(', ')} FROM (${userQuery(plan, inputs)}) t`
}

/** What a query gives, by the types that DuckDB tells of its columns. */
export function describedColumns(
  inputs: readonly Plan[],
  described: readonly (readonly [name: string, sql: string])[],
): { schema: Schema; wrapped: readonly (number | null)[] } {
  const columns = inputs.flatMap(({ schema }) => schema)
  const wrapped = described.map(([, sql]) => {
    const index = new RegExp(`^STRUCT\\("?${wrapPrefix}(\\d+)"? `).exec(sql)?.[1]
    return index === undefined ? null : Number(index)
  })
  const schema = described.map(([name, sql], i): Column => {
    const index = wrapped[i] ?? null
    return { name, type: index === null ? typeFromSql(sql).type : columns[index]!.type, nullable: true }
  })
  return { schema, wrapped }
}
