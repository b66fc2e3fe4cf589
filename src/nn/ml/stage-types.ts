/**
 * Stages in types: the columns that a stage reads and adds, so that a missing column, or one of another type, is an error
 * where a frame meets a stage, or a stage another one in a pipeline.
 */
import type { Frame, Sparse, Tensor } from '../../frame/index.js'
import type { ColumnError, With } from './columns.js'

/** Types only; there is no such property. */
export declare const stageTypes: unique symbol

/** A stage that reads columns of the types `Needs` and adds columns of the types `Adds`. */
export interface StageTypes<out Needs = unknown, out Adds = unknown> {
  readonly [stageTypes]: { readonly needs: Needs; readonly adds: Adds }
}
export type NeedsOf<T> = T extends StageTypes<infer Needs> ? Needs : unknown
/** Any column may come out of a stage that does not say which. */
export type AddsOf<T> = T extends StageTypes<unknown, infer Adds> ? Adds : { readonly [column: string]: unknown }

/** A vector: dense, or sparse. */
export type Vector = Tensor | Sparse

/** Among what a stage adds: a column of the type of the column `K`. */
export interface SameAs<K extends string> {
  readonly [markBrand]: readonly ['same', K]
}
/** Among what a stage adds: a vector of the columns `K`, sparse where one of them is. */
export interface Assembled<K extends string> {
  readonly [markBrand]: readonly ['assembled', K]
}
declare const markBrand: unique symbol
type Mark = SameAs<string> | Assembled<string>

/** What a stage adds to columns `S`; marks of columns that are not there stay. */
export type Resolved<Adds, S> = { readonly [K in keyof Adds]: ResolvedValue<Adds[K], S> }
type ResolvedValue<V, S> =
  V extends SameAs<infer K>
    ? K extends keyof S
      ? unknown extends S[K]
        ? Vector
        : Exclude<S[K], null>
      : V
    : V extends Assembled<infer K>
      ? K extends keyof S
        ? [Extract<S[K], Sparse>] extends [never]
          ? Tensor
          : Sparse
        : V
      : V

/** A column of that name, as a record. */
export type Col<Name extends string, V> = { readonly [K in Name]: V }

/** What predictors need: a column of samples of type `V`, or several of which each may be of any type in `Several`; and a label. */
export type Labelled<Name extends string, V, Label extends string, Several = never> = Col<
  Name,
  IsUnion<Name> extends true ? Several : V
> &
  Col<Label, number>
type IsUnion<T, All = T> = [T] extends [never] ? false : T extends unknown ? ([All] extends [T] ? false : true) : never

/** What recurrent networks read. */
export type Sequence = Tensor | Sparse | string | readonly number[]
/** What a network may read among several columns. */
export type AnySamples = Sequence | number

type WordsOf<V> = [Exclude<V, null>] extends [never]
  ? 'values'
  : Exclude<V, null> extends infer W
    ? [W] extends [string]
      ? 'text'
      : [W] extends [readonly string[]]
        ? 'lists of text'
        : [W] extends [number | boolean]
          ? 'numbers'
          : [W] extends [Tensor]
            ? 'tensors'
            : [W] extends [Vector]
              ? 'vectors'
              : [W] extends [Tensor | number]
                ? 'tensors or numbers'
                : [W] extends [Sequence]
                  ? 'text, lists of tokens, sparse vectors or tensors'
                  : [W] extends [AnySamples]
                    ? 'tensors, numbers, text, lists of tokens or sparse vectors'
                    : 'values that this stage takes'
    : never

/** What is wrong with columns `S` for needs `N`: sentences, or `never`. */
export type Problems<S, N, Stage extends string = ''> = {
  [K in keyof N & string]: string extends K
    ? never
    : K extends keyof S
      ? unknown extends S[K]
        ? never
        : [S[K]] extends [N[K] | Mark]
          ? never
          : `${Stage}The column '${K}' must hold ${WordsOf<N[K]>}.`
      : `${Stage}There is no column '${K}'.`
}[keyof N & string]

/** `unknown` when a frame of columns `S` has what is needed, or when its columns are not known yet; else an error. */
export type Meets<S, N> = string extends keyof S
  ? unknown
  : [Problems<S, N>] extends [never]
    ? unknown
    : ColumnError<Problems<S, N>>

/** A frame that a stage takes. */
export type Takes<S, N> = Frame<S> & Meets<S, N>
/** A frame with the columns that a stage adds. */
export type Gives<S, Adds> = Frame<string extends keyof S ? S : With<S, Resolved<Adds, S>>>
