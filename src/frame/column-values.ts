/** Values of whole columns, out of chunks. */
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import { cellReader, type Chunk, type ChunkColumn, type NumericValues } from './chunk.js'
import type { TensorStore } from './plan.js'
import type { Column } from './schema.js'
import { allocateStored, openGatherer, type StoredValues } from './tensor/store.js'
import type { Tensor } from './tensor/tensor.js'

/** All values of a column: what `toColumns` gives for a column of value type `V`. */
export type ColumnValues<V> = unknown extends V
  ? ArrayLike<unknown>
  : [V] extends [number]
    ? Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array
    : [V] extends [bigint]
      ? BigInt64Array
      : [V] extends [Tensor]
        ? TensorColumn
        : readonly V[]

/** The tensors of a column as one: `shape` begins with the number of rows. */
export interface TensorColumn {
  readonly shape: readonly number[]
  readonly dtype: Tensor['dtype']
  readonly values: StoredValues
}

/** Values of a column of some chunks; tensors as one (`tensors`), or a value a row. */
export function columnValues(
  column: Column,
  parts: readonly ChunkColumn[],
  rows: number,
  chunks: readonly Chunk[],
  index: number,
  stores: readonly TensorStore[],
  tensors = true,
): ArrayLike<unknown> {
  const { type } = column
  const whole = parts.every(({ valid }) => valid === null)
  if (tensors && whole && type.kind === 'tensor') return tensorColumn(column, parts, rows, stores) as never
  if (whole && (type.kind === 'number' || type.kind === 'bigint')) {
    return joinValues(
      parts.map(({ values }) => values as NumericValues),
      column,
    )
  }
  const reader = cellReader({ schema: [{ ...column }], stores })
  try {
    return chunks.flatMap((chunk) => {
      const only: Chunk = { rows: chunk.rows, columns: [chunk.columns[index]!] }
      return Array.from({ length: chunk.rows }, (_, row) => reader.value(only, 0, row))
    })
  } finally {
    reader.close()
  }
}

/** Values of all rows of a tensor column without nulls. */
export function tensorColumn(
  { type, name }: Column,
  parts: readonly ChunkColumn[],
  rows: number,
  stores: readonly TensorStore[],
): TensorColumn {
  if (type.kind !== 'tensor')
    throw new ShardbookError('internal', `tensorColumn: expected '${name}' to be a tensor column.`)
  const width = sizeOf(type.shape)
  const values = allocateStored(type.dtype, rows * width)
  const gatherer = type.held === 'reference' ? openGatherer(stores, type) : undefined
  let at = 0
  for (const part of parts) {
    const source = part.values as StoredValues
    if (gatherer === undefined) values.set(source, at)
    else gatherer.gather(source as Float64Array, 0, source.length, values.subarray(at))
    at += gatherer === undefined ? source.length : source.length * width
  }
  gatherer?.close()
  return { shape: [rows, ...type.shape], dtype: type.dtype, values }
}

function joinValues(parts: readonly NumericValues[], { type }: Column): NumericValues {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const [first] = parts
  if (first === undefined) return type.kind === 'bigint' ? new BigInt64Array(0) : new Float64Array(0)
  const joined = new (first.constructor as new (length: number) => NumericValues)(length)
  let at = 0
  for (const part of parts) {
    joined.set(part as never, at)
    at += part.length
  }
  return joined
}
