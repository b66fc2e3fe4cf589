/**
 * Values of rows between DuckDB's vectors and row functions: whole vectors at a time, as flat typed arrays. Rows without a
 * value come as empty lists, empty texts and zeros, whatever lies in the vector there.
 */
import type { DuckDBType } from '@duckdb/node-api'
import type { Vector } from '@duckdb/node-bindings'
import { sizeOf, type StoredDType } from '../../../core/dtype.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Memory } from '../../../ffi/index.js'
import type { ListRows, NumberRows, RowValues, SparseRows, StringRows } from '../../row-function.js'
import type { ColumnType, NumberStorage } from '../../schema.js'
import { allocateStored } from '../../tensor/store.js'
import type { DuckDB } from './chunk.js'
import { openStrings } from './c-strings.js'
import { sqlType } from './sql-type.js'
import { readValidity, writeValidity } from './validity.js'

const entryBytes = 16
const inlineBytes = 12

/** An argument's type as the engine hands it over, and what makes it so. */
export function argumentSql(sql: string, type: ColumnType): string {
  const to = argumentType(type)
  return sqlType(type) === to ? sql : `CAST(${sql} AS ${to})`
}

function argumentType(type: ColumnType): string {
  switch (type.kind) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return 'DOUBLE'
    case 'categorical':
      return 'VARCHAR'
    case 'list':
      return `${argumentType(type.element.type)}[]`
    case 'tensor':
      return sqlType({ ...type, held: 'inline' })
    default:
      return sqlType(type)
  }
}

/** DuckDB's type of an argument (`isArgument`), or of a result. */
export function vectorTypeOf(api: DuckDB['api'], type: ColumnType, isArgument: boolean): DuckDBType {
  switch (type.kind) {
    case 'number':
      return isArgument ? api.DOUBLE : storageType(api, type.storage)
    case 'bigint':
    case 'boolean':
      return isArgument ? api.DOUBLE : type.kind === 'bigint' ? api.BIGINT : api.BOOLEAN
    case 'list':
      return api.LIST(vectorTypeOf(api, type.element.type, isArgument))
    case 'tensor':
      return api.ARRAY(storageType(api, type.dtype), sizeOf(type.shape))
    case 'sparse':
      return api.STRUCT({ indices: api.LIST(api.INTEGER), values: api.LIST(api.FLOAT) })
    default:
      return api.VARCHAR
  }
}

function storageType(api: DuckDB['api'], storage: NumberStorage | StoredDType): DuckDBType {
  const { UTINYINT, TINYINT, USMALLINT, SMALLINT, UINTEGER, INTEGER, BIGINT, FLOAT, DOUBLE } = api
  return {
    uint8: UTINYINT,
    int8: TINYINT,
    uint16: USMALLINT,
    int16: SMALLINT,
    uint32: UINTEGER,
    int32: INTEGER,
    int64: BIGINT,
    float32: FLOAT,
    float64: DOUBLE,
  }[storage]
}

/** Reads the rows of vectors of one type; what it gives is valid until the next reading. */
export type ReadRows = (vector: Vector, rows: number) => RowValues

export function rowReader({ bindings }: DuckDB, memory: Memory, type: ColumnType): ReadRows {
  const strings = openStrings(memory)
  const bytesOf = (vector: Vector, count: number): Uint8Array => bindings.vector_get_data(vector, count)
  const numbers = (vector: Vector, rows: number, valid: Uint8Array | null): NumberRows => {
    const values = asArray(Float64Array, bytesOf(vector, rows * 8), rows)
    if (valid !== null) for (let row = 0; row < rows; row++) if (valid[row] === 0) values[row] = 0
    return { kind: 'numbers', values, valid }
  }
  const texts = (vector: Vector, rows: number, valid: Uint8Array | null): StringRows => {
    const entries = bytesOf(vector, rows * entryBytes)
    if (valid !== null) clearEntries(entries, valid)
    strings.take(entries, rows)
    return { kind: 'strings', bytes: strings.bytes, starts: strings.starts, ends: strings.ends, valid }
  }
  const bounds = (vector: Vector, rows: number, valid: Uint8Array | null): Pick<ListRows, 'starts' | 'ends'> => {
    const entries = bytesOf(vector, rows * entryBytes)
    if (valid !== null) clearEntries(entries, valid)
    const words = asArray(Uint32Array, entries, rows * 4)
    const [starts, ends] = [new Uint32Array(rows), new Uint32Array(rows)]
    for (let row = 0; row < rows; row++) {
      starts[row] = words[row * 4]!
      ends[row] = words[row * 4]! + words[row * 4 + 2]!
    }
    return { starts, ends }
  }
  const items = (vector: Vector): { items: Vector; count: number } => ({
    items: bindings.list_vector_get_child(vector),
    count: bindings.list_vector_get_size(vector),
  })
  return (vector, rows) => {
    const valid = readValidity(bindings, vector, rows)
    switch (type.kind) {
      case 'number':
      case 'bigint':
      case 'boolean':
        return numbers(vector, rows, valid)
      case 'string':
      case 'categorical':
        return texts(vector, rows, valid)
      case 'tensor': {
        const width = sizeOf(type.shape)
        const values = allocateStored(type.dtype, rows * width)
        const target = new Uint8Array(values.buffer)
        target.set(bytesOf(bindings.array_vector_get_child(vector), target.length))
        return { kind: 'tensors', width, values, valid }
      }
      case 'sparse': {
        const [indices, values] = [0, 1].map((i) => bindings.struct_vector_get_child(vector, i))
        const inner = items(indices!)
        const data = items(values!)
        return {
          kind: 'sparse',
          size: type.size,
          ...bounds(indices!, rows, valid),
          indices: asArray(Int32Array, bytesOf(inner.items, inner.count * 4), inner.count),
          values: asArray(Float32Array, bytesOf(data.items, data.count * 4), data.count),
          valid,
        }
      }
      case 'list': {
        const inner = items(vector)
        const innerValid = readValidity(bindings, inner.items, inner.count)
        const ofText = type.element.type.kind === 'string' || type.element.type.kind === 'categorical'
        const read = ofText ? texts : numbers
        const own = bounds(vector, rows, valid)
        return {
          kind: 'lists',
          ...own,
          items: read(inner.items, inner.count, innerValid),
          itemCount: inner.count,
          valid,
        }
      }
      default:
        throw new ShardbookError('internal', `rowReader: expected a type of row functions, got ${type.kind}.`)
    }
  }
}

