/** Where the columns of a Parquet file lie, and which of them a query reads: as DuckDB itself tells. */
import type { Plan, RowRange } from '../../plan.js'
import { queryRows } from './database.js'
import { printPlan } from './print-plan.js'
import { printFiles } from './print-scan.js'

/** One column in one row group. */
export interface ColumnChunk {
  /** Rows of the row group. */
  readonly rows: RowRange
  /** The top-level column that it is a part of. */
  readonly column: string
  readonly ranges: readonly { readonly offset: number; readonly length: number }[]
}

/** The column chunks that a file's footer names, row group by row group. */
export async function columnChunks(path: string): Promise<ColumnChunk[]> {
  const rows = await queryRows(
    `SELECT row_group_id, row_group_num_rows, path_in_schema, dictionary_page_offset, data_page_offset, total_compressed_size, bloom_filter_offset, bloom_filter_length FROM parquet_metadata(${printFiles([path])}) ORDER BY row_group_id`,
  )
  let range: RowRange = { from: 0, to: 0 }
  let last = -1
  return rows.map(([group, groupRows, nested, dictionary, data, length, bloom, bloomLength]) => {
    const begins =
      dictionary === null || Number(dictionary) <= 0 ? Number(data) : Math.min(Number(dictionary), Number(data))
    if (Number(group) > last) range = { from: range.to, to: range.to + Number(groupRows) }
    last = Number(group)
    return {
      rows: range,
      column: String(nested).split(', ')[0]!,
      ranges: [
        { offset: begins, length: Number(length) },
        ...(bloom === null ? [] : [{ offset: Number(bloom), length: Number(bloomLength ?? 4096) }]),
      ],
    }
  })
}

/** Whether a prepared plan's query may read a column of its Parquet files. Says yes too often rather than too seldom. */
export async function parquetColumns(plan: Plan): Promise<(column: string) => boolean> {
  const [[, text] = []] = await queryRows(`EXPLAIN (FORMAT json) ${printPlan(plan).sql}`)
  const scans = (JSON.parse(String(text)) as PhysicalNode[]).flatMap(scansBelow)
  const projected = new Set(scans.flatMap(({ Projections = [] }) => Projections))
  const filters = scans.map(({ Filters = '' }) => String(Filters)).join(' ')
  return (column) => projected.has(column) || filters.includes(column)
}

interface PhysicalNode {
  readonly children: readonly PhysicalNode[]
  readonly extra_info: ScanInfo
}
interface ScanInfo {
  readonly Function?: string
  readonly Projections?: string | readonly string[]
  readonly Filters?: string | readonly string[]
}

function scansBelow({ children, extra_info: info }: PhysicalNode): ScanInfo[] {
  const own = info.Function?.includes('PARQUET') === true ? [info] : []
  return [...own, ...children.flatMap(scansBelow)]
}
