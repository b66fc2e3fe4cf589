/**
 * Rows of a frame for what learns from vectors: streamed in batches of a few thousand, or all of them as a matrix in memory.
 */
import { ShardbookError } from '../../core/errors.js'
import { sizeOf } from '../../core/dtype.js'
import { select } from '../../frame/build.js'
import { SparseColumn } from '../../frame/chunk.js'
import type { Chunk, ChunkColumn } from '../../frame/chunk.js'
import { run } from '../../frame/execute.js'
import { findColumn } from '../../frame/index.js'
import type { AnyFrame, Column } from '../../frame/index.js'
import type { SparseRows, TensorRows } from '../../frame/row-function.js'
import { allocateStored, openGatherer, type Gatherer, type StoredValues } from '../../frame/tensor/store.js'

export type VectorRows = TensorRows | SparseRows

/** Some rows: their vectors, and numbers of other columns. */
export interface VectorBatch {
  readonly rows: number
  readonly vectors: VectorRows
  readonly numbers: readonly Float64Array[]
}

/** Components of a vector column. */
export function vectorSize({ type }: Column): number {
  if (type.kind === 'sparse') return type.size
  return type.kind === 'tensor' ? sizeOf(type.shape) : 1
}

/**
 * Streams the vectors of a column with numbers of other columns, in the order of the rows.
 *
 * @throws ShardbookError `data` for a null, or a number that is not finite.
 */
export async function* readVectors(
  caller: string,
  frame: AnyFrame,
  name: string,
  others: readonly string[] = [],
): AsyncGenerator<VectorBatch, void, undefined> {
  const column = findColumn(caller, frame.schema, name)
  const names = [...new Set([name, ...others])]
  const stream = await run(select(caller, frame.plan, names))
  let gatherer: Gatherer | undefined
  if (column.type.kind === 'tensor' && column.type.held === 'reference') {
    gatherer = openGatherer(stream.stores, column.type)
  }
  try {
    for await (const chunk of stream.chunks) {
      const vectors = vectorRows(caller, column, chunk, gatherer)
      const numbers = others.map((other) => numbersOf(caller, other, chunk.columns[names.indexOf(other)]!, chunk.rows))
      yield { rows: chunk.rows, vectors, numbers }
    }
  } finally {
    gatherer?.close()
  }
}

function vectorRows(caller: string, column: Column, chunk: Chunk, gatherer: Gatherer | undefined): VectorRows {
  const own = chunk.columns[0]!
  refuseNull(caller, column.name, own.valid)
  const { type } = column
  // Before its values are asked for, which makes an object of each row.
  if (own instanceof SparseColumn) return own.flat
  const { values } = own
  if (type.kind !== 'tensor') {
    return {
      kind: 'tensors',
      width: 1,
      values: numbersOf(caller, column.name, own, chunk.rows),
      valid: null,
    }
  }
  const width = sizeOf(type.shape)
  if (gatherer === undefined) return { kind: 'tensors', width, values: values as StoredValues, valid: null }
  const gathered = allocateStored(type.dtype, chunk.rows * width)
  gatherer.gather(values as Float64Array, 0, chunk.rows, gathered)
  return { kind: 'tensors', width, values: gathered, valid: null }
}

function numbersOf(caller: string, name: string, { values, valid }: ChunkColumn, rows: number): Float64Array {
  refuseNull(caller, name, valid)
  const numbers = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const value = Number(values[row])
    if (!Number.isFinite(value)) {
      throw new ShardbookError('data', `${caller}: expected finite numbers in '${name}', got ${value}.`)
    }
    numbers[row] = value
  }
  return numbers
}

function refuseNull(caller: string, name: string, valid: Uint8Array | null): void {
  if (valid === null) return
  throw new ShardbookError('data', `${caller}: expected no null in '${name}', got one.`, {
    hint: `Drop or fill them first: dropNulls('${name}'), ml.Imputer.`,
  })
}

/** All vectors of a column in memory, with numbers of other columns. */
export interface Matrix {
  readonly rows: number
  readonly width: number
  readonly vectors: VectorRows
  readonly numbers: readonly Float64Array[]
}

/** @throws ShardbookError `data` for an empty frame, vectors that are not finite (the row is named), and as `readVectors`. */
export async function readMatrix(
  caller: string,
  frame: AnyFrame,
  name: string,
  others: readonly string[] = [],
): Promise<Matrix> {
  const batches: VectorBatch[] = []
  for await (const batch of readVectors(caller, frame, name, others)) batches.push(batch)
  const rows = batches.reduce((n, batch) => n + batch.rows, 0)
  const [first] = batches
  if (first === undefined || rows === 0) {
    throw new ShardbookError('data', `${caller}: expected rows to learn from, got an empty frame.`)
  }
  const numbers = others.map((_, i) =>
    joinArrays(
      batches.map((batch) => batch.numbers[i]!),
      Float64Array,
    ),
  )
  const parts = batches.map(({ vectors }) => vectors)
  const vectors = joinVectors(parts, rows)
  refuseInfinite(caller, name, vectors)
  return { rows, width: vectors.kind === 'sparse' ? vectors.size : vectors.width, vectors, numbers }
}

