/**
 * Expressions meet a frame, in types: what an expression gives on its columns, and what is wrong with it in words.
 */
import type { Sparse } from '../tensor/sparse.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Columns, Expr, FrameError, Intersect, NullIf, Open, Part, Proves, Ref, SortExpr } from './types.js'

/** A value type with its references resolved against the columns of a frame. */
export type Resolve<T, S> = unknown extends T
  ? unknown
  : T extends Ref<infer K>
    ? K extends keyof S
      ? S[K]
      : unknown
    : T extends NullIf<infer K>
      ? K extends keyof S
        ? unknown extends S[K]
          ? null
          : Extract<S[K], null>
        : null
      : T extends Part<infer K, infer P>
        ? K extends keyof S
          ? PartOf<S[K], P>
          : unknown
        : T extends Proves<string>
          ? never
          : T extends readonly (infer E)[]
            ? [Extract<E, Open>] extends [never]
              ? T
              : Resolve<E, S>[]
            : T
type PartOf<V, P> = unknown extends V
  ? unknown
  : Exclude<V, null> extends infer W
    ? | (P extends '[]' ? (W extends readonly (infer E)[] ? E : unknown) : P extends keyof W ? W[P] : unknown)
      | Extract<V, null>
    : never

/** The value type that an expression gives on a frame. */
export type ValueOf<E, S> = E extends Expr<infer T> ? Resolve<T, S> : never

type NameOf<V> = unknown extends V
  ? 'anything'
  : V extends number
    ? 'number'
    : V extends string
      ? 'string'
      : V extends boolean
        ? 'boolean'
        : V extends bigint
          ? 'bigint'
          : V extends Date
            ? 'Date'
            : V extends Tensor
              ? 'tensor'
              : V extends Sparse
                ? 'sparse vector'
                : V extends readonly unknown[]
                  ? 'list'
                  : V extends object
                    ? `struct with ${List<keyof V>}`
                    : 'value'

/** What is wrong with the needs `N` on a frame of columns `S`: messages, or `never`. */
type Problems<N, S> = {
  [K in keyof N & string]: K extends keyof S
    ? unknown extends S[K]
      ? never
      : S[K] extends N[K]
        ? never
        : `The column '${K}' is a ${NameOf<Exclude<S[K], null>>}, but this takes a ${NameOf<Exclude<N[K], null>>}.`
    : `There is no column '${K}' in this frame. Columns: ${List<keyof S>}.`
}[keyof N & string]

/** Names with commas; only an error needs it. */
type List<U, Listed extends string = ''> = [U] extends [never]
  ? Listed
  : Last<U> extends infer L extends string
    ? List<Exclude<U, L>, Listed extends '' ? L : `${L}, ${Listed}`>
    : 'any'
type Last<U> = Intersect<U extends unknown ? [() => U] : never> extends () => infer L ? L : never

type NeedsOf<E> = E extends Expr<unknown, infer N> ? N : E extends SortExpr<infer N> ? N : unknown

/** `unknown` when the expression can be used on a frame of columns `S`, else the error. */
export type Check<E, S> = [Problems<NeedsOf<E>, S>] extends [never] ? unknown : FrameError<Problems<NeedsOf<E>, S>>

/** An argument that is an expression or a callback that makes one, or a record of them. */
export type Made<A> = A extends (...args: never) => infer R ? R : A
/** What is inferred is looked at once it is known: asked for its constraint before, the compiler would write every sentence. */
export type CheckArg<A, S> = CheckMade<A, S> extends infer C ? C : never
type CheckMade<A, S> = A extends (...args: never) => infer R
  ? CheckEach<R, S> extends infer C
    ? unknown extends C
      ? unknown
      : (columns: Columns<S>) => C
    : never
  : CheckEach<A, S>
type CheckEach<R, S> = R extends Expr | SortExpr
  ? Check<R, S>
  : R extends readonly unknown[]
    ? unknown extends Check<R[number], S>
      ? unknown
      : readonly Check<R[number], S>[]
    : string extends keyof R
      ? unknown
      : AllFine<R, S> extends true
        ? unknown
        : { readonly [K in keyof R]: Check<R[K], S> }
type AllFine<R, S> = [{ [K in keyof R]: Problems<NeedsOf<R[K]>, S> }[keyof R]] extends [never] ? true : false

export interface PlainValues {
  number: number
  bigint: bigint
  string: string
  boolean: boolean
  date: Date
  timestamp: Date
}
/** The static value type of a column that a user describes. */
export type SpecValue<V> = V extends keyof PlainValues
  ? PlainValues[V]
  : V extends `${infer C extends keyof PlainValues}?`
    ? PlainValues[C] | null
    : V extends { readonly tensor: infer Shape extends readonly number[] }
      ? Tensor<Shape>
      : NestedValue<V> | (V extends { readonly nullable: true } ? null : never)
export type SpecFields<F> = { -readonly [K in keyof F]: SpecValue<F[K]> }
type NestedValue<V> = V extends { readonly list: infer E }
  ? SpecValue<E>[]
  : V extends { readonly struct: infer F }
    ? SpecFields<F>
    : V extends { readonly categorical: infer L extends readonly string[] }
      ? L[number]
      : V extends { readonly sparse: infer N extends number }
        ? Sparse<N>
        : never

/** One object type instead of an intersection, as editors show it. */
export type Flat<T> = { [K in keyof T]: T[K] } & {}
