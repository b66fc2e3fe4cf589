/** Results of plans as files. */
import type { Plan, TensorStore } from '../../plan.js'
import { tensorBytes, type Column, type Schema } from '../../schema.js'
import { openGatherer, type Gatherer } from '../../tensor/store.js'
import { loadDuckDB } from './chunk.js'
import { execute, withConnection } from './database.js'
import { explainFailure } from './failure.js'
import { registerGather } from './gather.js'
import { quoteString, sqlNames } from './names.js'
import { printPlan } from './print-plan.js'
import { scanProgress } from './scan-progress.js'
import { parquetSchemaKey } from './sniff-parquet.js'

export type WriteFormat =
  | {
      readonly format: 'parquet'
      readonly compression: string
      readonly rowGroupRows: number
      readonly partitionBy: readonly string[]
    }
  | { readonly format: 'csv'; readonly separator: string }
  | { readonly format: 'ndjson' }

/**
 * Writes the rows of a prepared plan to a Parquet file, in order and with references as they are; the file's names of the
 * columns, and what the references point into.
 */
export async function copyRows(
  plan: Plan,
  path: string,
): Promise<{ columns: readonly string[]; stores: readonly TensorStore[] }> {
  const { sql, stores } = printPlan(plan)
  const columns = plan.schema.map((_, i) => `c${i}`)
  const list = sqlNames(plan.schema).map((name, i) => `t.${name} AS ${columns[i]}`)
  await execute(
    `COPY (SELECT ${list.join(', ')} FROM (${sql}) t) TO ${quoteString(path)} (FORMAT parquet, ROW_GROUP_SIZE ${rowGroupRows(plan.schema)})`,
    scanProgress(plan),
  ).catch((cause: unknown) => {
    throw explainFailure(cause)
  })
  return { columns, stores }
}

/** Rows of a row group: DuckDB's own number, less where rows are long, so that a window never reads much more than itself. */
function rowGroupRows(schema: Schema): number {
  const bytes = schema.reduce((sum, { type }) => {
    return sum + (type.kind === 'tensor' && type.held === 'inline' ? tensorBytes(type) : 8)
  }, 0)
  return Math.max(2048, Math.min(122_880, Math.floor((8 * 2 ** 20) / bytes)))
}

/** Writes the rows of a prepared plan to a file; tensors by reference are gathered on the way, chunk by chunk. */
export async function copyPlan(plan: Plan, path: string, format: WriteFormat): Promise<void> {
  const { sql, stores } = printPlan(plan)
  const duckdb = await loadDuckDB()
  const names = sqlNames(plan.schema)
  const gatherers: Gatherer[] = []
  try {
    await withConnection(async (connection) => {
      const list = plan.schema.map((column, i) => {
        const { type } = column
        const name = names[i]!
        if (format.format === 'parquet' && format.partitionBy.includes(column.name)) {
          return `${folderValue(name, column)} AS ${name}`
        }
        if (format.format === 'ndjson' && type.kind === 'number') return `${finite(name, column)} AS ${name}`
        if (type.kind !== 'tensor' || type.held === 'inline') return name
        const gatherer = openGatherer(stores, type)
        gatherers.push(gatherer)
        return `${registerGather(duckdb, connection, type, gatherer)}(${name}) AS ${name}`
      })
      await connection.run(
        `COPY (SELECT ${list.join(', ')} FROM (${sql}) t) TO ${quoteString(path)} (${printFormat(format, plan.schema)})`,
      )
    }, scanProgress(plan))
  } catch (cause) {
    throw explainFailure(cause)
  } finally {
    for (const gatherer of gatherers) gatherer.close()
  }
}

function printFormat(format: WriteFormat, schema: Schema): string {
  switch (format.format) {
    case 'csv':
      return `FORMAT csv, HEADER, DELIMITER ${quoteString(format.separator)}`
    case 'ndjson':
      return 'FORMAT json, ARRAY false'
    case 'parquet': {
      const names = sqlNames(schema)
      const by = format.partitionBy.map((name) => names[schema.findIndex((column) => column.name === name)])
      return [
        'FORMAT parquet',
        `COMPRESSION ${format.compression === 'none' ? 'uncompressed' : format.compression}`,
        `ROW_GROUP_SIZE ${format.rowGroupRows}`,
        ...(by.length === 0
          ? [`KV_METADATA {${parquetSchemaKey}: ${quoteString(writtenSchema(schema))}}`]
          : [`PARTITION_BY (${by.join(', ')})`]),
      ].join(', ')
    }
    default:
      return format satisfies never
  }
}

/** What a folder is named for: whole numbers without a fraction, which every reader takes for whole numbers. */
function folderValue(sql: string, { type }: Column): string {
  if (type.kind !== 'number' || !type.storage.startsWith('float')) return sql
  const whole = `CASE WHEN ${sql} = floor(${sql}) AND abs(${sql}) < 1e15 THEN CAST(CAST(${sql} AS BIGINT) AS VARCHAR)`
  return `${whole} ELSE CAST(${sql} AS VARCHAR) END`
}

/** The numbers of a column, which JSON must have a form for. */
function finite(sql: string, { name, type }: Column): string {
  if (type.kind !== 'number' || !type.storage.startsWith('float')) return sql
  const message = `write.ndjson: expected finite numbers in '${name}', got NaN or an infinity, which JSON lacks. Filter them, or fill them with null.`
  return `CASE WHEN isfinite(${sql}) OR ${sql} IS NULL THEN ${sql} ELSE error(${quoteString(message)}) END`
}

/** The schema that goes into a file: what is read back holds tensors inline. */
function writtenSchema(schema: Schema): string {
  const columns = sqlNames(schema).map((name) => name.slice(1, -1).replaceAll('""', '"'))
  const read = schema.map((column): Column => {
    return column.type.kind === 'tensor' ? { ...column, type: { ...column.type, held: 'inline' } } : column
  })
  return JSON.stringify({ columns, schema: read })
}
