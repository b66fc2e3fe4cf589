/** `Normalizer`: vectors of length 1. */
import { checkNumber, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Plan } from '../../../frame/index.js'
import { checkNames, computed, FeatureStage, inputColumn, isVector, withColumns } from '../column-stage.js'
import type { Col, SameAs, Vector } from '../stage-types.js'
import { normalise } from './kernels/vectors.js'

export interface NormalizerOptions<Input extends string = string, Output extends string = string> {
  /** Column of vectors. */
  readonly inputCol: Input
  readonly outputCol: Output
  /** Which norm, from 1 to Infinity. Default 2. */
  readonly p?: number
}

/**
 * Divides each vector by its p-norm; a vector of zeros stays as it is.
 *
 * Reference: pyspark.ml.feature.Normalizer.
 *
 * @throws ShardbookError `argument` for `p` below 1.
 * @example
 * ```ts
 * const unit = new ml.Normalizer({ inputCol: 'features', outputCol: 'unit' }).transform(rows)
 * ```
 */
export class Normalizer<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, Vector>,
  Col<Output, SameAs<Input>>
> {
  readonly kind = 'Normalizer'
  readonly options: NormalizerOptions<Input, Output>
  readonly #payload: { readonly p: number }

  constructor(options: NormalizerOptions<Input, Output>) {
    super()
    const { p = 2 } = options
    checkNames('Normalizer', options, 'inputCol', 'outputCol')
    if (p !== Infinity) checkNumber('Normalizer', 'p', p)
    if (p < 1) throw new ShardbookError('argument', `Normalizer: expected p from 1 on, got ${show(p)}.`)
    this.options = Object.freeze({ ...options })
    this.#payload = { p }
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const { type, nullable } = inputColumn(caller, input.schema, inputCol, 'vectors', isVector)
    const gives = type.kind === 'tensor' ? ({ ...type, dtype: 'float64', held: 'inline' } as const) : type
    return withColumns(
      caller,
      input,
      computed(outputCol, normalise, this.#payload, [inputCol], { type: gives, nullable }),
    )
  }
}
