/** Newline-delimited JSON: an object a line. */
import { stat } from 'node:fs/promises'
import { ShardbookError } from '../../../core/errors.js'
import type { Files } from '../../io/files.js'
import { beginningOf, utf8File } from '../../io/text.js'
import type { FileColumn, Source } from '../../plan.js'
import { queryRows } from './database.js'
import { badLine, explainFailure } from './failure.js'
import { printFiles } from './print-scan.js'
import {
  byLayout,
  givenColumns,
  over,
  sniffedSchema,
  widen,
  wholeBytes,
  type Part,
  type SniffOptions,
} from './sniff.js'

export async function sniffNdjson(
  files: Files,
  options: { readonly encoding?: string },
  sniff: SniffOptions,
): Promise<Part[]> {
  const runs = await byLayout(
    files.files,
    (file) => look(file, options),
    ({ columns, encoding }) => JSON.stringify([columns.map(({ name }) => name).sort(), encoding]),
  )
  const parts: Part[] = []
  for (const { files: some, looked } of runs) {
    const own = over(files, some)
    const { encoding } = looked[0]
    const encoded = encoding === undefined ? {} : { encoding }
    const source = (columns: readonly FileColumn[]): Extract<Source, { kind: 'ndjson' }> => {
      return { kind: 'ndjson', ...own, columns, ...encoded }
    }
    if (sniff.given !== undefined) {
      // A key that no line of the file has is null in all of them.
      const wanted = sniff.given.filter(({ name }) => !own.partitions?.some((partition) => partition.name === name))
      const { columns } = givenColumns(
        'read.ndjson',
        own,
        wanted.map(({ name }) => name),
        sniff,
      )
      parts.push({ source: source(columns), schema: sniff.given })
      continue
    }
    let { columns } = looked[0]
    const local: string[] = []
    for (const file of some) local.push(await utf8File('read.ndjson', file, encoding))
    for (let i = 1; i < some.length; i++) {
      columns = columns.map((column): FileColumn => {
        const other = looked[i]!.columns.find(({ name }) => name === column.name)!
        return { ...column, sql: widen('read.ndjson', column.name, column.sql, other.sql, some[i]!) }
      })
    }
    const sizes = await Promise.all(local.map(async (path) => (await stat(path)).size))
    const whole = sizes.reduce((a, b) => a + b, 0) <= wholeBytes
    const read = source(columns)
    parts.push({ source: read, schema: await sniffedSchema({ ...read, files: local }, columns, whole) })
  }
  return parts
}

async function look(
  file: string,
  options: { readonly encoding?: string },
): Promise<{ columns: readonly FileColumn[]; encoding?: string }> {
  const { text, encoding } = await beginningOf('read.ndjson', file, options.encoding)
  if (text.trim() === '') throw new ShardbookError('data', `read.ndjson: expected rows in ${file}, got an empty file.`)
  const path = await utf8File('read.ndjson', file, encoding)
  const from = `read_json(${printFiles([path])}, format = 'newline_delimited', records = true, map_inference_threshold = -1, hive_partitioning = false)`
  const described = await queryRows(`DESCRIBE SELECT * FROM ${from}`).catch((cause: unknown) => {
    throw badLine(path, cause) ?? explainFailure(cause)
  })
  const columns = described.map(([name, type]): FileColumn => {
    const sql = type === 'JSON' ? 'VARCHAR' : String(type)
    return { name: String(name), sql, feeds: String(name) }
  })
  return encoding === undefined ? { columns } : { columns, encoding }
}
