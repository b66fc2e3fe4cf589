/**
 * Frames over values in memory. The values are taken over into chunk form at once (so later changes of the caller's
 * arrays do not show) and go into the engine when first used.
 */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import { scan } from './build.js'
import { cellOf, isTensorLike, typeOfCells } from './cell.js'
import { codesOf, type Chunk, type ChunkColumn } from './chunk.js'
import type { Plan, Source, TensorStore } from './plan.js'
import type { Column, ColumnType } from './schema.js'
import { parseSchema, type SchemaSpec } from './schema-spec.js'
import { addBuffer, allocateStored, dropBuffer, storeStride, type StoredValues } from './tensor/store.js'
import type { Tensor } from './tensor/tensor.js'

const chunks = new Map<string, Chunk>()
const collected = new FinalizationRegistry<readonly string[]>((ids) => {
  for (const id of ids) {
    chunks.delete(id)
    dropBuffer(id)
  }
})
let counter = 0

/** The rows of a memory source. */
export function memoryChunk(id: string): Chunk {
  const chunk = chunks.get(id)
  if (chunk !== undefined) return chunk
  throw new ShardbookError('state', `frame: the in-memory frame ${id} is not in this process.`, {
    hint: 'Send a portable plan: frame.source(…) makes one.',
  })
}

/** A plan over a chunk; `stores` are what its references point into. */
export function memoryPlan(schema: readonly Column[], chunk: Chunk, stores: readonly TensorStore[]): Plan {
  const id = `memory-${++counter}`
  const source: Source = { kind: 'memory', id, stores }
  chunks.set(id, chunk)
  collected.register(source, [id, ...stores.flatMap((store) => (store.kind === 'memory' ? [store.id] : []))])
  return scan('frame', source, schema)
}

/** A plan over arrays by column name; all of one length. A tensor column is `{ shape: [rows, …], dtype, values }`. */
export function planOfColumns(columns: Readonly<Record<string, unknown>>, spec?: SchemaSpec): Plan {
  const given = spec === undefined ? undefined : parseSchema('frame', spec)
  const stores: TensorStore[] = []
  const schema: Column[] = []
  const data: ChunkColumn[] = []
  let rows: { name: string; count: number } | undefined
  const names = given?.map(({ name }) => name) ?? Object.keys(columns)
  for (const name of names) {
    const taken = take(
      name,
      columns[name],
      given?.find((column) => column.name === name),
      stores,
    )
    rows ??= { name, count: taken.rows }
    if (taken.rows !== rows.count) {
      throw new ShardbookError(
        'argument',
        `frame: expected columns of one length, got ${rows.count} values in '${rows.name}' and ${taken.rows} in '${name}'.`,
      )
    }
    schema.push(taken.column)
    data.push(taken.data)
  }
  if (rows === undefined) throw new ShardbookError('argument', 'frame: expected at least one column, got none.')
  return memoryPlan(schema, { rows: rows.count, columns: data }, stores)
}

/** A plan over row objects; a key that is missing in a row is null there. */
export function planOfRows(rows: readonly Readonly<Record<string, unknown>>[], spec?: SchemaSpec): Plan {
  const names = new Set<string>(spec === undefined ? [] : Object.keys(spec))
  rows.forEach((row, i) => {
    if (typeof row !== 'object' || row === null) {
      throw new ShardbookError('argument', `frame: expected rows to be objects, got ${show(row)} (row ${i}).`)
    }
    if (spec === undefined) for (const name of Object.keys(row)) names.add(name)
  })
  if (rows.length === 0 && spec === undefined) {
    throw new ShardbookError('argument', 'frame: expected at least one row, got none.', {
      hint: `Give the columns' types: frame([], { schema: { a: 'number' } }).`,
    })
  }
  return planOfColumns(Object.fromEntries([...names].map((name) => [name, rows.map((row) => row[name] ?? null)])), spec)
}

interface Taken {
  readonly rows: number
  readonly column: Column
  readonly data: ChunkColumn
}

const arrayStorage = new Map<unknown, ColumnType>([
  [Uint8Array, { kind: 'number', storage: 'uint8' }],
  [Uint8ClampedArray, { kind: 'number', storage: 'uint8' }],
  [Int8Array, { kind: 'number', storage: 'int8' }],
  [Uint16Array, { kind: 'number', storage: 'uint16' }],
  [Int16Array, { kind: 'number', storage: 'int16' }],
  [Uint32Array, { kind: 'number', storage: 'uint32' }],
  [Int32Array, { kind: 'number', storage: 'int32' }],
  [Float32Array, { kind: 'number', storage: 'float32' }],
  [Float64Array, { kind: 'number', storage: 'float64' }],
  [BigInt64Array, { kind: 'bigint' }],
])

