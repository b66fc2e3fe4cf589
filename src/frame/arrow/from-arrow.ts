/** Arrow in: a table in memory as a plan, and columns of its types. Tensors as `to-arrow.ts` writes them. */
import * as arrow from 'apache-arrow'
import { ShardbookError } from '../../core/errors.js'
import { sizeOf, type StoredDType } from '../../core/dtype.js'
import { codesOf, type ChunkColumn } from '../chunk.js'
import { memoryPlan } from '../memory.js'
import type { Plan, TensorStore } from '../plan.js'
import type { Column, ColumnType, NumberStorage } from '../schema.js'
import { structType } from '../schema-spec.js'
import { sparseOf } from '../tensor/sparse.js'
import { addBuffer, allocateStored, storeStride, type StoredValues } from '../tensor/store.js'
import { sparseExtension } from './to-arrow.js'

/** A plan over the rows of an Arrow table. @throws `column` for a type that frames do not have */
export function fromArrow(table: arrow.Table): Plan {
  const stores: TensorStore[] = []
  const keep: KeepTensors = (values) => (stores.push(addBuffer(values)) - 1) * storeStride
  const schema: Column[] = []
  const columns = table.schema.fields.map((field, i) => {
    const vector = table.getChildAt(i)!
    const type = columnType(field, levelsOf(vector))
    schema.push({ name: field.name, type, nullable: vector.nullCount > 0 })
    return columnOf(type, vector, keep)
  })
  return memoryPlan(schema, { rows: table.numRows, columns }, stores)
}

/** Keeps the values of some rows' tensors; what refers to the first of them. */
export type KeepTensors = (values: StoredValues) => number

export function columnType({ name, type, metadata }: arrow.Field, levels: readonly string[]): ColumnType {
  if (arrow.DataType.isFixedSizeList(type)) {
    const element = numberStorage(type.children[0]!.type)
    const shape = metadata.get('ARROW:extension:metadata')
    const dtypes: readonly StoredDType[] = ['uint8', 'int32', 'float32', 'float64']
    const dtype = dtypes.find((each) => each === element)
    if (dtype !== undefined) {
      const own = shape === undefined ? [type.listSize] : (JSON.parse(shape) as { shape: number[] }).shape
      return { kind: 'tensor', dtype, shape: own, held: 'reference' }
    }
  }
  if (arrow.DataType.isInt(type) && type.bitWidth === 64 && type.isSigned) return { kind: 'bigint' }
  const storage = numberStorage(type)
  if (storage !== undefined) return { kind: 'number', storage }
  if (arrow.DataType.isBool(type)) return { kind: 'boolean' }
  if (arrow.DataType.isDate(type)) return { kind: 'date' }
  if (arrow.DataType.isTimestamp(type)) return { kind: 'timestamp' }
  if (isText(type)) return { kind: 'string' }
  if (arrow.DataType.isDictionary(type) && isText(type.dictionary as arrow.DataType)) {
    return levels.length > 0 ? { kind: 'categorical', levels } : { kind: 'string' }
  }
  if (arrow.DataType.isList(type)) {
    const [item] = type.children
    return { kind: 'list', element: { type: columnType(item!, []), nullable: item!.nullable } }
  }
  if (arrow.DataType.isStruct(type)) {
    if (metadata.get('ARROW:extension:name') === sparseExtension) {
      const { size } = JSON.parse(metadata.get('ARROW:extension:metadata') ?? '') as { size: number }
      return { kind: 'sparse', size }
    }
    const fields = type.children.map((field) => ({
      name: field.name,
      type: columnType(field, []),
      nullable: field.nullable,
    }))
    return structType('read.arrow', fields)
  }
  throw new ShardbookError(
    'column',
    `read.arrow: expected plain values or tensors in '${name}', got the type ${String(type)}.`,
  )
}

function isText(type: arrow.DataType): boolean {
  return arrow.DataType.isUtf8(type) || arrow.DataType.isLargeUtf8(type)
}

function numberStorage(type: arrow.DataType): NumberStorage | undefined {
  if (arrow.DataType.isFloat(type)) {
    return type.precision === arrow.Precision.SINGLE
      ? 'float32'
      : type.precision === arrow.Precision.DOUBLE
        ? 'float64'
        : undefined
  }
  if (!arrow.DataType.isInt(type) || type.bitWidth === 64) return undefined
  return `${type.isSigned ? '' : 'u'}int${type.bitWidth}`
}

/** The values of a column, or of some of its rows. */
export function columnOf(type: ColumnType, vector: arrow.Vector, keep: KeepTensors): ChunkColumn {
  const rows = vector.length
  const valid = vector.nullCount === 0 ? null : Uint8Array.from({ length: rows }, (_, i) => (vector.isValid(i) ? 1 : 0))
  const at = (row: number): unknown => (valid?.[row] === 0 ? null : vector.get(row))
  switch (type.kind) {
    case 'tensor': {
      const width = sizeOf(type.shape)
      const values = allocateStored(type.dtype, rows * width)
      let filled = 0
      for (const data of vector.data) {
        const child = data.children[0]!
        const from = data.offset * width
        values.set((child.values as Float64Array).subarray(from, from + data.length * width), filled)
        filled += data.length * width
      }
      const base = keep(values)
      return { values: Float64Array.from({ length: rows }, (_, row) => (valid?.[row] === 0 ? -1 : base + row)), valid }
    }
    case 'number':
      return { values: vector.toArray() as Float64Array, valid }
    case 'bigint':
      return { values: vector.toArray() as BigInt64Array, valid }
    case 'boolean':
      return { values: Uint8Array.from({ length: rows }, (_, row) => (at(row) === true ? 1 : 0)), valid }
    case 'date':
    case 'timestamp':
      return { values: Float64Array.from({ length: rows }, (_, row) => Number(at(row) ?? 0)), valid }
    case 'categorical': {
      const codes = codesOf(type.levels, rows)
      const codeOf = new Map(type.levels.map((level, i) => [level, i]))
      for (let row = 0; row < rows; row++) codes[row] = codeOf.get(at(row) as string) ?? 0
      return { values: codes, valid }
    }
    default:
      return { values: Array.from({ length: rows }, (_, row) => nestedValue(type, at(row))), valid }
  }
}

/** The texts of a dictionary, each once, in their order; the parts of a vector may have different ones. */
export function levelsOf(vector: arrow.Vector): readonly string[] {
  if (!arrow.DataType.isDictionary(vector.type)) return []
  const texts = vector.data.flatMap(({ dictionary }) => [...((dictionary ?? []) as Iterable<string | null>)])
  return [...new Set(texts.filter((text) => text !== null))]
}

/** A value of the library's as a plain one. */
function nestedValue(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'list':
      return Array.from(value as Iterable<unknown>, (each) => nestedValue(type.element.type, each))
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => {
          return [field.name, nestedValue(field.type, (value as Readonly<Record<string, unknown>>)[field.name])]
        }),
      )
    case 'sparse': {
      const { indices, values } = value as { indices: Iterable<number>; values: Iterable<number> }
      return sparseOf('read.arrow', { size: type.size, indices: [...indices], values: [...values] })
    }
    case 'date':
    case 'timestamp':
      return new Date(Number(value))
    default:
      return value
  }
}
