/** `MaxAbsScaler`: components within [-1, 1]; zeros stay zeros. */
import type { LoadedStage } from '../saved-stage.js'
import type { Col, SameAs } from '../stage-types.js'
import type { Summary } from '../vectors.js'
import type { Scaling } from './scaled.js'
import { checkScaler, loaded, saved, Scaler, ScalerModel, type ScalerOptions } from './scaler.js'

/**
 * Learns each component's greatest size, by which it is divided.
 *
 * Reference: pyspark.ml.feature.MaxAbsScaler.
 *
 * @throws ShardbookError `argument` unless both columns are named.
 * @example
 * ```ts
 * const scaler = await new ml.MaxAbsScaler({ inputCol: 'features', outputCol: 'scaled' }).fit(rows)
 * ```
 */
export class MaxAbsScaler<Input extends string = string, Output extends string = string> extends Scaler<
  Input,
  Col<Output, SameAs<Input>>,
  MaxAbsScalerModel<Input, Output>
> {
  readonly kind = 'MaxAbsScaler'
  readonly options: ScalerOptions<Input, Output>

  constructor(options: ScalerOptions<Input, Output>) {
    super()
    checkScaler('MaxAbsScaler', options)
    this.options = Object.freeze({ ...options })
  }

  protected model({ min, max }: Summary): MaxAbsScalerModel<Input, Output> {
    return new MaxAbsScalerModel(this.options, { maxAbs: max.map((most, j) => Math.max(most, -min[j]!)) })
  }
}

/** What `MaxAbsScaler` fits. */
export class MaxAbsScalerModel<Input extends string = string, Output extends string = string> extends ScalerModel<
  Input,
  Col<Output, SameAs<Input>>
> {
  readonly kind = 'MaxAbsScalerModel'
  readonly options: ScalerOptions<Input, Output>
  readonly maxAbs: Float64Array
  protected readonly scaling: Scaling

  constructor(options: ScalerOptions<Input, Output>, { maxAbs }: { maxAbs: Float64Array }) {
    super()
    this.options = options
    this.maxAbs = maxAbs
    this.scaling = { scale: maxAbs.map((most) => (most > 0 ? 1 / most : 1)) }
  }

  static load(stage: LoadedStage): MaxAbsScalerModel {
    return new MaxAbsScalerModel(stage.params as never, { maxAbs: loaded(stage, 'maxAbs') })
  }

  protected override learnt() {
    return saved({ maxAbs: this.maxAbs })
  }
}
