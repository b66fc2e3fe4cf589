/**
 * Stages from their folders: a table from the kind that `model.json` tells to what makes a stage of it. A stage's module is
 * imported when a stage of its kind is loaded.
 */
import { nearest, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { featureLoaders } from './load-features.js'
import { neuralLoaders } from './load-neural.js'
import { plainLoaders } from './load-plain.js'
import { readStage } from './saved-stage.js'
import type { LoadedStage } from './saved-stage.js'
import type { Stage, Transformer } from './stage.js'

const loaders = {
  ...neuralLoaders,
  ...featureLoaders,
  ...plainLoaders,
  Pipeline: async (saved: LoadedStage) =>
    (await import('./pipeline.js')).Pipeline.load({ kind: saved.kind, stages: await loadAll(saved) }),
  PipelineModel: async (saved: LoadedStage) =>
    (await import('./pipeline.js')).PipelineModel.load({ stages: await loadAll(saved) }),
  TunedModel: async (saved: LoadedStage) =>
    (await import('./tuning/tuned-model.js')).TunedModel.load(saved, await loadAll(saved)),
}

/** Names of the classes that `load` knows. */
export type StageKind = keyof typeof loaders
export type StageOf<K extends StageKind> = Awaited<ReturnType<(typeof loaders)[K]>>

/**
 * The model, pipeline or feature stage that `stage.save(path)` wrote; its results are bit for bit those of the saved one on
 * the same engine. With its kind, the result has that class.
 *
 * @throws ShardbookError `io` when there is none, `data` when it is damaged, of another version, or not of that kind.
 * @example
 * ```ts
 * await model.save('digits')
 * const again = await ml.load('digits', 'CNNClassifierModel')
 * ```
 */
export async function load(path: string): Promise<Transformer>
export async function load<K extends StageKind>(path: string, kind: K): Promise<StageOf<K>>
export async function load(path: string, kind?: StageKind): Promise<unknown> {
  const saved = await readStage(path)
  if (kind !== undefined && kind !== saved.kind) {
    throw new ShardbookError('data', `ml.load: expected a ${kind} in ${path}, got a ${saved.kind}.`)
  }
  return stageOf(saved)
}

/** The stage that a folder held. @throws ShardbookError `data` for a kind that is not known */
export async function stageOf(saved: LoadedStage): Promise<unknown> {
  const loader = (loaders as Readonly<Record<string, (saved: LoadedStage) => Promise<unknown>>>)[saved.kind]
  if (loader !== undefined) return loader(saved)
  const near = nearest(saved.kind, Object.keys(loaders))
  throw new ShardbookError(
    'data',
    `ml.load: expected a kind of stage that this version knows in ${saved.path}, got ${show(saved.kind)}.`,
    near === undefined ? {} : { hint: `The nearest is ${near}.` },
  )
}

async function loadAll({ stages }: LoadedStage): Promise<Stage[]> {
  const loaded: Stage[] = []
  for (const path of stages) loaded.push(await load(path))
  return loaded
}
