/**
 * Windows: runs of rows of Parquet files, read by DuckDB off the event loop and copied from its vectors into typed arrays.
 *
 * Rows are named by their position over all files of the source, so a window is the same rows whoever reads it. DuckDB skips
 * the row groups that a window does not touch.
 */
import { sizeOf } from '../../../core/dtype.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Plan, RowRange, ScanNode, TensorStore } from '../../plan.js'
import { tensorBytes, type Column } from '../../schema.js'
import type { ListOptions } from '../../feed.js'
import type { StoredValues } from '../../tensor/store.js'
import { openTokenizer, type TokenOptions, type Tokenizer } from '../../tokens.js'
import { BadRow } from './bad-row.js'
import { connect, type CApi, type Result } from './c-api.js'
import { copyList, copySparse } from './c-lists.js'
import { openStrings, stringBytes, type Strings } from './c-strings.js'
import { queryRows } from './database.js'
import { explainFailure } from './failure.js'
import { sqlNames } from './names.js'
import { printPlan } from './print-plan.js'
import { printFiles } from './print-scan.js'

/** A column as it is fed: `held` says what its elements are when they come out of the engine. */
export interface FedColumn {
  readonly column: Column
  readonly dtype: 'uint8' | 'int32' | 'float32' | 'float64'
  readonly shape: readonly number[]
  /** `reference`: one float64 a row, that a gatherer takes. */
  readonly held: 'value' | 'reference'
  readonly tokens?: TokenOptions
  readonly list?: ListOptions
  /** Whether NaN and infinite numbers are errors. */
  readonly finite?: boolean
}

/** An opened source. */
export interface Windows {
  readonly totalRows: number
  /** What references point into. */
  readonly stores: readonly TensorStore[]
  /** Reads the rows of the ranges, one range after the other, into the engine's memory. */
  read(ranges: readonly RowRange[]): Promise<RowReader>
  /** Reads a range of any length, ahead of who takes its rows. */
  stream(range: RowRange): Promise<RowReader>
  close(): Promise<void>
}

/** Rows that lie in the engine's memory until they are copied. */
export interface RowReader {
  /** Copies the values of the next so many rows into an array for each column. */
  take(targets: readonly StoredValues[], rows: number): void
  /** Lets go of what is left. */
  close(): Promise<void>
}

/** Opens a plan that `addressable` gave, with exactly the columns of `fed`. */
export async function openWindows(plan: Plan, fed: readonly FedColumn[]): Promise<Windows> {
  const files = await filesOf(scanBelow(plan))
  const { api, connection } = await connect()
  const copies = fed.map((field) => copyColumn(api, field))
  const list = sqlNames(plan.schema).map((name, i) => `${castSql(fed[i]!, name)} AS c${i}`)
  const sqlOf = (ranges: readonly RowRange[]): string =>
    ranges
      .flatMap((range) => segments(files, range))
      .map(({ path, rows }) => `SELECT ${list.join(', ')} FROM (${printPlan(over(plan, path, rows)).sql}) t`)
      .join(' UNION ALL ')
  return {
    totalRows: files.reduce((sum, { rows }) => sum + rows, 0),
    stores: printPlan(plan).stores,
    async read(ranges) {
      return rowReader(api, await connection.query(sqlOf(ranges)), copies, ranges, async () => {})
    },
    async stream(range) {
      // A second query on a connection would end it.
      const { connection: own } = await connect()
      try {
        return rowReader(api, await own.stream(sqlOf([range])), copies, [range], () => own.close())
      } catch (cause) {
        await own.close()
        throw cause
      }
    },
    close: () => connection.close(),
  }
}

/** A plan for the rows of the ranges, one range after the other, of a plan that is addressable. */
export async function rowsAt(plan: Plan, ranges: readonly RowRange[]): Promise<Plan> {
  const files = await filesOf(scanBelow(plan))
  const inputs = ranges.flatMap((range) => segments(files, range)).map(({ path, rows }) => over(plan, path, rows))
  return { kind: 'concat', inputs, schema: plan.schema }
}

