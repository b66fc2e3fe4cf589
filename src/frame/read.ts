/** Readers: they look at a file, learn its schema and give a lazy frame; rows are read when an end needs them. */
import { cancellable } from '../core/cancel.js'
import { checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import { resolve } from 'node:path'
import { stat } from 'node:fs/promises'
import { ioError } from '../store/index.js'
import type { ArrowTable } from './arrow/to-arrow.js'
import { project, reference, scan } from './build.js'
import { concat } from './build-join.js'
import type { Part, SniffOptions } from './engine/duckdb/sniff.js'
import { badRowSchema, collectBadRows, type BadRow } from './engine/duckdb/bad-rows.js'
import { sniffCsv, type CsvReadOptions } from './engine/duckdb/sniff-csv.js'
import { sniffNdjson } from './engine/duckdb/sniff-ndjson.js'
import { sniffParquet } from './engine/duckdb/sniff-parquet.js'
import type { Flat, SpecValue } from './expr/check-types.js'
import type { Dynamic } from './expr/types.js'
import { frame } from './create.js'
import { Frame } from './frame.js'
import { readIdxHeader } from './idx.js'
import { findFiles, type Files, type Paths } from './io/files.js'
import { copyOf } from './io/local-copy.js'
import { imagesPlan } from './io/read-images.js'
import { unionOf } from './io/union.js'
import type { Plan } from './plan.js'
import { type Column } from './schema.js'
import { parseSchema, type SchemaSpec } from './schema-spec.js'
import type { Tensor } from './tensor/tensor.js'

type FromSpec<Spec extends SchemaSpec> = SchemaSpec extends Spec
  ? Dynamic
  : Flat<{ -readonly [K in keyof Spec]: SpecValue<Spec[K]> }>

/** What readers of several files share. */
export interface FilesOptions<Spec extends SchemaSpec = SchemaSpec> {
  /** The columns to read with their types, honoured exactly: `{ a: 'number', b: 'string?' }` (`?`: may be null). */
  readonly schema?: Spec
  /** Takes the columns of all files, null where a file lacks one. Default false: files must have the same columns. */
  readonly unionByName?: boolean
}

export type CsvOptions<Spec extends SchemaSpec = SchemaSpec> = CsvReadOptions &
  FilesOptions<Spec> & {
    /**
     * Lines that cannot be read: an error (the default), left out, or left out and collected in the frame `badRows`, for
     * which the files are read through at once.
     */
    readonly badRows?: 'error' | 'skip' | 'collect'
  }

export interface NdjsonOptions<Spec extends SchemaSpec = SchemaSpec> extends FilesOptions<Spec> {
  /** Default UTF-8, or UTF-16 where the file looks so; any that `TextDecoder` knows. */
  readonly encoding?: string
}

/**
 * Reads CSV files: a path, a glob, a folder (also of `key=value` folders), a URL (`https:`, `s3:`), or a list of them.
 * Separator and types are inferred from the beginning; small files are checked whole.
 * @throws `io` for a missing file, `data` for a malformed one (with its line) and for files that differ in their columns
 *
 * @example
 * ```ts
 * const iris = await read.csv('iris.csv')
 * const typed = await read.csv('iris.csv', { schema: { sepalLength: 'number', species: 'string' } })
 * ```
 */
function csv<const Spec extends SchemaSpec = SchemaSpec>(
  paths: Paths,
  options: CsvOptions<Spec> & { readonly badRows: 'collect' },
): Promise<Frame<FromSpec<Spec>> & { readonly badRows: Frame<BadRow> }>
function csv<const Spec extends SchemaSpec = SchemaSpec>(
  paths: Paths,
  options?: CsvOptions<Spec>,
): Promise<Frame<FromSpec<Spec>>>
async function csv(paths: Paths, options: CsvOptions = {}): Promise<never> {
  const { badRows = 'error' } = options
  checkOneOf('read.csv', 'badRows', badRows, ['error', 'skip', 'collect'])
  const csvOptions = { ...options, skipBad: badRows !== 'error' }
  const df = await readFiles('read.csv', paths, /\.(?:csv|tsv)(?:\.gz)?$/i, options, (files, sniff) =>
    sniffCsv(files, csvOptions, sniff),
  )
  if (badRows === 'collect')
    Object.assign(df, { badRows: frame(await collectBadRows(df.plan), { schema: badRowSchema }) })
  return df as never
}

/**
 * Reads newline-delimited JSON, an object a line: a path, a glob, a folder, a URL, or a list of them.
 * @throws `io` for a missing file, `data` for a malformed one (with its line) and for files that differ in their columns
 *
 * @example
 * ```ts
 * const events = await read.ndjson('logs/*.ndjson', { unionByName: true })
 * ```
 */
async function ndjson<const Spec extends SchemaSpec = SchemaSpec>(
  paths: Paths,
  options: NdjsonOptions<Spec> = {},
): Promise<Frame<FromSpec<Spec>>> {
  return readFiles('read.ndjson', paths, /\.(?:ndjson|jsonl|json)(?:\.gz)?$/i, options, (files, sniff) =>
    sniffNdjson(files, options, sniff),
  )
}

/**
 * Reads Parquet files: a path, a glob, a folder (also of `key=value` folders), a URL, or a list of them. Of files on the
 * network only the columns that a query needs are fetched.
 * @throws `io` for a missing file, `data` for a malformed one and for files that differ in their columns
 *
 * @example
 * ```ts
 * const trips = await read.parquet('trips/*.parquet')
 * ```
 */
async function parquet<const Spec extends SchemaSpec = SchemaSpec>(
  paths: Paths,
  options: FilesOptions<Spec> = {},
): Promise<Frame<FromSpec<Spec>>> {
  return readFiles('read.parquet', paths, /\.parquet$/i, options, sniffParquet)
}

async function readFiles<Spec extends SchemaSpec>(
  caller: string,
  paths: Paths,
  wanted: RegExp,
  options: FilesOptions<Spec>,
  sniff: (files: Files, options: SniffOptions) => Promise<readonly Part[]>,
): Promise<Frame<FromSpec<Spec>>> {
  return cancellable(caller, undefined, async () => {
    const given = options.schema === undefined ? undefined : parseSchema(caller, options.schema)
    const unionByName = options.unionByName ?? false
    const parts = await sniff(await findFiles(caller, paths, wanted), { given, unionByName })
    const plan = unionOf(caller, parts, unionByName)
    // Given columns come in the given order, also when files are put together.
    const ordered =
      given === undefined || plan.kind === 'scan'
        ? plan
        : project(
            caller,
            plan,
            given.map(({ name }) => ({ name, expr: reference(name) })),
          )
    return Frame.fromPlan(ordered)
  })
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
async function idx<const P extends string | Readonly<Record<string, string>>>(
  paths: P,
  options: { readonly shapes?: Readonly<Record<string, readonly number[]>> } = {},
): Promise<Frame<P extends string ? { value: unknown } : { -readonly [K in keyof P]: unknown }>> {
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
 * Reads Arrow IPC files or streams (a path, a glob, a folder, a URL), or takes an Arrow table. Files are read batch by batch into
 * the engine, which spills what memory does not hold; a table is held in memory.
 * @throws `io` for a missing file, `data` for a malformed one
 *
 * @example
 * ```ts
 * const again = await read.arrow(await df.toArrow())
 * ```
 */
async function arrow(source: string | ArrowTable): Promise<Frame> {
  if (typeof source !== 'string') return Frame.fromPlan((await import('./arrow/from-arrow.js')).fromArrow(source))
  const { readArrow } = await import('./arrow/read-arrow.js')
  return cancellable('read.arrow', undefined, async () => {
    const { files } = await findFiles('read.arrow', source, /\.(?:arrow|arrows|feather|ipc)$/i)
    const plans: Plan[] = []
    for (const file of files) plans.push(await readArrow(file, await copyOf('read.arrow', file)))
    return Frame.fromPlan(plans.length === 1 ? plans[0]! : concat('read.arrow', plans))
  })
}

/**
 * Reads pictures in folders named for their class. A picture is decoded when a batch needs it, turned upright and stretched
 * to one size.
 *
 * `image`: uint8 [height, width, channels].
 * @throws `io` for a missing folder, `data` for a file that is no picture
 *
 * @example
 * ```ts
 * const flowers = await read.images('flowers', { height: 64, width: 64, channels: 3 })
 * ```
 */
async function images<const H extends number = number, const W extends number = number, const C extends 1 | 3 | 4 = 3>(
  paths: Paths,
  options: { readonly height?: H; readonly width?: W; readonly channels?: C } = {},
): Promise<Frame<{ image: Tensor<[H, W, C]>; label: string }>> {
  return cancellable('read.images', undefined, async () => Frame.fromPlan(await imagesPlan(paths, options)))
}

/** Readers of files. */
export const read = { arrow, csv, idx, images, ndjson, parquet } as const

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
