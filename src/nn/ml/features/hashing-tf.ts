/** `HashingTF`: tokens as counts at hashed positions. */
import { checkInteger } from '../../../core/check.js'
import type { Plan, Sparse } from '../../../frame/index.js'
import { checkNames, computed, FeatureStage, inputColumn, isTextList, withColumns } from '../column-stage.js'
import type { Col } from '../stage-types.js'
import { hashTerms } from './kernels/counts.js'

export interface HashingTFOptions<Input extends string = string, Output extends string = string> {
  /** Column of lists of tokens. */
  readonly inputCol: Input
  /** Column of sparse vectors. */
  readonly outputCol: Output
  /** Components of the vectors. Default 2^18. */
  readonly numFeatures?: number
  /** Whether a token counts once, however often it is there. Default false. */
  readonly binary?: boolean
}

/**
 * Counts tokens at the position of their hash, MurmurHash3 (x86, 32 bits, seed 42) of their UTF-8 bytes modulo `numFeatures`:
 * Spark's positions.
 *
 * Reference: pyspark.ml.feature.HashingTF.
 *
 * @throws ShardbookError `argument` for `numFeatures` below 1.
 * @example
 * ```ts
 * const words = frame([{ words: ['a', 'b', 'c'] }])
 * const hashed = new ml.HashingTF({ inputCol: 'words', outputCol: 'features', numFeatures: 10 }).transform(words)
 * await hashed.toRows() // indices 5, 7, 8
 * ```
 */
export class HashingTF<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, readonly string[]>,
  Col<Output, Sparse>
> {
  readonly kind = 'HashingTF'
  readonly options: HashingTFOptions<Input, Output>
  readonly #payload: { readonly numFeatures: number; readonly binary: boolean }

  constructor(options: HashingTFOptions<Input, Output>) {
    super()
    const { numFeatures = 2 ** 18, binary = false } = options
    checkNames('HashingTF', options, 'inputCol', 'outputCol')
    checkInteger('HashingTF', 'numFeatures', numFeatures, 1, 2 ** 31 - 1)
    this.options = Object.freeze({ ...options })
    this.#payload = { numFeatures, binary }
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const { nullable } = inputColumn(caller, input.schema, inputCol, 'lists of text', isTextList)
    const type = { kind: 'sparse', size: this.#payload.numFeatures } as const
    return withColumns(caller, input, computed(outputCol, hashTerms, this.#payload, [inputCol], { type, nullable }))
  }
}
