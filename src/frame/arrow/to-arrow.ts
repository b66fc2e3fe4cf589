/**
 * Arrow out: a plan's result as an Arrow table, one record batch a chunk. The only folder that knows `apache-arrow`.
 *
 * Tensors become the canonical extension `arrow.fixed_shape_tensor`: a fixed-size list with its shape in the metadata;
 * categoricals become ordered dictionaries; sparse vectors a struct, as an extension of our own.
 * Reference: https://arrow.apache.org/docs/format/CanonicalExtensions.html
 */
import * as arrow from 'apache-arrow'
import { setImmediate } from 'node:timers/promises'
import { sizeOf, type StoredDType } from '../../core/dtype.js'
import type { Chunk, ChunkColumn } from '../chunk.js'
import { tensorColumn } from '../column-values.js'
import { run } from '../execute.js'
import type { Plan, TensorStore } from '../plan.js'
import type { Column, ColumnType, NumberStorage, Typed } from '../schema.js'
import type { StoredValues } from '../tensor/store.js'

export type ArrowTable = arrow.Table

export async function toArrow(plan: Plan): Promise<ArrowTable> {
  const stream = await run(plan)
  const schema = new arrow.Schema(plan.schema.map(fieldOf))
  const batches: arrow.RecordBatch[] = []
  for await (const chunk of stream.chunks) batches.push(batchOf(schema, plan.schema, chunk, stream.stores))
  return new arrow.Table(schema, batches)
}

/** The bytes of an Arrow IPC file or stream, made as the rows come. */
export async function* arrowBytes(plan: Plan, format: 'file' | 'stream'): AsyncGenerator<Uint8Array> {
  const stream = await run(plan)
  const schema = new arrow.Schema(plan.schema.map(fieldOf))
  const writer = format === 'file' ? new arrow.RecordBatchFileWriter() : new arrow.RecordBatchStreamWriter()
  const bytes = writer[Symbol.asyncIterator]()
  let next = bytes.next()
  writer.reset(undefined, schema)
  for await (const chunk of stream.chunks) {
    writer.write(batchOf(schema, plan.schema, chunk, stream.stores))
    // What the writer has made goes on before the next rows are asked for, so that it never holds more than a chunk.
    for (;;) {
      const made = await Promise.race([next, setImmediate(undefined)])
      if (made === undefined || made.done === true) break
      yield made.value
      next = bytes.next()
    }
  }
  writer.finish()
  for (let made = await next; made.done !== true; made = await bytes.next()) yield made.value
}

const tensorExtension = 'arrow.fixed_shape_tensor'
/** Indices and values of a sparse vector; `size` is in the metadata. */
export const sparseExtension = 'shardbook.sparse_vector'

function fieldOf(column: Column): arrow.Field {
  const { type } = column
  const extension =
    type.kind === 'tensor'
      ? ([tensorExtension, { shape: type.shape }] as const)
      : type.kind === 'sparse'
        ? ([sparseExtension, { size: type.size }] as const)
        : undefined
  const metadata =
    extension &&
    new Map([
      ['ARROW:extension:name', extension[0]],
      ['ARROW:extension:metadata', JSON.stringify(extension[1])],
    ])
  return new arrow.Field(column.name, arrowType(column), column.nullable, metadata)
}

function batchOf(
  schema: arrow.Schema,
  columns: readonly Column[],
  chunk: Chunk,
  stores: readonly TensorStore[],
): arrow.RecordBatch {
  const children = columns.map((column, i) => dataOf(column, chunk.columns[i]!, chunk.rows, stores))
  const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length: chunk.rows, nullCount: 0, children })
  return new arrow.RecordBatch(schema, data)
}

