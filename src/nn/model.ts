/**
 * A model: layers in a row for samples of one shape, checked when it is built. It holds no weights; they are a list of
 * tensors beside it, in the order of `weights`.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { nearest, show } from '../core/check.js'
import { sizeOf } from '../core/dtype.js'
import type { TensorData } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { fold, keyOf } from '../core/random.js'
import { applySteps, inferChain } from './layers/chain.js'
import { initialWeight } from './layers/initializer.js'
import { layerKinds } from './layers/index.js'
import { checkInputLayers, inputList, numbersOf } from './layers/input.js'
import type { InputList, InputShapes } from './layers/input.js'
import type { LayerKind } from './layers/index.js'
import { showShape } from './layers/layer.js'
import type { Fits } from './layers/literal-shapes.js'
import type { Layer, LayerContext, Shape, WeightSpec } from './layers/layer.js'
import { summarise } from './summary.js'
import type { Summary } from './summary.js'
import { watched } from './layers/watch.js'

/** A layer at its place in a model. */
export interface PlacedLayer {
  readonly layer: Layer
  readonly name: string
  readonly input: Shape
  readonly output: Shape
  readonly weights: readonly WeightSpec[]
  /** Positions of its weights in the model's list; a layer that stands in several places has its weights once. */
  readonly positions: readonly number[]
}

/** A layer as JSON, or the number of a layer before it, counted from 0 with the layers within layers. */
export type LayerData = { readonly kind: string; readonly options: object } | { readonly same: number }

/** A model as JSON. */
export interface ModelData {
  readonly inputShape: Shape
  readonly inputs?: InputList
  readonly layers: readonly LayerData[]
}

export interface Model {
  /** Of several inputs: all their numbers, one after the other. */
  readonly inputShape: Shape
  /** Where there are several. */
  readonly inputs?: InputList
  readonly outputShape: Shape
  readonly layers: readonly PlacedLayer[]
  /** All weights, named `layer/weight`. */
  readonly weights: readonly WeightSpec[]
  /** Shapes, parameters and names as a table. */
  summary(): Summary
}

/** What goes into a model: samples of one shape, or several inputs by name. */
export type ModelOptions<S extends Shape = Shape> =
  | { readonly inputShape: S; readonly inputs?: undefined }
  | { readonly inputs: InputShapes; readonly inputShape?: undefined }

/**
 * Builds a model: layers applied one after the other to samples of `inputShape`, or to several `inputs`, each of which begins a
 * branch (`nn.inputs`). Where shapes are literal, layers that do not fit are type errors.
 *
 * @throws ShardbookError `argument` when a layer cannot take what comes out of the one before, or two have one name.
 * @example
 * ```ts
 * const mlp = nn.model([nn.flatten(), nn.dense({ units: 10 })], { inputShape: [28, 28, 1] })
 * ```
 */
export function model<const Layers extends readonly Layer[], const S extends Shape = Shape>(
  layers: Layers & Fits<Layers, S>,
  options: ModelOptions<S>,
): Model
export function model(layers: readonly Layer[], options: ModelOptions): Model {
  const inputs = options.inputs === undefined ? undefined : inputList('nn.model', options.inputs)
  const inputShape = inputs === undefined ? [...options.inputShape!] : [numbersOf(inputs)]
  if (inputShape.length === 0 || !inputShape.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new ShardbookError(
      'argument',
      `nn.model: expected inputShape to be positive integers, one sample without the batch axis, got ${show(inputShape)}.`,
    )
  }
  if (layers.length === 0) throw new ShardbookError('argument', 'nn.model: expected at least one layer, got none.')
  checkInputLayers('nn.model', layers, inputs)
  const weights: WeightSpec[] = []
  const place = placing(weights)
  const placed = inferChain('nn.model', layers, inputShape).map(({ layer, name, input, output, weights: own }) =>
    Object.freeze({
      layer,
      name,
      input,
      output,
      weights: own,
      positions: own.map((spec) => place(name, { uses: usesOf(input, output), ...spec })),
    }),
  )
  const built: Model = {
    inputShape,
    ...(inputs && { inputs }),
    outputShape: placed.at(-1)!.output,
    layers: placed,
    weights,
    summary: () => summarise(built),
  }
  return Object.freeze(built)
}

/** How often a layer uses each of its weights for a sample, about. */
function usesOf(input: Shape, output: Shape): number {
  const [before, after] = [input, output].map((shape) => sizeOf(shape.slice(0, -1))) as [number, number]
  return output.length < input.length ? before : Math.min(before, after)
}

/** Adds a layer's weight to a model's list, or finds it there; gives its position. */
function placing(weights: WeightSpec[]): (layer: string, spec: WeightSpec) => number {
  const owners = new Map<object, Map<string, number>>()
  return (name, { owner, ...spec }) => {
    const own = owner === undefined ? undefined : (owners.get(owner.layer) ?? new Map<string, number>())
    const at = own?.get(owner!.weight)
    if (at === undefined) {
      const position = weights.push({ ...spec, name: `${name}/${spec.name}` }) - 1
      if (own !== undefined) owners.set(owner!.layer, own.set(owner!.weight, position))
      return position
    }
    const shared = weights[at]!
    if (showShape(shared.shape) === showShape(spec.shape)) return at
    throw new ShardbookError(
      'argument',
      `nn.model: expected "${name}" to share the weight "${shared.name}" ${showShape(shared.shape)}, got samples that need ${showShape(spec.shape)}.`,
      {
        hint: 'A layer that stands in several places has the same weights there. Make another one for weights of its own.',
      },
    )
  }
}

/** The weights that a model starts with: the same for a seed wherever it is trained. */
export function initialWeights({ weights }: Model, seed: number): TensorData[] {
  return weights.map((weight, i) => initialWeight(weight, fold(keyOf(seed), i)))
}

/** Which layers to apply: from `from` on, before `to`. */
export interface LayerRange {
  readonly from?: number
  readonly to?: number
}

/** Applies a model, or some of its layers: `x: [batch, ...input] -> [batch, ...output]`. */
export function applyModel(
  { layers }: Model,
  context: LayerContext,
  weights: readonly Tensor[],
  x: Tensor,
  { from = 0, to = layers.length }: LayerRange = {},
): Tensor {
  const steps = layers.slice(from, to).map(({ layer, name, positions }) => ({
    layer: watched(layer, name),
    weights: positions.map((at) => weights[at]!),
  }))
  return applySteps(context, steps, x)
}

/** Position of a layer by its name. */
export function layerIndex(caller: string, { layers }: Model, name: string): number {
  const index = layers.findIndex((placed) => placed.name === name)
  if (index >= 0) return index
  const names = layers.map((placed) => placed.name)
  const near = nearest(name, names)
  throw new ShardbookError(
    'argument',
    `${caller}: expected one of the layers ${names.join(', ')}, got ${show(name)}.`,
    near === undefined ? {} : { hint: `Did you mean ${show(near)}?` },
  )
}

/** A model as JSON, which predicts as it does: of layers of the user's own what they do, not their code. */
export function modelData({ inputShape, inputs, layers }: Model): ModelData {
  const seen: Layer[] = []
  return {
    inputShape,
    ...(inputs && { inputs }),
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
export function modelOf({ inputShape, inputs, layers }: ModelData): Model {
  return model(layersOf(layers), inputs === undefined ? { inputShape } : { inputs: Object.fromEntries(inputs) })
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
