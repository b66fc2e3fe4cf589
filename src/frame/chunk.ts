/**
 * Chunks: some rows of a plan's result, by column, in a form that belongs to no engine.
 *
 * | column type | `values` |
 * |---|---|
 * | number | typed array of its storage; `int64` as Float64Array, checked to be exact |
 * | bigint | BigInt64Array |
 * | string, opaque | array |
 * | boolean | Uint8Array of 0 and 1 |
 * | date, timestamp | Float64Array of milliseconds since 1970 UTC |
 * | tensor by reference | Float64Array of references (`tensor/store.ts`), -1 for null |
 * | tensor inline | row-major values of all rows |
 */
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import type { TensorStore } from './plan.js'
import type { Column, Schema } from './schema.js'
import { allocateStored, openGatherer, type Gatherer, type StoredValues } from './tensor/store.js'
import type { Tensor } from './tensor/tensor.js'

export type NumericValues =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array

export interface ChunkColumn {
  readonly values: NumericValues | readonly unknown[]
  /** 1 for each row that holds a value; `null` when all do. */
  readonly valid: Uint8Array | null
}

export interface Chunk {
  readonly rows: number
  readonly columns: readonly ChunkColumn[]
}

/** The result of a plan while it streams. */
export interface ChunkStream {
  readonly schema: Schema
  readonly stores: readonly TensorStore[]
  readonly chunks: AsyncIterable<Chunk>
}

/** Reads cells of a stream's chunks as JavaScript values; close it when done. */
export interface CellReader {
  /** The value in a row of a column of a chunk. */
  value(chunk: Chunk, column: number, row: number): unknown
  close(): void
}

export function cellReader({ schema, stores }: Pick<ChunkStream, 'schema' | 'stores'>): CellReader {
  const gatherers = new Map<number, Gatherer>()
  const gathererOf = (index: number): Gatherer => {
    const { type } = schema[index]!
    if (type.kind !== 'tensor') throw new ShardbookError('internal', 'cellReader: expected a tensor column.')
    let gatherer = gatherers.get(index)
    if (gatherer === undefined) gatherers.set(index, (gatherer = openGatherer(stores, type)))
    return gatherer
  }
  return {
    value(chunk, index, row) {
      const { values, valid } = chunk.columns[index]!
      if (valid !== null && valid[row] === 0) return null
      const { type } = schema[index]!
      switch (type.kind) {
        case 'boolean':
          return values[row] === 1
        case 'date':
        case 'timestamp':
          return new Date(values[row] as number)
        case 'tensor': {
          const length = sizeOf(type.shape)
          const own = allocateStored(type.dtype, length)
          if (type.held === 'reference') gathererOf(index).gather(values as Float64Array, row, 1, own)
          else own.set((values as StoredValues).subarray(row * length, (row + 1) * length))
          return { shape: type.shape, dtype: type.dtype, values: own } satisfies Tensor
        }
        default:
          return values[row]
      }
    },
    close() {
      for (const gatherer of gatherers.values()) gatherer.close()
    },
  }
}

/** Raises for a 64-bit integer that a JavaScript number cannot hold. */
export function checkSafeInteger(column: Column, value: bigint): number {
  const exact = Number(value)
  if (Number.isSafeInteger(exact)) return exact
  throw new ShardbookError(
    'data',
    `frame: expected '${column.name}' to hold integers that a number can hold exactly, got ${value}.`,
    { hint: `Read them as bigint: .withColumns(c => ({ ${column.name}: c.${column.name}.cast('bigint') })).` },
  )
}