/** Writes what a row function gave to the vector of its results. */
export function writeRows(duckdb: DuckDB, vector: Vector, type: ColumnType, given: RowValues, rows: number): void {
  const { bindings } = duckdb
  const copy = (to: Vector, values: ArrayBufferView, sizeBytes = values.byteLength): void =>
    bindings.copy_data_to_vector(to, 0, values.buffer as ArrayBuffer, values.byteOffset, sizeBytes)
  const { valid } = given
  if (valid !== null) {
    const children = given.kind === 'sparse' ? [0, 1].map((i) => bindings.struct_vector_get_child(vector, i)) : []
    for (const each of [vector, ...children]) writeValidity(bindings, each, rows, (row) => valid[row] === 0)
  }
  switch (given.kind) {
    case 'numbers':
      copy(vector, stored(type, given.values, rows))
      return
    case 'strings':
      writeTexts(duckdb, vector, given, rows)
      return
    case 'tensors':
      copy(bindings.array_vector_get_child(vector), given.values.subarray(0, rows * given.width))
      return
    case 'sparse': {
      const [indices, values] = [0, 1].map((i) => bindings.struct_vector_get_child(vector, i))
      const entries = entriesOf(given, rows)
      for (const [list, data] of [[indices!, given.indices] as const, [values!, given.values] as const]) {
        bindings.list_vector_reserve(list, entries.count)
        bindings.list_vector_set_size(list, entries.count)
        copy(list, entries.words)
        copy(bindings.list_vector_get_child(list), data.subarray(0, entries.count))
      }
      return
    }
    case 'lists': {
      const { items, itemCount } = given
      bindings.list_vector_reserve(vector, itemCount)
      bindings.list_vector_set_size(vector, itemCount)
      copy(vector, entriesOf(given, rows).words)
      const child = bindings.list_vector_get_child(vector)
      if (items.kind === 'strings') writeTexts(duckdb, child, items, itemCount)
      else copy(child, items.values.subarray(0, itemCount))
      return
    }
    default:
      given satisfies never
  }
}

/** Short texts lie in their entries, which are copied at once; long ones are handed over one by one. */
function writeTexts({ bindings }: DuckDB, vector: Vector, { bytes, starts, ends }: StringRows, rows: number): void {
  const entries = new Uint8Array(rows * entryBytes)
  const words = new Uint32Array(entries.buffer)
  const long: number[] = []
  for (let row = 0; row < rows; row++) {
    const [start, end] = [starts[row]!, ends[row]!]
    if (end - start > inlineBytes) {
      long.push(row)
      continue
    }
    words[row * 4] = end - start
    let at = row * entryBytes + 4
    for (let i = start; i < end; i++) entries[at++] = bytes[i]!
  }
  bindings.copy_data_to_vector(vector, 0, entries.buffer, 0, entries.length)
  for (const row of long) {
    bindings.vector_assign_string_element_len(vector, row, bytes.subarray(starts[row], ends[row]))
  }
}

/** Lists as the engine's entries of offset and length, and how many items there are in all. */
function entriesOf(
  { starts, ends, valid }: Pick<SparseRows, 'starts' | 'ends' | 'valid'>,
  rows: number,
): { words: Uint32Array; count: number } {
  const words = new Uint32Array(rows * 4)
  let count = 0
  for (let row = 0; row < rows; row++) {
    if (valid !== null && valid[row] === 0) continue
    words[row * 4] = starts[row]!
    words[row * 4 + 2] = ends[row]! - starts[row]!
    if (ends[row]! > count) count = ends[row]!
  }
  return { words, count }
}

function stored(type: ColumnType, values: Float64Array, rows: number): ArrayBufferView {
  const own = values.subarray(0, rows)
  if (type.kind === 'boolean') return Uint8Array.from(own)
  if (type.kind !== 'number') return BigInt64Array.from(own, BigInt)
  switch (type.storage) {
    case 'float64':
      return own
    case 'float32':
      return Float32Array.from(own)
    case 'int32':
      return Int32Array.from(own)
    case 'uint8':
      return Uint8Array.from(own)
    case 'int64':
      return BigInt64Array.from(own, BigInt)
    default:
      throw new ShardbookError('internal', `row function: expected another storage than ${type.storage}.`)
  }
}

function clearEntries(entries: Uint8Array, valid: Uint8Array): void {
  for (let row = 0; row < valid.length; row++) {
    if (valid[row] === 0) entries.fill(0, row * entryBytes, (row + 1) * entryBytes)
  }
}

function asArray<T>(
  make: new (buffer: ArrayBuffer, offset: number, length: number) => T,
  bytes: Uint8Array,
  length: number,
): T {
  return new make(bytes.buffer as ArrayBuffer, bytes.byteOffset, length)
}
