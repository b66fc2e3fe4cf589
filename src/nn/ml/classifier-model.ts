/** What neural classifiers fit. */
import type { Tensor2D } from '@tensorflow/tfjs-core'
import type { TensorData } from '../../core/dtype.js'
import type { Trace } from '../../engine/index.js'
import type { AnyFrame, Column, Tensor } from '../../frame/index.js'
import { applyModel } from '../model.js'
import type { Model } from '../model.js'
import { outputColumn } from './columns.js'
import type { Input } from './input.js'
import { NetworkModel } from './network-model.js'
import type { SavedModel } from './saved-model.js'
import type { Col, Gives, StageTypes, stageTypes, Takes } from './stage-types.js'

/** What the model reads and adds; `null`: not added. */
export interface ClassifierParams<Input_ extends string = string, Output extends string = string> {
  readonly inputCol: Input_
  readonly input: Input
  readonly outputCol: Output
  readonly rawPredictionCol: string | null
  readonly probabilityCol: string | null
}

/** The columns that a classifier adds, as types: `never` is none. */
export type Predicted<Output extends string, Raw extends string, Probability extends string> = {
  readonly [K in Output]: number
} & { readonly [K in Raw | Probability]: Tensor }

/**
 * A fitted classifier: immutable.
 *
 * @example
 * ```ts
 * const predictions = model.transform(test)
 * ```
 */
export class ClassifierModel<
  InputCol extends string = string,
  Output extends string = string,
  Raw extends string = string,
  Probability extends string = string,
>
  extends NetworkModel
  implements StageTypes<Col<InputCol, unknown>, Predicted<Output, Raw, Probability>>
{
  declare readonly [stageTypes]: {
    readonly needs: Col<InputCol, unknown>
    readonly adds: Predicted<Output, Raw, Probability>
  }
  declare readonly inputCol: InputCol
  readonly outputCol: Output
  readonly #params: ClassifierParams<InputCol, Output>
  readonly #program: Trace

  private constructor(
    kind: string,
    network: Model,
    weights: readonly TensorData[],
    params: ClassifierParams<InputCol, Output>,
    program: Trace,
  ) {
    super(kind, network, weights, params.inputCol, params.input)
    this.outputCol = params.outputCol
    this.#params = params
    this.#program = program
  }

  /** The model of weights; records its inference program. */
  static async make<I extends string, O extends string, R extends string, P extends string>(
    kind: string,
    network: Model,
    weights: readonly TensorData[],
    params: ClassifierParams<I, O>,
  ): Promise<ClassifierModel<I, O, R, P>> {
    const { outputCol, rawPredictionCol, probabilityCol } = params
    const program = await NetworkModel.record(network, params, (context, current, x) => {
      const { tf } = context
      const logits = applyModel(network, context, current, x) as Tensor2D
      // Softmax takes no notice of what is added to all logits. With their mean at zero, that of one of two classes ranks rows
      // as its probability does.
      const centred = (): Tensor2D => tf.sub(logits, tf.mean(logits, 1, true))
      return {
        ...(rawPredictionCol === null ? {} : { [rawPredictionCol]: centred() }),
        ...(probabilityCol === null ? {} : { [probabilityCol]: tf.softmax(logits) }),
        [outputCol]: tf.cast(tf.argMax(logits, 1), 'int32'),
      }
    })
    return new ClassifierModel<I, O, R, P>(kind, network, weights, params, program)
  }

  static async load({ kind, network, weights, params }: SavedModel): Promise<ClassifierModel> {
    return ClassifierModel.make(kind, network, weights, params as unknown as ClassifierParams)
  }

  /** Number of classes. */
  get classes(): number {
    return this.network.outputShape[0]!
  }

  /**
   * Adds the most likely class of every row, and what else the estimator was asked for.
   *
   * @throws ShardbookError `column` when the frame lacks the input column, or it holds something else than in training.
   */
  transform<S>(frame: Takes<S, Col<InputCol, unknown>>): Gives<S, Predicted<Output, Raw, Probability>>
  transform(frame: AnyFrame): unknown {
    return this.map('transform', frame, this.#program)
  }

  protected addedColumns(): readonly Column[] {
    const { outputCol, rawPredictionCol, probabilityCol } = this.#params
    return [
      ...[rawPredictionCol, probabilityCol].flatMap((name) =>
        name === null ? [] : [outputColumn(name, [this.classes])],
      ),
      outputColumn(outputCol, [], 'int32'),
    ]
  }

  protected params(): Readonly<Record<string, unknown>> {
    return { ...this.#params }
  }
}
