/** Rows by their number: how queries keep an order that DuckDB would not. */
import type { Schema } from '../../schema.js'
import { internalPrefix, quoteName, sqlNames } from './names.js'

export const row = quoteName(`${internalPrefix}row`)

/** The query with a 0-based row number in a column of the given name. */
export function numbered(sql: string, name: string): string {
  return `SELECT *, row_number() OVER () - 1 AS ${name} FROM (${sql})`
}

/** The columns of a schema, of a query with the alias `t`. */
export function columnList(schema: Schema): string {
  return sqlNames(schema)
    .map((name) => `t.${name}`)
    .join(', ')
}
