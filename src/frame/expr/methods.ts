/** The methods of expressions, by the type of their values. `T` is the whole value type in an `…Expr`, its null part in `…Methods`. */
import type { StoredDType } from '../../core/dtype.js'
import type { SchemaSpec, TypeSpec } from '../schema-spec.js'
import type { Tensor } from '../tensor/tensor.js'
import type { PlainValues, SpecFields, SpecValue } from './check-types.js'
import type { FixedUnit, TimeUnit } from './time-unit.js'
import type { Expr, ExprOf, FrameError, Grain, Needs, Nulls, Operand, Over, Proves, Result, SortExpr } from './types.js'

export interface CommonMethods<T, N, G extends Grain> extends Expr<T, N, G> {
  isNull(): BooleanExpr<boolean, N, G>
  isNotNull(): BooleanExpr<boolean, N, G>
  /** To another type; a value that has no equal there is an error when it runs. */
  readonly cast: Cast<Nulls<T>, N, G>
  /** To another type; null for a value that has no equal there. */
  readonly tryCast: Cast<null, N, G>
  /** The number of rows that hold a value. */
  count(): NumberExpr<number, N, 'group'>
  first(): ExprOf<T, N, 'group'>
  last(): ExprOf<T, N, 'group'>
  /** The group's values, nulls included, in the order of the rows. */
  toList(): ExprOf<T[], N, 'group'>
  /** The value so many rows before, in a window. */
  lag(rows?: number): ExprOf<T | null, N, 'window'>
  /** The value so many rows after, in a window. */
  lead(rows?: number): ExprOf<T | null, N, 'window'>
  /**
   * For every row, the aggregate over the rows of its partition: with an order, those up to the row itself (but for `first`
   * and `last`, which are over all).
   *
   * @example
   * ```ts
   * df.withColumns({ running: col('x').sum().over({ partitionBy: 'id', orderBy: 'day' }) })
   * ```
   */
  readonly over: G extends 'row'
    ? (this: FrameError<'over() is for aggregates and window functions, as in .mean().over(…).'>) => never
    : Over<T, N>
  asc(): SortExpr<N>
  desc(): SortExpr<N>
}

