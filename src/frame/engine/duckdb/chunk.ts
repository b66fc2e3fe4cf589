/**
 * Chunks from and to DuckDB's vectors. Fixed-width vectors are copied whole through the bindings' memory calls; strings
 * and opaque values go one by one.
 */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBType } from '@duckdb/node-api'
import type { Vector } from '@duckdb/node-bindings'
import { numberArrays, sizeOf, type StoredDType } from '../../../core/dtype.js'
import type { SparseRows } from '../../row-function.js'
import {
  checkSafeInteger,
  codesOf,
  SparseColumn,
  type Chunk,
  type ChunkColumn,
  type NumericValues,
} from '../../chunk.js'
import type { Column, ColumnType, NumberStorage, Schema } from '../../schema.js'
import { quoteName, sqlNames } from './names.js'
import { nestedFrom, nestedTo } from './nested.js'
import { sqlType } from './sql-type.js'
import { readValidity, writeValidity } from './validity.js'

type Bindings = typeof import('@duckdb/node-bindings')
type Api = typeof import('@duckdb/node-api')
export interface DuckDB {
  readonly api: Api
  readonly bindings: Bindings
}

/** DuckDB's modules, loaded at first use. */
export async function loadDuckDB(): Promise<DuckDB> {
  const [api, bindings] = await Promise.all([import('@duckdb/node-api'), import('@duckdb/node-bindings')])
  // A CommonJS module: its exports are the default export at run time, whatever its types say.
  return { api, bindings: (bindings as { default?: Bindings }).default ?? bindings }
}

/** A chunk of a query whose columns are those of `schema`. */
export function readChunk({ api, bindings }: DuckDB, chunk: DuckDBDataChunk, schema: Schema): Chunk {
  const rows = chunk.rowCount
  const columns = schema.map((column, index): ChunkColumn => {
    const vector = bindings.data_chunk_get_vector(chunk.chunk, index)
    const valid = readValidity(bindings, vector, rows)
    const numbers = <T extends NumericValues>(
      make: new (buffer: ArrayBuffer, offset: number, length: number) => T,
      width: number,
      count = rows,
    ): T => {
      const bytes = bindings.vector_get_data(vector, count * width)
      return new make(bytes.buffer as ArrayBuffer, bytes.byteOffset, count)
    }
    const { type } = column
    switch (type.kind) {
      case 'number':
        if (type.storage !== 'int64') return { values: numbers(...arrayOf(type.storage)), valid }
        return {
          values: fromInt64(numbers(BigInt64Array, 8), valid, (value) => checkSafeInteger(column.name, value), 0),
          valid,
        }
      case 'bigint':
        return { values: numbers(BigInt64Array, 8), valid }
      case 'boolean':
        return { values: numbers(Uint8Array, 1), valid }
      case 'date':
        return { values: Float64Array.from(numbers(Int32Array, 4), (days) => days * 86_400_000), valid }
      case 'timestamp':
        return { values: fromInt64(numbers(BigInt64Array, 8), valid, millis, 0), valid }
      case 'tensor': {
        if (type.held === 'reference') return { values: fromInt64(numbers(BigInt64Array, 8), valid, Number, -1), valid }
        const [make, width] = arrayOf(type.dtype)
        const count = rows * sizeOf(type.shape)
        const bytes = bindings.vector_get_data(bindings.array_vector_get_child(vector), count * width)
        return { values: new make(bytes.buffer as ArrayBuffer, bytes.byteOffset, count), valid }
      }
      case 'string':
        return { values: chunk.getColumnVector(index).toArray(), valid }
      case 'categorical': {
        const codes = codesOf(type.levels, 0)
        const make = codes.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => typeof codes
        return { values: numbers(make, codes.BYTES_PER_ELEMENT), valid }
      }
      case 'opaque':
        return { values: chunk.convertColumnValues(index, api.JSDuckDBValueConverter), valid }
      case 'sparse':
        return new SparseColumn(readSparse(bindings, vector, type.size, rows, valid))
      case 'list':
      case 'struct': {
        const values = chunk.convertColumnValues(index, api.JSDuckDBValueConverter)
        return { values: values.map((value) => nestedFrom(column.name, type, value)), valid }
      }
      default:
        return type satisfies never
    }
  })
  return { rows, columns }
}

/** Sparse vectors, whose components lie in one array each. */
function readSparse(
  bindings: Bindings,
  vector: Vector,
  size: number,
  rows: number,
  valid: Uint8Array | null,
): SparseRows {
  const [indices, values] = [0, 1].map((i) => bindings.struct_vector_get_child(vector, i))
  const entries = bindings.vector_get_data(indices!, rows * 16)
  const words = new Uint32Array(entries.buffer, entries.byteOffset, rows * 4)
  const [starts, ends] = [new Uint32Array(rows), new Uint32Array(rows)]
  for (let row = 0; row < rows; row++) {
    if (valid !== null && valid[row] === 0) continue
    starts[row] = words[row * 4]!
    ends[row] = words[row * 4]! + words[row * 4 + 2]!
  }
  const length = bindings.list_vector_get_size(indices!)
  const data = (list: Vector): Uint8Array => bindings.vector_get_data(bindings.list_vector_get_child(list), length * 4)
  const [own, numbers] = [data(indices!), data(values!)]
  return {
    kind: 'sparse',
    size,
    starts,
    ends,
    indices: new Int32Array(own.buffer, own.byteOffset, length),
    values: new Float32Array(numbers.buffer, numbers.byteOffset, length),
    valid,
  }
}

