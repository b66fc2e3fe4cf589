/**
 * Row functions: what an expression computes by a function of ours instead of the engine's, such as hashing a text's tokens.
 *
 * An expression names the function by its kind and carries its payload as plain data, as plans do with mappers
 * (`mapper.ts`); whoever runs the plan has provided the kind. Unlike a mapper's, its columns are computed while the query
 * runs, a few thousand rows at a time, and nothing is kept. A function gets and gives whole vectors of rows as flat typed
 * arrays, and sees nothing but them: a row's result depends on that row alone.
 */
import { ShardbookError } from '../core/errors.js'
import type { ColumnType } from './schema.js'
import type { StoredValues } from './tensor/store.js'

/** Values of some rows. `valid`: 1 for each row that holds a value, `null` when all do; the others may hold anything. */
export type RowValues = NumberRows | StringRows | ListRows | TensorRows | SparseRows

interface Rows {
  readonly valid: Uint8Array | null
}
/** Numbers; 0 and 1 for booleans. */
export interface NumberRows extends Rows {
  readonly kind: 'numbers'
  readonly values: Float64Array
}
/** UTF-8 texts: row `i` is `bytes[starts[i] .. ends[i])`. */
export interface StringRows extends Rows {
  readonly kind: 'strings'
  readonly bytes: Uint8Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}
/** Lists: row `i` holds the items `[starts[i], ends[i])`. */
export interface ListRows extends Rows {
  readonly kind: 'lists'
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly items: NumberRows | StringRows
  readonly itemCount: number
}
/** Tensors, row-major, `width` values a row. */
export interface TensorRows extends Rows {
  readonly kind: 'tensors'
  readonly width: number
  readonly values: StoredValues
}
/** Sparse vectors: row `i` has the components `indices[starts[i] .. ends[i])`, which rise. */
export interface SparseRows extends Rows {
  readonly kind: 'sparse'
  readonly size: number
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly indices: Int32Array
  readonly values: Float32Array
}

/** Computes the values of `rows` rows, which are read before it is called again. An error of it is the query's. */
export type RowFunction = (args: readonly RowValues[], rows: number) => RowValues
export type MakeRowFunction = (payload: never) => RowFunction

const makers = new Map<string, MakeRowFunction>()

/** Makes a kind of row function known in this process; again does nothing. */
export function provideRowFunction(kind: string, make: MakeRowFunction): void {
  if (!makers.has(kind)) makers.set(kind, make)
}

/** Whether a plan may have any. */
export function hasRowFunctions(): boolean {
  return makers.size > 0
}

export function openRowFunction(kind: string, payload: unknown): RowFunction {
  const make = makers.get(kind)
  if (make !== undefined) return make(payload as never)
  throw new ShardbookError(
    'state',
    `frame: expected a row function '${kind}', got ${[...makers.keys()].join(', ') || 'none'}.`,
  )
}

/** What of a row function's arguments there is: `undefined` where the type cannot be given to one. */
export function argumentKind(type: ColumnType): RowValues['kind'] | undefined {
  switch (type.kind) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return 'numbers'
    case 'string':
    case 'categorical':
      return 'strings'
    case 'tensor':
      return 'tensors'
    case 'sparse':
      return 'sparse'
    case 'list': {
      const item = argumentKind(type.element.type)
      return item === 'numbers' || item === 'strings' ? 'lists' : undefined
    }
    default:
      return undefined
  }
}

/** Whether all arguments hold a value, row by row; `null` when they do in every row. */
export function allValid(args: readonly RowValues[], rows: number): Uint8Array | null {
  const some = args.flatMap(({ valid }) => (valid === null ? [] : [valid]))
  if (some.length <= 1) return some[0] ?? null
  return Uint8Array.from({ length: rows }, (_, row) => (some.every((valid) => valid[row] === 1) ? 1 : 0))
}
