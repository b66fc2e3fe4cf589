/**
 * DuckDB's C API, for results that are copied at memory speed: the library that the bindings ship, opened once more through
 * `src/ffi`, with a database of its own. The bindings' database and its tables cannot be reached from here: files can.
 *
 * A query runs on other threads and is materialised, so it is asked for in pieces of bounded size; its chunks then lie in
 * memory, and walking over them takes microseconds. A stream has its rows read ahead into a buffer; who walks over them faster
 * than they come takes part in the work, a few milliseconds at a time.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { cores } from '../../../core/cores.js'
import { ShardbookError } from '../../../core/errors.js'
import {
  openBackground,
  openLibrary,
  openMemory,
  type BackgroundFunctions,
  type Functions,
  type Memory,
} from '../../../ffi/index.js'
import { interruptible } from './database.js'
import { explainFailure } from './failure.js'

const calls = {
  duckdb_create_config: ['int', 'pointers'],
  duckdb_set_config: ['int', 'pointer', 'string', 'string'],
  duckdb_destroy_config: ['void', 'pointers'],
  duckdb_open_ext: ['int', 'string', 'pointers', 'pointer', 'pointer'],
  duckdb_connect: ['int', 'pointer', 'pointers'],
  duckdb_disconnect: ['void', 'pointers'],
  duckdb_interrupt: ['void', 'pointer'],
  duckdb_result_error: ['string', 'pointers'],
  duckdb_destroy_result: ['void', 'pointers'],
  duckdb_destroy_prepare: ['void', 'pointers'],
  duckdb_destroy_pending: ['void', 'pointers'],
  duckdb_prepare_error: ['string', 'pointer'],
  duckdb_pending_error: ['string', 'pointer'],
  duckdb_fetch_chunk: ['pointer', 'sixWords'],
  duckdb_destroy_data_chunk: ['void', 'pointers'],
  duckdb_data_chunk_get_size: ['size', 'pointer'],
  duckdb_data_chunk_get_vector: ['pointer', 'pointer', 'size'],
  duckdb_vector_get_data: ['pointer', 'pointer'],
  duckdb_vector_get_validity: ['pointer', 'pointer'],
  duckdb_array_vector_get_child: ['pointer', 'pointer'],
  duckdb_list_vector_get_child: ['pointer', 'pointer'],
  duckdb_list_vector_get_size: ['size', 'pointer'],
  duckdb_struct_vector_get_child: ['pointer', 'pointer', 'size'],
} as const
const longCalls = {
  duckdb_query: ['int', 'pointer', 'string', 'pointers'],
  duckdb_prepare: ['int', 'pointer', 'string', 'pointers'],
  duckdb_pending_prepared_streaming: ['int', 'pointer', 'pointers'],
  duckdb_execute_pending: ['int', 'pointer', 'pointers'],
} as const

/** Footers are kept for files that do not change. A stream of three float64 columns gains nothing from a longer buffer. */
const settings = `SET parquet_metadata_cache = true; SET streaming_buffer_size = '16MiB'`

/** The library with a database. Pointers are addresses. */
export interface CApi extends Functions<typeof calls>, BackgroundFunctions<typeof longCalls> {
  readonly database: number
  readonly memory: Memory
}

let opening: Promise<CApi> | undefined

function cApi(): Promise<CApi> {
  opening ??= open()
  return opening
}

