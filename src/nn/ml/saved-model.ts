/**
 * Models on disk: a folder with `model.json` and the weights beside it in the safetensors format
 * (github.com/huggingface/safetensors: 8 bytes with the length of a JSON header, the header, the numbers).
 *
 * The weights' file carries their checksum in its name and is written first, `model.json` last and whole or not at all: a
 * model that is saved over another leaves the old one or the new one, whatever happens on the way.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { localStore } from '../../store/index.js'
import { modelData, modelOf } from '../model.js'
import type { Model, ModelData } from '../model.js'

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
  const tensors = decodeTensors(path, bytes)
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

interface HeaderEntry {
  readonly dtype: 'F32' | 'I32'
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

function encodeTensors(names: readonly string[], tensors: readonly TensorData[]): Uint8Array {
  let offset = 0
  const entries = tensors.map(({ dtype, shape, values }, i): [string, HeaderEntry] => {
    const begin = offset
    offset += values.byteLength
    return [names[i]!, { dtype: dtype === 'float32' ? 'F32' : 'I32', shape, data_offsets: [begin, offset] }]
  })
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))
  // Padded with spaces, so that the numbers begin on a multiple of 8.
  const header = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20)
  header.set(json)
  const bytes = new Uint8Array(8 + header.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
  bytes.set(header, 8)
  for (const [i, { values }] of tensors.entries()) {
    const at = 8 + header.length + entries[i]![1].data_offsets[0]
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
  }
  return bytes
}

function decodeTensors(path: string, bytes: Uint8Array): Map<string, TensorData> {
  try {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, HeaderEntry>
    return new Map(
      Object.entries(header).map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [begin, end],
          },
        ]): [string, TensorData] => {
          const buffer = bytes.slice(8 + length + begin, 8 + length + end).buffer
          return dtype === 'F32'
            ? [name, { dtype: 'float32', shape, values: new Float32Array(buffer) }]
            : [name, { dtype: 'int32', shape, values: new Int32Array(buffer) }]
        },
      ),
    )
  } catch (cause) {
    throw new ShardbookError('data', `ml.load: expected safetensors weights in ${path}.`, { cause })
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
