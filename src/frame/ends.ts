/** Results of plans as JavaScript values. */
import { cellReader, rowsOfChunk, type Chunk } from './chunk.js'
import { columnValues } from './column-values.js'
import { run } from './execute.js'
import type { Plan } from './plan.js'

export async function rowsOf(plan: Plan): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const row of streamRows(plan)) rows.push(row)
  return rows
}

/** The rows one after the other, however many there are: a chunk of them is in memory. */
export async function* streamRows(plan: Plan): AsyncGenerator<Record<string, unknown>, void, undefined> {
  const stream = await run(plan)
  const reader = cellReader(stream)
  try {
    for await (const chunk of stream.chunks) yield* rowsOfChunk(plan.schema, chunk, reader)
  } finally {
    reader.close()
  }
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
