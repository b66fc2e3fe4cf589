/** Frames of values at hand. */
import type { Flat, SpecValue } from './expr/check-types.js'
import { Frame } from './frame.js'
import { planOfColumns, planOfRows } from './memory.js'
import type { SchemaSpec } from './schema.js'
import type { Tensor } from './tensor/tensor.js'
import type { TensorColumn } from './column-values.js'

type KeysOf<R> = R extends unknown ? keyof R : never
type ValueAt<R, K extends PropertyKey> = R extends unknown ? (K extends keyof R ? R[K] : null) : never
type NoUndefined<V> = V extends undefined ? null : V
type FromRows<R> = Flat<{ -readonly [K in KeysOf<R>]: NoUndefined<ValueAt<R, K>> }>

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

/**
 * A frame of rows or of columns in memory. Types come from the values, or from `schema` (`{ a: 'number?' }`).
 * @throws `argument` for columns of different length or values of mixed type
 *
 * @example
 * ```ts
 * const people = frame([{ name: 'Ada', age: 36 }, { name: 'Alan', age: 41 }])
 * const points = frame({ x: new Float32Array([0, 1]), label: ['a', 'b'] })
 * const images = frame({ image: { shape: [2, 28, 28, 1], dtype: 'uint8', values: new Uint8Array(2 * 784) } })
 * ```
 */
export function frame<const Spec extends SchemaSpec>(
  data: readonly object[] | Readonly<Record<string, ColumnInput>>,
  schema: Spec,
): Frame<FromSpec<Spec>>
export function frame<R extends object>(rows: readonly R[]): Frame<FromRows<R>>
export function frame<C extends Readonly<Record<string, ColumnInput>>>(
  columns: C,
): Frame<Flat<{ -readonly [K in keyof C]: ElementOf<C[K]> }>>
export function frame(data: unknown, schema?: SchemaSpec): Frame<never> {
  return Frame.fromPlan(
    Array.isArray(data)
      ? planOfRows(data as readonly Record<string, unknown>[], schema)
      : planOfColumns((data ?? {}) as Readonly<Record<string, unknown>>, schema),
  )
}
