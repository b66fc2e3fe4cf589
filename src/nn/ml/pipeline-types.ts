/** Pipelines in types: what a row of stages needs of a frame, what it adds, and where one stage does not fit another. */
import type { ColumnError } from './columns.js'
import type { Estimator, Transformer } from './stage.js'
import type { AddsOf, NeedsOf, Problems, Resolved } from './stage-types.js'

/** What may be in a pipeline. */
export type AnyStage = Transformer | Estimator

/** What a stage becomes when the pipeline is fitted. */
export type ModelOf<T> = T extends { fit(...args: never): PromiseLike<infer M> } ? M : T
export type ModelsOf<Stages extends readonly unknown[]> = { readonly [I in keyof Stages]: ModelOf<Stages[I]> }

type Merge<Have, Added> = Omit<Have, keyof Added> & Added

/** The columns, with their types, that a frame must have: those that no earlier stage adds. */
export type FlowNeeds<Stages extends readonly unknown[], Have = object, Need = unknown> = Stages extends readonly [
  infer T,
  ...infer Rest,
]
  ? FlowNeeds<Rest, Merge<Have, Resolved<AddsOf<T>, Have>>, Need & Omit<NeedsOf<T>, keyof Have>>
  : Need

/** The columns that all stages add. */
export type FlowAdds<Stages extends readonly unknown[], Have = object> = Stages extends readonly [
  infer T,
  ...infer Rest,
]
  ? FlowAdds<Rest, Merge<Have, Resolved<AddsOf<T>, Have>>>
  : Stages extends readonly []
    ? Have
    : { readonly [column: string]: unknown }

type KindOf<T> = T extends { readonly kind: infer K extends string } ? `${K}: ` : ''
type Shared<N, Have> = Pick<N, keyof N & keyof Have>
type Conflict<T, Have> = Problems<Have, Shared<NeedsOf<T>, Have>, KindOf<T>>

/** The stages themselves; an error in place of one that cannot take what an earlier one adds. */
export type CheckedStages<Stages extends readonly unknown[], Have = object> = Stages extends readonly [
  infer T,
  ...infer Rest,
]
  ? readonly [
      [Conflict<T, Have>] extends [never] ? T : ColumnError<Conflict<T, Have>>,
      ...CheckedStages<Rest, Merge<Have, Resolved<AddsOf<T>, Have>>>,
    ]
  : Stages
