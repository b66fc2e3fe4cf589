/** `MinMaxScaler`: components within a range. */
import { checkNumber } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Tensor } from '../../../frame/index.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import type { Summary } from '../vectors.js'
import type { Scaling } from './scaled.js'
import { checkScaler, loaded, saved, Scaler, ScalerModel, type ScalerOptions } from './scaler.js'

export interface MinMaxScalerOptions<
  Input extends string = string,
  Output extends string = string,
> extends ScalerOptions<Input, Output> {
  /** Default 0. */
  readonly min?: number
  /** Default 1. */
  readonly max?: number
}

/**
 * Learns each component's least and greatest value, which become `min` and `max`. A component that is the same in all rows
 * becomes their mean.
 *
 * Reference: pyspark.ml.feature.MinMaxScaler.
 *
 * @throws ShardbookError `argument` unless `min` is below `max`.
 * @example
 * ```ts
 * const scaler = await new ml.MinMaxScaler({ inputCol: 'features', outputCol: 'scaled' }).fit(rows)
 * ```
 */
export class MinMaxScaler<Input extends string = string, Output extends string = string> extends Scaler<
  Input,
  Col<Output, Tensor>,
  MinMaxScalerModel<Input, Output>
> {
  readonly kind = 'MinMaxScaler'
  readonly options: MinMaxScalerOptions<Input, Output>

  constructor(options: MinMaxScalerOptions<Input, Output>) {
    super()
    const { min = 0, max = 1 } = options
    checkScaler('MinMaxScaler', options)
    checkNumber('MinMaxScaler', 'min', min)
    checkNumber('MinMaxScaler', 'max', max)
    if (min >= max) {
      throw new ShardbookError('argument', `MinMaxScaler: expected min below max, got ${min} and ${max}.`)
    }
    this.options = Object.freeze({ ...options })
  }

  protected model({ min, max }: Summary): MinMaxScalerModel<Input, Output> {
    return new MinMaxScalerModel(this.options, { min, max })
  }
}

/** What `MinMaxScaler` fits. */
export class MinMaxScalerModel<Input extends string = string, Output extends string = string> extends ScalerModel<
  Input,
  Col<Output, Tensor>
> {
  readonly kind = 'MinMaxScalerModel'
  readonly options: MinMaxScalerOptions<Input, Output>
  /** Least value of each component. */
  readonly originalMin: Float64Array
  /** Greatest value of each component. */
  readonly originalMax: Float64Array
  protected readonly scaling: Scaling

  constructor(options: MinMaxScalerOptions<Input, Output>, learnt: { min: Float64Array; max: Float64Array }) {
    super()
    const { min = 0, max = 1 } = options
    this.options = options
    this.originalMin = learnt.min
    this.originalMax = learnt.max
    this.scaling = {
      shift: learnt.min,
      scale: learnt.max.map((most, j) => (most > learnt.min[j]! ? (max - min) / (most - learnt.min[j]!) : 0)),
      offset: min,
      constant: (min + max) / 2,
    }
  }

  static load(stage: LoadedStage): MinMaxScalerModel {
    return new MinMaxScalerModel(stage.params as never, { min: loaded(stage, 'min'), max: loaded(stage, 'max') })
  }

  protected override learnt() {
    return saved({ min: this.originalMin, max: this.originalMax })
  }
}
