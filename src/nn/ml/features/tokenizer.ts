/** `Tokenizer` and `RegexTokenizer`: texts as lists of tokens, with Spark's rules. */
import { checkInteger, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Plan } from '../../../frame/index.js'
import type { Column } from '../../../frame/index.js'
import { checkNames, computed, FeatureStage, inputColumn, isText, withColumns } from '../column-stage.js'
import type { Col } from '../stage-types.js'
import { tokenise, tokeniseByPattern } from './kernels/text.js'

export interface TokenizerOptions<Input extends string = string, Output extends string = string> {
  /** Column of texts. */
  readonly inputCol: Input
  /** Column of lists of tokens. */
  readonly outputCol: Output
}

/**
 * Texts in lower case, cut at each white space (`text.toLowerCase.split("\\s")`): two spaces in a row have an empty token
 * between them. A null gives null.
 *
 * Reference: pyspark.ml.feature.Tokenizer.
 *
 * @throws ShardbookError `argument` unless both columns are named.
 * @example
 * ```ts
 * const words = new ml.Tokenizer({ inputCol: 'text', outputCol: 'words' }).transform(frame([{ text: 'Hi there' }]))
 * await words.toRows() // [{ text: 'Hi there', words: ['hi', 'there'] }]
 * ```
 */
export class Tokenizer<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, string>,
  Col<Output, string[]>
> {
  readonly kind = 'Tokenizer'
  readonly options: TokenizerOptions<Input, Output>

  constructor(options: TokenizerOptions<Input, Output>) {
    super()
    checkNames('Tokenizer', options, 'inputCol', 'outputCol')
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const column = inputColumn(caller, input.schema, inputCol, 'text', isText)
    return withColumns(caller, input, computed(outputCol, tokenise, this.options, [inputCol], tokensOf(column)))
  }
}

export interface RegexTokenizerOptions<
  Input extends string = string,
  Output extends string = string,
> extends TokenizerOptions<Input, Output> {
  /** A JavaScript pattern, as `RegExp` or as text. Default `\s+`. */
  readonly pattern?: RegExp | string
  /** Whether the pattern matches what lies between tokens, rather than tokens. Default true. */
  readonly gaps?: boolean
  /** Shorter tokens are left out. Default 1. */
  readonly minTokenLength?: number
  /** Default true. */
  readonly toLowercase?: boolean
}

/**
 * Texts cut by a pattern, or the pattern's matches in them.
 *
 * Reference: pyspark.ml.feature.RegexTokenizer (Java's patterns there, JavaScript's here).
 *
 * @throws ShardbookError `argument` for a pattern that is none.
 * @example
 * ```ts
 * const words = new ml.RegexTokenizer({ inputCol: 'text', outputCol: 'words', pattern: /\W+/ })
 * ```
 */
export class RegexTokenizer<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, string>,
  Col<Output, string[]>
> {
  readonly kind = 'RegexTokenizer'
  readonly options: RegexTokenizerOptions<Input, Output>
  readonly #payload: object

  constructor(options: RegexTokenizerOptions<Input, Output>) {
    super()
    const { pattern = '\\s+', gaps = true, minTokenLength = 1, toLowercase = true } = options
    checkNames('RegexTokenizer', options, 'inputCol', 'outputCol')
    checkInteger('RegexTokenizer', 'minTokenLength', minTokenLength, 0)
    const { source, flags } = patternOf(pattern)
    // As plain data, so that it can be saved: flags in front, as in Java.
    this.options = Object.freeze({ ...options, pattern: flags === '' ? source : `(?${flags})${source}` })
    this.#payload = { pattern: source, flags, gaps, minTokenLength, toLowercase }
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const column = inputColumn(caller, input.schema, inputCol, 'text', isText)
    return withColumns(
      caller,
      input,
      computed(outputCol, tokeniseByPattern, this.#payload, [inputCol], tokensOf(column)),
    )
  }
}

function patternOf(pattern: RegExp | string): { source: string; flags: string } {
  if (pattern instanceof RegExp) return { source: pattern.source, flags: pattern.flags.replaceAll(/[gy]/g, '') }
  const [, flags = '', source = pattern] = /^\(\?([imsu]+)\)(.*)$/s.exec(pattern) ?? []
  try {
    return { source: new RegExp(source, flags).source, flags }
  } catch (cause) {
    throw new ShardbookError('argument', `RegexTokenizer: expected pattern to be a pattern, got ${show(pattern)}.`, {
      cause,
    })
  }
}

function tokensOf({ nullable }: Column) {
  return { type: { kind: 'list', element: { type: { kind: 'string' }, nullable: false } }, nullable } as const
}
