/**
 * Rows checked by schemas of other libraries, through the interface that they share.
 * Reference: https://standardschema.dev
 */
import { isDeepStrictEqual } from 'node:util'
import { ShardbookError } from '../core/errors.js'

/** What a Standard Schema library's schemas have. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Outcome<Output> | Promise<Outcome<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}
type Outcome<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] }
interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export function isStandardSchema(value: unknown): value is StandardSchema<object> {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value
}

const checks = new Map<string, StandardSchema>()
let counter = 0

/** The name of a schema, by which a plan of this process refers to it. */
export function registerCheck(schema: StandardSchema): string {
  const name = `schema-${++counter}`
  checks.set(name, schema)
  return name
}

/** What a schema makes of rows in memory. @throws `data` for the first row that it refuses */
export function outputsOf(caller: string, schema: StandardSchema<object>, rows: readonly unknown[]): object[] {
  return rows.map((row, number) => {
    const outcome = schema['~standard'].validate(row)
    if (outcome instanceof Promise) {
      throw new ShardbookError('argument', `${caller}: expected a schema that answers at once, got one that waits.`, {
        hint: 'Use frame(rows).validate(schema).',
      })
    }
    return accepted(caller, outcome, number)
  })
}

/** Checks rows, the first of which has the number `first`. @throws `data` for the first row that the schema refuses */
export async function checkRows(name: string, rows: readonly object[], first: number): Promise<void> {
  const schema = checks.get(name)
  if (schema === undefined) throw new ShardbookError('state', `validate: the schema ${name} is not in this process.`)
  for (const [i, row] of rows.entries()) {
    const output = accepted('validate', await schema['~standard'].validate(row), first + i)
    if (isDeepStrictEqual(output, row)) continue
    throw new ShardbookError(
      'data',
      `validate: expected a schema that changes no value, got one that does (row ${first + i}).`,
      {
        hint: `Select the schema's columns first, and change values with withColumns.`,
      },
    )
  }
}

function accepted<Output>(caller: string, outcome: Outcome<Output>, row: number): Output {
  if (outcome.issues === undefined) return outcome.value
  const [issue] = outcome.issues
  const path = issue?.path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
  const where = path === undefined || path === '' ? '' : ` in '${path}'`
  throw new ShardbookError(
    'data',
    `${caller}: row ${row}${where}: ${issue?.message ?? 'refused'}.`.replace(/\.\.$/, '.'),
  )
}
