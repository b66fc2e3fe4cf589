/** Results of plans as JavaScript values. */
import { cellReader, rowsOfChunk, type Chunk } from './chunk.js'
import { columnValues } from './column-values.js'
import { run } from './execute.js'
import type { Plan } from './plan.js'

export async function rowsOf(plan: Plan): Promise<Record<string, unknown>[]> {
  const stream = await run(plan)
  const reader = cellReader(stream)
  const rows: Record<string, unknown>[] = []
  try {
    for await (const chunk of stream.chunks) {
      for (const row of rowsOfChunk(plan.schema, chunk, reader)) rows.push(row)
    }
  } finally {
    reader.close()
  }
  return rows
}

export async function columnsOfPlan(plan: Plan): Promise<Record<string, unknown>> {
  const stream = await run(plan)
  const chunks: Chunk[] = []
  for await (const chunk of stream.chunks) chunks.push(chunk)
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rows, 0)
  return Object.fromEntries(
    plan.schema.map((column, i) => {
      const parts = chunks.map((chunk) => chunk.columns[i]!)
      return [column.name, columnValues(column, parts, rows, chunks, i, stream.stores)]
    }),
  )
}
