/** What files hold: names, types, nulls. Sniffed once; what is found goes into the plan, so that every reading agrees. */
import { ShardbookError } from '../../../core/errors.js'
import type { Files } from '../../io/files.js'
import type { FileColumn, FileSource, RowFiles, Source } from '../../plan.js'
import { findColumn, type Column, type Schema } from '../../schema.js'
import { queryRows } from './database.js'
import { explainFailure } from './failure.js'
import { quoteName } from './names.js'
import { printReader } from './print-scan.js'
import { sqlType, typeFromSql } from './sql-type.js'

/** Files of one layout as one scan. */
export interface Part {
  readonly source: Source
  readonly schema: Schema
}

/** Files up to this size in all are read whole once, to know which columns hold no null, and that every row can be read. */
export const wholeBytes = 32 * 2 ** 20

export interface SniffOptions {
  /** The columns to read, honoured exactly. */
  readonly given: Schema | undefined
  /** A given column that may be null may be missing in a file. */
  readonly unionByName: boolean
}

/** The text columns of a file as a given schema wants them. @throws `column` when the file lacks one */
export function givenColumns(
  caller: string,
  { path, partitions = [] }: FileSource,
  names: readonly string[],
  { given, unionByName }: SniffOptions,
): { columns: readonly FileColumn[]; schema: Schema } {
  const columns = names.map((name): FileColumn => {
    const wanted = given!.find((column) => column.name === name)
    if (wanted === undefined) return { name, sql: 'VARCHAR', feeds: null }
    return { name, sql: sqlType(wanted.type), feeds: name, ...(wanted.nullable ? {} : { required: true }) }
  })
  const there = [...names, ...partitions.map(({ name }) => name)]
  return { columns, schema: presentColumns(`${caller}: ${path}`, there, given!, unionByName) }
}

/** The given columns that a file has. @throws `column` for one that it lacks and must have */
export function presentColumns(caller: string, names: readonly string[], given: Schema, unionByName: boolean): Schema {
  const file = names.map((name): Column => ({ name, type: { kind: 'string' }, nullable: true }))
  return given.filter(({ name, nullable }) => {
    if (unionByName && nullable && !names.includes(name)) return false
    return findColumn(caller, file, name) !== undefined
  })
}

/** The schema of sniffed text columns and partitions. */
export async function sniffedSchema(
  source: RowFiles,
  columns: readonly FileColumn[],
  checked: boolean,
): Promise<Schema> {
  const nullFree = checked
    ? await nullFreeColumns(
        source,
        columns.map(({ name }) => name),
      )
    : []
  const own = columns.map(({ name, sql }): Column => {
    return { name, type: typeFromSql(sql).type, nullable: !nullFree.includes(name) }
  })
  return [...own, ...partitionColumns(source)]
}

export function partitionColumns({ partitions = [], files = [] }: FileSource): Column[] {
  return partitions.map(({ name, sql }): Column => {
    const nullable = files.some((file) => file.includes(`/${name}=__HIVE_DEFAULT_PARTITION__/`))
    return { name, type: typeFromSql(sql).type, nullable }
  })
}

/** Reads the files whole. @throws `data` for a row that cannot be read, with its file and line */
export async function nullFreeColumns(source: RowFiles, names: readonly string[]): Promise<string[]> {
  const counts = names.map((name) => `count(${quoteName(name)}) = count(*)`)
  const [flags = []] = await queryRows(`SELECT ${counts.join(', ')} FROM ${printReader(source)}`).catch(
    (cause: unknown) => {
      throw explainFailure(cause)
    },
  )
  return names.filter((_, i) => flags[i] === true)
}

/** Files in runs of one layout, in order. */
export async function byLayout<T>(
  files: readonly string[],
  look: (file: string) => Promise<T>,
  layoutOf: (looked: T) => string,
): Promise<{ files: string[]; looked: [T, ...T[]] }[]> {
  const looked: T[] = []
  const atOnce = 8
  for (let from = 0; from < files.length; from += atOnce) {
    looked.push(...(await Promise.all(files.slice(from, from + atOnce).map(look))))
  }
  const runs: { files: string[]; looked: [T, ...T[]] }[] = []
  files.forEach((file, i) => {
    const last = runs.at(-1)
    if (last === undefined || layoutOf(last.looked[0]) !== layoutOf(looked[i]!)) {
      runs.push({ files: [file], looked: [looked[i]!] })
      return
    }
    last.files.push(file)
    last.looked.push(looked[i]!)
  })
  return runs
}

/** The same source over some of its files. */
export function over(files: Files, some: readonly string[]): Files {
  return { ...files, path: some.length === 1 ? some[0]! : files.path, files: some }
}

/** The narrowest type that holds two, by their names in the engine. @throws `data` when there is none */
export function widen(caller: string, name: string, a: string, b: string, file: string): string {
  if (a === b || b === '"NULL"') return a
  if (a === '"NULL"') return b
  const [left, right] = [typeFromSql(a).type, typeFromSql(b).type]
  if (left.kind === 'number' && right.kind === 'number') return a === 'BIGINT' && b === 'INTEGER' ? a : 'DOUBLE'
  if ([left.kind, right.kind].sort().join() === 'date,timestamp') return 'TIMESTAMP'
  throw new ShardbookError(
    'data',
    `${caller}: expected ${left.kind} in column '${name}', as in the files before, got ${right.kind} in ${file}.`,
    { hint: `Give its type: schema: { ${name}: 'string' }.` },
  )
}