async function open(): Promise<CApi> {
  const path = libraryPath()
  const [functions, background, memory] = await Promise.all([
    openLibrary(path, calls, { pinned: true }),
    openBackground(path, longCalls),
    openMemory(),
  ])
  const config = new BigUint64Array(1)
  functions.duckdb_create_config(config)
  const options = {
    threads: String(cores()),
    // A query here reads a bounded piece of a file.
    memory_limit: '512MiB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  }
  for (const [name, value] of Object.entries(options)) {
    if (functions.duckdb_set_config(Number(config[0]), name, value) !== 0) {
      throw new ShardbookError('internal', `openFeed: DuckDB does not take the setting ${name}.`)
    }
  }
  const database = new BigUint64Array(1)
  const failed = functions.duckdb_open_ext(':memory:', database, Number(config[0]), 0) !== 0
  functions.duckdb_destroy_config(config)
  if (failed) throw new ShardbookError('engine', 'openFeed: DuckDB did not open a database in memory.')
  return { ...functions, ...background, database: Number(database[0]), memory }
}

/** The shared library beside the bindings' addon. */
function libraryPath(): string {
  const bindings = createRequire(createRequire(import.meta.url).resolve('@duckdb/node-api')).resolve(
    '@duckdb/node-bindings',
  )
  const from = createRequire(bindings)
  const platform = `${process.platform}-${process.arch}`
  for (const name of [platform, `${platform}-musl`]) {
    try {
      const addon = from.resolve(`@duckdb/node-bindings-${name}/duckdb.node`)
      return join(dirname(addon), process.platform === 'darwin' ? 'libduckdb.dylib' : 'libduckdb.so')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause
    }
  }
  throw new ShardbookError('engine', `openFeed: expected DuckDB's library for ${platform}, got none.`)
}

/** A connection of its own; close it when done. */
export interface Connection {
  /** Runs a query off the event loop; a user's interrupt or `close` ends it. Close the result. */
  query(sql: string): Promise<Result>
  /** As `query`, for the one query of a connection: its rows are read ahead of who takes them, into a bounded buffer. */
  stream(sql: string): Promise<Result>
  close(): Promise<void>
}

/** A result in memory, or one that comes. */
export interface Result {
  /** The next chunk; undefined after the last. It is valid until the next one is asked for. */
  next(): Chunk | undefined
  close(): void
}

/** A result that an interrupt ends until `off` is called. */
interface Running extends Result {
  off(): void
}

export interface Chunk {
  readonly address: number
  readonly rows: number
}

export async function connect(): Promise<{ api: CApi; connection: Connection }> {
  const api = await cApi()
  const connection = connectionOf(api)
  ;(await connection.query(settings)).close()
  return { api, connection }
}

function connectionOf(api: CApi): Connection {
  const handle = new BigUint64Array(1)
  if (api.duckdb_connect(api.database, handle) !== 0) {
    throw new ShardbookError('engine', 'openFeed: DuckDB did not open a connection.')
  }
  const address = Number(handle[0])
  const interrupt = (): void => api.duckdb_interrupt(address)
  const inFlight = new Set<Promise<unknown>>()
  const run = async (start: (words: BigUint64Array) => Promise<string | undefined>): Promise<Running> => {
    const guard = interruptible({ interrupt })
    const explain = (message: string): ShardbookError =>
      guard.interrupted
        ? new ShardbookError('interrupted', 'frame: the query was interrupted.', { cause: new Error(message) })
        : explainFailure(new Error(message))
    const words = new BigUint64Array(6)
    try {
      const failed = await start(words)
      if (failed !== undefined) throw explain(failed)
      const off = (): void => guard.off()
      return { ...resultOf(api, words, explain, off), off }
    } catch (cause) {
      guard.off()
      throw cause
    }
  }
  const tracked = (result: Promise<Running>): Promise<Running> => {
    const settled: Promise<boolean> = result.then(
      () => inFlight.delete(settled),
      () => inFlight.delete(settled),
    )
    inFlight.add(settled)
    return result
  }
  return {
    async query(sql) {
      const result = await tracked(
        run(async (words) => errorOf(api, words, await api.duckdb_query(address, sql, words))),
      )
      // Nothing runs any more that an interrupt could end.
      result.off()
      return result
    },
    stream: (sql) => tracked(run((words) => startStream(api, address, sql, words))),
    async close() {
      interrupt()
      await Promise.all(inFlight)
      api.duckdb_disconnect(handle)
    },
  }
}

/** Why a result is none, if it is none. */
function errorOf(api: CApi, words: BigUint64Array, state: number): string | undefined {
  if (state === 0) return undefined
  const message = api.duckdb_result_error(words)
  api.duckdb_destroy_result(words)
  return message
}

async function startStream(
  api: CApi,
  connection: number,
  sql: string,
  words: BigUint64Array,
): Promise<string | undefined> {
  const [statement, pending] = [new BigUint64Array(1), new BigUint64Array(1)]
  try {
    if ((await api.duckdb_prepare(connection, sql, statement)) !== 0) {
      return api.duckdb_prepare_error(Number(statement[0]))
    }
    if ((await api.duckdb_pending_prepared_streaming(Number(statement[0]), pending)) !== 0) {
      return api.duckdb_pending_error(Number(pending[0]))
    }
    return errorOf(api, words, await api.duckdb_execute_pending(Number(pending[0]), words))
  } finally {
    api.duckdb_destroy_pending(pending)
    api.duckdb_destroy_prepare(statement)
  }
}

function resultOf(
  api: CApi,
  words: BigUint64Array,
  explain: (message: string) => ShardbookError,
  off: () => void,
): Result {
  const held = new BigUint64Array(1)
  const letGo = (): void => {
    if (held[0] !== 0n) api.duckdb_destroy_data_chunk(held)
    held[0] = 0n
  }
  return {
    next() {
      letGo()
      const address = api.duckdb_fetch_chunk({ words })
      if (address === 0) {
        const message = api.duckdb_result_error(words)
        // A stream that fails on its way ends with an error in place of a chunk.
        if (message !== null) throw explain(message)
        return undefined
      }
      held[0] = BigInt(address)
      return { address, rows: api.duckdb_data_chunk_get_size(address) }
    },
    close() {
      letGo()
      api.duckdb_destroy_result(words)
      off()
    },
  }
}
