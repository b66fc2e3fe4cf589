/** What estimators ask of a frame's columns: in types, where the frame's type is known, and when they run. */
import { ShardbookError } from '../../core/errors.js'
import { findColumn } from '../../frame/index.js'
import { describeType } from '../../frame/schema-spec.js'
import type { Column, Schema } from '../../frame/index.js'
import type { Shape } from '../layers/layer.js'

/** A type error that reads as a sentence: a frame never has this property. */
export interface ColumnError<Message extends string> {
  readonly columnError: Message
}

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
