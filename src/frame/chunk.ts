/**
 * Chunks: some rows of a plan's result, by column, in a form that belongs to no engine.
 *
 * | column type | `values` |
 * |---|---|
 * | number | typed array of its storage; `int64` as Float64Array, checked to be exact |
 * | bigint | BigInt64Array |
 * | string, list, struct, sparse, opaque | array |
 * | categorical | typed array of positions in its levels (`codesOf`) |
 * | boolean | Uint8Array of 0 and 1 |
 * | date, timestamp | Float64Array of milliseconds since 1970 UTC |
 * | tensor by reference | Float64Array of references (`tensor/store.ts`), -1 for null |
 * | tensor inline | row-major values of all rows |
 */
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import type { TensorStore } from './plan.js'
import type { SparseRows } from './row-function.js'
import type { Schema } from './schema.js'
import { allocateStored, openGatherer, type Gatherer, type StoredValues } from './tensor/store.js'
import type { Sparse } from './tensor/sparse.js'
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

/** A column of sparse vectors: flat arrays as they come, and a vector for each row where one is asked for. */
export class SparseColumn implements ChunkColumn {
  readonly flat: SparseRows
  #values: readonly (Sparse | null)[] | undefined

  constructor(flat: SparseRows) {
    this.flat = flat
  }

  get valid(): Uint8Array | null {
    return this.flat.valid
  }

  get values(): readonly (Sparse | null)[] {
    const { size, starts, ends, indices, values, valid } = this.flat
    this.#values ??= Array.from(starts, (start, row) => {
      if (valid !== null && valid[row] === 0) return null
      return { size, indices: indices.slice(start, ends[row]), values: values.slice(start, ends[row]) }
    })
    return this.#values
  }
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
        case 'categorical':
          return type.levels[values[row] as number]
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

/** A chunk's rows as objects. */
export function rowsOfChunk(schema: Schema, chunk: Chunk, reader: CellReader): Record<string, unknown>[] {
  return Array.from({ length: chunk.rows }, (_, row) =>
    Object.fromEntries(schema.map(({ name }, i) => [name, reader.value(chunk, i, row)])),
  )
}

/** An array for the positions of `rows` values in a categorical's levels. */
export function codesOf(levels: readonly string[], rows: number): Uint8Array | Uint16Array | Uint32Array {
  if (levels.length < 256) return new Uint8Array(rows)
  return levels.length < 65_536 ? new Uint16Array(rows) : new Uint32Array(rows)
}

/** Raises for a 64-bit integer that a JavaScript number cannot hold. */
export function checkSafeInteger(name: string, value: bigint): number {
  const exact = Number(value)
  if (Number.isSafeInteger(exact)) return exact
  throw new ShardbookError(
    'data',
    `frame: expected '${name}' to hold integers that a number can hold exactly, got ${value}.`,
    { hint: `Read them as bigint: .withColumns({ ${name}: col(${JSON.stringify(name)}).cast('bigint') }).` },
  )
}