function dataOf(
  column: Column,
  { values, valid }: ChunkColumn,
  rows: number,
  stores: readonly TensorStore[],
): arrow.Data {
  const { type } = column
  const bitmap =
    valid === null ? {} : { nullBitmap: bitsOf(valid), nullCount: valid.reduce((n, bit) => n + 1 - bit, 0) }
  const common = { length: rows, nullCount: 0, ...bitmap }
  switch (type.kind) {
    case 'tensor': {
      const held = tensorColumn(column, [{ values, valid: null }], rows, stores)
      const width = sizeOf(type.shape)
      const element = elementType(type.dtype)
      const child = numericData(element, held.values, { length: rows * width, nullCount: 0 })
      return arrow.makeData({ type: arrowType(column) as arrow.FixedSizeList, child, ...common })
    }
    case 'number':
      return type.storage === 'int64'
        ? arrow.makeData({
            type: new arrow.Int64(),
            data: BigInt64Array.from(values as Float64Array, BigInt),
            ...common,
          })
        : numericData(elementType(type.storage), values as StoredValues, common)
    case 'bigint':
      return arrow.makeData({ type: new arrow.Int64(), data: values as BigInt64Array, ...common })
    case 'boolean':
      return arrow.makeData({ type: new arrow.Bool(), data: bitsOf(values as Uint8Array), ...common })
    case 'date':
      return arrow.makeData({
        type: new arrow.DateDay(),
        data: Int32Array.from(values as Float64Array, (ms) => Math.floor(ms / 86_400_000)),
        ...common,
      })
    case 'timestamp':
      return arrow.makeData({
        type: new arrow.TimestampMillisecond(),
        data: BigInt64Array.from(values as Float64Array, (ms) => BigInt(Math.floor(ms))),
        ...common,
      })
    case 'categorical': {
      const data = Int32Array.from(values as Uint8Array)
      return arrow.makeData({ ...dictionaryOf(type.levels), data, ...common })
    }
    case 'list':
    case 'struct':
    case 'sparse': {
      const vector = arrow.vectorFromArray(
        [...(values as readonly unknown[])].map((value) => nestedValue(type, value)),
        arrowType(column),
      )
      return vector.data[0] ?? arrow.makeData({ type: arrowType(column) as arrow.Struct, length: 0, children: [] })
    }
    case 'string':
    case 'opaque': {
      const texts = (values as readonly unknown[]).map((value) =>
        value === null ? null : typeof value === 'string' ? value : JSON.stringify(value, bigintAsText),
      )
      const vector = arrow.vectorFromArray(texts, new arrow.Utf8())
      return vector.data[0] ?? arrow.makeData({ type: new arrow.Utf8(), length: 0 })
    }
    default:
      return type satisfies never
  }
}

/** A value within a list or a struct as the library's builders take it. */
function nestedValue(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'number':
      return type.storage === 'int64' ? BigInt(value as number) : value
    case 'list':
      return (value as readonly unknown[]).map((each) => nestedValue(type.element.type, each))
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => {
          return [field.name, nestedValue(field.type, (value as Readonly<Record<string, unknown>>)[field.name])]
        }),
      )
    case 'opaque':
      return JSON.stringify(value, bigintAsText)
    default:
      return value
  }
}

interface Dictionary {
  readonly type: arrow.Dictionary
  readonly dictionary: arrow.Vector<arrow.Utf8>
}
const dictionaries = new WeakMap<readonly string[], Dictionary>()

/** One dictionary for all batches of a column: its type has an id of its own. */
function dictionaryOf(levels: readonly string[]): Dictionary {
  let found = dictionaries.get(levels)
  if (found === undefined) {
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), null, true)
    found = { type, dictionary: arrow.vectorFromArray([...levels], new arrow.Utf8()) }
    dictionaries.set(levels, found)
  }
  return found
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function arrowType({ type }: Typed): arrow.DataType {
  switch (type.kind) {
    case 'tensor':
      return new arrow.FixedSizeList(sizeOf(type.shape), new arrow.Field('item', elementType(type.dtype), false))
    case 'number':
      return type.storage === 'int64' ? new arrow.Int64() : elementType(type.storage)
    case 'bigint':
      return new arrow.Int64()
    case 'boolean':
      return new arrow.Bool()
    case 'date':
      return new arrow.DateDay()
    case 'timestamp':
      return new arrow.TimestampMillisecond()
    case 'categorical':
      return dictionaryOf(type.levels).type
    case 'list':
      return new arrow.List(new arrow.Field('item', arrowType(type.element), type.element.nullable))
    case 'struct':
      return new arrow.Struct(type.fields.map(fieldOf))
    case 'sparse':
      return new arrow.Struct([
        new arrow.Field('indices', new arrow.List(new arrow.Field('item', new arrow.Int32(), false)), false),
        new arrow.Field('values', new arrow.List(new arrow.Field('item', new arrow.Float32(), false)), false),
      ])
    case 'string':
    case 'opaque':
      return new arrow.Utf8()
    default:
      return type satisfies never
  }
}

function elementType(storage: Exclude<NumberStorage, 'int64'> | StoredDType): arrow.DataType {
  switch (storage) {
    case 'uint8':
      return new arrow.Uint8()
    case 'int8':
      return new arrow.Int8()
    case 'uint16':
      return new arrow.Uint16()
    case 'int16':
      return new arrow.Int16()
    case 'uint32':
      return new arrow.Uint32()
    case 'int32':
      return new arrow.Int32()
    case 'float32':
      return new arrow.Float32()
    case 'float64':
      return new arrow.Float64()
    default:
      return storage satisfies never
  }
}

/** Data of a numeric type; the library has no overload for a type that is not known statically. */
function numericData(
  type: arrow.DataType,
  data: StoredValues,
  common: { length: number; nullCount: number },
): arrow.Data {
  return arrow.makeData({ type: type as arrow.Float64, data: data as Float64Array, ...common })
}

/** Bits of 0/1 bytes, lowest first. */
function bitsOf(flags: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(flags.length / 8))
  for (let i = 0; i < flags.length; i++) if (flags[i] === 1) bits[i >> 3]! |= 1 << (i & 7)
  return bits
}
