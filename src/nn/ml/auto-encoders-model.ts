/** What `AutoEncoders` fits. */
import type { TensorData } from '../../core/dtype.js'
import type { Model } from '../model.js'
import { CoderModel, recordCoder } from './coder-model.js'
import type { CoderParams, CoderPrograms } from './coder-model.js'
import type { SavedModel } from './saved-model.js'

const kind = 'AutoEncodersModel'

/**
 * A fitted autoencoder: immutable.
 *
 * @example
 * ```ts
 * const encoded = model.transform(rows) // adds the codes
 * const decoded = model.transform(encoded) // adds what the codes decode to
 * ```
 */
export class AutoEncodersModel<InputCol extends string = string, Output extends string = string> extends CoderModel<
  InputCol,
  Output
> {
  private constructor(
    network: Model,
    weights: readonly TensorData[],
    params: CoderParams<InputCol, Output>,
    programs: CoderPrograms,
  ) {
    super(kind, network, weights, params, programs)
  }

  /** The model of weights; records its inference programs. */
  static async make<I extends string, O extends string>(
    network: Model,
    weights: readonly TensorData[],
    params: CoderParams<I, O>,
  ): Promise<AutoEncodersModel<I, O>> {
    return new AutoEncodersModel(network, weights, params, await recordCoder(network, params))
  }

  static async load({ network, weights, params }: SavedModel): Promise<AutoEncodersModel> {
    return AutoEncodersModel.make(network, weights, params as unknown as CoderParams)
  }
}
