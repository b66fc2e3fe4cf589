/** What neural regressors fit. */
import type { TensorData } from '../../core/dtype.js'
import type { Trace } from '../../engine/index.js'
import type { AnyFrame, Column } from '../../frame/index.js'
import { applyModel } from '../model.js'
import type { Model } from '../model.js'
import { outputColumn } from './columns.js'
import type { Input } from './input.js'
import { NetworkModel } from './network-model.js'
import type { SavedModel } from './saved-model.js'
import type { Col, Gives, StageTypes, stageTypes, Takes } from './stage-types.js'

export interface RegressorParams<InputCol extends string = string, Output extends string = string> {
  readonly inputCol: InputCol
  readonly input: Input
  readonly outputCol: Output
}

/**
 * A fitted regressor: immutable.
 *
 * @example
 * ```ts
 * const predictions = model.transform(test)
 * ```
 */
export class RegressorModel<InputCol extends string = string, Output extends string = string>
  extends NetworkModel
  implements StageTypes<Col<InputCol, unknown>, Col<Output, number>>
{
  declare readonly [stageTypes]: { readonly needs: Col<InputCol, unknown>; readonly adds: Col<Output, number> }
  declare readonly inputCol: InputCol
  readonly outputCol: Output
  readonly #params: RegressorParams<InputCol, Output>
  readonly #program: Trace

  private constructor(
    kind: string,
    network: Model,
    weights: readonly TensorData[],
    params: RegressorParams<InputCol, Output>,
    program: Trace,
  ) {
    super(kind, network, weights, params.inputCol, params.input)
    this.outputCol = params.outputCol
    this.#params = params
    this.#program = program
  }

  /** The model of weights; records its inference program. */
  static async make<I extends string, O extends string>(
    kind: string,
    network: Model,
    weights: readonly TensorData[],
    params: RegressorParams<I, O>,
  ): Promise<RegressorModel<I, O>> {
    const program = await NetworkModel.record(network, params, (context, current, x) => {
      const y = applyModel(network, context, current, x)
      return { [params.outputCol]: context.tf.reshape(y, [y.shape[0]]) }
    })
    return new RegressorModel(kind, network, weights, params, program)
  }

  static async load({ kind, network, weights, params }: SavedModel): Promise<RegressorModel> {
    return RegressorModel.make(kind, network, weights, params as unknown as RegressorParams)
  }

  /**
   * Adds what is predicted for every row.
   *
   * @throws ShardbookError `column` when the frame lacks the input column, or it holds something else than in training.
   */
  transform<S>(frame: Takes<S, Col<InputCol, unknown>>): Gives<S, Col<Output, number>>
  transform(frame: AnyFrame): unknown {
    return this.map('transform', frame, this.#program)
  }

  protected addedColumns(): readonly Column[] {
    return [outputColumn(this.outputCol, [])]
  }

  protected params(): Readonly<Record<string, unknown>> {
    return { ...this.#params }
  }
}
