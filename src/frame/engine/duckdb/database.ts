/**
 * The process's DuckDB: one in-memory database, opened at first use, spilling to the process's temporary folder.
 *
 * Every query gets a connection of its own (a second query on a connection ends the stream of the first). An interrupt by
 * the user ends the running queries.
 */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBResult } from '@duckdb/node-api'
import { availableParallelism, totalmem } from 'node:os'
import { ShardbookError } from '../../../core/errors.js'
import { host } from '../../../core/host.js'
import { temporaryDir } from '../../../store/index.js'

let opening: Promise<DuckDBInstance> | undefined

async function instance(): Promise<DuckDBInstance> {
  opening ??= (async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    return DuckDBInstance.create(':memory:', {
      threads: String(availableParallelism()),
      // Several processes (a session and its workers) share a machine.
      memory_limit: `${Math.max(256, Math.floor((totalmem() * 0.4) / 2 ** 20))}MiB`,
      temp_directory: temporaryDir(),
      preserve_insertion_order: 'true',
      // A subplan that is shared is read by several threads at once, and a union of it loses its order.
      disabled_optimizers: 'common_subplan',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
  })()
  return opening
}

/** Runs `work` on a connection of its own; a user's interrupt ends its queries. */
export async function withConnection<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const connection = await (await instance()).connect()
  const guard = interruptible(connection)
  try {
    return await work(connection)
  } catch (cause) {
    throw guard.interrupted ? new ShardbookError('interrupted', 'frame: the query was interrupted.', { cause }) : cause
  } finally {
    guard.off()
    connection.closeSync()
  }
}

/** Streams the chunks of a query, in bounded memory; leaving the loop early ends the query. */
export async function* streamQuery(
  sql: string,
  prepare?: (connection: DuckDBConnection) => Promise<void>,
): AsyncGenerator<{ chunk: DuckDBDataChunk; result: DuckDBResult }, void, undefined> {
  const connection = await (await instance()).connect()
  const guard = interruptible(connection)
  try {
    await prepare?.(connection)
    const result = await connection.stream(sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      yield { chunk, result }
    }
  } catch (cause) {
    throw guard.interrupted ? new ShardbookError('interrupted', 'frame: the query was interrupted.', { cause }) : cause
  } finally {
    guard.off()
    connection.interrupt()
    connection.closeSync()
  }
}

/** Runs a statement for its effect. */
export async function execute(sql: string): Promise<void> {
  await withConnection(async (connection) => {
    await connection.run(sql)
  })
}

/** All rows of a small result, as plain JavaScript values. */
export async function queryRows(sql: string): Promise<readonly (readonly unknown[])[]> {
  return withConnection(async (connection) => (await connection.runAndReadAll(sql)).getRowsJS())
}

interface Running {
  interrupted: boolean
  readonly connection: Interruptible
}

interface Interruptible {
  interrupt(): void
}

const running = new Set<Running>()
let stopListening: (() => void) | undefined

/** Has a user's interrupt end the connection's queries until `off` is called. One listener serves all of them. */
export function interruptible(connection: Interruptible): Running & { off(): void } {
  const guard = {
    interrupted: false,
    connection,
    off: (): void => {
      running.delete(guard)
      if (running.size > 0) return
      stopListening?.()
      stopListening = undefined
    },
  }
  running.add(guard)
  stopListening ??= host().onInterrupt(() => {
    for (const each of running) {
      each.interrupted = true
      each.connection.interrupt()
    }
  })
  return guard
}

let counter = 0

/** A name for a new table. */
export function newTableName(): string {
  return `shardbook_${++counter}`
}
