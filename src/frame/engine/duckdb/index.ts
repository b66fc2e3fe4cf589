/** The DuckDB engine: what `execute.ts` asks of it. */
import type { Chunk, ChunkStream } from '../../chunk.js'
import type { Plan, Source, SqlNode, TensorStore } from '../../plan.js'
import type { Schema } from '../../schema.js'
import { storeStride } from '../../tensor/store.js'
import { fillTable, loadDuckDB, readChunk } from './chunk.js'
import { execute, newTableName, queryRows, streamQuery, withConnection } from './database.js'
import { explainFailure, explainQuery } from './failure.js'
import { quoteName, sqlNames } from './names.js'
import { printPlan } from './print-plan.js'
import { describedColumns, userQuery } from './print-user-sql.js'
import { scanProgress } from './scan-progress.js'
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
    for await (const { chunk } of streamQuery(sql, scanProgress(plan))) yield readChunk(duckdb, chunk, schema)
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
  await execute(`CREATE TABLE ${quoteName(table)} AS ${sql}`, scanProgress(plan)).catch((cause: unknown) => {
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