interface File {
  readonly path: string
  readonly rows: number
}

/** The files of a scan in the order of their rows. */
async function filesOf({ source }: ScanNode): Promise<File[]> {
  if (source.kind !== 'parquet') throw new ShardbookError('internal', `openFeed: expected Parquet, got ${source.kind}.`)
  const paths = source.files ?? [source.path]
  const found = await queryRows(`SELECT file_name, num_rows FROM parquet_file_metadata(${printFiles(paths)})`).catch(
    (cause: unknown) => {
      throw explainFailure(cause)
    },
  )
  const rows = new Map(found.map(([path, count]) => [String(path), Number(count)]))
  return paths.map((path) => ({ path, rows: rows.get(path)! }))
}

/** The parts of the files that a range of all rows covers; without `rows`, whole ones, whose rows nobody has to count. */
function segments(files: readonly File[], { from, to }: RowRange): { path: string; rows?: RowRange }[] {
  const found: { path: string; rows?: RowRange }[] = []
  let first = 0
  for (const { path, rows } of files) {
    const own = { from: Math.max(from - first, 0), to: Math.min(to - first, rows) }
    if (own.from === 0 && own.to === rows && rows > 0) found.push({ path })
    else if (own.from < own.to) found.push({ path, rows: own })
    first += rows
  }
  return found
}

function scanBelow(plan: Plan): ScanNode {
  if (plan.kind === 'scan') return plan
  if (plan.kind === 'project') return scanBelow(plan.input)
  throw new ShardbookError('internal', `openFeed: expected a plan whose rows are those of its file, got ${plan.kind}.`)
}

/** The plan over some rows of one file, or all. */
function over(plan: Plan, path: string, rows: RowRange | undefined): Plan {
  if (plan.kind === 'project') return { ...plan, input: over(plan.input, path, rows) }
  const scan = scanBelow(plan)
  return scan.source.kind === 'parquet'
    ? { ...scan, source: { ...scan.source, files: [path], ...(rows && { rows }) } }
    : scan
}

function castSql({ column, dtype, held, tokens, list }: FedColumn, name: string): string {
  if (list !== undefined && column.type.kind === 'list') return `CAST(t.${name} AS ${elementSql(dtype)}[])`
  if (column.type.kind === 'sparse') return `t.${name}`
  if (tokens !== undefined || (column.type.kind === 'tensor' && held === 'value')) return `t.${name}`
  const type = held === 'reference' ? 'DOUBLE' : elementSql(dtype)
  const value = column.type.kind === 'categorical' ? `enum_code(t.${name})` : `t.${name}`
  return `CAST(${value} AS ${type})`
}

function elementSql(dtype: FedColumn['dtype']): string {
  return { uint8: 'UTINYINT', int32: 'INTEGER', float32: 'FLOAT', float64: 'DOUBLE' }[dtype]
}

function rowReader(
  api: CApi,
  result: Result,
  copies: readonly CopyVector[],
  ranges: readonly RowRange[],
  closed: () => Promise<void>,
): RowReader {
  let vectors: readonly number[] = []
  let [from, left, taken] = [0, 0, 0]
  return {
    take(targets, rows) {
      for (let at = 0; at < rows;) {
        if (left === 0) {
          const chunk = result.next()
          if (chunk === undefined) {
            throw new ShardbookError('data', `openFeed: expected ${rows - at} more rows, got none.`, {
              hint: 'Did a file change while it was read?',
            })
          }
          vectors = copies.map((_, i) => api.duckdb_data_chunk_get_vector(chunk.address, i))
          ;[from, left] = [0, chunk.rows]
        }
        const run = Math.min(left, rows - at)
        try {
          for (let i = 0; i < copies.length; i++) copies[i]!(vectors[i]!, from, run, targets[i]!, at)
        } catch (cause) {
          throw cause instanceof BadRow ? cause.explain(ranges, taken) : cause
        }
        at += run
        taken += run
        from += run
        left -= run
      }
    },
    async close() {
      result.close()
      await closed()
    },
  }
}

