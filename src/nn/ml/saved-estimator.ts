/** Estimators on disk: their options, with layers as data. A function of the user's own cannot be saved, and says so. */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { layersData, layersOf, modelData, modelOf, ownLayerOf } from '../model-data.js'
import type { Model } from '../model.js'
import type { LayerData, ModelData } from '../model-data.js'
import type { Layer } from '../layers/layer.js'
import { saveStage } from './saved-stage.js'
import type { LoadedStage } from './saved-stage.js'

/** Writes an estimator's options to a folder. */
export async function saveEstimator(path: string, kind: string, options: object): Promise<void> {
  const params = Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, dataOf(kind, name, value)]],
    ),
  )
  await saveStage(path, { kind, params })
}

/** The options that were saved. */
export function savedOptions({ params }: LoadedStage): unknown {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, valueOf(value)]))
}

function dataOf(kind: string, name: string, value: unknown): unknown {
  const isModel = typeof value === 'object' && value !== null && 'layers' in value && 'weights' in value
  const layers = isLayers(value) ? value : isModel ? (value as unknown as Model).layers.map(({ layer }) => layer) : []
  if (ownLayerOf(layers) === undefined) {
    if (isLayers(value)) return { layers: layersData(value) }
    if (isModel) return { model: modelData(value as unknown as Model) }
    if (isPlain(value)) return value
  }
  throw new ShardbookError(
    'argument',
    `${kind}.save: expected options that are plain data, got ${name}: ${show(value)}.`,
    {
      hint: 'Save the fitted model, or leave the option out and give it again after loading: estimator.copy({ … }).',
    },
  )
}

function valueOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('layers' in value) return layersOf(value.layers as LayerData[])
  return 'model' in value ? modelOf(value.model as ModelData) : value
}

function isLayers(value: unknown): value is Layer[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'object' && 'infer' in item)
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'function') return false
  if (typeof value !== 'object' || value === null) return true
  return Object.values(value).every(isPlain)
}
