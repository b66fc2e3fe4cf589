/** How far a query is, in bytes of the files that it reads. */
import { statSync } from 'node:fs'
import { showBytes } from '../../io/progress.js'
import { inputsOf, type Plan } from '../../plan.js'
import type { DescribeProgress } from './database.js'

/** The text of a plan's progress; file sizes are looked up when something is to be shown. */
export function scanProgress(plan: Plan): DescribeProgress {
  let totalBytes: number | undefined
  const startedMs = performance.now()
  return (percent, state) => {
    totalBytes ??= scannedBytes(plan)
    const took = `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
    if (state === 'stopped') return `Query: stopped after ${took}`
    const ended = state === 'done'
    if (totalBytes === 0) return ended ? `Query: done in ${took}` : `Query: ${percent} % · ${took}`
    const read = ended
      ? showBytes(totalBytes)
      : `${showBytes((totalBytes * percent) / 100)} of ${showBytes(totalBytes)}`
    return `Query: ${read} · ${took}`
  }
}

function scannedBytes(plan: Plan): number {
  if (plan.kind !== 'scan') return inputsOf(plan).reduce((sum, input) => sum + scannedBytes(input), 0)
  const { source } = plan
  if (source.kind !== 'csv' && source.kind !== 'ndjson' && source.kind !== 'parquet') return 0
  const files = source.files ?? [source.path]
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
}
