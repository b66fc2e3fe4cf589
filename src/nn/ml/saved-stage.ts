/**
 * Stages on disk: a folder with `model.json` (its kind and options), the numbers beside it as safetensors, and for a pipeline
 * a folder for each of its stages.
 *
 * What `model.json` names is written first and carries a checksum or a number of its own in its name; `model.json` comes
 * last and whole or not at all: a stage that is saved over another leaves the old one or the new one, whatever happens on
 * the way.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ShardbookError } from '../../core/errors.js'
import { keepNumber, reviveNumber } from '../../core/json-numbers.js'
import { digest, localStore } from '../../store/index.js'
import type { ModelData } from '../model-data.js'
import { decodeTensors, encodeTensors } from '../safetensors.js'
import type { SavedTensor } from '../safetensors.js'
import type { Stage } from './stage.js'

/** What makes a stage. */
export interface SavedStage {
  readonly kind: string
  /** Plain JSON that its kind understands; numbers that JSON lacks (NaN, infinities) are kept. */
  readonly params: Readonly<Record<string, unknown>>
  /** What it has learnt: arrays by name. */
  readonly tensors?: Readonly<Record<string, SavedTensor>>
  /** The network of a neural model. */
  readonly network?: ModelData
  /** The stages of a pipeline. */
  readonly stages?: readonly Stage[]
}

/** A stage that was read, but for the stages in it: their folders. */
export interface LoadedStage extends Omit<SavedStage, 'stages'> {
  /** Its folder. */
  readonly path: string
  readonly tensors: Readonly<Record<string, SavedTensor>>
  readonly stages: readonly string[]
}

interface Metadata {
  readonly format: 'shardbook-model'
  readonly version: 1
  readonly kind: string
  readonly params: Readonly<Record<string, unknown>>
  readonly network?: ModelData
  readonly weights?: { readonly file: string; readonly sha256: string }
  readonly stages?: readonly string[]
}

/** Writes a stage to a folder, which is made if need be. */
export async function saveStage(path: string, { kind, params, network, tensors, stages }: SavedStage): Promise<void> {
  const store = localStore()
  const before = await store.list(`${path}/`)
  const written = [join(path, 'model.json')]
  let weights: Metadata['weights']
  if (tensors !== undefined && Object.keys(tensors).length > 0) {
    const bytes = encodeTensors(tensors)
    const sha256 = digest(bytes)
    weights = { file: `weights-${sha256.slice(0, 16)}.safetensors`, sha256 }
    written.push(join(path, weights.file))
    await store.put(join(path, weights.file), bytes)
  }
  let folders: string[] | undefined
  if (stages !== undefined) {
    const turn = nextTurn(path, before)
    folders = []
    for (const [i, stage] of stages.entries()) {
      const folder = join(turn, `${String(i).padStart(2, '0')}-${stage.kind}`)
      await stage.save(join(path, folder))
      folders.push(folder)
      written.push(join(path, folder))
    }
  }
  const metadata: Metadata = {
    format: 'shardbook-model',
    version: 1,
    kind,
    params,
    ...(network && { network }),
    ...(weights && { weights }),
    ...(folders && { stages: folders }),
  }
  await store.put(written[0]!, new TextEncoder().encode(`${JSON.stringify(metadata, keepNumber, 2)}\n`))
  const kept = new Set(written.map((each) => each.slice(join(path, '/').length).split('/')[0]))
  for (const name of new Set(before.map((file) => file.slice(join(path, '/').length).split('/')[0]!))) {
    if (!kept.has(name) && isOurs(name)) await rm(join(path, name), { recursive: true, force: true })
  }
}

/**
 * Reads a stage from a folder.
 *
 * @throws ShardbookError `io` when there is none, `data` when it is damaged or of another format.
 */
export async function readStage(path: string): Promise<LoadedStage> {
  const store = localStore()
  const { kind, params, network, weights, stages = [] } = parseMetadata(path, await store.get(join(path, 'model.json')))
  let tensors: Readonly<Record<string, SavedTensor>> = {}
  if (weights !== undefined) {
    const bytes = await store.get(join(path, weights.file))
    if (digest(bytes) !== weights.sha256) {
      throw new ShardbookError(
        'data',
        `ml.load: expected the weights that were saved in ${path}, got a damaged file.`,
        { hint: 'Its checksum differs. Save the model again.' },
      )
    }
    tensors = decodeTensors(`ml.load: ${path}`, bytes)
  }
  return { path, kind, params, tensors, ...(network && { network }), stages: stages.map((name) => join(path, name)) }
}

/** The array of that name. @throws ShardbookError `data` when it is not there or of another type. */
export function savedArray<D extends SavedTensor['dtype']>(
  saved: LoadedStage,
  name: string,
  dtype: D,
): D extends 'float64'
  ? Float64Array
  : D extends 'float32'
    ? Float32Array
    : D extends 'int32'
      ? Int32Array
      : Uint8Array {
  const tensor = saved.tensors[name]
  if (tensor?.dtype === dtype) return tensor.values as never
  throw new ShardbookError('data', `ml.load: expected the ${dtype} array "${name}" in ${saved.path}.`)
}

/** A folder for stages that no earlier saving has used: `stages`, `stages-2`, … */
function nextTurn(path: string, before: readonly string[]): string {
  const used = (name: string): boolean => before.some((file) => file.startsWith(`${join(path, name)}/`))
  for (let turn = 1; ; turn++) {
    const name = turn === 1 ? 'stages' : `stages-${turn}`
    if (!used(name)) return name
  }
}

/** Whether a model's own words about its files lead to files of its folder that `saveStage` writes, and nowhere else. */
function namesOwnFiles({ weights, stages = [] }: Partial<Metadata>): boolean {
  const isFolder = (name: unknown): boolean => typeof name === 'string' && /^stages(?:-\d+)?[/\\]\d+-\w+$/.test(name)
  return (weights === undefined || isOurs(weights.file)) && Array.isArray(stages) && stages.every(isFolder)
}

function isOurs(name: string): boolean {
  return /^(?:weights-[0-9a-f]{16}\.safetensors|stages(?:-\d+)?)$/.test(name)
}

function parseMetadata(path: string, bytes: Uint8Array): Metadata {
  let parsed: Partial<Metadata> | null
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes), reviveNumber) as Partial<Metadata> | null
  } catch (cause) {
    throw new ShardbookError('data', `ml.load: expected ${join(path, 'model.json')} to be JSON.`, { cause })
  }
  if (parsed?.format === 'shardbook-model' && parsed.version === 1) {
    if (namesOwnFiles(parsed)) return parsed as Metadata
    throw new ShardbookError('data', `ml.load: expected ${join(path, 'model.json')} to name files of its own folder.`)
  }
  throw new ShardbookError(
    'data',
    `ml.load: expected a model of format version 1 in ${path}, got ${parsed?.format ?? 'something else'} ${parsed?.version ?? ''}.`,
  )
}
