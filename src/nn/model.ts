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
import { displaySymbol } from '../core/display.js'
import type { Displayable } from '../core/display.js'
import { applySteps, inferNodes } from './layers/chain.js'
import { applyGraph, buildGraph } from './layers/graph.js'
import type { SymbolicTensor } from './layers/graph.js'
import { initialWeight } from './layers/initializer.js'
import { checkInputLayers, inputList, numbersOf } from './layers/input.js'
import type { InputList, InputShapes } from './layers/input.js'
import { showShape } from './layers/layer.js'
import type { Fits } from './layers/literal-shapes.js'
import { inARow, isRow, needed } from './layers/node.js'
import type { Node } from './layers/node.js'
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
  /** Places of the layers that it takes, -1 being the sample: the layer before, unless the model is a graph. */
  readonly from: readonly number[]
  readonly weights: readonly WeightSpec[]
  /** Positions of its weights in the model's list; a layer that stands in several places has its weights once. */
  readonly positions: readonly number[]
}

export interface Model extends Displayable {
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

/** The inputs of a graph, as its function gets them. */
export type SymbolicInputs<Shapes extends InputShapes> = { readonly [K in keyof Shapes]: SymbolicTensor<Shapes[K]> }

/**
 * Builds a model: layers applied one after the other to samples of `inputShape`, or to several `inputs`, each of which begins a
 * branch (`nn.inputs`); or a graph, by a function from the input, or the inputs by name, to the result. Where shapes are literal,
 * layers that do not fit are type errors.
 *
 * @throws ShardbookError `argument` when a layer cannot take what comes out of the one before, or two have one name.
 * @example
 * ```ts
 * const mlp = nn.model([nn.flatten(), nn.dense({ units: 10 })], { inputShape: [28, 28, 1] })
 * const graph = nn.model(
 *   ({ image, size }) => {
 *     const seen = image.to(nn.conv2d({ filters: 8, kernelSize: 3, padding: 'same', name: 'look' }))
 *     const again = seen.to(nn.conv2d({ filters: 8, kernelSize: 3, padding: 'same', name: 'lookAgain' }))
 *     return seen.add(again).to(nn.flatten()).concatenate(size).to(nn.dense({ units: 10 }))
 *   },
 *   { inputs: { image: [28, 28, 1], size: [4] } },
 * )
 * ```
 */
export function model<const S extends Shape>(
  build: (x: SymbolicTensor<S>) => SymbolicTensor,
  options: { readonly inputShape: S },
): Model
export function model<const Shapes extends InputShapes>(
  build: (inputs: SymbolicInputs<Shapes>) => SymbolicTensor,
  options: { readonly inputs: Shapes },
): Model
export function model<const Layers extends readonly Layer[], const S extends Shape = Shape>(
  layers: Layers & Fits<Layers, S>,
  options: ModelOptions<S>,
): Model
export function model(layers: readonly Layer[] | ((given: never) => unknown), options: ModelOptions): Model {
  return assemble(typeof layers === 'function' ? buildGraph(layers, options.inputs) : inARow(layers), options)
}

/** The model of nodes, of which the last gives the result. */
export function assemble(nodes: readonly Node[], options: ModelOptions, caller = 'nn.model'): Model {
  const inputs = options.inputs === undefined ? undefined : inputList(caller, options.inputs)
  const inputShape = inputs === undefined ? [...options.inputShape!] : [numbersOf(inputs)]
  if (inputShape.length === 0 || !inputShape.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected inputShape to be positive integers, one sample without the batch axis, got ${show(inputShape)}.`,
    )
  }
  if (nodes.length === 0) throw new ShardbookError('argument', `${caller}: expected at least one layer, got none.`)
  const layers = nodes.map(({ layer }) => layer)
  checkInputLayers(caller, layers, inputs)
  const weights: WeightSpec[] = []
  const place = placing(weights)
  const placed = inferNodes(caller, nodes, inputShape).map((link) =>
    Object.freeze({
      ...link,
      positions: link.weights.map((spec) => place(link.name, { uses: usesOf(link.input, link.output), ...spec })),
    }),
  )
  const built: Model = {
    inputShape,
    ...(inputs && { inputs }),
    outputShape: placed.at(-1)!.output,
    layers: placed,
    weights,
    summary: () => summarise(built),
    [displaySymbol]: () => built.summary()[displaySymbol](),
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

/** Applies a model, or some of its layers: `x: [batch, ...input] -> [batch, ...output]`; of a graph what the last of them needs. */
export function applyModel(
  { layers }: Model,
  context: LayerContext,
  weights: readonly Tensor[],
  x: Tensor,
  { from = 0, to = layers.length }: LayerRange = {},
): Tensor {
  const step = ({ layer, name, positions, from: takes }: PlacedLayer) => ({
    layer: watched(layer, name),
    weights: positions.map((at) => weights[at]!),
    from: takes,
  })
  if (isRow(layers)) return applySteps(context, layers.slice(from, to).map(step), x)
  return applyGraph(context, needed(layers, to - 1).map(step), x)
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
