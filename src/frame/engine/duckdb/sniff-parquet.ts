/** Parquet files: names, types and nulls from their footers. */
import { ShardbookError } from '../../../core/errors.js'
import type { Files } from '../../io/files.js'
import { footerOf } from '../../io/remote-parquet.js'
import type { Source } from '../../plan.js'
import type { Column, Schema } from '../../schema.js'
import { queryRows } from './database.js'
import { quoteString } from './names.js'
import { typeFromSql } from './sql-type.js'
import { printFiles } from './print-scan.js'
import { byLayout, over, partitionColumns, presentColumns, type Part, type SniffOptions } from './sniff.js'

/** The key of our schema in the metadata of Parquet files that we wrote. */
export const parquetSchemaKey = 'shardbook'

type Described = readonly [name: string, sql: string]

export async function sniffParquet(files: Files, { given, unionByName }: SniffOptions): Promise<Part[]> {
  const runs = await byLayout(files.files, describeFile, ({ columns, own }) => JSON.stringify([columns, own]))
  const parts: Part[] = []
  for (const {
    files: some,
    looked: [looked],
  } of runs) {
    const own = over(files, some)
    const partitions = partitionColumns(own)
    const physical = looked.columns.filter(([name]) => !partitions.some((partition) => partition.name === name))
    const names = [...physical.map(([name]) => name), ...partitions.map(({ name }) => name)]
    const source = (columns: readonly string[]): Source => ({ kind: 'parquet', ...own, columns, stores: [] })
    if (given !== undefined) {
      const schema = presentColumns(`read.parquet: ${own.path}`, names, given, unionByName)
      parts.push({ source: source(schema.map(({ name }) => name)), schema })
      continue
    }
    const nullFree = looked.own === undefined ? await nullFreeColumns(some) : []
    const schema =
      looked.own ??
      physical.map(([name, sql]): Column => {
        return { name, type: typeFromSql(sql).type, nullable: !nullFree.includes(name) }
      })
    parts.push({ source: source(names), schema: [...schema, ...partitions] })
  }
  return parts
}

interface Looked {
  readonly columns: readonly Described[]
  /** The schema that we wrote into the file, if we did and the file still has those columns. */
  readonly own: Schema | undefined
}

async function describeFile(file: string): Promise<Looked> {
  const path = await footerOf(file)
  const described = await query(
    file,
    `DESCRIBE SELECT * FROM read_parquet(${printFiles([path])}, hive_partitioning = false)`,
  )
  const columns = described.map(([name, type]): Described => [String(name), String(type)])
  const found = await query(
    file,
    `SELECT decode(value) FROM parquet_kv_metadata(${printFiles([path])}) WHERE decode(key) = ${quoteString(parquetSchemaKey)} LIMIT 1`,
  )
  const text = found[0]?.[0]
  if (typeof text !== 'string') return { columns, own: undefined }
  const own = JSON.parse(text) as { columns: readonly string[]; schema: Schema }
  const same = own.columns.length === columns.length && own.columns.every((name, i) => name === columns[i]![0])
  return { columns, own: same ? own.schema : undefined }
}

async function nullFreeColumns(files: readonly string[]): Promise<string[]> {
  const paths = await Promise.all(files.map(footerOf))
  const found = await query(
    files[0]!,
    `SELECT path_in_schema FROM parquet_metadata(${printFiles(paths)}) GROUP BY ALL HAVING bool_and(coalesce(stats_null_count = 0, false))`,
  )
  return found.map(([name]) => String(name))
}

async function query(file: string, sql: string): Promise<readonly (readonly unknown[])[]> {
  return queryRows(sql).catch((cause: unknown) => {
    if (cause instanceof ShardbookError) throw cause
    const [text = ''] = String(cause instanceof Error ? cause.message : cause).split('\n')
    const reason = text.includes('No magic bytes')
      ? 'a file that does not end as one'
      : `one that cannot be read (${text.replace(/^[\w ]+ Error: /, '')})`
    throw new ShardbookError('data', `read.parquet: expected a Parquet file at ${file}, got ${reason}.`, {
      hint: 'It is truncated, or of another format.',
      cause,
    })
  })
}
