/** Files of several layouts as one frame. */
import { ShardbookError } from '../../core/errors.js'
import { project, reference, scan } from '../build.js'
import { concat } from '../build-join.js'
import type { Part } from '../engine/duckdb/sniff.js'
import { unify } from '../expr/unify.js'
import type { NamedExpr, Plan } from '../plan.js'
import type { Column } from '../schema.js'
import { describeType } from '../schema-spec.js'

/**
 * The rows of all parts. Their columns must be the same, in any order; `unionByName` takes the columns of all parts, null
 * where one has none.
 * @throws `data` naming file and column where parts differ
 */
export function unionOf(caller: string, parts: readonly Part[], unionByName: boolean): Plan {
  const [first, ...rest] = parts.map(({ source, schema }) => scan(caller, source, schema))
  if (first === undefined) throw new ShardbookError('internal', `${caller}: expected files, got none.`)
  if (rest.length === 0) return first
  const columns: Column[] = [...first.schema]
  const pathOf = (plan: typeof first): string => ('path' in plan.source ? plan.source.path : caller)
  for (const part of rest) {
    const [missing] = first.schema.filter(({ name }) => !part.schema.some((column) => column.name === name))
    const [extra] = part.schema.filter(({ name }) => !first.schema.some((column) => column.name === name))
    if (!unionByName && (missing ?? extra) !== undefined) {
      const what = missing === undefined ? `a column '${extra!.name}' more` : `no column '${missing.name}'`
      throw new ShardbookError(
        'data',
        `${caller}: expected the columns of ${pathOf(first)} in every file, got ${what} in ${pathOf(part)}.`,
        { hint: 'With unionByName: true a column that a file lacks is null there.' },
      )
    }
    for (const column of part.schema) {
      const held = columns.find(({ name }) => name === column.name)
      if (held === undefined) columns.push(column)
      else if (unify(held.type, column.type) === undefined) {
        throw new ShardbookError(
          'data',
          `${caller}: expected '${column.name}' to be ${describeType({ ...held, nullable: false })}, as in ${pathOf(first)}, got ${describeType({ ...column, nullable: false })} in ${pathOf(part)}.`,
          { hint: `Give its type: schema: { ${column.name}: 'string' }.` },
        )
      }
    }
  }
  return concat(
    caller,
    [first, ...rest].map((part) =>
      project(
        caller,
        part,
        columns.map((column) => columnOf(part, column)),
      ),
    ),
  )
}

function columnOf(part: Plan, { name, type }: Column): NamedExpr {
  if (part.schema.some((column) => column.name === name)) return { name, expr: reference(name) }
  return { name, expr: { kind: 'cast', input: { kind: 'literal', literal: { kind: 'null' } }, to: type } }
}
