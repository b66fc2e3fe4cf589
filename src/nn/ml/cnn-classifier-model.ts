/** What `CNNClassifier` fits. */
import type { Tensor2D } from '@tensorflow/tfjs-core'
import type { TensorData } from '../../core/dtype.js'
import type { Trace } from '../../engine/index.js'
import type { Frame } from '../../frame/index.js'
import { applyModel } from '../model.js'
import type { Model } from '../model.js'
import type { HasTensor, With } from './columns.js'
import { checkSamples, mapFrame, NetworkModel, recordOver } from './network-model.js'
import type { SavedModel } from './saved-model.js'

/** Names of columns; `null`: not added. */
export interface ClassifierColumns<Input extends string = string, Output extends string = string> {
  readonly inputCol: Input
  readonly outputCol: Output
  readonly rawPredictionCol: string | null
  readonly probabilityCol: string | null
}

const kind = 'CNNClassifierModel'

/**
 * A fitted classifier of images: immutable.
 *
 * @example
 * ```ts
 * const predictions = model.transform(test)
 * ```
 */
export class CNNClassifierModel<Input extends string = string, Output extends string = string> extends NetworkModel {
  declare readonly inputCol: Input
  readonly outputCol: Output
  protected readonly kind = kind
  readonly #columns: ClassifierColumns<Input, Output>
  readonly #program: Trace

  private constructor(
    network: Model,
    weights: readonly TensorData[],
    columns: ClassifierColumns<Input, Output>,
    program: Trace,
  ) {
    super(network, weights, columns.inputCol)
    this.outputCol = columns.outputCol
    this.#columns = columns
    this.#program = program
  }

  /** The model of weights; records its inference program. */
  static async make<Input extends string, Output extends string>(
    network: Model,
    weights: readonly TensorData[],
    columns: ClassifierColumns<Input, Output>,
  ): Promise<CNNClassifierModel<Input, Output>> {
    const { inputCol, outputCol, rawPredictionCol, probabilityCol } = columns
    const program = await recordOver(network, inputCol, network.inputShape, (context, current, x) => {
      const { tf } = context
      const logits = applyModel(network, context, current, x) as Tensor2D
      return {
        ...(rawPredictionCol === null ? {} : { [rawPredictionCol]: logits }),
        ...(probabilityCol === null ? {} : { [probabilityCol]: tf.softmax(logits) }),
        [outputCol]: tf.cast(tf.argMax(logits, 1), 'int32'),
      }
    })
    return new CNNClassifierModel(network, weights, columns, program)
  }

  static async load({ network, weights, params }: SavedModel): Promise<CNNClassifierModel> {
    return CNNClassifierModel.make(network, weights, params as unknown as ClassifierColumns)
  }

  /**
   * Adds the most likely class of every image, and what else the estimator was asked for.
   *
   * @throws ShardbookError `column` when the frame lacks the input column, or its images are of another shape.
   */
  transform<S>(frame: Frame<S> & HasTensor<S, Input>): Frame<With<S, { readonly [K in Output]: number }>> {
    checkSamples(`${kind}.transform`, frame, this.inputCol, this.network.inputShape)
    return mapFrame(frame, this.#program, this.weights)
  }

  protected params(): Readonly<Record<string, unknown>> {
    return { ...this.#columns }
  }
}
