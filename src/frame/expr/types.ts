/**
 * Static types of expressions.
 *
 * An expression knows its value type `T`, the columns that it needs `N` and whether it is over rows or over groups `G`.
 * `col('a')` does not know its frame: its type is `Ref<'a'>`, and what is computed from it is null where `a` is
 * (`NullIf<'a'>`). A verb checks the needs against its frame and resolves both (`Check`, `Resolve`). A column from a callback
 * (`c => c.a`) has its frame's type from the start.
 */
import type { ExprNode } from './node.js'

declare const refBrand: unique symbol
declare const nullBrand: unique symbol
declare const typesBrand: unique symbol

/** The type of the column `K` of the frame that an expression will be used on. */
export interface Ref<K extends string> {
  readonly [refBrand]: K
}
/** `null` if the column `K` may be null. */
export interface NullIf<K extends string> {
  readonly [nullBrand]: K
}
/** A compile-time error: a sentence, which no expression is assignable to. */
export type FrameError<Message extends string> = Message

export type Grain = 'row' | 'group'

/** The columns of a frame whose schema is not known when the code is compiled: any name, checked when the plan is built. */
export type Dynamic = { [column: string]: unknown }

/** Any expression. Verbs and operands ask for this much only, which keeps type checking fast. */
export interface Expr<out T = unknown, out N = unknown, out G extends Grain = Grain> {
  readonly node: ExprNode
  /** Types only; there is no such property. */
  readonly [typesBrand]: { readonly value: T; readonly needs: N; readonly grain: G }
}

interface CommonMethods<T, N, G extends Grain> extends Expr<T, N, G> {
  isNull(): BooleanExpr<boolean, N, G>
  isNotNull(): BooleanExpr<boolean, N, G>
  cast<C extends CastName>(to: C): ExprOf<CastValue<C> | Nulls<T>, N, G>
  /** The number of rows that hold a value. */
  count(): NumberExpr<number, N, 'group'>
  first(): ExprOf<T, N, 'group'>
  last(): ExprOf<T, N, 'group'>
  asc(): SortExpr<N>
  desc(): SortExpr<N>
}

/** A key of a sort. */
export interface SortExpr<N = unknown> {
  readonly sort: { readonly expr: ExprNode; readonly descending: boolean }
  readonly [typesBrand]: { readonly needs: N }
}

export type CastName = 'number' | 'bigint' | 'string' | 'boolean' | 'date' | 'timestamp'
interface CastValues {
  number: number
  bigint: bigint
  string: string
  boolean: boolean
  date: Date
  timestamp: Date
}
export type CastValue<C extends CastName> = CastValues[C]

/** The part of a value type that says when it is null. */
export type Nulls<T> = T extends null ? null : T extends NullIf<string> ? T : T extends Ref<infer K> ? NullIf<K> : never

/** What an operation on values of type `V` takes beside its own: a value, an expression of it, or a column of any frame. */
type Operand<V, G extends Grain> = V | Expr<V | null | NullIf<string> | Ref<string>, unknown, G>
type OperandNulls<O> = O extends Expr<infer T> ? Nulls<T> : never
type OperandNeeds<O, V> =
  O extends Expr<infer T, infer N> ? ([T] extends [Ref<infer K>] ? { readonly [P in K]: V | null } : N) : unknown
