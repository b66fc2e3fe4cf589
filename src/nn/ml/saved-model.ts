/**
 * Models on disk: a folder with `model.json` and the weights beside it in the safetensors format.
 *
 * The weights' file carries their checksum in its name and is written first, `model.json` last and whole or not at all: a
 * model that is saved over another leaves the old one or the new one, whatever happens on the way.
 */
import { join } from 'node:path'
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { localStore } from '../../store/index.js'
import { modelData, modelOf } from '../model.js'
import type { Model, ModelData } from '../model.js'
import { decodeTensors, digest, encodeTensors } from '../safetensors.js'

/** What makes a fitted model: its kind and options, the network, its weights. */
export interface SavedModel {
  readonly kind: string
  /** Plain JSON that its kind understands. */
  readonly params: Readonly<Record<string, unknown>>
  readonly network: Model
  readonly weights: readonly TensorData[]
}

interface Metadata {
  readonly format: 'shardbook-model'
  readonly version: 1
  readonly kind: string
  readonly params: Readonly<Record<string, unknown>>
  readonly network: ModelData
  readonly weights: { readonly file: string; readonly sha256: string }
}

/** Writes a model to a folder, which is made if need be. */
export async function saveModel(path: string, saved: SavedModel): Promise<void> {
  const store = localStore()
  const names = saved.network.weights.map(({ name }) => name)
  const bytes = encodeTensors(names, saved.weights)
  const sha256 = digest(bytes)
  const file = `weights-${sha256.slice(0, 16)}.safetensors`
  const metadata: Metadata = {
    format: 'shardbook-model',
    version: 1,
    kind: saved.kind,
    params: saved.params,
    network: modelData(saved.network),
    weights: { file, sha256 },
  }
  await store.put(join(path, file), bytes)
  await store.put(join(path, 'model.json'), new TextEncoder().encode(`${JSON.stringify(metadata, null, 2)}\n`))
  for (const other of await store.list(join(path, 'weights-'))) {
    if (other !== join(path, file)) await store.delete(other)
  }
}

/**
 * Reads a model from a folder.
 *
 * @throws ShardbookError `io` when there is none, `data` when it is damaged or of another format.
 */
export async function loadModel(path: string): Promise<SavedModel> {
  const store = localStore()
  const metadata = parseMetadata(path, await store.get(join(path, 'model.json')))
  const bytes = await store.get(join(path, metadata.weights.file))
  if (digest(bytes) !== metadata.weights.sha256) {
    throw new ShardbookError('data', `ml.load: expected the weights that were saved in ${path}, got a damaged file.`, {
      hint: 'Its checksum differs. Save the model again.',
    })
  }
  const network = modelOf(metadata.network)
  const { tensors } = decodeTensors(`ml.load: expected safetensors weights in ${path}.`, bytes)
  const weights = network.weights.map(({ name, shape }) => {
    const tensor = tensors.get(name)
    if (tensor !== undefined && sizeOf(tensor.shape) === sizeOf(shape)) return tensor
    throw new ShardbookError('data', `ml.load: expected a weight "${name}" of shape [${shape.join(', ')}] in ${path}.`)
  })
  return { kind: metadata.kind, params: metadata.params, network, weights }
}

function parseMetadata(path: string, bytes: Uint8Array): Metadata {
  let parsed: Partial<Metadata> | null
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Metadata> | null
  } catch (cause) {
    throw new ShardbookError('data', `ml.load: expected ${join(path, 'model.json')} to be JSON.`, { cause })
  }
  if (parsed?.format === 'shardbook-model' && parsed.version === 1) return parsed as Metadata
  throw new ShardbookError(
    'data',
    `ml.load: expected a model of format version 1 in ${path}, got ${parsed?.format ?? 'something else'} ${parsed?.version ?? ''}.`,
  )
}
