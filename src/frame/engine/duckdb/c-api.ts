/**
 * DuckDB's C API, for results that are copied at memory speed: the library that the bindings ship, opened once more through
 * `src/ffi`, with a database of its own. The bindings' database and its tables cannot be reached from here: files can.
 *
 * A query runs on other threads and is materialised, so it is asked for in pieces of bounded size; its chunks then lie in
 * memory, and walking over them takes microseconds.
 */
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
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
const longCalls = { duckdb_query: ['int', 'pointer', 'string', 'pointers'] } as const

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
  const settings = {
    threads: String(availableParallelism()),
    // A query here reads a bounded piece of a file.
    memory_limit: '512MiB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  }
  for (const [name, value] of Object.entries(settings)) {
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
  close(): Promise<void>
}

/** A result in memory. */
export interface Result {
  /** Calls `visit` for each chunk, in order. Chunk and vectors are valid during the call only. */
  eachChunk(visit: (chunk: number, rows: number) => void): void
  close(): void
}

export async function connect(): Promise<{ api: CApi; connection: Connection }> {
  const api = await cApi()
  const handle = new BigUint64Array(1)
  if (api.duckdb_connect(api.database, handle) !== 0) {
    throw new ShardbookError('engine', 'openFeed: DuckDB did not open a connection.')
  }
  const address = Number(handle[0])
  const interrupt = (): void => api.duckdb_interrupt(address)
  const inFlight = new Set<Promise<unknown>>()
  const query = async (sql: string): Promise<Result> => {
    const guard = interruptible({ interrupt })
    const words = new BigUint64Array(6)
    try {
      if ((await api.duckdb_query(address, sql, words)) === 0) return resultOf(api, words)
      const cause = new Error(api.duckdb_result_error(words))
      api.duckdb_destroy_result(words)
      throw guard.interrupted
        ? new ShardbookError('interrupted', 'frame: the query was interrupted.', { cause })
        : explainFailure(cause)
    } finally {
      guard.off()
    }
  }
  const setting = await query('SET parquet_metadata_cache = true')
  setting.close()
  return {
    api,
    connection: {
      query(sql) {
        const result = query(sql)
        const settled: Promise<boolean> = result.then(
          () => inFlight.delete(settled),
          () => inFlight.delete(settled),
        )
        inFlight.add(settled)
        return result
      },
      async close() {
        interrupt()
        await Promise.all(inFlight)
        api.duckdb_disconnect(handle)
      },
    },
  }
}

function resultOf(api: CApi, words: BigUint64Array): Result {
  const chunk = new BigUint64Array(1)
  return {
    eachChunk(visit) {
      for (;;) {
        const address = api.duckdb_fetch_chunk({ words })
        if (address === 0) return
        try {
          visit(address, api.duckdb_data_chunk_get_size(address))
        } finally {
          chunk[0] = BigInt(address)
          api.duckdb_destroy_data_chunk(chunk)
        }
      }
    },
    close: () => api.duckdb_destroy_result(words),
  }
}