/** A sum tells whether all is well, whatever the values: only then is there nothing to look for. */
function refuseInfinite(caller: string, name: string, vectors: VectorRows): void {
  const { values } = vectors
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0
  if (sum === 0) return
  const at = values.findIndex((value) => !Number.isFinite(value))
  const row = vectors.kind === 'sparse' ? vectors.ends.findIndex((end) => end > at) : Math.floor(at / vectors.width)
  throw new ShardbookError(
    'data',
    `${caller}: expected finite numbers in '${name}', got ${values[at]} in row ${row}.`,
    {
      hint: 'Drop or fill such rows first: filter, ml.Imputer.',
    },
  )
}

function joinVectors(parts: readonly VectorRows[], rows: number): VectorRows {
  const [first] = parts
  if (first!.kind === 'tensors') {
    const { width, values } = first!
    const make = values.constructor as new (length: number) => StoredValues
    return {
      kind: 'tensors',
      width,
      values: joinArrays(
        (parts as TensorRows[]).map((part) => part.values),
        make,
      ),
      valid: null,
    }
  }
  const sparse = parts as readonly SparseRows[]
  const [starts, ends] = [new Uint32Array(rows), new Uint32Array(rows)]
  let [row, at] = [0, 0]
  for (const part of sparse) {
    for (let i = 0; i < part.starts.length; i++, row++) {
      starts[row] = at + part.starts[i]!
      ends[row] = at + part.ends[i]!
    }
    at += part.indices.length
  }
  return {
    kind: 'sparse',
    size: first!.size,
    starts,
    ends,
    indices: joinArrays(
      sparse.map((part) => part.indices),
      Int32Array,
    ),
    values: joinArrays(
      sparse.map((part) => part.values),
      Float32Array,
    ),
    valid: null,
  }
}

function joinArrays<T extends Exclude<StoredValues, never>>(parts: readonly T[], make: new (length: number) => T): T {
  const joined = new make(parts.reduce((n, { length }) => n + length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Calls `visit` with each component of a row that is not left out: all of a dense one, the kept ones of a sparse one. */
export function eachComponent(vectors: VectorRows, row: number, visit: (index: number, value: number) => void): void {
  if (vectors.kind === 'sparse') {
    const { starts, ends, indices, values } = vectors
    for (let i = starts[row]!; i < ends[row]!; i++) visit(indices[i]!, values[i]!)
    return
  }
  const { width, values } = vectors
  for (let j = 0, i = row * width; j < width; j++, i++) visit(j, values[i]!)
}

/** What is known of each component of the vectors of a column. */
export interface Summary {
  readonly rows: number
  readonly mean: Float64Array
  /** Sum of squared distances from the mean. */
  readonly squares: Float64Array
  readonly min: Float64Array
  readonly max: Float64Array
}

/** One pass over the vectors of a column. @throws ShardbookError `data` for an empty frame, and as `readVectors` */
export async function summarise(caller: string, frame: AnyFrame, name: string): Promise<Summary> {
  const width = vectorSize(findColumn(caller, frame.schema, name))
  const [mean, squares] = [new Float64Array(width), new Float64Array(width)]
  const [min, max] = [new Float64Array(width).fill(Infinity), new Float64Array(width).fill(-Infinity)]
  // Of components that are not zero; zeros come in at the end, all at once (Chan's merging of two groups).
  const counts = new Float64Array(width)
  let rows = 0
  for await (const { rows: own, vectors } of readVectors(caller, frame, name)) {
    rows += own
    for (let row = 0; row < own; row++) {
      eachComponent(vectors, row, (j, value) => {
        if (value === 0) return
        const n = (counts[j]! += 1)
        const delta = value - mean[j]!
        mean[j]! += delta / n
        squares[j]! += delta * (value - mean[j]!)
        if (value < min[j]!) min[j] = value
        if (value > max[j]!) max[j] = value
      })
    }
  }
  if (rows === 0) throw new ShardbookError('data', `${caller}: expected rows to learn from, got an empty frame.`)
  for (let j = 0; j < width; j++) {
    const [n, zeros] = [counts[j]!, rows - counts[j]!]
    if (zeros === 0) continue
    squares[j]! += (mean[j]! * mean[j]! * n * zeros) / rows
    mean[j] = (mean[j]! * n) / rows
    min[j] = Math.min(min[j]!, 0)
    max[j] = Math.max(max[j]!, 0)
  }
  return { rows, mean, squares, min, max }
}
