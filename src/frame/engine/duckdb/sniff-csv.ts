/** CSV files: dialect, header and types. */
import { stat } from 'node:fs/promises'
import { ShardbookError } from '../../../core/errors.js'
import type { Files } from '../../io/files.js'
import { beginningOf, utf8File } from '../../io/text.js'
import type { CsvOptions, FileColumn, Source } from '../../plan.js'
import { checkDistinctNames } from '../../schema.js'
import { queryRows } from './database.js'
import { explainFailure } from './failure.js'
import { quoteString } from './names.js'
import { byLayout, givenColumns, nullFreeColumns, over, sniffedSchema, widen, wholeBytes } from './sniff.js'
import type { Part, SniffOptions } from './sniff.js'

export interface CsvReadOptions {
  /** Default: whichever of comma, tab, semicolon and bar the first line has most of. */
  readonly separator?: string
  /** Default true: the first line has the names. */
  readonly header?: boolean
  /** Default `"`; `''` for none. */
  readonly quote?: string
  /** What stands for null. Default: nothing between two separators. */
  readonly nulls?: readonly string[]
  /** Default UTF-8, or UTF-16 where the file looks so; any that `TextDecoder` knows. */
  readonly encoding?: string
}

type Dialect = Omit<CsvOptions, 'columns' | 'dateFormat' | 'timestampFormat'>
interface Looked {
  readonly dialect: Dialect
  readonly names: readonly string[]
}
type CsvSource = Extract<Source, { kind: 'csv' }>

/** Types are looked up in so many files of a layout. */
const sniffedFiles = 4

export async function sniffCsv(
  files: Files,
  options: CsvReadOptions & { readonly skipBad?: boolean },
  sniff: SniffOptions,
): Promise<Part[]> {
  const runs = await byLayout(
    files.files,
    (file) => look(file, options, sniff),
    (looked) => JSON.stringify(looked),
  )
  const parts: Part[] = []
  for (const { files: some, looked } of runs) parts.push(await sniffRun(over(files, some), looked[0], sniff))
  return parts
}

async function sniffRun(files: Files, { dialect, names }: Looked, sniff: SniffOptions): Promise<Part> {
  const source = (options: CsvOptions): CsvSource => ({ kind: 'csv', ...files, options })
  if (sniff.given !== undefined) {
    const { columns, schema } = givenColumns('read.csv', files, names, sniff)
    return { source: source({ ...dialect, columns }), schema }
  }
  const local: string[] = []
  for (const file of files.files) local.push(await utf8File('read.csv', file, dialect.encoding))
  let found = await sniffTypes(local[0]!, dialect, names)
  for (let i = 1; i < Math.min(local.length, sniffedFiles); i++) {
    const more = await sniffTypes(local[i]!, dialect, names)
    const columns = found.columns.map((column, c): FileColumn => {
      return { ...column, sql: widen('read.csv', column.name, column.sql, more.columns[c]!.sql, files.files[i]!) }
    })
    found = { ...found, columns }
  }
  const read = source({ ...dialect, ...found })
  const sizes = await Promise.all(local.map(async (path) => (await stat(path)).size))
  const whole = sizes.reduce((a, b) => a + b, 0) <= wholeBytes
  return { source: read, schema: await sniffedSchema({ ...read, files: local }, found.columns, whole) }
}

async function look(
  file: string,
  options: CsvReadOptions & { readonly skipBad?: boolean },
  { given }: SniffOptions,
): Promise<Looked> {
  const { text, encoding } = await beginningOf('read.csv', file, options.encoding)
  if (text.trim() === '') throw new ShardbookError('data', `read.csv: expected rows in ${file}, got an empty file.`)
  const quote = options.quote ?? '"'
  const separator = options.separator ?? mostFrequent(firstRecord(text, '\0', quote)[0] ?? '')
  const header = options.header ?? true
  const fields = firstRecord(text, separator, quote)
  const names = header
    ? fields.map((name) => name.trim())
    : (given?.map(({ name }) => name) ?? fields.map((_, i) => `column${i}`))
  checkDistinctNames(`read.csv: the header of ${file}`, names)
  const nulls = options.nulls ?? ['']
  const encoded = encoding === undefined ? {} : { encoding }
  const skip = options.skipBad === true ? { skipBad: true } : {}
  return { dialect: { separator, quote, escape: quote, header, skip: 0, nulls, ...encoded, ...skip }, names }
}

async function sniffTypes(
  path: string,
  dialect: Dialect,
  names: readonly string[],
): Promise<Pick<CsvOptions, 'columns' | 'dateFormat' | 'timestampFormat'>> {
  const asText = names.map((name) => ({ name, sql: 'VARCHAR', feeds: name }))
  const sql = `SELECT Columns, DateFormat, TimestampFormat FROM sniff_csv(${[
    quoteString(path.replaceAll(/[*?[]/g, '[$&]')),
    `delim = ${quoteString(dialect.separator)}`,
    `quote = ${quoteString(dialect.quote)}`,
    `escape = ${quoteString(dialect.escape)}`,
    `header = ${dialect.header}`,
    `skip = ${dialect.skip}`,
    `nullstr = [${dialect.nulls.map(quoteString).join(', ')}]`,
    ...(dialect.skipBad === true ? ['ignore_errors = true'] : []),
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
    await nullFreeColumns({ kind: 'csv', path, options: { ...dialect, columns: asText } }, names)
    if (!String(cause).includes('sniff')) throw explainFailure(cause)
    return { columns: asText }
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
