/** What verbs take and give, as types. */
import type { Flat, Made, ValueOf } from './expr/check-types.js'
import type { Expr, NullIf, Ref, SortExpr } from './expr/types.js'

export type RowExpr = Expr<unknown, unknown, 'row'>
/** What a filter takes: a boolean expression, or a column that may turn out to be one. */
export type Predicate = Expr<boolean | null | NullIf<string> | Ref<string>, unknown, 'row'>
export type RowRecord = { readonly [column: string]: RowExpr }
export type GroupRecord = { readonly [column: string]: Expr<unknown, unknown, 'group'> }
export type Key<S> = (keyof S & string) | SortExpr | RowExpr
export type Name<S> = keyof S & string

export type Added<S, A> = Flat<Omit<S, keyof Made<A>> & { [K in keyof Made<A>]: ValueOf<Made<A>[K], S> }>
export type Renamed<S, R> = Flat<{ [K in keyof S as K extends keyof R ? R[K] & string : K]: S[K] }>
export type WithoutNull<S, K extends keyof S> = Flat<{ [P in keyof S]: P extends K ? Exclude<S[P], null> : S[P] }>
export type Nullable<S> = { [K in keyof S]: S[K] | null }
export type Joined<S, R, K, Suffix extends string> = Flat<
  S & { [P in keyof R as P extends K ? never : P extends keyof S ? `${P & string}${Suffix}` : P]: R[P] }
>
