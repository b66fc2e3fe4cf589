/** What files hold: names, types, nulls. Sniffed once; what is found goes into the plan, so that every reading agrees. */
import { open } from 'node:fs/promises'
import { ShardbookError } from '../../../core/errors.js'
import { ioError } from '../../../store/index.js'
import type { CsvOptions, Source } from '../../plan.js'
import { checkDistinctNames, findColumn, type Column, type Schema } from '../../schema.js'
import { queryRows } from './database.js'
import { explainFailure } from './failure.js'
import { quoteName, quoteString } from './names.js'
import { sqlType, typeFromSql } from './sql-type.js'
import { printReadCsv } from './print-plan.js'

export interface CsvReadOptions {
  /** Default: whichever of comma, tab, semicolon and bar the first line has most of. */
  readonly separator?: string
  /** Default true: the first line has the names. */
  readonly header?: boolean
  /** Default `"`; `''` for none. */
  readonly quote?: string
  /** What stands for null. Default: nothing between two separators. */
  readonly nulls?: readonly string[]
}

/** Files up to this size are read whole once, to know which columns hold no null, and that every line can be read. */
const wholeBytes = 32 * 2 ** 20

export async function sniffCsv(
  path: string,
  options: CsvReadOptions,
  given: Schema | undefined,
): Promise<{ source: Source; schema: Schema }> {
  const { text, sizeBytes } = await beginning(path)
  if (text.trim() === '') throw new ShardbookError('data', `read.csv: expected rows in ${path}, got an empty file.`)
  const quote = options.quote ?? '"'
  const separator = options.separator ?? mostFrequent(firstRecord(text, '\0', quote)[0] ?? '')
  const header = options.header ?? true
  const fields = firstRecord(text, separator, quote)
  const names = header
    ? fields.map((name) => name.trim())
    : (given?.map(({ name }) => name) ?? fields.map((_, i) => `column${i}`))
  checkDistinctNames(`read.csv: the header of ${path}`, names)
  const dialect = { separator, quote, escape: quote, header, skip: 0, nulls: options.nulls ?? [''] }

  if (given !== undefined) {
    const columns = names.map((name) => {
      const wanted = given.find((column) => column.name === name)
      if (wanted === undefined) return { name, sql: 'VARCHAR', feeds: null }
      return { name, sql: sqlType(wanted.type), feeds: name, ...(wanted.nullable ? {} : { required: true }) }
    })
    const file = names.map((name): Column => ({ name, type: { kind: 'string' }, nullable: true }))
    for (const { name } of given) findColumn(`read.csv: the header of ${path}`, file, name)
    return { source: { kind: 'csv', path, options: { ...dialect, columns } }, schema: given }
  }

  const sniffed = await sniffTypes(path, dialect, names)
  const read = { ...dialect, ...sniffed }
  const nullFree = sizeBytes <= wholeBytes ? await nullFreeColumns(printReadCsv(path, read), names) : []
  const schema = names.map((name, i): Column => {
    return { name, type: typeFromSql(sniffed.columns[i]!.sql).type, nullable: !nullFree.includes(name) }
  })
  return { source: { kind: 'csv', path, options: read }, schema }
}

type Dialect = Omit<CsvOptions, 'columns' | 'dateFormat' | 'timestampFormat'>

async function sniffTypes(
  path: string,
  dialect: Dialect,
  names: readonly string[],
): Promise<Pick<CsvOptions, 'columns'>> {
  const asText = names.map((name) => ({ name, sql: 'VARCHAR', feeds: name }))
  const sql = `SELECT Columns, DateFormat, TimestampFormat FROM sniff_csv(${[
    quoteString(path),
    `delim = ${quoteString(dialect.separator)}`,
    `quote = ${quoteString(dialect.quote)}`,
    `escape = ${quoteString(dialect.escape)}`,
    `header = ${dialect.header}`,
    `skip = ${dialect.skip}`,
    `nullstr = [${dialect.nulls.map(quoteString).join(', ')}]`,
  ].join(', ')})`
  try {
    const [[columns, dateFormat, timestampFormat] = []] = await queryRows(sql)
    const types = (columns as { type: string }[]).map(({ type }) => type)
    if (types.length !== names.length) return { columns: asText }
    return {
      columns: names.map((name, i) => ({ name, sql: types[i]!, feeds: name })),
      ...(typeof dateFormat === 'string' ? { dateFormat } : {}),
      ...(typeof timestampFormat === 'string' ? { timestampFormat } : {}),
    }
  } catch (cause) {
    // The sniffer does not say which line is at fault; reading everything as text does, if there is one.
    await nullFreeColumns(printReadCsv(path, { ...dialect, columns: asText }), names)
    if (!String(cause).includes('sniff')) throw explainFailure(cause)
    return { columns: asText }
  }
}

