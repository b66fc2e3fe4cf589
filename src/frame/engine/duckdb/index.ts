/** The DuckDB engine: what `execute.ts` asks of it. */
import type { Chunk, ChunkStream } from '../../chunk.js'
import type { Plan, Source, SqlNode, TensorStore } from '../../plan.js'
import { tensorBytes, type Column, type Schema } from '../../schema.js'
import { openGatherer, storeStride, type Gatherer } from '../../tensor/store.js'
import { fillTable, loadDuckDB, readChunk } from './chunk.js'
import { execute, newTableName, queryRows, streamQuery, withConnection } from './database.js'
import { explainFailure, explainQuery } from './failure.js'
import { registerGather } from './gather.js'
import { quoteName, quoteString, sqlNames } from './names.js'
import { printPlan } from './print-plan.js'
import { describedColumns, userQuery } from './print-user-sql.js'
import { parquetSchemaKey } from './sniff.js'
import { sqlType } from './sql-type.js'

type Table = Extract<Source, { kind: 'table' }>

/** Streams the rows of a prepared plan. */
export function queryChunks(plan: Plan, options: { ordered?: boolean } = {}): ChunkStream {
  const { sql, stores } = printPlan(plan, options)
  return { schema: plan.schema, stores, chunks: chunksOf(plan, sql, plan.schema) }
}

/** Plans whose tables must stay while their queries run. */
const running = new Set<{ readonly plan: Plan }>()

async function* chunksOf(plan: Plan, sql: string, schema: Schema): AsyncGenerator<Chunk> {
  const hold = { plan }
  running.add(hold)
  try {
    const duckdb = await loadDuckDB()
    for await (const { chunk } of streamQuery(sql)) yield readChunk(duckdb, chunk, schema)
  } catch (cause) {
    throw explainFailure(cause)
  } finally {
    running.delete(hold)
  }
}

/** A new table of the rows of a prepared plan, in order. */
export async function tableFromQuery(plan: Plan): Promise<Table> {
  const { sql, stores } = printPlan(plan)
  const table = newTableName()
  await execute(`CREATE TABLE ${quoteName(table)} AS ${sql}`).catch((cause: unknown) => {
    throw explainFailure(cause)
  })
  return { kind: 'table', table, stores }
}

/** A new table of chunks. */
export async function createTable(
  schema: Schema,
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
  stores: readonly TensorStore[],
): Promise<Table> {
  const table = newTableName()
  await withConnection((connection) => fillTable(connection, table, schema, chunks))
  return { kind: 'table', table, stores }
}

/** A new table of `left`'s and `right`'s columns, row by row; references of `right` start at the store `bases` says. */
export async function tablesSideBySide(
  left: { schema: Schema; source: Table },
  right: { schema: Schema; source: Table; bases: readonly number[] },
  schema: Schema,
  stores: readonly TensorStore[],
): Promise<Table> {
  const [leftNames, rightNames, names] = [sqlNames(left.schema), sqlNames(right.schema), sqlNames(schema)]
  const list = schema.map(({ name }, i) => {
    const added = right.schema.findIndex((column) => column.name === name)
    if (added < 0) return `l.${leftNames[left.schema.findIndex((column) => column.name === name)]} AS ${names[i]}`
    const base = right.bases[added]! * storeStride
    return `r.${rightNames[added]}${base > 0 ? ` + ${base}` : ''} AS ${names[i]}`
  })
  const table = newTableName()
  await execute(
    `CREATE TABLE ${quoteName(table)} AS SELECT ${list.join(', ')} FROM ${quoteName(left.source.table)} l POSITIONAL JOIN ${quoteName(right.source.table)} r`,
  )
  return { kind: 'table', table, stores }
}

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

export async function dropTable(table: string): Promise<void> {
  await execute(`DROP TABLE IF EXISTS ${quoteName(table)}`)
}

/** What a query of the user's gives, by asking DuckDB over inputs without rows. */
export async function describeQuery(
  query: Pick<SqlNode, 'text' | 'holes' | 'inputs'>,
): Promise<Pick<SqlNode, 'schema' | 'wrapped'>> {
  const inputs = query.inputs.map(({ schema }) => {
    const names = sqlNames(schema)
    return `SELECT ${schema.map(({ type }, i) => `CAST(NULL AS ${sqlType(type)}) AS ${names[i]}`).join(', ')} WHERE FALSE`
  })
  const rows = await queryRows(`DESCRIBE SELECT * FROM (${userQuery(query, inputs)})`).catch((cause: unknown) => {
    throw explainQuery(cause)
  })
  return describedColumns(
    query.inputs,
    rows.map(([name, sql]) => [String(name), String(sql)] as const),
  )
}

/** The SQL that a prepared plan becomes. */
export function toSql(plan: Plan): string {
  return printPlan(plan).sql
}

/** Writes the rows of a prepared plan to a file; tensors by reference are gathered on the way, chunk by chunk. */
export async function copyPlan(
  plan: Plan,
  path: string,
  format: { readonly format: 'parquet' } | { readonly format: 'csv'; readonly separator: string },
): Promise<void> {
  const { sql, stores } = printPlan(plan)
  const duckdb = await loadDuckDB()
  const names = sqlNames(plan.schema)
  const gatherers: Gatherer[] = []
  try {
    await withConnection(async (connection) => {
      const list = plan.schema.map(({ type }, i) => {
        if (type.kind !== 'tensor' || type.held === 'inline') return names[i]
        const gatherer = openGatherer(stores, type)
        gatherers.push(gatherer)
        return `${registerGather(duckdb, connection, type, gatherer)}(${names[i]}) AS ${names[i]}`
      })
      await connection.run(
        `COPY (SELECT ${list.join(', ')} FROM (${sql}) t) TO ${quoteString(path)} (${
          format.format === 'csv'
            ? `FORMAT csv, HEADER, DELIMITER ${quoteString(format.separator)}`
            : `FORMAT parquet, KV_METADATA {${parquetSchemaKey}: ${quoteString(writtenSchema(plan.schema))}}`
        })`,
      )
    })
  } catch (cause) {
    throw explainFailure(cause)
  } finally {
    for (const gatherer of gatherers) gatherer.close()
  }
}

/** The schema that goes into a file: what is read back holds tensors inline. */
function writtenSchema(schema: Schema): string {
  const columns = sqlNames(schema).map((name) => name.slice(1, -1).replaceAll('""', '"'))
  const read = schema.map((column): Column => {
    return column.type.kind === 'tensor' ? { ...column, type: { ...column.type, held: 'inline' } } : column
  })
  return JSON.stringify({ columns, schema: read })
}
