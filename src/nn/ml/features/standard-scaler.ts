/** `StandardScaler`: components of standard deviation 1, and mean 0 on request. */
import type { LoadedStage } from '../saved-stage.js'
import type { Col, SameAs } from '../stage-types.js'
import type { Summary } from '../vectors.js'
import type { Scaling } from './scaled.js'
import { checkScaler, loaded, saved, Scaler, ScalerModel, type ScalerOptions } from './scaler.js'

export interface StandardScalerOptions<
  Input extends string = string,
  Output extends string = string,
> extends ScalerOptions<Input, Output> {
  /** Whether the mean is taken off, which makes dense vectors of sparse ones. Default false. */
  readonly withMean?: boolean
  /** Whether components are divided by their standard deviation. Default true. */
  readonly withStd?: boolean
}

type Added<Input extends string, Output extends string> = Col<Output, SameAs<Input>>

/**
 * Learns each component's mean and sample standard deviation. A component that is the same in all rows becomes 0.
 *
 * Reference: pyspark.ml.feature.StandardScaler.
 *
 * @throws ShardbookError `argument` unless both columns are named.
 * @example
 * ```ts
 * const scaler = await new ml.StandardScaler({ inputCol: 'features', outputCol: 'scaled', withMean: true }).fit(rows)
 * ```
 */
export class StandardScaler<Input extends string = string, Output extends string = string> extends Scaler<
  Input,
  Added<Input, Output>,
  StandardScalerModel<Input, Output>
> {
  readonly kind = 'StandardScaler'
  readonly options: StandardScalerOptions<Input, Output>

  constructor(options: StandardScalerOptions<Input, Output>) {
    super()
    checkScaler('StandardScaler', options)
    this.options = Object.freeze({ ...options })
  }

  protected model({ rows, mean, squares }: Summary): StandardScalerModel<Input, Output> {
    const std = squares.map((sum) => Math.sqrt(Math.max(0, sum) / Math.max(1, rows - 1)))
    return new StandardScalerModel(this.options, { mean, std })
  }
}

/** What `StandardScaler` fits. */
export class StandardScalerModel<Input extends string = string, Output extends string = string> extends ScalerModel<
  Input,
  Added<Input, Output>
> {
  readonly kind = 'StandardScalerModel'
  readonly options: StandardScalerOptions<Input, Output>
  readonly mean: Float64Array
  readonly std: Float64Array
  protected readonly scaling: Scaling

  constructor(options: StandardScalerOptions<Input, Output>, learnt: { mean: Float64Array; std: Float64Array }) {
    super()
    const { withMean = false, withStd = true } = options
    this.options = options
    this.mean = learnt.mean
    this.std = learnt.std
    this.scaling = {
      ...(withStd ? { scale: learnt.std.map((std) => (std > 0 ? 1 / std : 0)) } : {}),
      ...(withMean ? { shift: learnt.mean } : {}),
    }
  }

  static load(stage: LoadedStage): StandardScalerModel {
    return new StandardScalerModel(stage.params as never, { mean: loaded(stage, 'mean'), std: loaded(stage, 'std') })
  }

  protected override learnt() {
    return saved({ mean: this.mean, std: this.std })
  }
}
