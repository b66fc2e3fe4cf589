/** Neural models on disk: stages (`saved-stage.ts`) with a network and its weights. */
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { modelData, modelOf } from '../model-data.js'
import type { Model } from '../model.js'
import type { SavedTensor } from '../safetensors.js'
import { saveStage } from './saved-stage.js'
import type { LoadedStage } from './saved-stage.js'
import { expand, pack } from './simplify/small-weights.js'
import type { SmallWeight } from './simplify/small-weights.js'

/** What makes a fitted model: its kind and options, the network, its weights. */
export interface SavedModel {
  readonly kind: string
  /** Plain JSON that its kind understands. */
  readonly params: Readonly<Record<string, unknown>>
  readonly network: Model
  readonly weights: readonly TensorData[]
}

/** Writes a model to a folder, which is made if need be. */
export async function saveModel(path: string, { kind, params, network, weights }: SavedModel): Promise<void> {
  await saveStage(path, { kind, params, network: modelData(network), tensors: weightTensors(network, weights) })
}

/** Weights by name as they are saved: as float32, or in fewer bits. */
export function weightTensors(network: Model, weights: readonly SmallWeight[]): Readonly<Record<string, SavedTensor>> {
  const named = network.weights.flatMap(({ name }, i) =>
    Object.entries(pack(weights[i]!)).map(([suffix, tensor]) => [`${name}${suffix}`, tensor] as const),
  )
  return Object.fromEntries(named)
}

/**
 * The model of a folder that was read.
 *
 * @throws ShardbookError `data` when it has no network, or lacks a weight.
 */
export function savedModel({ path, kind, params, network: data, tensors }: LoadedStage): SavedModel {
  if (data === undefined) throw new ShardbookError('data', `ml.load: expected a network in ${path}, got a ${kind}.`)
  const network = modelOf(data)
  return { kind, params, network, weights: savedWeights({ path, tensors }, network.weights) }
}

/** Weights in their order. @throws ShardbookError `data` when one is missing or of another size. */
export function savedWeights(
  { path, tensors }: Pick<LoadedStage, 'path' | 'tensors'>,
  weights: Model['weights'],
): SmallWeight[] {
  return weights.map(({ name, shape }): SmallWeight => {
    const tensor = tensors[name]
    const scale = tensors[`${name}/scale`]
    if (tensor !== undefined && sizeOf(tensor.shape) === sizeOf(shape)) return expand(tensor, scale)
    throw new ShardbookError('data', `ml.load: expected a weight "${name}" of shape [${shape.join(', ')}] in ${path}.`)
  })
}
