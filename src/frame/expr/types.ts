/**
 * Static types of expressions.
 *
 * An expression knows its value type `T`, the columns that it needs `N` and whether it is over rows, over groups, or waits
 * for a window, `G`. `col('a')` does not know its frame: its type is `Ref<'a'>`, and what is computed from it is null where
 * `a` is (`NullIf<'a'>`). A verb checks the needs against its frame and resolves both (`check-types.ts`). A column from a
 * callback (`c => c.a`) has its frame's type from the start. The methods are in `methods.ts`.
 */
import type { TypeSpec } from '../schema-spec.js'
import type { Sparse } from '../tensor/sparse.js'
import type { Tensor } from '../tensor/tensor.js'
import type {
  BigintExpr,
  BooleanExpr,
  CategoricalExpr,
  CommonMethods,
  DateExpr,
  ListExpr,
  NumberExpr,
  StringExpr,
  StructExpr,
} from './methods.js'
import type { ColumnExpr, LooseExpr, ProvingColumn } from './column-methods.js'
import type { ExprNode, SortKey, WindowFrame } from './node.js'

declare const refBrand: unique symbol
declare const nullBrand: unique symbol
declare const partBrand: unique symbol
declare const provesBrand: unique symbol
declare const typesBrand: unique symbol

/** The type of the column `K` of the frame that an expression will be used on. */
export interface Ref<K extends string> {
  readonly [refBrand]: K
}
/** `null` if the column `K` may be null. */
export interface NullIf<K extends string> {
  readonly [nullBrand]: K
}
/** The type of a field of the struct column `K`, or of the elements (`[]`) of a list column. */
export interface Part<K extends string, P extends string> {
  readonly [partBrand]: readonly [K, P]
}
/** Beside `boolean`: where it is true, the column `K` is not null. */
export interface Proves<K extends string> {
  readonly [provesBrand]: K
}
/** What a value type may hold beside its values, until it meets a frame. */
export type Open = Ref<string> | NullIf<string> | Part<string, string> | Proves<string>
/** A compile-time error: a sentence, which no expression is assignable to. */
export type FrameError<Message extends string> = Message

export type Grain = 'row' | 'group' | 'window'

/** The columns of a frame whose schema is not known when the code is compiled: any name, checked when the plan is built. */
export type Dynamic = { [column: string]: unknown }

/** Any expression. Verbs and operands ask for this much only, which keeps type checking fast. */
export interface Expr<out T = unknown, out N = unknown, out G extends Grain = Grain> {
  readonly node: ExprNode
  /** Types only; there is no such property. */
  readonly [typesBrand]: { readonly value: T; readonly needs: N; readonly grain: G }
}

/** A key of a sort. */
export interface SortExpr<N = unknown> {
  readonly sort: SortKey
  readonly [typesBrand]: { readonly needs: N }
}

/** What a cast may be to. */
export type CastSpec = Exclude<TypeSpec, `${string}?`>

/** The part of a value type that says when it is null. */
export type Nulls<T> = T extends null
  ? null
  : T extends NullIf<string>
    ? T
    : T extends Ref<infer K>
      ? NullIf<K>
      : T extends Part<string, string>
        ? null
        : never

/** What an operation on values of type `V` takes beside its own: a value, an expression of it, or a column of any frame. */
export type Operand<V, G extends Grain> = V | Expr<V | null | Open, unknown, G>
export type OperandNulls<O> = O extends Expr<infer T> ? Nulls<T> : never
type OperandNeeds<O, V> =
  O extends Expr<infer T, infer N>
    ? [Exclude<T, null>] extends [Ref<infer K>]
      ? { readonly [P in K]: V | null }
      : N
    : unknown
export type Result<T, O> = T | OperandNulls<O>
export type Needs<N, O, V> = N & OperandNeeds<O, V>

/** The rows that an aggregate or a window function is over. */
export interface Window<P, O, F> {
  /** Columns or expressions whose equal values make a partition; without, all rows are one. */
  readonly partitionBy?: P
  /** The order within a partition; ties, and no order at all, in the order of the rows. */
  readonly orderBy?: O
  /** Rows relative to the row itself, both included: `[-2, 0]` is the row and the two before it; `null` is without end. */
  readonly frame?: F
}
export type WindowKey = string | Expr<unknown, unknown, 'row'> | SortExpr
type KeyNeeds<K> = K extends readonly (infer E)[] ? Intersect<OneKeyNeeds<E>> : Intersect<OneKeyNeeds<K>>
/** In a tuple, so that a union of them is a union of needs. */
type OneKeyNeeds<K> = K extends string
  ? [{ readonly [P in K]: unknown }]
  : K extends Expr<unknown, infer N>
    ? [N]
    : K extends SortExpr<infer N>
      ? [N]
      : never
export type Intersect<U> = (U extends [infer N] ? (needs: N) => void : never) extends (needs: infer I) => void
  ? I
  : unknown
/** Null where the frame may have no row: when it ends before the row itself or begins after it. */
type FrameNull<F> = F extends readonly [infer A, infer B]
  ? A extends null | 0
    ? AfterRow<B>
    : `${A & number}` extends `-${number}`
      ? AfterRow<B>
      : null
  : never
type AfterRow<B> = B extends null
  ? never
  : `${B & number}` extends `-${number}`
    ? null
    : number extends B
      ? null
      : never
export type Over<T, N> = <
  const P extends WindowKey | readonly WindowKey[] = readonly [],
  const O extends WindowKey | readonly WindowKey[] = readonly [],
  const F extends WindowFrame | undefined = undefined,
>(
  window?: Window<P, O, F>,
) => ExprOf<T | FrameNull<F>, N & KeyNeeds<P> & KeyNeeds<O>, 'row'>

/** The expression interface for values of type `T`. */
export type ExprOf<T, N, G extends Grain> = unknown extends T
  ? LooseExpr<T, N, G>
  : [Exclude<T, null>] extends [Ref<infer K>]
    ? ColumnExpr<K, G, Extract<T, null>>
    : Values<T> extends infer V
      ? [V] extends [never]
        ? LooseExpr<T, N, G>
        : [V] extends [number]
          ? NumberExpr<T, N, G>
          : [V] extends [string]
            ? string extends V
              ? StringExpr<T, N, G>
              : CategoricalExpr<V, T, N, G>
            : [V] extends [boolean]
              ? BooleanExpr<T, N, G>
              : [V] extends [bigint]
                ? BigintExpr<T, N, G>
                : [V] extends [Date]
                  ? DateExpr<T, N, G>
                  : [V] extends [Tensor | Sparse]
                    ? CommonMethods<T, N, G>
                    : [V] extends [readonly (infer E)[]]
                      ? ListExpr<E, T, N, G>
                      : [V] extends [object]
                        ? StructExpr<V, T, N, G>
                        : CommonMethods<T, N, G>
      : never
type Values<T> = Exclude<T, null | Open>

/** What a callback gets: the frame's columns. */
export type Columns<S> = {
  readonly [K in keyof S & string]-?: unknown extends S[K]
    ? ColumnExpr<K>
    : null extends S[K]
      ? ProvingColumn<K> & ExprOf<S[K], unknown, 'row'>
      : ExprOf<S[K], unknown, 'row'>
}
