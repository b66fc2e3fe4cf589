/** `Bucketizer`: numbers as the number of the bucket that they are in. */
import { checkOneOf, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Plan } from '../../../frame/index.js'
import { dropNulls } from '../../../frame/build.js'
import { checkNames, computed, FeatureStage, inputColumn, isNumber, withColumns } from '../column-stage.js'
import type { Col } from '../stage-types.js'
import { bucket, type InvalidPolicy } from './kernels/categories.js'

export interface BucketizerOptions<Input extends string = string, Output extends string = string> {
  readonly inputCol: Input
  readonly outputCol: Output
  /** Rising bounds: bucket `i` is `[splits[i], splits[i + 1])`, the last one with its end; -Infinity and Infinity are fine. */
  readonly splits: readonly number[]
  /** For NaN and null: an error, no row, or a bucket of its own after all others. Default `'error'`. */
  readonly handleInvalid?: InvalidPolicy
}

const kind = 'Bucketizer'

/**
 * Tells in which bucket a number is. One outside of all is always an error.
 *
 * Reference: pyspark.ml.feature.Bucketizer.
 *
 * @throws ShardbookError `argument` unless there are three splits or more, and they rise.
 * @example
 * ```ts
 * const ages = new ml.Bucketizer({ splits: [0, 18, 65, Infinity], inputCol: 'age', outputCol: 'group' })
 * ```
 */
export class Bucketizer<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, number | null>,
  Col<Output, number>
> {
  readonly kind = kind
  readonly options: BucketizerOptions<Input, Output>
  readonly #payload: object

  constructor(options: BucketizerOptions<Input, Output>) {
    super()
    const { splits, handleInvalid: invalid = 'error', inputCol } = options
    checkNames(kind, options, 'inputCol', 'outputCol')
    checkOneOf(kind, 'handleInvalid', invalid, ['error', 'skip', 'keep'])
    const rises = Array.isArray(splits) && splits.length >= 3 && splits.every((v, i) => i === 0 || v > splits[i - 1]!)
    if (!rises) {
      throw new ShardbookError('argument', `${kind}: expected three rising splits or more, got ${show(splits)}.`)
    }
    this.options = Object.freeze({ ...options })
    this.#payload = { splits: Float64Array.from(splits), invalid, where: `${kind}: '${inputCol}'` }
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol, handleInvalid } = this.options
    inputColumn(caller, input.schema, inputCol, 'numbers', isNumber)
    const skips = handleInvalid === 'skip'
    const gives = { type: { kind: 'number', storage: 'float64' }, nullable: skips } as const
    const plan = withColumns(caller, input, computed(outputCol, bucket, this.#payload, [inputCol], gives))
    return skips ? dropNulls(caller, plan, [outputCol]) : plan
  }
}
