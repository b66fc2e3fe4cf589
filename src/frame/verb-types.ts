/** What verbs take and give, as types. */
import type { Flat, Made, ValueOf } from './expr/check-types.js'
import type { ProofsOf } from './expr/methods.js'
import type { Expr, FrameError, Open, Proves, SortExpr } from './expr/types.js'

type RowExpr = Expr<unknown, unknown, 'row'>
/** What a filter takes: a boolean expression, or a column that may turn out to be one. */
export type Predicate = Expr<boolean | null | Open, unknown, 'row'>
export type RowRecord = { readonly [column: string]: RowExpr }
export type GroupExpr = Expr<unknown, unknown, 'group'>
export type GroupRecord = { readonly [column: string]: GroupExpr }
export type Key<S> = (keyof S & string) | SortExpr | RowExpr

export type Added<S, A> = Flat<Omit<S, keyof Made<A>> & { [K in keyof Made<A>]: ValueOf<Made<A>[K], S> }>
export type Renamed<S, R> = Flat<{ [K in keyof S as K extends keyof R ? R[K] & string : K]: S[K] }>
export type WithoutNull<S, K> = Flat<{ [P in keyof S]: P extends K ? Exclude<S[P], null> : S[P] }>
/** A predicate that proves nothing leaves the type as it is. */
export type Filtered<S, A> = [ProofsOf<Made<A>>] extends [never]
  ? S
  : WithoutNull<S, ProofsOf<Made<A>> extends Proves<infer K> ? K : never>

type Nullable<S> = { [K in keyof S]: S[K] | null }
export type Joined<S, R, K, Suffix extends string> = Flat<
  S & { [P in keyof R as P extends K ? never : P extends keyof S ? `${P & string}${Suffix}` : P]: R[P] }
>
/** Columns on the left with those on the right that they meet: `{ customerId: 'id' }`. */
export type KeyPairs<S, R> = { readonly [P in keyof S & string]?: keyof R & string }
/** The right side of a join by pairs, whose keys have the names of the left. */
export type Rekeyed<R, M, Suffix extends string> = {
  [
    P in keyof R as P extends M[keyof M]
      ? { [L in keyof M]: M[L] extends P ? L : never }[keyof M]
      : P extends keyof M
        ? `${P & string}${Suffix}`
        : P
  ]: R[P]
}
export type KeyedHow = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti'
export type JoinedBy<S, R, K extends keyof S & keyof R, H, X extends string> = H extends 'semi' | 'anti'
  ? S
  : H extends 'left'
    ? Joined<S, Nullable<R>, K, X>
    : H extends 'right'
      ? Joined<Nullable<Omit<S, K>> & Pick<R, K>, R, K, X>
      : H extends 'full'
        ? Joined<Nullable<Omit<S, K>> & { [P in K]: S[P] | R[P] }, Nullable<R>, K, X>
        : Joined<S, R, K, X>
/** What `joinAsOf` meets rows by: a name, names, or pairs. */
export type AsOfKeys<S, R> = (keyof S & keyof R & string) | KeyPairs<S, R>
/** Names as pairs. */
export type Pairs<K> = K extends string
  ? { readonly [P in K]: P }
  : K extends readonly (infer E extends string)[]
    ? { readonly [P in E]: P }
    : K
/** Columns of pairs that this frame lacks, as errors. */
export type Strangers<K, S> = K extends string | readonly unknown[]
  ? unknown
  : { readonly [P in Exclude<keyof K, keyof S>]: FrameError<`There is no column '${P & string}' in this frame.`> }
export type JoinedAsOf<S, R, A, K, X extends string> = Joined<
  S,
  Nullable<Rekeyed<R, Pairs<A> & Pairs<K>, X>>,
  keyof Pairs<K>,
  X
>

/** Names of the columns that are lists. */
export type ListName<S> = {
  [K in keyof S]: unknown extends S[K] ? K : Exclude<S[K], null> extends readonly unknown[] ? K : never
}[keyof S] &
  string
export type Exploded<S, K, Empty> = Flat<{
  [P in keyof S]: P extends K ? Element<S[P]> | (Empty extends 'drop' ? never : null) : S[P]
}>
type Element<V> = unknown extends V ? unknown : Exclude<V, null> extends readonly (infer E)[] ? E : never

export type Pivoted<S, K extends keyof S, V, T> = Flat<
  Pick<S, K> & { [P in V & (string | number | bigint | boolean) as `${P}`]: T | null }
>
export type Unpivoted<S, I extends keyof S, K extends keyof S, Variable extends string, Value extends string> = Flat<
  Pick<S, I> & { [P in Variable]: K } & { [P in Value]: S[K] }
>
