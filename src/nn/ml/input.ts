/**
 * How a column reaches a network: plain data that an estimator learns from its rows and a model keeps. The feed's fields, the
 * shape of a sample and the first layers follow from it.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { findColumn } from '../../frame/index.js'
import type { FeedFields, Schema } from '../../frame/index.js'
import { describeType } from '../../frame/schema-spec.js'
import type { Tf } from '../../engine/tf.js'
import { rescale } from '../layers/activation.js'
import { numbersOf, packInputs } from '../layers/input.js'
import type { InputList } from '../layers/input.js'
import { showShape } from '../layers/layer.js'
import type { Layer, Shape } from '../layers/layer.js'
import type { ProgramColumn } from '../train/programs.js'
import { checkNumberColumn, tensorColumn } from './columns.js'

export type Input =
  /** Tensors: images, vectors, steps of vectors. Bytes are brought to [0, 1]. */
  | { readonly kind: 'tensor'; readonly shape: Shape; readonly isBytes: boolean }
  /** Text, as the numbers of its words: 0 fills up, 1 is unknown, a word's place in the vocabulary + 2. */
  | { readonly kind: 'text'; readonly length: number; readonly vocabulary: readonly string[] }
  /** Lists of tokens 0 .. size - 1 of different lengths, which become 1 .. size: 0 fills up. */
  | { readonly kind: 'list'; readonly length: number; readonly size: number }
  /** Tensors of tokens 0 .. size - 1. */
  | { readonly kind: 'tokens'; readonly shape: Shape; readonly size: number }
  /** Sparse vectors, of which the components that were seen in training count; no vector has more than `length` of those. */
  | { readonly kind: 'sparse'; readonly size: number; readonly length: number; readonly components: readonly number[] }
  /** Several columns: the inputs of a network that has as many. */
  | Several

/** Several columns, each as it comes alone; a column of numbers is one of tensors of shape []. */
export interface Several {
  readonly kind: 'several'
  readonly columns: readonly ColumnInput[]
}
export type ColumnInput = Exclude<Input, Several> & { readonly name: string }

/** The shape of a sample as it reaches the program. */
export function sampleShape(input: Input): Shape {
  switch (input.kind) {
    case 'tensor':
    case 'tokens':
      return input.shape
    case 'text':
    case 'list':
      return [input.length]
    case 'sparse':
      return [2, input.length]
    case 'several':
      return [numbersOf(inputsOf(input))]
    default:
      return input satisfies never
  }
}

/** The inputs of the network that several columns are. */
export function inputsOf({ columns }: Several): InputList {
  return columns.map((column) => {
    const shape = sampleShape(column)
    return [column.name, shape.length === 0 ? [1] : shape]
  })
}

/** The columns of the frame as a program takes them. */
export function programColumns(input: Input, name: string): ProgramColumn[] {
  if (input.kind !== 'several') return [{ name, dtype: 'float32', shape: sampleShape(input) }]
  return input.columns.flatMap((column) => programColumns(column, column.name))
}

/** The samples of the network from those columns. */
export function samplesFrom(tf: Tf, input: Input, columns: readonly Tensor[]): Tensor {
  if (input.kind !== 'several') return columns[0]!
  // What `headOf` does for a single column.
  const brought = input.columns.map((column, i) => {
    if (column.kind === 'list') return tf.add(columns[i]!, 1)
    return column.kind === 'tensor' && column.isBytes ? tf.mul(columns[i]!, 1 / 255) : columns[i]!
  })
  return packInputs(tf, brought)
}

/** A column of tensors or numbers among several, of which the schema tells all. @throws ShardbookError `column` for another one */
export function numericInput(caller: string, schema: Schema, name: string, what = 'tensors or numbers'): ColumnInput {
  const { kind } = findColumn(caller, schema, name).type
  if (kind === 'tensor') return { kind: 'tensor', ...tensorColumn(caller, schema, name) }
  checkNumberColumn(caller, schema, name, what)
  return { kind: 'tensor', name, shape: [], isBytes: false }
}

/** How the feed delivers the column. */
export function fieldsOf(input: Input, name: string): FeedFields {
  switch (input.kind) {
    case 'tensor':
      return { finite: [name] }
    case 'tokens':
      return {}
    case 'text':
      return { tokens: { [name]: { length: input.length, vocabulary: input.vocabulary } } }
    case 'list':
      return { lists: { [name]: { length: input.length, fill: -1 } } }
    case 'sparse':
      return { lists: { [name]: { length: input.length, components: input.components } }, finite: [name] }
    case 'several': {
      const each = input.columns.map((column) => fieldsOf(column, column.name))
      return {
        finite: each.flatMap(({ finite = [] }) => finite),
        tokens: Object.assign({}, ...each.map(({ tokens }) => tokens)) as NonNullable<FeedFields['tokens']>,
        lists: Object.assign({}, ...each.map(({ lists }) => lists)) as NonNullable<FeedFields['lists']>,
      }
    }
    default:
      return input satisfies never
  }
}

/** The layers that bring what the feed delivers to what a network takes. */
export function headOf(input: Input): Layer[] {
  if (input.kind === 'tensor' && input.isBytes) return [rescale({ scale: 1 / 255, name: 'rescale' })]
  return input.kind === 'list' ? [rescale({ scale: 1, offset: 1, name: 'shift' })] : []
}

/** What an embedding needs to know of tokens; undefined where samples are no tokens. */
export function embeddingOf(input: Input): { inputDim: number; maskZero: boolean; clip: true } | undefined {
  switch (input.kind) {
    case 'text':
      return { inputDim: input.vocabulary.length + 2, maskZero: true, clip: true }
    case 'list':
      return { inputDim: input.size + 2, maskZero: true, clip: true }
    case 'tokens':
      return { inputDim: input.size + 1, maskZero: false, clip: true }
    case 'tensor':
    case 'sparse':
    case 'several':
      return undefined
    default:
      return input satisfies never
  }
}

/** @throws ShardbookError `column` unless the column holds what the input was learnt from */
export function checkInput(caller: string, schema: Schema, name: string, input: Input): void {
  if (input.kind === 'several') {
    for (const column of input.columns) checkInput(caller, schema, column.name, column)
    return
  }
  if (input.kind === 'tensor' && input.shape.length === 0) {
    checkNumberColumn(caller, schema, name, 'numbers')
    return
  }
  const column = findColumn(caller, schema, name)
  const { type } = column
  const fail = (expected: string): never => {
    throw new ShardbookError(
      'column',
      `${caller}: expected '${name}' to hold ${expected}, got ${describeType(column)}.`,
    )
  }
  switch (input.kind) {
    case 'tensor':
    case 'tokens':
      if (type.kind !== 'tensor' || sizeOf(type.shape) !== sizeOf(input.shape)) {
        return fail(`tensors of shape ${showShape(input.shape)}`)
      }
      // Bytes are divided by 255: other numbers would be too, and nobody would see it.
      if (input.kind === 'tokens' || (type.dtype === 'uint8') === input.isBytes) return
      return fail(input.isBytes ? 'bytes, as in training' : 'numbers that are no bytes, as in training')
    case 'text':
      return type.kind === 'string' ? undefined : fail('text')
    case 'list':
      return type.kind === 'list' && type.element.type.kind === 'number' ? undefined : fail('lists of tokens')
    case 'sparse':
      if (type.kind === 'sparse' && type.size === input.size) return
      return fail(`sparse vectors of ${input.size} components`)
    default:
      return input satisfies never
  }
}