/** Copies `rows` rows of a vector, from row `from`, to row `at` of the target. */
export type CopyVector = (vector: number, from: number, rows: number, target: StoredValues, at: number) => void

function copyColumn(api: CApi, fed: FedColumn): CopyVector {
  const { column, held, shape, tokens, list } = fed
  const check = nullCheck(api, column)
  if (tokens !== undefined) return copyTokens(api, check, openTokenizer(`batches: tokens of '${column.name}'`, tokens))
  if (list !== undefined)
    return column.type.kind === 'sparse'
      ? copySparse(api, check, column.name, list)
      : copyList(api, check, column.name, list)
  const inline = column.type.kind === 'tensor' && held === 'value'
  const width = held === 'reference' ? 1 : sizeOf(shape)
  const exact = column.type.kind === 'number' && column.type.storage === 'int64'
  let known: { readonly target: StoredValues; readonly address: number } | undefined
  return (vector, from, rows, target, at) => {
    check(vector, from, rows)
    if (known?.target !== target) known = { target, address: api.memory.addressOf(target) }
    if ((at + rows) * width > target.length) throw transferred(column.name)
    const stride = width * target.BYTES_PER_ELEMENT
    const data = api.duckdb_vector_get_data(inline ? api.duckdb_array_vector_get_child(vector) : vector)
    api.memory.copy(data + from * stride, known.address + at * stride, rows * stride)
    if (exact) checkExact(column, target.subarray(at * width, (at + rows) * width))
  }
}

/** An array that was handed out has no memory any more once it was sent to another thread. */
function transferred(name: string): ShardbookError {
  return new ShardbookError('state', `batches: expected the last batch's '${name}' to be here, got it transferred.`, {
    hint: 'Send a copy: values.slice().',
  })
}

function copyTokens(api: CApi, check: NullCheck, tokenizer: Tokenizer): CopyVector {
  const strings: Strings = openStrings(api.memory)
  return (vector, from, rows, target, at) => {
    check(vector, from, rows)
    strings.read(api.duckdb_vector_get_data(vector) + from * stringBytes, rows)
    const { bytes, starts, ends } = strings
    const { length } = tokenizer
    for (let row = 0; row < rows; row++) {
      tokenizer.write(bytes, starts[row]!, ends[row]!, target as Int32Array, (at + row) * length)
    }
  }
}

/** Raises `BadRow` for a null among the values `from .. from + rows` of a vector. */
export type NullCheck = (vector: number, from: number, rows: number) => void

function nullCheck(api: CApi, column: Column): NullCheck {
  let words = new Uint8Array(0)
  return (vector, from, rows) => {
    const validity = api.duckdb_vector_get_validity(vector)
    if (validity === 0) return
    const length = Math.ceil((from + rows) / 8)
    if (words.length < length) words = new Uint8Array(length)
    api.memory.read(validity, words.subarray(0, length))
    for (let row = from; row < from + rows; row++) {
      if (((words[row >> 3]! >> (row & 7)) & 1) === 1) continue
      const hint = `Drop or fill them first: dropNulls('${column.name}'), fillNull(…).`
      throw new BadRow(`expected no null in '${column.name}', got one`, row - from, hint)
    }
  }
}

/** Integers that a float64 does not hold exactly are rounded to something outside of the safe ones. */
function checkExact(column: Column, values: StoredValues): void {
  for (const value of values) {
    if (Number.isSafeInteger(value)) continue
    throw new ShardbookError(
      'data',
      `openFeed: expected '${column.name}' to hold integers that a number can hold exactly, got about ${value}.`,
      { hint: `Cast to bigint to have them rounded.` },
    )
  }
}

/** Bytes of a row of all columns, as they are held in a window. */
export function rowBytes(fed: readonly FedColumn[]): number {
  return fed.reduce(
    (sum, { held, dtype, shape }) => sum + (held === 'reference' ? 8 : tensorBytes({ dtype, shape })),
    0,
  )
}
