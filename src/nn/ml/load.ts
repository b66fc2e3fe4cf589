/** Fitted models from their folders. */
import { ShardbookError } from '../../core/errors.js'
import { AutoEncodersModel } from './auto-encoders-model.js'
import { CNNClassifierModel } from './cnn-classifier-model.js'
import { loadModel } from './saved-model.js'

/**
 * The model that `model.save(path)` wrote; its predictions are bit for bit those of the saved one on the same engine.
 *
 * @throws ShardbookError `io` when there is none, `data` when it is damaged or of another version.
 * @example
 * ```ts
 * await model.save('digits')
 * const again = await ml.load('digits')
 * ```
 */
export async function load(path: string): Promise<CNNClassifierModel | AutoEncodersModel> {
  const saved = await loadModel(path)
  switch (saved.kind) {
    case 'CNNClassifierModel':
      return CNNClassifierModel.load(saved)
    case 'AutoEncodersModel':
      return AutoEncodersModel.load(saved)
    default:
      throw new ShardbookError(
        'data',
        `ml.load: expected a model that this version knows in ${path}, got ${saved.kind}.`,
      )
  }
}
