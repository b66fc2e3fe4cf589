/** Scans of files on the network or in other encodings, as scans of local copies. */
import { parquetColumns } from '../engine/duckdb/parquet-chunks.js'
import { inputsOf, type Plan, type ScanNode } from '../plan.js'
import { copyOf } from './local-copy.js'
import { fetchColumns, footerOf, footerOfFirst, isSparse } from './remote-parquet.js'
import { utf8File } from './text.js'

/** The scan over files that the engine can read; `firstRows`: nothing past so many rows will be read. */
export async function localScan(plan: ScanNode, firstRows: number): Promise<ScanNode> {
  const { source } = plan
  if (source.kind !== 'csv' && source.kind !== 'ndjson' && source.kind !== 'parquet') return plan
  const files: string[] = []
  for (const file of source.files ?? [source.path]) {
    if (source.kind === 'parquet') {
      files.push(firstRows === Infinity ? await footerOf(file) : await footerOfFirst(file, firstRows))
    } else {
      const encoding = source.kind === 'csv' ? source.options.encoding : source.encoding
      files.push(
        encoding === undefined
          ? await copyOf(`read.${source.kind}`, file)
          : await utf8File(`read.${source.kind}`, file, encoding),
      )
    }
  }
  return { ...plan, source: { ...source, files } }
}

/** Fetches what a plan of local scans reads of files that lie here in part. */
export async function fetchScans(plan: Plan): Promise<void> {
  const paths = sparsePaths(plan)
  if (paths.length === 0) return
  const wanted = await parquetColumns(plan)
  for (const path of paths) await fetchColumns(path, wanted)
}

function sparsePaths(plan: Plan): string[] {
  if (plan.kind !== 'scan') return inputsOf(plan).flatMap(sparsePaths)
  return plan.source.kind === 'parquet' ? (plan.source.files ?? []).filter(isSparse) : []
}
