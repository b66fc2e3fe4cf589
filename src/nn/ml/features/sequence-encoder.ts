/** `SequenceEncoder`: lists of tokens as ids of fixed length, for recurrent networks and embeddings. */
import { checkInteger } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { AnyFrame, Plan, Tensor } from '../../../frame/index.js'
import {
  checkNames,
  ColumnEstimator,
  ColumnStage,
  computed,
  inputColumn,
  isTextList,
  withColumns,
} from '../column-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { tokenIds } from './kernels/counts.js'
import { byCount, countTerms } from './vocabulary.js'

export interface SequenceEncoderOptions<Input extends string = string, Output extends string = string> {
  /** Column of lists of tokens. */
  readonly inputCol: Input
  /** Column of tensors `[length]` of int32. */
  readonly outputCol: Output
  /** Ids a row: longer lists are cut, shorter ones filled up with 0. Default 64. */
  readonly length?: number
  /** The most frequent so many tokens. Default 20,000. */
  readonly vocabSize?: number
  /** Rows that must have a token. Default 1. */
  readonly minDF?: number
}

const kind = 'SequenceEncoder'

/**
 * Learns a vocabulary, the most frequent tokens first. A token's id is its position + 2; 1 is an unknown token, 0 none.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const encoder = await new ml.SequenceEncoder({ inputCol: 'words', outputCol: 'ids', length: 32 }).fit(words)
 * encoder.vocabularySize // ids are below it
 * ```
 */
export class SequenceEncoder<Input extends string = string, Output extends string = string> extends ColumnEstimator<
  Col<Input, readonly string[]>,
  Col<Output, Tensor>,
  SequenceEncoderModel<Input, Output>
> {
  readonly kind = kind
  readonly options: SequenceEncoderOptions<Input, Output>

  constructor(options: SequenceEncoderOptions<Input, Output>) {
    super()
    checkNames(kind, options, 'inputCol', 'outputCol')
    for (const name of ['length', 'vocabSize', 'minDF'] as const) checkInteger(kind, name, options[name] ?? 1, 1)
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    return encoded(caller, input, this.options, payloadOf(this.options, []))
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<SequenceEncoderModel<Input, Output>> {
    const { inputCol, vocabSize = 20_000, minDF = 1 } = this.options
    const { terms } = await countTerms(caller, frame, inputCol)
    const kept = byCount(terms.filter(({ rows }) => rows >= minDF)).slice(0, vocabSize)
    if (kept.length === 0) {
      throw new ShardbookError('data', `${caller}: expected tokens in '${inputCol}' to learn from, got none.`)
    }
    return new SequenceEncoderModel({ ...this.options, vocabulary: kept.map(({ term }) => term) })
  }
}

/** What `SequenceEncoder` fits. */
export class SequenceEncoderModel<Input extends string = string, Output extends string = string> extends ColumnStage<
  Col<Input, readonly string[]>,
  Col<Output, Tensor>
> {
  readonly kind = 'SequenceEncoderModel'
  readonly options: SequenceEncoderOptions<Input, Output> & { readonly vocabulary: readonly string[] }
  readonly #payload: ReturnType<typeof payloadOf>

  constructor(options: SequenceEncoderOptions<Input, Output> & { readonly vocabulary: readonly string[] }) {
    super()
    this.options = Object.freeze({ ...options })
    this.#payload = payloadOf(options, options.vocabulary)
  }

  static load({ params }: LoadedStage): SequenceEncoderModel {
    return new SequenceEncoderModel(params as never)
  }

  /** Tokens by their id less 2. */
  get vocabulary(): readonly string[] {
    return this.options.vocabulary
  }

  /** One more than the greatest id: what an embedding needs to know. */
  get vocabularySize(): number {
    return this.vocabulary.length + 2
  }

  protected extend(caller: string, input: Plan): Plan {
    return encoded(caller, input, this.options, this.#payload)
  }
}

function payloadOf({ length = 64 }: SequenceEncoderOptions, vocabulary: readonly string[]) {
  return { vocabulary, length }
}

function encoded(
  caller: string,
  input: Plan,
  { inputCol, outputCol }: SequenceEncoderOptions,
  payload: ReturnType<typeof payloadOf>,
): Plan {
  const { nullable } = inputColumn(caller, input.schema, inputCol, 'lists of text', isTextList)
  const type = { kind: 'tensor', dtype: 'int32', shape: [payload.length], held: 'inline' } as const
  return withColumns(caller, input, computed(outputCol, tokenIds, payload, [inputCol], { type, nullable }))
}