async function nullFreeColumns(from: string, names: readonly string[]): Promise<string[]> {
  const counts = names.map((name) => `count(${quoteName(name)}) = count(*)`)
  const [flags = []] = await queryRows(`SELECT ${counts.join(', ')} FROM ${from}`).catch((cause: unknown) => {
    throw explainFailure(cause)
  })
  return names.filter((_, i) => flags[i] === true)
}

/** The key of our schema in the metadata of Parquet files that we wrote. */
export const parquetSchemaKey = 'shardbook'

export async function sniffParquet(
  path: string,
  given: Schema | undefined,
): Promise<{ source: Source; schema: Schema }> {
  const from = `read_parquet(${quoteString(path)})`
  const query = (sql: string): Promise<readonly (readonly unknown[])[]> =>
    queryRows(sql).catch((cause: unknown) => {
      const [reason = ''] = String(cause instanceof Error ? cause.message : cause).split('\n')
      throw new ShardbookError('data', `read.parquet: cannot read ${path}: ${reason}`, { cause })
    })
  const described = await query(`DESCRIBE SELECT * FROM ${from}`)
  const physical = described.map(([name]) => String(name))
  const source = (columns: readonly string[]): Source => ({ kind: 'parquet', path, columns, stores: [] })
  if (given !== undefined) {
    const file = physical.map((name): Column => ({ name, type: { kind: 'string' }, nullable: true }))
    for (const { name } of given) findColumn(`read.parquet: ${path}`, file, name)
    return { source: source(given.map(({ name }) => name)), schema: given }
  }
  const own = await ownSchema(path, physical, query)
  if (own !== undefined) return { source: source(physical), schema: own }
  const nullFree = (
    await query(
      `SELECT path_in_schema FROM parquet_metadata(${quoteString(path)}) GROUP BY ALL HAVING bool_and(coalesce(stats_null_count = 0, false))`,
    )
  ).map(([name]) => String(name))
  const schema = described.map(([name, type]): Column => {
    return { name: String(name), type: typeFromSql(String(type)).type, nullable: !nullFree.includes(String(name)) }
  })
  return { source: source(physical), schema }
}

/** The schema that we wrote into the file, if we did and the file still has those columns. */
async function ownSchema(
  path: string,
  physical: readonly string[],
  query: (sql: string) => Promise<readonly (readonly unknown[])[]>,
): Promise<Schema | undefined> {
  const found = await query(
    `SELECT decode(value) FROM parquet_kv_metadata(${quoteString(path)}) WHERE decode(key) = ${quoteString(parquetSchemaKey)} LIMIT 1`,
  )
  const text = found[0]?.[0]
  if (typeof text !== 'string') return undefined
  const own = JSON.parse(text) as { columns: readonly string[]; schema: Schema }
  return own.columns.length === physical.length && own.columns.every((name, i) => name === physical[i])
    ? own.schema
    : undefined
}

async function beginning(path: string): Promise<{ text: string; sizeBytes: number }> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const bytes = new Uint8Array(Math.min(size, 2 ** 20))
      await file.read(bytes, 0, bytes.length, 0)
      return { text: new TextDecoder().decode(bytes), sizeBytes: size }
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw ioError('read.csv', 'read', path, cause)
  }
}

/** The fields of the first record of a CSV text (RFC 4180). */
function firstRecord(text: string, separator: string, quote: string): string[] {
  const fields: string[] = ['']
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    const last = fields.length - 1
    if (quoted) {
      if (char !== quote) fields[last] += char
      else if (text[i + 1] === quote) fields[last] += text[++i]!
      else quoted = false
    } else if (quote !== '' && char === quote && fields[last] === '') quoted = true
    else if (text.startsWith(separator, i)) {
      fields.push('')
      i += separator.length - 1
    } else if (char === '\n' || char === '\r') return fields
    else fields[last] += char
  }
  return fields
}

function mostFrequent(line: string): string {
  const counts = [',', '\t', ';', '|'].map((separator) => ({ separator, count: line.split(separator).length }))
  return counts.reduce((best, each) => (each.count > best.count ? each : best)).separator
}
