/** Scalers that learn from all rows: what `StandardScaler`, `MinMaxScaler` and `MaxAbsScaler` share. */
import type { AnyFrame, Plan } from '../../../frame/index.js'
import { checkNames, ColumnEstimator, ColumnStage, inputColumn, isVector } from '../column-stage.js'
import { savedArray } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col, Vector } from '../stage-types.js'
import { summarise, type Summary } from '../vectors.js'
import { scaled, type Scaling } from './scaled.js'

export interface ScalerOptions<Input extends string = string, Output extends string = string> {
  /** Column of vectors. */
  readonly inputCol: Input
  readonly outputCol: Output
}

/** An estimator whose model shifts and scales each component. */
export abstract class Scaler<Input extends string, Added, M extends ScalerModel<Input, Added>> extends ColumnEstimator<
  Col<Input, Vector>,
  Added,
  M
> {
  abstract override readonly options: ScalerOptions<Input>

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    return scaled(caller, input, inputColumn(caller, input.schema, inputCol, 'vectors', isVector), outputCol, {})
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<M> {
    return this.model(await summarise(caller, frame, this.options.inputCol))
  }

  protected abstract model(summary: Summary): M
}

/** A fitted scaler. */
export abstract class ScalerModel<Input extends string, Added> extends ColumnStage<Col<Input, Vector>, Added> {
  abstract override readonly options: ScalerOptions<Input>
  protected abstract readonly scaling: Scaling

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const column = inputColumn(caller, input.schema, inputCol, 'vectors', isVector)
    return scaled(caller, input, column, outputCol, this.scaling)
  }
}

export function checkScaler(kind: string, options: ScalerOptions): void {
  checkNames(kind, options, 'inputCol', 'outputCol')
}

/** Arrays of float64 by name, as they are saved. */
export function saved(arrays: Readonly<Record<string, Float64Array>>) {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => [
      name,
      { dtype: 'float64' as const, shape: [values.length], values },
    ]),
  )
}

export function loaded(stage: LoadedStage, name: string): Float64Array {
  return savedArray(stage, name, 'float64')
}