/** By kind, for a conditional type over all of them is slow to check. */
interface Cast<T, N, G extends Grain> {
  <C extends keyof PlainValues>(to: C): ExprOf<PlainValues[C] | T, N, G>
  <const L extends readonly string[]>(to: { readonly categorical: L }): CategoricalExpr<L[number], L[number] | T, N, G>
  <const E extends TypeSpec>(to: { readonly list: E }): ListExpr<SpecValue<E>, SpecValue<E>[] | T, N, G>
  <const F extends SchemaSpec>(to: { readonly struct: F }): StructExpr<SpecFields<F>, SpecFields<F> | T, N, G>
  <const Shape extends readonly number[]>(to: {
    readonly tensor: Shape
    readonly dtype?: StoredDType
  }): CommonMethods<Tensor<Shape> | T, N, G>
}
interface Comparable<V, T, N, G extends Grain> {
  eq<O extends Operand<V, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, V>, G>
  ne<O extends Operand<V, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, V>, G>
  gt<O extends Operand<V, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, V>, G>
  ge<O extends Operand<V, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, V>, G>
  lt<O extends Operand<V, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, V>, G>
  le<O extends Operand<V, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, V>, G>
  /** `low <= value <= high`. */
  between(low: V, high: V): BooleanExpr<boolean | T, N, G>
  isIn(values: readonly V[]): BooleanExpr<boolean | T, N, G>
  countDistinct(): NumberExpr<number, N, 'group'>
}
export interface NumberMethods<T, N, G extends Grain> extends Comparable<number, T, N, G> {
  add<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  sub<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  mul<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  /** By zero it is an infinity or NaN, as in JavaScript. */
  div<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  mod<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  pow<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  neg(): NumberExpr<number | T, N, G>
  abs(): NumberExpr<number | T, N, G>
  sign(): NumberExpr<number | T, N, G>
  sqrt(): NumberExpr<number | T, N, G>
  exp(): NumberExpr<number | T, N, G>
  /** Natural logarithm. */
  log(): NumberExpr<number | T, N, G>
  log2(): NumberExpr<number | T, N, G>
  log10(): NumberExpr<number | T, N, G>
  /** Of radians. */
  sin(): NumberExpr<number | T, N, G>
  cos(): NumberExpr<number | T, N, G>
  tan(): NumberExpr<number | T, N, G>
  tanh(): NumberExpr<number | T, N, G>
  floor(): NumberExpr<number | T, N, G>
  ceil(): NumberExpr<number | T, N, G>
  /** To so many digits after the point (default 0), half away from zero. */
  round(digits?: number): NumberExpr<number | T, N, G>
  /** At least `low` and at most `high`. */
  clip(low: number, high: number): NumberExpr<number | T, N, G>
  isNaN(): BooleanExpr<boolean | T, N, G>
  isFinite(): BooleanExpr<boolean | T, N, G>
  fillNull<O extends Operand<number, G>>(value: O): NumberExpr<Result<number, O>, Needs<N, O, number>, G>
  sum(): NumberExpr<number | T, N, 'group'>
  mean(): NumberExpr<number | T, N, 'group'>
  median(): NumberExpr<number | T, N, 'group'>
  /** Sample standard deviation; null for fewer than two values. */
  std(): NumberExpr<number | null, N, 'group'>
}
export interface BigintMethods<T, N, G extends Grain> extends Comparable<bigint, T, N, G> {
  add<O extends Operand<bigint, G>>(other: O): BigintExpr<Result<bigint | T, O>, Needs<N, O, bigint>, G>
  sub<O extends Operand<bigint, G>>(other: O): BigintExpr<Result<bigint | T, O>, Needs<N, O, bigint>, G>
  mul<O extends Operand<bigint, G>>(other: O): BigintExpr<Result<bigint | T, O>, Needs<N, O, bigint>, G>
  fillNull<O extends Operand<bigint, G>>(value: O): BigintExpr<Result<bigint, O>, Needs<N, O, bigint>, G>
}
export interface StringMethods<T, N, G extends Grain> extends Comparable<string, T, N, G> {
  lower(): StringExpr<string | T, N, G>
  upper(): StringExpr<string | T, N, G>
  /** Without white space at both ends. */
  trim(): StringExpr<string | T, N, G>
  trimStart(): StringExpr<string | T, N, G>
  trimEnd(): StringExpr<string | T, N, G>
  /** Characters (code points). */
  length(): NumberExpr<number | T, N, G>
  contains<O extends Operand<string, G>>(part: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, string>, G>
  startsWith<O extends Operand<string, G>>(part: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, string>, G>
  endsWith<O extends Operand<string, G>>(part: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, string>, G>
  /** The position of the first occurrence, from 0; -1 where there is none. */
  indexOf(part: string): NumberExpr<number | T, N, G>
  /** Characters from position `from` up to, without, `to`; below 0 from the end. */
  substring(from: number, to?: number): StringExpr<string | T, N, G>
  /** Every occurrence. */
  replace(part: string, by: string): StringExpr<string | T, N, G>
  concat<O extends Operand<string, G>>(other: O): StringExpr<Result<string | T, O>, Needs<N, O, string>, G>
  padStart(length: number, fill?: string): StringExpr<string | T, N, G>
  padEnd(length: number, fill?: string): StringExpr<string | T, N, G>
  repeat(times: number): StringExpr<string | T, N, G>
  reverse(): StringExpr<string | T, N, G>
  split(separator: string): ListExpr<string, string[] | T, N, G>
  /** Whether the pattern is somewhere in it; RE2's patterns, which have no look-around. */
  matches(pattern: RegExp): BooleanExpr<boolean | T, N, G>
  /** The first match, or a group of it; null where there is none. */
  extract(pattern: RegExp, group?: number): StringExpr<string | null, N, G>
  /** Every match; `\1` in `by` is the first group. */
  replaceMatches(pattern: RegExp, by: string): StringExpr<string | T, N, G>
  /** Reads a time: `%Y-%m-%d %H:%M:%S`. */
  toTimestamp(format: string): DateExpr<Date | T, N, G>
  fillNull<O extends Operand<string, G>>(value: O): StringExpr<Result<string, O>, Needs<N, O, string>, G>
}
export interface BooleanMethods<T, N, G extends Grain> extends Comparable<boolean, T, N, G> {
  or<O extends Operand<boolean, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, boolean>, G>
  not(): BooleanExpr<boolean | T, N, G>
  fillNull<O extends Operand<boolean, G>>(value: O): BooleanExpr<Result<boolean, O>, Needs<N, O, boolean>, G>
}
export interface DateMethods<T, N, G extends Grain> extends Comparable<Date, T, N, G> {
  year(): NumberExpr<number | T, N, G>
  quarter(): NumberExpr<number | T, N, G>
  month(): NumberExpr<number | T, N, G>
  /** Of the ISO year. */
  week(): NumberExpr<number | T, N, G>
  /** Of the month. */
  day(): NumberExpr<number | T, N, G>
  /** 1 is Monday, 7 is Sunday. */
  weekday(): NumberExpr<number | T, N, G>
  dayOfYear(): NumberExpr<number | T, N, G>
  hour(): NumberExpr<number | T, N, G>
  minute(): NumberExpr<number | T, N, G>
  second(): NumberExpr<number | T, N, G>
  millisecond(): NumberExpr<number | T, N, G>
  /** The beginning of the unit that it is in; weeks begin on Monday. */
  truncate(unit: TimeUnit): DateExpr<Date | T, N, G>
  /** So many units later; a month later than the 31st is the month's last day. */
  plus<O extends Operand<number, G>>(amount: O, unit: TimeUnit): DateExpr<Result<Date | T, O>, Needs<N, O, number>, G>
  /** Time since the other, in units; negative where it is later. */
  since<O extends Operand<Date, G>>(other: O, unit: FixedUnit): NumberExpr<Result<number | T, O>, Needs<N, O, Date>, G>
  /** As text: `%Y-%m-%d %H:%M:%S`. */
  format(format: string): StringExpr<string | T, N, G>
  fillNull<O extends Operand<Date, G>>(value: O): DateExpr<Result<Date, O>, Needs<N, O, Date>, G>
}
/** On lists of `E`. */
export interface ListMethods<E, T, N, G extends Grain> {
  length(): NumberExpr<number | T, N, G>
  /** The element at a position from 0, from -1 backwards; null beyond the ends. */
  get(index: number): ExprOf<E | null, N, G>
  contains(value: Exclude<E, null>): BooleanExpr<boolean | T, N, G>
  /** Of numbers, without nulls; null for none. */
  sum(): NumberExpr<number | null, N, G>
  mean(): NumberExpr<number | null, N, G>
  min(): ExprOf<E | null, N, G>
  max(): ExprOf<E | null, N, G>
  /** Nulls last. */
  sort(): ListExpr<E, E[] | T, N, G>
  /** Distinct values, sorted, without nulls. */
  unique(): ListExpr<Exclude<E, null>, Exclude<E, null>[] | T, N, G>
  reverse(): ListExpr<E, E[] | T, N, G>
  /** Elements from position `from` up to, without, `to`; below 0 from the end. */
  slice(from: number, to?: number): ListExpr<E, E[] | T, N, G>
  /** Strings as one, without nulls. */
  join(separator: string): StringExpr<string | T, N, G>
}

export interface NumberExpr<T, N, G extends Grain> extends CommonMethods<T, N, G>, NumberMethods<Nulls<T>, N, G> {
  min(): NumberExpr<T, N, 'group'>
  max(): NumberExpr<T, N, 'group'>
}
export interface BigintExpr<T, N, G extends Grain> extends CommonMethods<T, N, G>, BigintMethods<Nulls<T>, N, G> {
  sum(): BigintExpr<T, N, 'group'>
  min(): BigintExpr<T, N, 'group'>
  max(): BigintExpr<T, N, 'group'>
}
export interface StringExpr<T, N, G extends Grain> extends CommonMethods<T, N, G>, StringMethods<Nulls<T>, N, G> {
  min(): StringExpr<T, N, 'group'>
  max(): StringExpr<T, N, 'group'>
}
/** Values out of a list, in its order. */
export interface CategoricalExpr<V, T, N, G extends Grain>
  extends CommonMethods<T, N, G>, Comparable<V, Nulls<T>, N, G> {
  /** The position in the levels, from 0. */
  level(): NumberExpr<number | Nulls<T>, N, G>
  fillNull(value: V): CategoricalExpr<V, V, N, G>
  min(): CategoricalExpr<V, T, N, 'group'>
  max(): CategoricalExpr<V, T, N, 'group'>
}
export interface BooleanExpr<in out T, in out N, in out G extends Grain>
  extends CommonMethods<T, N, G>, BooleanMethods<Nulls<T>, N, G> {
  and<O extends Operand<boolean, G>>(
    other: O,
  ): BooleanExpr<Result<boolean | Nulls<T>, O> | ProofsIn<T> | ProofsOf<O>, Needs<N, O, boolean>, G>
  /** The number of true values. */
  sum(): NumberExpr<number | Nulls<T>, N, 'group'>
  /** The share of true values. */
  mean(): NumberExpr<number | Nulls<T>, N, 'group'>
  min(): BooleanExpr<T, N, 'group'>
  max(): BooleanExpr<T, N, 'group'>
}
type ProofsIn<T> = Extract<T, Proves<string>>
export type ProofsOf<O> = O extends Expr<infer T> ? ProofsIn<T> : never
export interface DateExpr<T, N, G extends Grain> extends CommonMethods<T, N, G>, DateMethods<Nulls<T>, N, G> {
  min(): DateExpr<T, N, 'group'>
  max(): DateExpr<T, N, 'group'>
}
export interface ListExpr<E, T, N, G extends Grain> extends CommonMethods<T, N, G> {
  readonly list: ListMethods<E, Nulls<T>, N, G>
}
export interface StructExpr<V, T, N, G extends Grain> extends CommonMethods<T, N, G> {
  field<K extends keyof V & string>(name: K): ExprOf<V[K] | Nulls<T>, N, G>
}
