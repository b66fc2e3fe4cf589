/** Types that meet: in a comparison, in the branches of a `when`, in frames that are put together. */
import { float64, isNullType, sameType, string, type ColumnType, type Typed } from '../schema.js'
import type { ExprNode } from './node.js'

export type Kind = ColumnType['kind']

/** Kinds whose values have an order and can be keys. */
export const comparable: readonly Kind[] = ['number', 'bigint', 'string', 'boolean', 'date', 'timestamp', 'categorical']

/**
 * The type that holds values of both, if there is one. A categorical and a string are strings, but for a string that is
 * written out (`second`): it must be one of the levels.
 */
export function unify(a: ColumnType, b: ColumnType, second?: ExprNode): ColumnType | undefined {
  if (isNullType(a)) return b
  if (isNullType(b) || sameType(a, b)) return a
  if (a.kind === 'number' && b.kind === 'number') return float64
  if (isTime(a) && isTime(b)) return { kind: 'timestamp' }
  if (a.kind === 'categorical' && second?.kind === 'literal' && second.literal.kind === 'string') {
    return a.levels.includes(second.literal.value) ? a : undefined
  }
  if (isText(a) && isText(b)) return string
  if (a.kind === 'list' && b.kind === 'list') {
    const element = unifyTyped(a.element, b.element)
    return element === undefined ? undefined : { kind: 'list', element }
  }
  if (a.kind === 'struct' && b.kind === 'struct') return unifyFields(a, b)
  return undefined
}

type Struct = Extract<ColumnType, { kind: 'struct' }>

function unifyFields(a: Struct, b: Struct): ColumnType | undefined {
  if (a.fields.length !== b.fields.length) return undefined
  const fields = a.fields.map((field) => {
    const other = b.fields.find(({ name }) => name === field.name)
    const typed = other === undefined ? undefined : unifyTyped(field, other)
    return typed === undefined ? undefined : { name: field.name, ...typed }
  })
  return fields.every((field) => field !== undefined) ? { kind: 'struct', fields } : undefined
}

export function unifyTyped(a: Typed, b: Typed): Typed | undefined {
  const type = unify(a.type, b.type)
  return type === undefined ? undefined : { type, nullable: a.nullable || b.nullable }
}

function isTime({ kind }: ColumnType): boolean {
  return kind === 'date' || kind === 'timestamp'
}

function isText({ kind }: ColumnType): boolean {
  return kind === 'string' || kind === 'categorical'
}
