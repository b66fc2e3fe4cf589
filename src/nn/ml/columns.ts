/** What estimators ask of a frame's columns: in types, where the frame's type is known, and when they run. */
import { ShardbookError } from '../../core/errors.js'
import { findColumn } from '../../frame/index.js'
import { describeType } from '../../frame/schema-spec.js'
import type { Column, Schema, Sparse, Tensor } from '../../frame/index.js'
import type { Shape } from '../layers/layer.js'

/** A type error that reads as a sentence: a frame never has this property. */
export interface ColumnError<Message extends string> {
  readonly columnError: Message
}

/**
 * Asks that a frame of type `S` has the columns `Name`, one or several, with values of type `V`. Frames whose columns are not known
 * yet (any name goes) pass; they are checked when the training begins.
 */
export type HasColumn<S, Name extends string, V, What extends string> = string extends keyof S
  ? unknown
  : string extends Name
    ? unknown
    : [ColumnProblem<S, Name, V, What>] extends [never]
      ? unknown
      : ColumnError<ColumnProblem<S, Name, V, What>>

/** A sentence for every column that is missing or of another type, or `never`. */
type ColumnProblem<S, Name extends string, V, What extends string> = Name extends keyof S
  ? [S[Name]] extends [V]
    ? never
    : `The column '${Name}' must hold ${What}.`
  : `The frame has no column '${Name}'.`

/** Asks for the column of a network's samples, or, of several, for tensors and numbers. */
export type HasInputs<S, Name extends string, V, What extends string> =
  IsUnion<Name> extends true ? HasColumn<S, Name, Tensor | number, 'tensors or numbers'> : HasColumn<S, Name, V, What>
type IsUnion<T, All = T> = [T] extends [never] ? false : T extends unknown ? ([All] extends [T] ? false : true) : never

/** Asks for a column of tensors: images, vectors. */
export type HasTensor<S, Name extends string> = HasInputs<S, Name, Tensor, 'tensors'>
/** Asks for a column of sequences: text, tokens, sparse vectors, vectors, steps. */
export type HasSequence<S, Name extends string> = HasColumn<
  S,
  Name,
  Tensor | Sparse | string | readonly number[],
  'text, lists of tokens, sparse vectors or tensors'
>
/** Asks for a column of vectors, dense or sparse, or of images. */
export type HasVector<S, Name extends string> = HasInputs<S, Name, Tensor | Sparse, 'tensors or sparse vectors'>
/** Asks for a column of numbers without nulls. */
export type HasNumber<S, Name extends string> = HasColumn<S, Name, number, 'numbers'>

/** A frame's type with columns added or replaced. */
export type With<S, Added> = { [K in keyof (Omit<S, keyof Added> & Added)]: (Omit<S, keyof Added> & Added)[K] }

/** A schema with columns added or put in the place of those of their names. */
export function withColumns(schema: Schema, added: readonly Column[]): Schema {
  return [...schema.filter(({ name }) => !added.some((column) => column.name === name)), ...added]
}

/** The column of numbers, or of tensors of a shape, that a network adds. */
export function outputColumn(name: string, shape: Shape, dtype: 'float32' | 'int32' = 'float32'): Column {
  return {
    name,
    type: shape.length === 0 ? { kind: 'number', storage: dtype } : { kind: 'tensor', dtype, shape, held: 'reference' },
    nullable: false,
  }
}

/** A tensor column as an estimator sees it. */
export interface TensorColumn {
  readonly name: string
  readonly shape: Shape
  /** Bytes: what a network gets divided by 255. */
  readonly isBytes: boolean
}

/** @throws ShardbookError `column` when there is no such column, naming the nearest, or it holds no tensors. */
export function tensorColumn(caller: string, schema: Schema, name: string): TensorColumn {
  const column = findColumn(caller, schema, name)
  const { type } = column
  if (type.kind === 'tensor') return { name, shape: type.shape, isBytes: type.dtype === 'uint8' }
  throw new ShardbookError(
    'column',
    `${caller}: expected '${name}' to hold tensors (images or vectors), got ${describeType(column)}.`,
  )
}

/** @throws ShardbookError `column` when there is no such column, naming the nearest, or it holds no numbers. */
export function checkNumberColumn(
  caller: string,
  schema: Schema,
  name: string,
  what = 'class numbers 0, 1, 2, ...',
): void {
  const column = findColumn(caller, schema, name)
  if (column.type.kind === 'number' || column.type.kind === 'boolean') return
  throw new ShardbookError(
    'column',
    `${caller}: expected '${name}' to hold ${what}, got ${describeType(column)}.`,
    column.type.kind === 'string' ? { hint: 'Give each class a number first.' } : {},
  )
}
