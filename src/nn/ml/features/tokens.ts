/** Stages on lists of tokens: `StopWordsRemover` and `NGram`. */
import { checkInteger, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Plan } from '../../../frame/index.js'
import { checkNames, computed, FeatureStage, inputColumn, isTextList, withColumns } from '../column-stage.js'
import type { Col } from '../stage-types.js'
import { ngrams, withoutWords } from './kernels/text.js'
import { englishStopWords } from './stop-words.js'

interface TokensOptions<Input extends string, Output extends string> {
  /** Column of lists of tokens. */
  readonly inputCol: Input
  readonly outputCol: Output
}

export interface StopWordsRemoverOptions<
  Input extends string = string,
  Output extends string = string,
> extends TokensOptions<Input, Output> {
  /** Default: Spark's English list. */
  readonly stopWords?: readonly string[]
  /** Default false. */
  readonly caseSensitive?: boolean
}

/**
 * Lists of tokens without those that are in a list of words.
 *
 * Reference: pyspark.ml.feature.StopWordsRemover.
 *
 * @throws ShardbookError `argument` unless `stopWords` are strings.
 * @example
 * ```ts
 * const content = new ml.StopWordsRemover({ inputCol: 'words', outputCol: 'content' }).transform(words)
 * ```
 */
export class StopWordsRemover<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, readonly string[]>,
  Col<Output, string[]>
> {
  readonly kind = 'StopWordsRemover'
  readonly options: StopWordsRemoverOptions<Input, Output>
  readonly #payload: object

  constructor(options: StopWordsRemoverOptions<Input, Output>) {
    super()
    const { stopWords = englishStopWords, caseSensitive = false } = options
    checkNames('StopWordsRemover', options, 'inputCol', 'outputCol')
    if (!Array.isArray(stopWords) || !stopWords.every((word) => typeof word === 'string')) {
      throw new ShardbookError('argument', `StopWordsRemover: expected stopWords to be words, got ${show(stopWords)}.`)
    }
    this.options = Object.freeze({ ...options })
    this.#payload = { words: stopWords, caseSensitive }
  }

  protected extend(caller: string, input: Plan): Plan {
    return overTokens(caller, input, this.options, withoutWords, this.#payload)
  }
}

export interface NGramOptions<Input extends string = string, Output extends string = string> extends TokensOptions<
  Input,
  Output
> {
  /** Tokens of a gram. Default 2. */
  readonly n?: number
}

/**
 * Runs of `n` tokens, joined by a space; none where a list has fewer.
 *
 * Reference: pyspark.ml.feature.NGram.
 *
 * @throws ShardbookError `argument` for `n` below 1.
 * @example
 * ```ts
 * const pairs = new ml.NGram({ n: 2, inputCol: 'words', outputCol: 'pairs' }).transform(words)
 * ```
 */
export class NGram<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, readonly string[]>,
  Col<Output, string[]>
> {
  readonly kind = 'NGram'
  readonly options: NGramOptions<Input, Output>
  readonly #payload: { readonly n: number }

  constructor(options: NGramOptions<Input, Output>) {
    super()
    checkNames('NGram', options, 'inputCol', 'outputCol')
    checkInteger('NGram', 'n', options.n ?? 2, 1)
    this.options = Object.freeze({ ...options })
    this.#payload = { n: options.n ?? 2 }
  }

  protected extend(caller: string, input: Plan): Plan {
    return overTokens(caller, input, this.options, ngrams, this.#payload)
  }
}

function overTokens(
  caller: string,
  input: Plan,
  { inputCol, outputCol }: TokensOptions<string, string>,
  fn: Parameters<typeof computed>[1],
  payload: object,
): Plan {
  const { nullable } = inputColumn(caller, input.schema, inputCol, 'lists of text', isTextList)
  const type = { kind: 'list', element: { type: { kind: 'string' }, nullable: false } } as const
  return withColumns(caller, input, computed(outputCol, fn, payload, [inputCol], { type, nullable }))
}