function take(name: string, values: unknown, given: Column | undefined, stores: TensorStore[]): Taken {
  if (Array.isArray(values)) return takeArray(name, values as readonly unknown[], given, stores)
  if (ArrayBuffer.isView(values)) {
    const type = arrayStorage.get(values.constructor)
    if (type !== undefined) {
      if (given !== undefined && given.type.kind !== type.kind)
        return takeArray(name, [...(values as Uint8Array)], given, stores)
      const own = (values as Float64Array).slice()
      return { rows: own.length, column: { name, type, nullable: false }, data: { values: own, valid: null } }
    }
  }
  if (isTensorLike(values)) return takeTensor(name, values, stores)
  throw new ShardbookError(
    'argument',
    `frame: expected '${name}' to be an array, a typed array or { shape, dtype, values }, got ${show(values)}.`,
  )
}

function takeTensor(name: string, { shape, dtype, values }: Tensor, stores: TensorStore[]): Taken {
  const [rows = 0, ...own] = shape
  if (values.length !== sizeOf(shape)) {
    throw new ShardbookError(
      'argument',
      `frame: expected ${sizeOf(shape)} values in '${name}' (${shape.join(' x ')}), got ${values.length}.`,
    )
  }
  const copy = allocateStored(dtype, values.length)
  copy.set(values)
  const type: ColumnType = { kind: 'tensor', dtype, shape: own, held: 'reference' }
  return { rows, column: { name, type, nullable: false }, data: references(rows, copy, stores, null) }
}

/** References to the rows of a buffer, which becomes a store. */
function references(rows: number, values: StoredValues, stores: TensorStore[], valid: Uint8Array | null): ChunkColumn {
  const base = (stores.push(addBuffer(values)) - 1) * storeStride
  return { values: Float64Array.from({ length: rows }, (_, row) => (valid?.[row] === 0 ? -1 : base + row)), valid }
}

function takeArray(name: string, values: readonly unknown[], given: Column | undefined, stores: TensorStore[]): Taken {
  const { type, nullable } = given ?? typeOfCells(name, values)
  const isPlain = type.kind === 'number' || type.kind === 'string' || type.kind === 'boolean'
  const cells = values.map((value, row) =>
    isPlain && typeof value === type.kind ? value : cellOf(`'${name}' (row ${row})`, { type, nullable: true }, value),
  )
  const valid = Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1))
  const hasNull = valid.includes(0)
  if (hasNull && !nullable) {
    throw new ShardbookError('argument', `frame: expected no null in '${name}', got one (row ${valid.indexOf(0)}).`, {
      hint: `Give its type with a question mark.`,
    })
  }
  const column: Column = { name, type: type.kind === 'tensor' ? { ...type, held: 'reference' } : type, nullable }
  return { rows: cells.length, column, data: chunkOfArray(column, cells, hasNull ? valid : null, stores) }
}

function chunkOfArray(
  { type }: Column,
  cells: readonly unknown[],
  valid: Uint8Array | null,
  stores: TensorStore[],
): ChunkColumn {
  switch (type.kind) {
    case 'number':
      return { values: Float64Array.from(cells as readonly number[], (value) => value ?? 0), valid }
    case 'bigint':
      return { values: BigInt64Array.from(cells as readonly bigint[], (value) => value ?? 0n), valid }
    case 'boolean':
      return { values: Uint8Array.from(cells, (value) => (value === true ? 1 : 0)), valid }
    case 'date':
    case 'timestamp':
      return { values: Float64Array.from(cells as readonly Date[], (value) => value?.getTime() ?? 0), valid }
    case 'categorical': {
      const codes = codesOf(type.levels, cells.length)
      const codeOf = new Map(type.levels.map((level, i) => [level, i]))
      cells.forEach((cell, row) => void (codes[row] = codeOf.get(cell as string) ?? 0))
      return { values: codes, valid }
    }
    case 'tensor': {
      const width = sizeOf(type.shape)
      const buffer = allocateStored(type.dtype, cells.length * width)
      cells.forEach((cell, row) => {
        if (cell !== null) buffer.set((cell as Tensor).values, row * width)
      })
      return references(cells.length, buffer, stores, valid)
    }
    default:
      return { values: cells, valid }
  }
}