/** Creates a table and fills it with chunks; tensor columns are references. */
export async function fillTable(
  connection: DuckDBConnection,
  table: string,
  schema: Schema,
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
): Promise<void> {
  const duckdb = await loadDuckDB()
  const names = sqlNames(schema)
  await connection.run(
    `CREATE TABLE ${quoteName(table)} (${schema.map(({ type }, i) => `${names[i]} ${sqlType(type)}`).join(', ')})`,
  )
  const appender = await connection.createAppender(table)
  try {
    const vectorRows = duckdb.bindings.vector_size()
    for await (const chunk of chunks) {
      for (let from = 0; from < chunk.rows; from += vectorRows) {
        appender.appendDataChunk(writeChunk(duckdb, schema, chunk, from, Math.min(vectorRows, chunk.rows - from)))
      }
    }
  } finally {
    appender.closeSync()
  }
}

function writeChunk(
  { api, bindings }: DuckDB,
  schema: Schema,
  chunk: Chunk,
  from: number,
  rows: number,
): DuckDBDataChunk {
  const out = api.DuckDBDataChunk.create(
    schema.map(({ type }) => vectorType(api, type)),
    rows,
  )
  schema.forEach((column, index) => {
    const { values, valid } = chunk.columns[index]!
    const isNull = (row: number): boolean => valid !== null && valid[from + row] === 0
    if (column.type.kind === 'string') {
      out.setColumnValues(
        index,
        Array.from({ length: rows }, (_, row) => (isNull(row) ? null : (values[from + row] as string))),
      )
      return
    }
    if (column.type.kind === 'list' || column.type.kind === 'struct' || column.type.kind === 'sparse') {
      const cells = Array.from({ length: rows }, (_, row) =>
        isNull(row) ? null : nestedTo(column.type, values[from + row]),
      )
      out.setColumnValuesConverted(index, cells, api.JSToDuckDBValueConverter as never)
      return
    }
    const vector = bindings.data_chunk_get_vector(out.chunk, index)
    const data = toVectorData(column, values as NumericValues, from, rows)
    bindings.copy_data_to_vector(vector, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    if (valid !== null) writeValidity(bindings, vector, rows, isNull)
  })
  return out
}

/** Rows `[from, from + rows)` in the layout of the engine's vector. */
function toVectorData(column: Column, values: NumericValues, from: number, rows: number): NumericValues {
  const { type } = column
  const part = (): NumericValues => values.subarray(from, from + rows)
  switch (type.kind) {
    case 'number':
      return type.storage === 'int64' ? BigInt64Array.from(part() as Float64Array, BigInt) : part()
    case 'date':
      return Int32Array.from(part() as Float64Array, (ms) => Math.floor(ms / 86_400_000))
    case 'timestamp':
      return BigInt64Array.from(part() as Float64Array, (ms) => BigInt(Math.round(ms)) * 1000n)
    case 'tensor':
      return BigInt64Array.from(part() as Float64Array, BigInt)
    default:
      return part()
  }
}

function vectorType(api: Api, type: ColumnType): DuckDBType {
  switch (type.kind) {
    case 'number':
      return {
        uint8: api.UTINYINT,
        int8: api.TINYINT,
        uint16: api.USMALLINT,
        int16: api.SMALLINT,
        uint32: api.UINTEGER,
        int32: api.INTEGER,
        int64: api.BIGINT,
        float32: api.FLOAT,
        float64: api.DOUBLE,
      }[type.storage]
    case 'boolean':
      return api.BOOLEAN
    case 'date':
      return api.DATE
    case 'timestamp':
      return api.TIMESTAMP
    case 'bigint':
    case 'tensor':
      return api.BIGINT
    case 'categorical':
      return api.ENUM(type.levels)
    case 'list':
      return api.LIST(vectorType(api, type.element.type))
    case 'struct':
      return api.STRUCT(Object.fromEntries(type.fields.map((field) => [field.name, vectorType(api, field.type)])))
    case 'sparse':
      return api.STRUCT({ indices: api.LIST(api.INTEGER), values: api.LIST(api.FLOAT) })
    default:
      return api.VARCHAR
  }
}

function fromInt64(
  values: BigInt64Array,
  valid: Uint8Array | null,
  convert: (value: bigint) => number,
  ofNull: number,
): Float64Array {
  const out = new Float64Array(values.length)
  for (let i = 0; i < out.length; i++) out[i] = valid !== null && valid[i] === 0 ? ofNull : convert(values[i]!)
  return out
}

function millis(micros: bigint): number {
  return Math.floor(Number(micros) / 1000)
}

type Make = new (buffer: ArrayBuffer, offset: number, length: number) => Exclude<NumericValues, BigInt64Array>

function arrayOf(storage: Exclude<NumberStorage, 'int64'> | StoredDType): [Make, number] {
  const make = numberArrays[storage] as Make & { BYTES_PER_ELEMENT: number }
  return [make, make.BYTES_PER_ELEMENT]
}
