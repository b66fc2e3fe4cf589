/**
 * Row functions as SQL functions. Printing names one; it is registered then, once for each payload and types, on a connection
 * that `readyToApply` has opened. DuckDB's threads wait for this process's main thread while it computes.
 *
 * Tensors by reference come as values: a reference is first counted in the process's list of stores, then gathered.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { sizeOf } from '../../../core/dtype.js'
import { ShardbookError } from '../../../core/errors.js'
import { openMemory, type Memory } from '../../../ffi/index.js'
import type { ApplyExpr, ExprNode } from '../../expr/node.js'
import type { TensorStore } from '../../plan.js'
import { hasRowFunctions, openRowFunction, type RowFunction } from '../../row-function.js'
import type { ColumnType, TensorType } from '../../schema.js'
import { openGatherer, storeStride } from '../../tensor/store.js'
import { loadDuckDB, type DuckDB } from './chunk.js'
import { lastingConnection } from './database.js'
import { registerGather } from './gather.js'
import { argumentSql, rowReader, vectorTypeOf, writeRows } from './row-values.js'

interface Ready {
  readonly duckdb: DuckDB
  readonly connection: DuckDBConnection
  readonly memory: Memory
}
let opening: Promise<void> | undefined
let ready: Ready | undefined

/** Opens what printing a row function needs, once any is there. */
export async function readyToApply(): Promise<void> {
  if (!hasRowFunctions()) return
  opening ??= (async () => {
    const [duckdb, connection, memory] = await Promise.all([loadDuckDB(), lastingConnection(), openMemory()])
    ready = { duckdb, connection, memory }
  })()
  await opening
}

function opened(): Ready {
  if (ready !== undefined) return ready
  throw new ShardbookError('internal', 'printPlan: expected readyToApply to be called first.')
}

const names = new WeakMap<object, Map<string, string>>()
const payloads = new WeakMap<object, number>()
let counter = 0

/** What a call of row functions within row functions is given from outside, in order. */
export function argumentsOf({ args }: ApplyExpr): readonly ExprNode[] {
  return args.flatMap((arg) => (arg.kind === 'apply' ? argumentsOf(arg) : [arg]))
}

/** A call on printed arguments (`argumentsOf`); functions within it are called without the engine between them. */
export function printApply(
  node: ApplyExpr,
  sql: readonly string[],
  types: readonly ColumnType[],
  stores: readonly TensorStore[],
): string {
  const own = names.get(node.payload) ?? new Map<string, string>()
  names.set(node.payload, own)
  const key = JSON.stringify([keyOf(node), types, node.gives])
  let name = own.get(key)
  if (name === undefined) own.set(key, (name = register(node, types)))
  const args = types.map((type, i) =>
    type.kind === 'tensor' && type.held === 'reference'
      ? printGather(sql[i]!, type, stores)
      : argumentSql(sql[i]!, type),
  )
  return `${name}(${args.join(', ')})`
}

/** Equal for calls of the same functions with the same payloads. */
function keyOf({ fn, payload, args }: ApplyExpr): string {
  let id = payloads.get(payload)
  if (id === undefined) payloads.set(payload, (id = ++counter))
  return `${fn} ${id} (${args.map((arg) => (arg.kind === 'apply' ? keyOf(arg) : '')).join()})`
}

function composed({ fn, payload, args }: ApplyExpr): RowFunction {
  const compute = openRowFunction(fn, payload)
  if (!args.some(({ kind }) => kind === 'apply')) return compute
  const parts = args.map((arg) =>
    arg.kind === 'apply'
      ? { takes: argumentsOf(arg).length, compute: composed(arg) }
      : { takes: 1, compute: undefined },
  )
  return (given, rows) => {
    let at = 0
    const own = parts.map(({ takes, compute: inner }) => {
      const from = at
      at += takes
      return inner === undefined ? given[from]! : inner(given.slice(from, at), rows)
    })
    return compute(own, rows)
  }
}

function register(node: ApplyExpr, types: readonly ColumnType[]): string {
  const { gives } = node
  const { duckdb, connection, memory } = opened()
  const { api, bindings } = duckdb
  const name = `shardbook_apply_${++counter}`
  const compute = composed(node)
  const readers = types.map((type) => rowReader(duckdb, memory, type))
  connection.registerScalarFunction(
    api.DuckDBScalarFunction.create({
      name,
      parameterTypes: types.map((type) => vectorTypeOf(api, type, true)),
      returnType: vectorTypeOf(api, gives.type, false),
      specialHandling: true,
      mainFunction: (_, input, output) => {
        try {
          const rows = input.rowCount
          const args = readers.map((read, i) => read(bindings.data_chunk_get_vector(input.chunk, i), rows))
          const { vector } = output as unknown as { vector: Parameters<typeof writeRows>[1] }
          writeRows(duckdb, vector, gives.type, compute(args, rows), rows)
        } catch (error) {
          throw remembered(error)
        }
      },
    }),
  )
  return name
}

/** Errors of row functions, which the engine passes on as text. */
const failures = new Map<string, ShardbookError>()

function remembered(error: unknown): unknown {
  if (!(error instanceof ShardbookError)) return error
  failures.set(error.message, error)
  if (failures.size > 100) failures.delete(failures.keys().next().value!)
  return error
}

/** The error of a row function that a failure of the engine is about. */
export function failureOf(text: string): ShardbookError | undefined {
  const message = /^Invalid Input Error: (.*)$/s.exec(text)?.[1]
  return message === undefined ? undefined : failures.get(message)
}

/** All stores that row functions have been given references into. */
const known: TensorStore[] = []
const positions = new Map<string, number>()
const gathers = new Map<string, string>()

function printGather(sql: string, type: TensorType, stores: readonly TensorStore[]): string {
  const { duckdb, connection } = opened()
  const key = `${type.dtype} ${sizeOf(type.shape)}`
  let name = gathers.get(key)
  if (name === undefined) {
    // Stores are opened for a call and shared by all that have them open.
    name = registerGather(duckdb, connection, type, {
      gather(refs, from, count, out) {
        const gatherer = openGatherer(known, type)
        try {
          gatherer.gather(refs, from, count, out)
        } finally {
          gatherer.close()
        }
      },
      close: () => {},
    })
    gathers.set(key, name)
  }
  const ours = stores.map((store) => {
    const text = JSON.stringify(store)
    let position = positions.get(text)
    if (position === undefined) positions.set(text, (position = known.push(store) - 1))
    return position
  })
  const store = `list_extract([${ours.join(', ')}]::BIGINT[], ${sql} // ${storeStride} + 1)`
  return `${name}(${store} * ${storeStride} + ${sql} % ${storeStride})`
}
