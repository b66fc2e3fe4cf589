/**
 * Schemas: the columns of a frame with their types, as plain data.
 *
 * A `number` is a JavaScript number whatever its width in storage; arithmetic on numbers is done in float64. A tensor
 * column is held by `reference` (a row number into a tensor store, so that verbs move 8 bytes and never the values) or
 * `inline` (a fixed-size array in the engine).
 */
import { checkOneOf, nearest } from '../core/check.js'
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
  /** A type that verbs carry along but have no operation for (lists, structs, maps); values come as plain JavaScript. */
  | { readonly kind: 'opaque'; readonly sql: string }

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
}

export type Schema = readonly Column[]

export const float64: ColumnType = Object.freeze({ kind: 'number', storage: 'float64' })
export const int64: ColumnType = Object.freeze({ kind: 'number', storage: 'int64' })
export const boolean: ColumnType = Object.freeze({ kind: 'boolean' })
export const string: ColumnType = Object.freeze({ kind: 'string' })

/** How users write a column's type: a name, with `?` where the column may hold null, or a tensor's shape. */
export type TypeSpec =
  | `${'number' | 'bigint' | 'string' | 'boolean' | 'date' | 'timestamp'}${'' | '?'}`
  | { readonly tensor: readonly number[]; readonly dtype?: StoredDType }
export type SchemaSpec = Readonly<Record<string, TypeSpec>>

const plainKinds = ['number', 'bigint', 'string', 'boolean', 'date', 'timestamp'] as const
const dtypes: readonly StoredDType[] = ['uint8', 'int32', 'float32', 'float64']

/** The schema that a user wrote. @throws on an unknown type name */
export function parseSchema(caller: string, spec: SchemaSpec): Schema {
  return Object.entries(spec).map(([name, type]) => {
    if (typeof type === 'object') {
      const { tensor: shape, dtype = 'float32' } = type
      checkOneOf(caller, `dtype of '${name}'`, dtype, dtypes)
      return { name, type: { kind: 'tensor', dtype, shape: [...shape], held: 'inline' }, nullable: false }
    }
    const kind = type.replace(/\?$/, '')
    checkOneOf(caller, `type of '${name}'`, kind, plainKinds)
    return { name, type: kind === 'number' ? float64 : { kind }, nullable: type.endsWith('?') }
  })
}

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

/** A type in words: `number`, `string?`, `tensor [28, 28, 1] uint8`. */
export function describeType({ type, nullable }: Pick<Column, 'type' | 'nullable'>): string {
  const name =
    type.kind === 'tensor'
      ? `tensor [${type.shape.join(', ')}] ${type.dtype}`
      : type.kind === 'opaque'
        ? type.sql.toLowerCase()
        : type.kind
  return nullable ? `${name}?` : name
}

/** The static type of a frame of this schema, as TypeScript text that refers to the package by its name. */
export function typeText(schema: Schema): string {
  const fields = schema.map((column) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(column.name) ? column.name : JSON.stringify(column.name)
    return `${name}: ${valueTypeText(column.type)}${column.nullable ? ' | null' : ''}`
  })
  return `import('shardbook').Frame<{ ${fields.join('; ')} }>`
}

function valueTypeText(type: ColumnType): string {
  switch (type.kind) {
    case 'date':
    case 'timestamp':
      return 'Date'
    case 'tensor':
      return `import('shardbook').Tensor<[${type.shape.join(', ')}]>`
    case 'opaque':
      return 'unknown'
    default:
      return type.kind
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
