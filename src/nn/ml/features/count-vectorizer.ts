/** `CountVectorizer`: tokens as counts at their position in a vocabulary. */
import { checkInteger, checkNumber } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { AnyFrame, Plan, Sparse } from '../../../frame/index.js'
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
import { countTerms as countOf } from './kernels/counts.js'
import { byCount, countTerms } from './vocabulary.js'

export interface CountVectorizerOptions<Input extends string = string, Output extends string = string> {
  /** Column of lists of tokens. */
  readonly inputCol: Input
  /** Column of sparse vectors. */
  readonly outputCol: Output
  /** The most frequent so many tokens. Default 2^18. */
  readonly vocabSize?: number
  /** Rows that must have a token; below 1 as a share of all rows. Default 1. */
  readonly minDF?: number
  /** As `minDF`, at most. Default 2^63. */
  readonly maxDF?: number
  /** Times that a row must have a token for it to count there; below 1 as a share of the row's tokens. Default 1. */
  readonly minTF?: number
  /** Whether a token counts once, however often it is there. Default false. */
  readonly binary?: boolean
}

const kind = 'CountVectorizer'

/**
 * Learns a vocabulary: the most frequent tokens first, and by their characters where they are as frequent.
 *
 * Reference: pyspark.ml.feature.CountVectorizer.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.CountVectorizer({ inputCol: 'words', outputCol: 'counts', minDF: 2 }).fit(words)
 * model.vocabulary // ['the', 'a', …]
 * ```
 */
export class CountVectorizer<Input extends string = string, Output extends string = string> extends ColumnEstimator<
  Col<Input, readonly string[]>,
  Col<Output, Sparse>,
  CountVectorizerModel<Input, Output>
> {
  readonly kind = kind
  readonly options: CountVectorizerOptions<Input, Output>

  constructor(options: CountVectorizerOptions<Input, Output>) {
    super()
    checkNames(kind, options, 'inputCol', 'outputCol')
    checkInteger(kind, 'vocabSize', options.vocabSize ?? 1, 1)
    for (const name of ['minDF', 'maxDF', 'minTF'] as const) checkNumber(kind, name, options[name] ?? 1, 0)
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    return counted(caller, input, this.options, { vocabulary: ['?'], ...settings(this.options) })
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<CountVectorizerModel<Input, Output>> {
    const { inputCol, vocabSize = 2 ** 18, minDF = 1, maxDF = 2 ** 63 } = this.options
    const { terms, rows } = await countTerms(caller, frame, inputCol)
    const bound = (limit: number): number => (limit < 1 ? limit * rows : limit)
    const kept = terms.filter((term) => term.rows >= bound(minDF) && term.rows <= bound(maxDF))
    if (kept.length === 0) {
      throw new ShardbookError(
        'data',
        `${caller}: expected tokens in '${inputCol}', got none that minDF and maxDF keep.`,
      )
    }
    const vocabulary = byCount(kept)
      .slice(0, vocabSize)
      .map(({ term }) => term)
    return new CountVectorizerModel({ ...this.options, vocabulary })
  }
}

/** What `CountVectorizer` fits: counts the tokens of a vocabulary. */
export class CountVectorizerModel<Input extends string = string, Output extends string = string> extends ColumnStage<
  Col<Input, readonly string[]>,
  Col<Output, Sparse>
> {
  readonly kind = 'CountVectorizerModel'
  readonly options: CountVectorizerOptions<Input, Output> & { readonly vocabulary: readonly string[] }
  readonly #payload: ReturnType<typeof settings> & { readonly vocabulary: readonly string[] }

  constructor(options: CountVectorizerOptions<Input, Output> & { readonly vocabulary: readonly string[] }) {
    super()
    this.options = Object.freeze({ ...options })
    this.#payload = { vocabulary: options.vocabulary, ...settings(options) }
  }

  static load({ params }: LoadedStage): CountVectorizerModel {
    return new CountVectorizerModel(params as never)
  }

  /** Tokens by their position. */
  get vocabulary(): readonly string[] {
    return this.options.vocabulary
  }

  protected extend(caller: string, input: Plan): Plan {
    return counted(caller, input, this.options, this.#payload)
  }
}

function settings({ binary = false, minTF = 1 }: CountVectorizerOptions) {
  return { binary, minTF }
}

function counted(
  caller: string,
  input: Plan,
  { inputCol, outputCol }: CountVectorizerOptions,
  payload: { readonly vocabulary: readonly string[] },
): Plan {
  const { nullable } = inputColumn(caller, input.schema, inputCol, 'lists of text', isTextList)
  const type = { kind: 'sparse', size: payload.vocabulary.length } as const
  return withColumns(caller, input, computed(outputCol, countOf, payload, [inputCol], { type, nullable }))
}
