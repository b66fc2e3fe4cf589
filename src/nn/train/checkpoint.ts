/**
 * Checkpoints: the states of a training in a folder, one file each, newest last by name.
 *
 * A file is safetensors whose metadata holds what is not a tensor as JSON, and a fingerprint of the job. It is written whole or
 * not at all, and its name ends in the checksum of its bytes: a damaged one is known and passed over, for the one before. The
 * fingerprint covers all that makes a training the same one (programs, seed, batch), so that the state of another model is
 * refused; it leaves out how long it is to run and at which rates, so that one may go on for longer.
 */
import { basename, join } from 'node:path'
import { show } from '../../core/check.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { keepNumber, reviveNumber } from '../../core/json-numbers.js'
import type { Trace } from '../../engine/index.js'
import { digest, localStore } from '../../store/index.js'
import { decodeMetadata, decodeTensors, encodeTensors } from '../safetensors.js'
import type { Progress, TrainingJob, TrainingState } from './job.js'

/** A checkpoint as it was found. */
export interface FoundCheckpoint {
  readonly state: TrainingState
  readonly path: string
  /** Newer ones that are damaged and were passed over, each as a sentence. */
  readonly damaged: readonly string[]
}

export interface SaveOptions {
  /** How many checkpoints stay in the folder. Default 3. */
  readonly keep?: number
}

/**
 * Writes a state into a folder, which is made if need be, and removes the oldest beyond `keep`. Gives the file's path.
 *
 * @throws ShardbookError `io` when it cannot be written; what was there stays.
 */
export async function saveCheckpoint(
  folder: string,
  job: TrainingJob,
  state: TrainingState,
  { keep = 3 }: SaveOptions = {},
): Promise<string> {
  const store = localStore()
  const parts = { weights: state.weights, slots: state.slots, best: state.best ?? [] }
  const named = Object.entries(parts).flatMap(([part, list]) => list.map((data, i) => [`${part}/${i}`, data] as const))
  const bytes = encodeTensors(Object.fromEntries(named), {
    format: 'shardbook-checkpoint-1',
    step: String(state.step),
    job: JSON.stringify(fingerprint(job)),
    ...(state.progress === undefined ? {} : { progress: JSON.stringify(state.progress, keepNumber) }),
  })
  const path = join(folder, fileName(state.step, bytes))
  await store.put(path, bytes)
  const old = (await listCheckpoints(folder)).filter((other) => stepOf(other) < state.step)
  for (const other of old.slice(0, Math.max(0, old.length + 1 - keep))) await store.delete(other)
  return path
}

/**
 * The newest whole checkpoint in a folder, or `undefined` when there is none at all.
 *
 * @throws ShardbookError `state` when it is of another training, saying in what they differ; `data` when all are damaged.
 */
export async function latestCheckpoint(folder: string, job: TrainingJob): Promise<FoundCheckpoint | undefined> {
  const damaged: string[] = []
  for (const path of (await listCheckpoints(folder)).toReversed()) {
    const bytes = await localStore().get(path)
    if (basename(path) !== fileName(stepOf(path), bytes)) {
      damaged.push(`The checkpoint ${basename(path)} is damaged: its checksum differs.`)
      continue
    }
    return { state: decodeState(path, bytes, job), path, damaged }
  }
  if (damaged.length === 0) return undefined
  throw new ShardbookError('data', `training: expected a whole checkpoint in ${folder}, got damaged ones.`, {
    hint: damaged.join(' '),
  })
}

/** Removes all checkpoints of a folder. */
export async function removeCheckpoints(folder: string): Promise<void> {
  for (const path of await listCheckpoints(folder)) await localStore().delete(path)
}

/** Paths of the checkpoints in a folder, oldest first. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const paths = await localStore().list(join(folder, 'step-'))
  return paths.filter((path) => /^step-\d{10}-[0-9a-f]{16}\.safetensors$/.test(basename(path)))
}

function fileName(step: number, bytes: Uint8Array): string {
  return `step-${String(step).padStart(10, '0')}-${digest(bytes).slice(0, 16)}.safetensors`
}

function stepOf(path: string): number {
  return Number(basename(path).slice(5, 15))
}

function decodeState(path: string, bytes: Uint8Array, job: TrainingJob): TrainingState {
  const tensors = decodeTensors(`training: checkpoint ${path}`, bytes)
  const metadata = decodeMetadata(bytes)
  if (metadata['format'] !== 'shardbook-checkpoint-1') {
    throw new ShardbookError(
      'data',
      `training: expected a checkpoint of format 1 in ${path}, got ${show(metadata['format'])}.`,
    )
  }
  checkSameJob(path, job, JSON.parse(metadata['job']!) as Fingerprint)
  const part = (name: string): TensorData[] =>
    Object.entries(tensors).flatMap(([tensorName, data]) =>
      tensorName.startsWith(`${name}/`) ? [data as TensorData] : [],
    )
  const best = part('best')
  return {
    step: Number(metadata['step']),
    weights: part('weights'),
    slots: part('slots'),
    ...(metadata['progress'] === undefined
      ? {}
      : { progress: JSON.parse(metadata['progress'], reviveNumber) as Progress }),
    ...(best.length === 0 ? {} : { best }),
  }
}

/** What makes two trainings the same one, by name. */
type Fingerprint = Readonly<Record<'weights' | 'slots' | 'programs' | 'metrics' | 'seed' | 'batch' | 'slices', string>>

function fingerprint({ programs, start, metrics, seed, batchRows, slices }: TrainingJob): Fingerprint {
  const shapes = (list: readonly TensorData[]): string => list.map(({ shape }) => `[${shape.join(', ')}]`).join(' ')
  return {
    weights: shapes(start.weights),
    slots: shapes(start.slots),
    metrics: JSON.stringify(metrics),
    seed: String(seed),
    batch: String(batchRows),
    slices: String(slices),
    programs: digest([programs.gradients, programs.update, programs.evaluate].map(traceText).join('\n')),
  }
}

function traceText(trace: Trace): string {
  return JSON.stringify(trace, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? [...(value as Float32Array)] : value,
  )
}

function checkSameJob(path: string, job: TrainingJob, saved: Fingerprint): void {
  const own = fingerprint(job)
  const differs = (Object.keys(own) as (keyof Fingerprint)[]).find((name) => own[name] !== saved[name])
  if (differs === undefined) return
  const what = {
    weights: `weights of shapes ${own.weights}, got ${saved.weights}`,
    slots: `an optimiser with the state ${own.slots || '(none)'}, got ${saved.slots || '(none)'}`,
    metrics: `metrics ${own.metrics}, got ${saved.metrics}`,
    seed: `the seed ${own.seed}, got ${saved.seed}`,
    batch: `batches of ${own.batch} rows, got ${saved.batch}`,
    slices: `batches in ${own.slices} slices, got ${saved.slices}`,
    programs: `the steps of this model, optimiser and engine, got others`,
  }[differs]
  throw new ShardbookError('state', `training: expected a checkpoint with ${what} in ${path}.`, {
    hint: 'It is of another training. Name another folder, or train with the options that it was made with.',
  })
}
