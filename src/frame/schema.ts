/**
 * Schemas: the columns of a frame with their types, as plain data.
 *
 * A `number` is a JavaScript number whatever its width in storage; arithmetic on numbers is done in float64. A tensor
 * column is held by `reference` (a row number into a tensor store, so that verbs move 8 bytes and never the values) or
 * `inline` (a fixed-size array in the engine). How users write a schema, and how one is told, is in `schema-spec.ts`.
 */
import { nearest } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { sizeOf, type StoredDType } from '../core/dtype.js'

export type NumberStorage = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'int64' | 'float32' | 'float64'

export interface TensorType {
  readonly kind: 'tensor'
  readonly dtype: StoredDType
  readonly shape: readonly number[]
  readonly held: 'reference' | 'inline'
}

export type ColumnType =
  | { readonly kind: 'number'; readonly storage: NumberStorage }
  | { readonly kind: 'bigint' | 'string' | 'boolean' | 'date' | 'timestamp' }
  | TensorType
  /** A vector of `size` components, of which only those that are not zero are kept, in float32. */
  | { readonly kind: 'sparse'; readonly size: number }
  | { readonly kind: 'list'; readonly element: Typed }
  | { readonly kind: 'struct'; readonly fields: Schema }
  /** Strings out of a fixed list, whose order is theirs; kept as numbers into it. */
  | { readonly kind: 'categorical'; readonly levels: readonly string[] }
  /** A type that verbs carry along but have no operation for (maps, unions); values come as plain JavaScript. */
  | { readonly kind: 'opaque'; readonly sql: string }

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
}

export type Schema = readonly Column[]

/** The type of a column, of an expression, of a list's elements. */
export type Typed = Pick<Column, 'type' | 'nullable'>

export const float64: ColumnType = Object.freeze({ kind: 'number', storage: 'float64' })
export const int64: ColumnType = Object.freeze({ kind: 'number', storage: 'int64' })
export const boolean: ColumnType = Object.freeze({ kind: 'boolean' })
export const string: ColumnType = Object.freeze({ kind: 'string' })

/** The type of a bare null: it is of every type, and the other side of an operation decides. */
export const nullType: ColumnType = Object.freeze({ kind: 'opaque', sql: 'NULL' })
export const isNullType = (type: ColumnType): boolean => type.kind === 'opaque' && type.sql === 'NULL'

/** The column of that name. @throws `column` naming the nearest one and listing the rest */
export function findColumn(caller: string, schema: Schema, name: string): Column {
  const found = schema.find((column) => column.name === name)
  if (found !== undefined) return found
  throw unknownColumn(caller, schema, name)
}

export function unknownColumn(caller: string, schema: Schema, name: string): ShardbookError {
  const names = schema.map((column) => column.name)
  const near = nearest(name, names)
  const rest = names.length > 20 ? `${names.slice(0, 20).join(', ')}, … (${names.length} in all)` : names.join(', ')
  return new ShardbookError('column', `${caller}: there is no column '${name}'.`, {
    hint: `${near === undefined ? '' : `Did you mean '${near}'? `}Columns: ${rest || 'none'}.`,
  })
}

/** Raises when two columns share a name. */
export function checkDistinctNames(caller: string, names: readonly string[]): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) {
      throw new ShardbookError('column', `${caller}: expected distinct column names, got '${name}' twice.`, {
        hint: 'Rename one of them.',
      })
    }
    seen.add(name)
  }
}

/** How a feed delivers a column: its element type and the shape of one row, or `undefined` when it cannot be fed. */
export function feedTypeOf(type: ColumnType): { dtype: StoredDType; shape: readonly number[] } | undefined {
  switch (type.kind) {
    case 'tensor':
      return { dtype: type.dtype, shape: type.shape }
    case 'boolean':
      return { dtype: 'uint8', shape: [] }
    case 'bigint':
      return { dtype: 'float64', shape: [] }
    case 'number':
      return { dtype: feedDtype(type.storage), shape: [] }
    case 'categorical':
      return { dtype: 'int32', shape: [] }
    case 'sparse':
    case 'list':
    case 'struct':
    case 'string':
    case 'date':
    case 'timestamp':
    case 'opaque':
      return undefined
    default:
      throw new ShardbookError('internal', `feedTypeOf: unknown type ${JSON.stringify(type satisfies never)}.`)
  }
}

function feedDtype(storage: NumberStorage): StoredDType {
  switch (storage) {
    case 'uint8':
    case 'int32':
    case 'float32':
    case 'float64':
      return storage
    case 'int8':
    case 'uint16':
    case 'int16':
      return 'int32'
    case 'uint32':
    case 'int64':
      return 'float64'
    default:
      throw new ShardbookError('internal', `feedDtype: unknown storage ${String(storage satisfies never)}.`)
  }
}

/** Bytes of one row's value of a tensor column. */
export function tensorBytes(type: Pick<TensorType, 'dtype' | 'shape'>): number {
  const width = { uint8: 1, int32: 4, float32: 4, float64: 8 }[type.dtype]
  return width * sizeOf(type.shape)
}

export function sameType(a: ColumnType, b: ColumnType): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
