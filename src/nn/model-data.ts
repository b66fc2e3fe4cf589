/** Models as plain data, and back. */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { layerKinds } from './layers/index.js'
import type { LayerKind } from './layers/index.js'
import type { InputList } from './layers/input.js'
import type { Layer, Shape } from './layers/layer.js'
import { inARow, isRow } from './layers/node.js'
import { assemble } from './model.js'
import type { Model } from './model.js'

/** A layer as JSON, or the number of a layer before it, counted from 0 with the layers within layers. */
export type LayerData = { readonly kind: string; readonly options: object } | { readonly same: number }

/** A model as JSON. */
export interface ModelData {
  readonly inputShape: Shape
  readonly inputs?: InputList
  readonly layers: readonly LayerData[]
  /** Of a graph: the places of what each layer takes, -1 being the sample. */
  readonly from?: readonly (readonly number[])[]
}

/** A model as JSON, which predicts as it does: of layers of the user's own what they do, not their code. */
export function modelData({ inputShape, inputs, layers }: Model): ModelData {
  const seen: Layer[] = []
  return {
    inputShape,
    ...(inputs && { inputs }),
    ...(isRow(layers) ? {} : { from: layers.map(({ from }) => from) }),
    layers: layers.map(({ layer, name }) => layerData(layer, seen, name)),
  }
}

/** Layers as JSON. */
export function layersData(layers: readonly Layer[]): LayerData[] {
  const seen: Layer[] = []
  return layers.map((layer) => layerData(layer, seen))
}

function layerData(layer: Layer, seen: Layer[], name?: string): LayerData {
  const same = seen.indexOf(layer)
  if (same >= 0) return { same }
  seen.push(layer)
  const data = layer.asData?.() ?? layer
  const options = mapValues(data.options, (value) => optionData(value, seen))
  return { kind: data.kind, options: name === undefined ? options : { ...options, name } }
}

function optionData(value: unknown, seen: Layer[]): unknown {
  if (Array.isArray(value)) return value.map((item) => optionData(item, seen))
  return isLayer(value) ? layerData(value, seen) : value
}

/** A layer whose code is no data, among layers and those within them. */
export function ownLayerOf(layers: readonly unknown[]): Layer | undefined {
  for (const item of layers) {
    if (isLayer(item) && item.asData !== undefined) return item
    const found = ownLayerOf(Array.isArray(item) ? item : isLayer(item) ? Object.values(item.options) : [])
    if (found !== undefined) return found
  }
  return undefined
}

function isLayer(value: unknown): value is Layer {
  return isObject(value) && 'infer' in value
}

/** The model that `modelData` described. */
export function modelOf({ inputShape, inputs, layers, from }: ModelData): Model {
  const made = layersOf(layers)
  return assemble(
    from === undefined ? inARow(made) : made.map((layer, i) => ({ layer, from: placesBefore(from[i], i) })),
    inputs === undefined ? { inputShape } : { inputs: Object.fromEntries(inputs) },
  )
}

function placesBefore(from: readonly number[] | undefined, at: number): readonly number[] {
  if (from !== undefined && from.length > 0 && from.every((n) => Number.isInteger(n) && n >= -1 && n < at)) return from
  throw new ShardbookError('data', `nn.model: expected layers before number ${at} that it takes, got ${show(from)}.`)
}

/** The layers that `layersData` described. */
export function layersOf(layers: readonly LayerData[]): Layer[] {
  const made: Layer[] = []
  return layers.map((data) => layerOf(data, made))
}

function layerOf(data: LayerData, made: Layer[]): Layer {
  if ('same' in data) {
    const layer = made[data.same]
    if (layer !== undefined) return layer
    throw new ShardbookError('data', `nn.model: expected a layer before number ${show(data.same)}, got none.`)
  }
  const { kind, options } = data
  const make = Object.hasOwn(layerKinds, kind) ? (layerKinds[kind as LayerKind] as (given: object) => Layer) : undefined
  if (make === undefined) {
    throw new ShardbookError('data', `nn.model: expected layers that this version knows, got "${kind}".`)
  }
  const at = made.length++
  return (made[at] = make(mapValues(options, (value) => optionOf(value, made))))
}

function optionOf(value: unknown, made: Layer[]): unknown {
  if (Array.isArray(value)) return value.map((item) => optionOf(item, made))
  return isObject(value) && ('same' in value || 'kind' in value) ? layerOf(value as unknown as LayerData, made) : value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function mapValues(object: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}
