/** The methods of columns whose type is not known where they are named: all there are, with what each asks of the column. */
import type {
  BooleanExpr,
  BooleanMethods,
  BigintMethods,
  CommonMethods,
  DateMethods,
  ListMethods,
  NumberExpr,
  NumberMethods,
  ProofsOf,
  StringMethods,
} from './methods.js'
import type { Expr, ExprOf, Grain, Needs, NullIf, Operand, Part, Proves, Ref, Result } from './types.js'

/** A nullable column of a callback: that it is not null, a filter can tell its frame. */
export interface ProvingColumn<K extends string> {
  isNotNull(): BooleanExpr<boolean | Proves<K>, unknown, 'row'>
}

/** Values whose type no frame has told yet: every operation, checked when the plan is built. */
export type LooseExpr<T, N, G extends Grain> = CommonMethods<T, N, G> &
  NumberMethods<null, N, G> &
  BigintMethods<null, N, G> &
  StringMethods<null, N, G> &
  LooseBoolean<N, G> &
  DateMethods<null, N, G> & {
    readonly list: ListMethods<unknown, null, N, G>
    field(name: string): ExprOf<unknown, N, G>
  }
interface LooseBoolean<N, G extends Grain> extends BooleanMethods<null, N, G> {
  and<O extends Operand<boolean, G>>(other: O): BooleanExpr<Result<boolean | null, O>, Needs<N, O, boolean>, G>
}

/** A column of any frame: every operation, with what it asks of the column in its needs; `X` is what else it may be. */
export type ColumnExpr<K extends string, G extends Grain = 'row', X = never> = ColumnOwn<K, G, X> &
  CommonMethods<Ref<K> | X, { readonly [P in K]: unknown }, G> &
  NumberMethods<NullIf<K> | X, { readonly [P in K]: number | null }, G> &
  BigintMethods<NullIf<K> | X, { readonly [P in K]: bigint | null }, G> &
  StringMethods<NullIf<K> | X, { readonly [P in K]: string | null }, G> &
  ColumnBoolean<K, G, X> &
  DateMethods<NullIf<K> | X, { readonly [P in K]: Date | null }, G>
type CompareColumn<K extends string, G extends Grain, X> = <O extends string>(
  column: Expr<Ref<O>, unknown, G>,
) => BooleanExpr<boolean | NullIf<K | O> | X, { readonly [P in K | O]: unknown }, G>
interface ColumnBoolean<K extends string, G extends Grain, X> extends BooleanMethods<
  NullIf<K> | X,
  { readonly [P in K]: boolean | null },
  G
> {
  and<O extends Operand<boolean, G>>(
    other: O,
  ): BooleanExpr<
    Result<boolean | NullIf<K> | X, O> | ProofsOf<O>,
    Needs<{ readonly [P in K]: boolean | null }, O, boolean>,
    G
  >
}
/** What such a column says more exactly than `CommonMethods`, which comes after it. */
interface ColumnOwn<K extends string, G extends Grain, X> {
  isNotNull(): BooleanExpr<boolean | Proves<K>, { readonly [P in K]: unknown }, G>
  first(): ColumnExpr<K, 'group'>
  last(): ColumnExpr<K, 'group'>
  min(): ColumnExpr<K, 'group'>
  max(): ColumnExpr<K, 'group'>
  readonly list: ListMethods<Part<K, '[]'>, NullIf<K>, { readonly [P in K]: readonly unknown[] | null }, G>
  field<F extends string>(name: F): LooseExpr<Part<K, F>, { readonly [P in K]: FieldNeed<F> }, G>
  level(): NumberExpr<number | NullIf<K>, { readonly [P in K]: string | null }, G>
  eq: CompareColumn<K, G, X>
  ne: CompareColumn<K, G, X>
  gt: CompareColumn<K, G, X>
  ge: CompareColumn<K, G, X>
  lt: CompareColumn<K, G, X>
  le: CompareColumn<K, G, X>
}
type FieldNeed<F extends string> = { readonly [P in F]: unknown } | null
