/** Scans of files on the network or in other encodings, as scans of local copies. */
import { parquetColumns } from '../engine/duckdb/parquet-chunks.js'
import { inputsOf, type Plan, type RowRange, type ScanNode, type Source } from '../plan.js'
import type { Reads } from '../reads.js'
import { copyOf } from './local-copy.js'
import { matchingRows } from './matching-rows.js'
import { fetchColumns, footerOf, isSparse } from './remote-parquet.js'
import { utf8File } from './text.js'

/** The scan over files that the engine can read. */
export async function localScan(plan: ScanNode, reads: Reads): Promise<Plan> {
  const { source } = plan
  if (source.kind === 'parquet') return parquetScan(plan, source, reads)
  return source.kind === 'csv' || source.kind === 'ndjson' ? { ...plan, source: await localText(source) } : plan
}

/** Files of text as whole files in UTF-8. */
export async function localText<T extends Extract<Source, { kind: 'csv' | 'ndjson' }>>(source: T): Promise<T> {
  const encoding = source.kind === 'csv' ? source.options.encoding : source.encoding
  const files: string[] = []
  for (const file of source.files ?? [source.path]) {
    files.push(
      encoding === undefined
        ? await copyOf(`read.${source.kind}`, file)
        : await utf8File(`read.${source.kind}`, file, encoding),
    )
  }
  return { ...source, files }
}

type Parquet = Extract<Source, { kind: 'parquet' }>

/** Of files on the network only the rows that are read: a scan of each file, where that is not all. */
async function parquetScan(plan: ScanNode, source: Parquet, { firstRows, predicates }: Reads): Promise<Plan> {
  const parts: { path: string; rows: RowRange | undefined }[] = []
  // A file's own column of that name hides the row numbers.
  const isNumbered = source.rows === undefined && !source.columns.includes('file_row_number')
  for (const file of source.files ?? [source.path]) {
    const path = await footerOf(file)
    const rows =
      !isNumbered || !isSparse(path)
        ? undefined
        : firstRows < Infinity
          ? { from: 0, to: firstRows }
          : await matchingRows(path, plan, predicates)
    parts.push({ path, rows })
  }
  const over = (files: readonly string[], rows: RowRange | undefined): ScanNode => ({
    ...plan,
    source: { ...source, files, ...(rows !== undefined && { rows }) },
  })
  if (parts.every(({ rows }) => rows === undefined))
    return over(
      parts.map(({ path }) => path),
      source.rows,
    )
  const held = parts.filter(({ rows }) => rows === undefined || rows.to > rows.from)
  const inputs = (held.length > 0 ? held : parts.slice(0, 1)).map(({ path, rows }) => over([path], rows))
  return inputs.length === 1 ? inputs[0]! : { kind: 'concat', inputs, schema: plan.schema }
}

/** Fetches what a plan of local scans reads of files that lie here in part. */
export async function fetchScans(plan: Plan): Promise<void> {
  const scans = sparseScans(plan)
  if (scans.length === 0) return
  const wanted = await parquetColumns(plan)
  for (const { path, rows } of scans) await fetchColumns(path, wanted, rows)
}

function sparseScans(plan: Plan): { path: string; rows: RowRange | undefined }[] {
  if (plan.kind !== 'scan') return inputsOf(plan).flatMap(sparseScans)
  const { source } = plan
  if (source.kind !== 'parquet') return []
  return (source.files ?? []).filter(isSparse).map((path) => ({ path, rows: source.rows }))
}
