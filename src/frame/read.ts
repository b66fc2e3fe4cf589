/** Readers: they look at a file, learn its schema and give a lazy frame; rows are read when an end needs them. */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import { resolve } from 'node:path'
import { stat } from 'node:fs/promises'
import { ioError } from '../store/index.js'
import type { ArrowTable } from './arrow/to-arrow.js'
import { scan } from './build.js'
import { sniffCsv, sniffParquet, type CsvReadOptions } from './engine/duckdb/sniff.js'
import type { Flat, SpecValue } from './expr/check-types.js'
import type { Dynamic } from './expr/types.js'
import { Frame } from './frame.js'
import { readIdxHeader } from './idx.js'
import { type Column } from './schema.js'
import { parseSchema, type SchemaSpec } from './schema-spec.js'

export type CsvOptions<Spec extends SchemaSpec = SchemaSpec> = CsvReadOptions & {
  /** The columns to read with their types, honoured exactly: `{ a: 'number', b: 'string?' }` (`?`: may be null). */
  readonly schema?: Spec
}
type FromSpec<Spec extends SchemaSpec> = SchemaSpec extends Spec
  ? Dynamic
  : Flat<{ -readonly [K in keyof Spec]: SpecValue<Spec[K]> }>

/**
 * Reads a CSV file. Separator and types are inferred from its beginning; a small file is checked whole.
 * @throws `io` for a missing file, `data` for a malformed one (with its line)
 *
 * @example
 * ```ts
 * const iris = await read.csv('iris.csv')
 * const typed = await read.csv('iris.csv', { schema: { sepalLength: 'number', species: 'string' } })
 * ```
 */
async function csv<const Spec extends SchemaSpec = SchemaSpec>(
  path: string,
  options: CsvOptions<Spec> = {},
): Promise<Frame<FromSpec<Spec>>> {
  const file = await existing('read.csv', path)
  const given = options.schema === undefined ? undefined : parseSchema('read.csv', options.schema)
  const { source, schema } = await sniffCsv(file, options, given)
  return Frame.fromPlan(scan('read.csv', source, schema))
}

/**
 * Reads a Parquet file, or all that match a glob.
 * @throws `io` for a missing file, `data` for a malformed one
 *
 * @example
 * ```ts
 * const trips = await read.parquet('trips/*.parquet')
 * ```
 */
async function parquet<const Spec extends SchemaSpec = SchemaSpec>(
  path: string,
  options: { readonly schema?: Spec } = {},
): Promise<Frame<FromSpec<Spec>>> {
  const file = /[*?[]/.test(path) ? resolve(path) : await existing('read.parquet', path)
  const given = options.schema === undefined ? undefined : parseSchema('read.parquet', options.schema)
  const { source, schema } = await sniffParquet(file, given)
  return Frame.fromPlan(scan('read.parquet', source, schema))
}

/**
 * Reads IDX files (MNIST's format, plain or gzipped): one, as the column `value`, or several of equal length, a column each.
 * Files of one axis are numbers, others tensors, whose shape may be given anew.
 * @throws `io` for a missing file, `data` for a malformed one or for files of different length
 *
 * @example
 * ```ts
 * const digits = await read.idx({ image: 'images-idx3-ubyte.gz', label: 'labels-idx1-ubyte.gz' })
 * ```
 */
async function idx<const Paths extends string | Readonly<Record<string, string>>>(
  paths: Paths,
  options: { readonly shapes?: Readonly<Record<string, readonly number[]>> } = {},
): Promise<Frame<Paths extends string ? { value: unknown } : { -readonly [K in keyof Paths]: unknown }>> {
  const files = Object.entries(typeof paths === 'string' ? { value: paths } : paths)
  if (files.length === 0) throw new ShardbookError('argument', 'read.idx: expected at least one file, got none.')
  const schema: Column[] = []
  const counts: { path: string; rows: number }[] = []
  const absolute: Record<string, string> = {}
  for (const [name, path] of files) {
    const file = await existing('read.idx', path)
    const { dtype, shape: axes } = await readIdxHeader(file)
    const [rows = 0, ...own] = axes
    const shape = options.shapes?.[name] ?? own
    if (sizeOf(shape) !== sizeOf(own)) {
      throw new ShardbookError(
        'argument',
        `read.idx: expected a shape of ${sizeOf(own)} values for '${name}', got ${show(shape)}.`,
      )
    }
    const type: Column['type'] =
      shape.length === 0
        ? { kind: 'number', storage: dtype }
        : { kind: 'tensor', dtype, shape: [...shape], held: 'reference' }
    schema.push({ name, type, nullable: false })
    counts.push({ path: file, rows })
    absolute[name] = file
  }
  const [first] = counts
  const other = counts.find(({ rows }) => rows !== first!.rows)
  if (other !== undefined) {
    throw new ShardbookError(
      'data',
      `read.idx: expected files of equal length, got ${first!.rows} rows in ${first!.path} and ${other.rows} in ${other.path}.`,
    )
  }
  return Frame.fromPlan(scan('read.idx', { kind: 'idx', rows: first!.rows, paths: absolute }, schema))
}

/**
 * Reads an Arrow IPC file or stream, or takes an Arrow table; it is held in memory.
 * @throws `io` for a missing file, `data` for a malformed one
 *
 * @example
 * ```ts
 * const again = await read.arrow(await df.toArrow())
 * ```
 */
async function arrow(source: string | ArrowTable): Promise<Frame> {
  const { fromArrow, readArrow } = await import('./arrow/from-arrow.js')
  return Frame.fromPlan(
    typeof source === 'string' ? await readArrow(await existing('read.arrow', source)) : fromArrow(source),
  )
}

/** Readers of files. */
export const read = { arrow, csv, parquet, idx } as const

/** The absolute path of a file that is there. */
async function existing(caller: string, path: unknown): Promise<string> {
  if (typeof path !== 'string' || path === '') {
    throw new ShardbookError('argument', `${caller}: expected a path, got ${show(path)}.`)
  }
  const absolute = resolve(path)
  const entry = await stat(absolute).catch((cause: unknown) => {
    throw ioError(caller, 'read', absolute, cause)
  })
  if (entry.isFile()) return absolute
  throw new ShardbookError('io', `${caller}: expected a file at ${absolute}, got a folder.`)
}
