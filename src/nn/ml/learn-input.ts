/** What an estimator learns of its input column by one look at its rows: the words of texts, the components of sparse vectors. */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { findColumn, streamRows } from '../../frame/index.js'
import type { AnyFrame, Column, Frame, Schema, Sparse, Tensor } from '../../frame/index.js'
import { describeType } from '../../frame/schema-spec.js'
import { numericInput } from './input.js'
import type { ColumnInput, Input, Several } from './input.js'

export interface SequenceOptions {
  /** Tokens of a text or list that count, from its beginning. Default: the longest one's, at most 100. */
  readonly maxLength?: number
  /** Words that are told apart, the most frequent ones. Default 20,000. */
  readonly vocabularySize?: number
}

/** Steps up to which a recurrent layer is fastest. */
const longestByDefault = 100
const wordsByDefault = 20_000

/** @throws ShardbookError `column` for a column that no network takes, `data` for tokens that are no whole numbers from 0 on */
export async function learnInput(
  caller: string,
  frame: AnyFrame,
  name: string,
  options: SequenceOptions = {},
): Promise<Input> {
  const column = findColumn(caller, frame.schema, name)
  const { type } = column
  const { maxLength = longestByDefault, vocabularySize = wordsByDefault } = options
  switch (type.kind) {
    case 'tensor':
      if (type.dtype === 'int32' && type.shape.length === 1) {
        return { kind: 'tokens', shape: type.shape, ...(await countTokens(caller, frame, name)) }
      }
      return { kind: 'tensor', shape: type.shape, isBytes: type.dtype === 'uint8' }
    case 'string': {
      const { vocabulary, longest } = await countWords(frame, name, vocabularySize)
      return { kind: 'text', length: Math.max(1, Math.min(longest, maxLength)), vocabulary }
    }
    case 'list': {
      const { size, longest } = await countTokens(caller, frame, name)
      return { kind: 'list', length: Math.max(1, Math.min(longest, maxLength)), size }
    }
    case 'sparse':
      return { kind: 'sparse', size: type.size, ...(await findComponents(caller, frame, name)) }
    default:
      throw notSequence(caller, column)
  }
}

/** What is learnt of several columns, one after the other. */
export async function learnInputs(
  caller: string,
  frame: AnyFrame,
  names: readonly string[],
  options: SequenceOptions = {},
): Promise<Several> {
  const columns: ColumnInput[] = []
  for (const name of names) {
    const { kind } = findColumn(caller, frame.schema, name).type
    const isNumeric = kind === 'tensor' || kind === 'number' || kind === 'boolean'
    const input = isNumeric ? numericInput(caller, frame.schema, name) : await learnInput(caller, frame, name, options)
    // The network sees the columns one behind the other: the place of each is the same in rows to come.
    columns.push({ ...(withRoom(input) as ColumnInput), name })
  }
  return { kind: 'several', columns }
}

/** Rows to come may have more components than any that was learnt from. */
export function withRoom(input: Input): Input {
  if (input.kind !== 'sparse') return input
  return { ...input, length: Math.min(input.components.length, 4 * input.length) }
}

/** @throws ShardbookError `column` unless a network takes the column among several */
export function checkAmongSeveral(caller: string, schema: Schema, name: string): void {
  const column = findColumn(caller, schema, name)
  if (['string', 'list', 'sparse'].includes(column.type.kind)) checkSequenceColumn(caller, column)
  else numericInput(caller, schema, name, 'tensors, numbers, text, lists of tokens or sparse vectors')
}

/** @throws ShardbookError `column` unless a recurrent network takes the column */
export function checkSequenceColumn(caller: string, column: Column): void {
  const { type } = column
  const isList = type.kind === 'list' && type.element.type.kind === 'number'
  if (type.kind === 'string' || type.kind === 'sparse' || isList) return
  if (type.kind === 'tensor' && type.shape.length <= 2) return
  throw notSequence(caller, column)
}

function notSequence(caller: string, column: Column): ShardbookError {
  return new ShardbookError(
    'column',
    `${caller}: expected '${column.name}' to hold text, lists of tokens, sparse vectors, vectors or steps of vectors, got ${describeType(column)}.`,
  )
}

/** Words as the feed's tokeniser sees them: letters, digits and what is beyond ASCII, whose capitals are told apart. */
const word = /[a-z0-9\u0080-\uffff]+/g

async function countWords(frame: AnyFrame, name: string, limit: number) {
  const counts = new Map<string, number>()
  let longest = 0
  for await (const text of valuesOf<string | null>(frame, name)) {
    const words = (text ?? '').replaceAll(/[A-Z]+/g, (capitals) => capitals.toLowerCase()).match(word) ?? []
    longest = Math.max(longest, words.length)
    for (const each of words) counts.set(each, (counts.get(each) ?? 0) + 1)
  }
  // The alphabet decides between equally frequent words, so that the order of rows does not.
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  return { vocabulary: sorted.slice(0, limit).map(([each]) => each), longest }
}

async function countTokens(caller: string, frame: AnyFrame, name: string) {
  let [greatest, longest] = [0, 0]
  for await (const cell of valuesOf<readonly number[] | Tensor>(frame, name)) {
    const tokens = 'dtype' in cell ? cell.values : cell
    longest = Math.max(longest, tokens.length)
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!
      if (!Number.isInteger(token) || token < 0) {
        throw new ShardbookError(
          'data',
          `${caller}: expected '${name}' to hold tokens 0, 1, 2, ..., got ${show(token)}.`,
          { hint: 'Vectors of numbers with fractions are tensors or sparse vectors.' },
        )
      }
      greatest = Math.max(greatest, token)
    }
  }
  return { size: greatest + 1, longest }
}

/** Which components occur: no other one's weight would ever get a gradient. */
async function findComponents(caller: string, frame: AnyFrame, name: string) {
  const seen = new Set<number>()
  let length = 1
  for await (const { indices } of valuesOf<Sparse>(frame, name)) {
    length = Math.max(length, indices.length)
    for (const index of indices) seen.add(index)
  }
  if (seen.size === 0) {
    throw new ShardbookError('data', `${caller}: expected sparse vectors with components in '${name}', got none.`)
  }
  return { length, components: [...seen].sort((a, b) => a - b) }
}

async function* valuesOf<T>(frame: AnyFrame, name: string): AsyncGenerator<T, void, undefined> {
  for await (const row of streamRows((frame as Frame).select(name).plan)) yield row[name] as T
}