type Result<T, O> = T | OperandNulls<O>
type Needs<N, O, V> = N & OperandNeeds<O, V>

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
/** `T` is only the null part here and below. */
interface NumberMethods<T, N, G extends Grain> extends Comparable<number, T, N, G> {
  add<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  sub<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  mul<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  div<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  mod<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  pow<O extends Operand<number, G>>(other: O): NumberExpr<Result<number | T, O>, Needs<N, O, number>, G>
  neg(): NumberExpr<number | T, N, G>
  abs(): NumberExpr<number | T, N, G>
  sqrt(): NumberExpr<number | T, N, G>
  exp(): NumberExpr<number | T, N, G>
  /** Natural logarithm. */
  log(): NumberExpr<number | T, N, G>
  floor(): NumberExpr<number | T, N, G>
  ceil(): NumberExpr<number | T, N, G>
  /** To so many digits after the point (default 0), half away from zero. */
  round(digits?: number): NumberExpr<number | T, N, G>
  fillNull(value: number): NumberExpr<number, N, G>
  sum(): NumberExpr<number | T, N, 'group'>
  mean(): NumberExpr<number | T, N, 'group'>
  median(): NumberExpr<number | T, N, 'group'>
  /** Sample standard deviation; null for fewer than two values. */
  std(): NumberExpr<number | null, N, 'group'>
}
interface BigintMethods<T, N, G extends Grain> extends Comparable<bigint, T, N, G> {
  add<O extends Operand<bigint, G>>(other: O): BigintExpr<Result<bigint | T, O>, Needs<N, O, bigint>, G>
  sub<O extends Operand<bigint, G>>(other: O): BigintExpr<Result<bigint | T, O>, Needs<N, O, bigint>, G>
  mul<O extends Operand<bigint, G>>(other: O): BigintExpr<Result<bigint | T, O>, Needs<N, O, bigint>, G>
  fillNull(value: bigint): BigintExpr<bigint, N, G>
}
interface StringMethods<T, N, G extends Grain> extends Comparable<string, T, N, G> {
  lower(): StringExpr<string | T, N, G>
  upper(): StringExpr<string | T, N, G>
  /** Without white space at both ends. */
  trim(): StringExpr<string | T, N, G>
  /** Characters (code points). */
  length(): NumberExpr<number | T, N, G>
  contains<O extends Operand<string, G>>(part: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, string>, G>
  startsWith<O extends Operand<string, G>>(part: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, string>, G>
  endsWith<O extends Operand<string, G>>(part: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, string>, G>
  /** Every occurrence. */
  replace(part: string, by: string): StringExpr<string | T, N, G>
  concat<O extends Operand<string, G>>(other: O): StringExpr<Result<string | T, O>, Needs<N, O, string>, G>
  fillNull(value: string): StringExpr<string, N, G>
}
interface BooleanMethods<T, N, G extends Grain> extends Comparable<boolean, T, N, G> {
  and<O extends Operand<boolean, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, boolean>, G>
  or<O extends Operand<boolean, G>>(other: O): BooleanExpr<Result<boolean | T, O>, Needs<N, O, boolean>, G>
  not(): BooleanExpr<boolean | T, N, G>
  fillNull(value: boolean): BooleanExpr<boolean, N, G>
}
interface DateMethods<T, N, G extends Grain> extends Comparable<Date, T, N, G> {
  year(): NumberExpr<number | T, N, G>
  month(): NumberExpr<number | T, N, G>
  day(): NumberExpr<number | T, N, G>
  fillNull(value: Date): DateExpr<Date, N, G>
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
export interface BooleanExpr<T, N, G extends Grain> extends CommonMethods<T, N, G>, BooleanMethods<Nulls<T>, N, G> {
  /** The number of true values. */
  sum(): NumberExpr<number | Nulls<T>, N, 'group'>
  /** The share of true values. */
  mean(): NumberExpr<number | Nulls<T>, N, 'group'>
  min(): BooleanExpr<T, N, 'group'>
  max(): BooleanExpr<T, N, 'group'>
}
export interface DateExpr<T, N, G extends Grain> extends CommonMethods<T, N, G>, DateMethods<Nulls<T>, N, G> {
  min(): DateExpr<T, N, 'group'>
  max(): DateExpr<T, N, 'group'>
}

/** A column of any frame: every operation, with what it asks of the column in its needs. */
export type ColumnExpr<K extends string, G extends Grain = 'row'> = AnyColumn<K, G> &
  NumberMethods<NullIf<K>, { readonly [P in K]: number | null }, G> &
  BigintMethods<NullIf<K>, { readonly [P in K]: bigint | null }, G> &
  StringMethods<NullIf<K>, { readonly [P in K]: string | null }, G> &
  BooleanMethods<NullIf<K>, { readonly [P in K]: boolean | null }, G> &
  DateMethods<NullIf<K>, { readonly [P in K]: Date | null }, G>
type CompareColumn<K extends string, G extends Grain> = <O extends string>(
  column: Expr<Ref<O>, unknown, G>,
) => BooleanExpr<boolean | NullIf<K | O>, { readonly [P in K | O]: unknown }, G>
interface AnyColumn<K extends string, G extends Grain> extends CommonMethods<
  Ref<K>,
  { readonly [P in K]: unknown },
  G
> {
  first(): ColumnExpr<K, 'group'>
  last(): ColumnExpr<K, 'group'>
  min(): ColumnExpr<K, 'group'>
  max(): ColumnExpr<K, 'group'>
  eq: CompareColumn<K, G>
  ne: CompareColumn<K, G>
  gt: CompareColumn<K, G>
  ge: CompareColumn<K, G>
  lt: CompareColumn<K, G>
  le: CompareColumn<K, G>
}

/** The expression interface for values of type `T`. */
export type ExprOf<T, N, G extends Grain> = [T] extends [Ref<infer K>]
  ? ColumnExpr<K, G>
  : [Exclude<T, null | NullIf<string>>] extends [number]
    ? NumberExpr<T, N, G>
    : [Exclude<T, null | NullIf<string>>] extends [string]
      ? StringExpr<T, N, G>
      : [Exclude<T, null | NullIf<string>>] extends [boolean]
        ? BooleanExpr<T, N, G>
        : [Exclude<T, null | NullIf<string>>] extends [bigint]
          ? BigintExpr<T, N, G>
          : [Exclude<T, null | NullIf<string>>] extends [Date]
            ? DateExpr<T, N, G>
            : CommonMethods<T, N, G>

/** What a callback gets: the frame's columns. */
export type Columns<S> = {
  readonly [K in keyof S & string]-?: unknown extends S[K] ? ColumnExpr<K> : ExprOf<S[K], unknown, 'row'>
}
