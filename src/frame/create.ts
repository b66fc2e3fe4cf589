/** Frames of values at hand. */
import type { Flat, SpecValue } from './expr/check-types.js'
import { ShardbookError } from '../core/errors.js'
import type { Literal } from './expr/literal.js'
import type { Dynamic } from './expr/types.js'
import { FrameEnds, type AnyFrame } from './frame-ends.js'
import { Frame } from './frame.js'
import { planOfColumns, planOfRows } from './memory.js'
import type { SchemaSpec } from './schema-spec.js'
import type { Sparse, SparseLike } from './tensor/sparse.js'
import type { Tensor } from './tensor/tensor.js'
import type { TensorColumn } from './column-values.js'
import { planOfSql } from './sql.js'
import { isStandardSchema, outputsOf, type StandardSchema } from './validate.js'

type KeysOf<R> = R extends unknown ? keyof R : never
type ValueAt<R, K extends PropertyKey> = R extends unknown ? (K extends keyof R ? R[K] : null) : never
type NoUndefined<V> = V extends undefined ? null : V
type FromRows<R> = Flat<{ -readonly [K in KeysOf<R>]: Cell<NoUndefined<ValueAt<R, K>>> }>
/** Sparse vectors may be written with plain arrays. */
type Cell<V> = V extends Tensor | Sparse ? V : V extends SparseLike ? Sparse<V['size']> : V

type ElementOf<C> = C extends BigInt64Array
  ? bigint
  : C extends { readonly shape: readonly [number, ...infer Shape extends readonly number[]] }
    ? Tensor<Shape>
    : C extends TensorColumn
      ? Tensor
      : C extends readonly (infer V)[]
        ? NoUndefined<V>
        : number
type NumberArray =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
/** What makes a column: values, numbers packed, or tensors packed (`shape` begins with the number of rows). */
type ColumnInput = readonly unknown[] | NumberArray | BigInt64Array | TensorColumn

type FromSpec<Spec extends SchemaSpec> = Flat<{ -readonly [K in keyof Spec]: SpecValue<Spec[K]> }>
type Data = readonly object[] | Readonly<Record<string, ColumnInput>>

/**
 * A frame of rows or of columns in memory. Types come from the values, or from `schema`: types by column, honoured exactly,
 * or a schema of any Standard Schema library (zod, valibot, …), which every row must pass.
 * @throws `argument` for columns of different length or values of mixed type, `data` for a row that the schema refuses
 *
 * @example
 * ```ts
 * const people = frame([{ name: 'Ada', age: 36 }, { name: 'Alan', age: 41 }])
 * const points = frame({ x: new Float32Array([0, 1]), label: ['a', 'b'] })
 * const images = frame({ image: { shape: [2, 28, 28, 1], dtype: 'uint8', values: new Uint8Array(2 * 784) } })
 * const shirts = frame([{ size: 'M' }], { schema: { size: { categorical: ['S', 'M', 'L'] } } })
 * ```
 */
export function frame<Output extends object>(
  rows: readonly object[],
  options: { readonly schema: StandardSchema<Output> },
): Frame<FromRows<Output>>
export function frame<const Spec extends SchemaSpec>(
  data: Data,
  options: { readonly schema: Spec },
): Frame<FromSpec<Spec>>
export function frame<R extends object>(rows: readonly R[]): Frame<FromRows<R>>
export function frame<C extends Readonly<Record<string, ColumnInput>>>(
  columns: C,
): Frame<Flat<{ -readonly [K in keyof C]: ElementOf<C[K]> }>>
export function frame(data: unknown, { schema }: { schema?: SchemaSpec | StandardSchema<object> } = {}): unknown {
  if (Array.isArray(data)) {
    const rows = data as readonly Record<string, unknown>[]
    if (schema === undefined || !isStandardSchema(schema)) return Frame.fromPlan(planOfRows(rows, schema))
    return Frame.fromPlan(planOfRows(outputsOf('frame', schema, rows) as Record<string, unknown>[]))
  }
  if (schema !== undefined && isStandardSchema(schema)) {
    throw new ShardbookError('argument', 'frame: expected rows with such a schema, got columns.')
  }
  if (typeof data === 'object' && data !== null && 'batches' in data && 'schema' in data && 'numRows' in data) {
    throw new ShardbookError('argument', 'frame: expected rows or columns, got an Arrow table.', {
      hint: 'A frame of it is `await read.arrow(table)`.',
    })
  }
  return Frame.fromPlan(planOfColumns((data ?? {}) as Readonly<Record<string, unknown>>, schema))
}

type SqlHole = AnyFrame | Literal | readonly Literal[]

/**
 * A frame of a SQL query (DuckDB's) over other frames. Values become literals, a list several with commas. The columns are
 * those that the query has; a type argument tells them to the compiler.
 * @throws `argument` for a query that DuckDB refuses
 *
 * @example
 * ```ts
 * const old = await frame.sql<{ name: string; age: number }>`select name, age from ${people} where age > ${40}`
 * ```
 */
frame.sql = async function sql<S = Dynamic>(
  text: TemplateStringsArray,
  ...holes: readonly SqlHole[]
): Promise<Frame<S>> {
  return Frame.fromPlan(await planOfSql(text, holes, (hole) => (hole instanceof FrameEnds ? hole.plan : undefined)))
}
