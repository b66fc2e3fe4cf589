/** Values of lists, structs and sparse vectors, between DuckDB's JavaScript values and ours. */
import { checkSafeInteger } from '../../chunk.js'
import type { ColumnType } from '../../schema.js'
import type { Sparse } from '../../tensor/sparse.js'

/** A value as DuckDB's converter gives it, as ours. */
export function nestedFrom(name: string, type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'number':
      return typeof value === 'bigint' ? checkSafeInteger(name, value) : value
    case 'list':
      return (value as readonly unknown[]).map((each) => nestedFrom(name, type.element.type, each))
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => {
          const part = (value as Readonly<Record<string, unknown>>)[field.name]
          return [field.name, nestedFrom(`${name}.${field.name}`, field.type, part)]
        }),
      )
    case 'sparse': {
      const { indices, values } = value as { indices: readonly number[]; values: readonly number[] }
      return { size: type.size, indices: Int32Array.from(indices), values: Float32Array.from(values) } satisfies Sparse
    }
    default:
      return value
  }
}

/** A value of ours as DuckDB's converter takes it. */
export function nestedTo(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'list':
      return (value as readonly unknown[]).map((each) => nestedTo(type.element.type, each))
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          nestedTo(field.type, (value as Readonly<Record<string, unknown>>)[field.name]),
        ]),
      )
    case 'sparse':
      return { indices: [...(value as Sparse).indices], values: [...(value as Sparse).values] }
    default:
      return value
  }
}
