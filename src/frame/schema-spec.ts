/** Schemas as users write them, and as they are told to users: in words and as TypeScript. */
import { checkInteger, checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import type { StoredDType } from '../core/dtype.js'
import { checkDistinctNames, float64, type Column, type ColumnType, type Schema, type Typed } from './schema.js'

const plainKinds = ['number', 'bigint', 'string', 'boolean', 'date', 'timestamp'] as const
type PlainKind = (typeof plainKinds)[number]

/** How users write a column's type: a name, with `?` where the column may hold null, or an object for the others. */
export type TypeSpec =
  | `${PlainKind}${'' | '?'}`
  | { readonly tensor: readonly number[]; readonly dtype?: StoredDType }
  | ({ readonly list: TypeSpec } & Nullable)
  | ({ readonly struct: SchemaSpec } & Nullable)
  /** The values that there are, in their order. */
  | ({ readonly categorical: readonly string[] } & Nullable)
  /** The number of components. */
  | ({ readonly sparse: number } & Nullable)
interface Nullable {
  readonly nullable?: boolean
}
export interface SchemaSpec {
  readonly [column: string]: TypeSpec
}

const dtypes: readonly StoredDType[] = ['uint8', 'int32', 'float32', 'float64']

/** The schema that a user wrote. @throws `argument` on an unknown type */
export function parseSchema(caller: string, spec: SchemaSpec): Schema {
  return Object.entries(spec).map(([name, type]) => ({ name, ...parseType(caller, name, type) }))
}

/** One type that a user wrote, for `name`. @throws `argument` on an unknown type */
export function parseType(caller: string, name: string, spec: TypeSpec): Typed {
  if (typeof spec === 'string') {
    const kind = spec.replace(/\?$/, '')
    checkOneOf(caller, `type of '${name}'`, kind, plainKinds)
    return { type: kind === 'number' ? float64 : { kind }, nullable: spec.endsWith('?') }
  }
  if ('tensor' in spec) {
    const { tensor: shape, dtype = 'float32' } = spec
    checkOneOf(caller, `dtype of '${name}'`, dtype, dtypes)
    return { type: { kind: 'tensor', dtype, shape: [...shape], held: 'inline' }, nullable: false }
  }
  return { type: parseNested(caller, name, spec), nullable: spec.nullable ?? false }
}

function parseNested(
  caller: string,
  name: string,
  spec: Exclude<TypeSpec, string | { readonly tensor: unknown }>,
): ColumnType {
  if ('list' in spec) return { kind: 'list', element: parseType(caller, `${name}[]`, spec.list) }
  if ('struct' in spec) return structType(caller, parseSchema(caller, spec.struct))
  if ('categorical' in spec) return categoricalType(caller, spec.categorical)
  if ('sparse' in spec) {
    checkInteger(caller, `size of '${name}'`, spec.sparse, 1)
    return { kind: 'sparse', size: spec.sparse }
  }
  throw new ShardbookError('argument', `${caller}: expected the type of '${name}', got ${show(spec)}.`, {
    hint: `Write one of ${plainKinds.join(', ')}, or { list }, { struct }, { categorical }, { sparse }, { tensor }.`,
  })
}

/** @throws `column` for two fields of one name */
export function structType(caller: string, fields: Schema): ColumnType {
  // The engine folds the case of fields' names.
  checkDistinctNames(
    caller,
    fields.map((field) => field.name.toLowerCase()),
  )
  return { kind: 'struct', fields }
}

export function categoricalType(caller: string, levels: readonly string[]): ColumnType {
  if (
    levels.length > 0 &&
    levels.every((level) => typeof level === 'string') &&
    new Set(levels).size === levels.length
  ) {
    return { kind: 'categorical', levels: [...levels] }
  }
  throw new ShardbookError('argument', `${caller}: expected distinct strings as levels, got ${show(levels)}.`)
}

/** A type in words: `number`, `string?`, `number[]`, `tensor [28, 28, 1] uint8`. */
export function describeType({ type, nullable }: Typed): string {
  return nullable ? `${typeWords(type)}?` : typeWords(type)
}

function typeWords(type: ColumnType): string {
  switch (type.kind) {
    case 'tensor':
      return `tensor [${type.shape.join(', ')}] ${type.dtype}`
    case 'sparse':
      return `sparse [${type.size}]`
    case 'list':
      return `${typeWords(type.element.type)}[]`
    case 'struct':
      return `{ ${type.fields.map((field) => `${field.name}: ${describeType(field)}`).join(', ')} }`
    case 'categorical':
      return `categorical (${type.levels.length})`
    case 'opaque':
      return type.sql.toLowerCase()
    default:
      return type.kind
  }
}

/** The static type of a frame of this schema, as TypeScript text that refers to the package by its name. */
export function typeText(schema: Schema): string {
  return `import('shardbook').Frame<${fieldsText(schema)}>`
}

function fieldsText(fields: Schema): string {
  const texts = fields.map((column) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(column.name) ? column.name : JSON.stringify(column.name)
    return `${name}: ${valueText(column)}`
  })
  return `{ ${texts.join('; ')} }`
}

function valueText({ type, nullable }: Pick<Column, 'type' | 'nullable'>): string {
  return nullable ? `${valueTypeText(type)} | null` : valueTypeText(type)
}

function valueTypeText(type: ColumnType): string {
  switch (type.kind) {
    case 'date':
    case 'timestamp':
      return 'Date'
    case 'tensor':
      return `import('shardbook').Tensor<[${type.shape.join(', ')}]>`
    case 'sparse':
      return `import('shardbook').Sparse<${type.size}>`
    case 'list':
      return `(${valueText(type.element)})[]`
    case 'struct':
      return fieldsText(type.fields)
    case 'categorical':
      return type.levels.map((level) => JSON.stringify(level)).join(' | ')
    case 'opaque':
      return 'unknown'
    default:
      return type.kind
  }
}
