/**
 * The process's DuckDB: one in-memory database, opened at first use, spilling to the process's temporary folder.
 *
 * Every query gets a connection of its own (a second query on a connection ends the stream of the first). An interrupt by
 * the user ends the running queries.
 */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBResult } from '@duckdb/node-api'
import { currentSignal } from '../../../core/cancel.js'
import { cores } from '../../../core/cores.js'
import { ShardbookError } from '../../../core/errors.js'
import { host } from '../../../core/host.js'
import { temporaryDir } from '../../../store/index.js'
import { showProgress, type ProgressState } from '../../io/progress.js'
import { memoryLimit } from './memory-limit.js'

let opening: Promise<DuckDBInstance> | undefined

async function instance(): Promise<DuckDBInstance> {
  opening ??= (async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    return DuckDBInstance.create(':memory:', {
      threads: String(cores()),
      memory_limit: memoryLimit(process.env['SHARDBOOK_MEMORY']),
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

async function connect(): Promise<DuckDBConnection> {
  const connection = await (await instance()).connect()
  // Progress is asked for, never printed. Footers are kept for files that do not change: a look at a file takes many of them.
  await connection.run(
    'SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET parquet_metadata_cache = true',
  )
  return connection
}

/** A connection that stays open; for what is registered, not for queries. */
export async function lastingConnection(): Promise<DuckDBConnection> {
  return (await instance()).connect()
}

/** Tells how a query gets on, from how much of its work is done, in percent. */
export type DescribeProgress = (percent: number, state: ProgressState) => string

/** Runs `work` on a connection of its own; cancelling ends its queries. Shows how they get on where there is a text for it. */
export async function withConnection<T>(
  work: (connection: DuckDBConnection) => Promise<T>,
  describe?: DescribeProgress,
): Promise<T> {
  const connection = await connect()
  const guard = watched(connection, describe)
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
  describe: DescribeProgress,
): AsyncGenerator<{ chunk: DuckDBDataChunk; result: DuckDBResult }, void, undefined> {
  const connection = await connect()
  const guard = watched(connection, describe)
  try {
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
export async function execute(sql: string, describe?: DescribeProgress): Promise<void> {
  await withConnection(async (connection) => {
    await connection.run(sql)
  }, describe)
}

/** All rows of a small result, as plain JavaScript values. */
export async function queryRows(sql: string): Promise<readonly (readonly unknown[])[]> {
  return withConnection(async (connection) => (await connection.runAndReadAll(sql)).getRowsJS())
}

interface Running {
  interrupted: boolean
  /** Ends the connection's query, and any that begins after it. */
  stop(): void
}

const running = new Set<Running>()
let stopListening: (() => void) | undefined

/** Has a user's interrupt, or the signal of the call that the query belongs to, end a connection's queries until `off` is called. */
export function interruptible(connection: { interrupt(): void }): Running & { off(): void } {
  const signal = currentSignal()
  let again: NodeJS.Timeout | undefined
  const guard = {
    interrupted: false,
    stop: (): void => {
      guard.interrupted = true
      connection.interrupt()
      // An interrupt before the query has begun is lost.
      again ??= setInterval(() => connection.interrupt(), 20)
    },
    off: (): void => {
      running.delete(guard)
      clearInterval(again)
      signal?.removeEventListener('abort', guard.stop)
      if (running.size > 0) return
      stopListening?.()
      stopListening = undefined
    },
  }
  running.add(guard)
  signal?.addEventListener('abort', guard.stop)
  if (signal?.aborted === true) guard.stop()
  stopListening ??= host().onInterrupt(() => running.forEach((each) => each.stop()))
  return guard
}

/** As `interruptible`, and shows how the connection's queries get on. */
function watched(connection: DuckDBConnection, describe: DescribeProgress | undefined): Running & { off(): void } {
  const guard = interruptible(connection)
  if (describe === undefined) return guard
  const progress = showProgress((state) => describe(Math.max(0, Math.floor(connection.progress.percentage)), state))
  return {
    get interrupted() {
      return guard.interrupted
    },
    stop: () => guard.stop(),
    off: () => {
      guard.off()
      progress.end(guard.interrupted ? 'stopped' : 'done')
    },
  }
}

let counter = 0

/** A name for a new table. */
export function newTableName(): string {
  return `shardbook_${++counter}`
}
