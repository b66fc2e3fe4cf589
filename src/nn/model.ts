/**
 * A model: layers in a row for samples of one shape, checked when it is built. It holds no weights; they are a list of
 * tensors beside it, in the order of `weights`.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { nearest, show } from '../core/check.js'
import { displaySymbol } from '../core/display.js'
import type { Displayable } from '../core/display.js'
import { sizeOf } from '../core/dtype.js'
import type { TensorData } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { fold, keyOf } from '../core/random.js'
import { initialWeight } from './layers/initializer.js'
import { layerKinds } from './layers/index.js'
import type { LayerKind } from './layers/index.js'
import { showShape } from './layers/layer.js'
import type { Layer, LayerContext, Shape, WeightSpec } from './layers/layer.js'

/** A layer at its place in a model. */
export interface PlacedLayer {
  readonly layer: Layer
  readonly name: string
  readonly input: Shape
  readonly output: Shape
  /** Position of its weights in the model's list. */
  readonly firstWeight: number
  readonly weights: readonly WeightSpec[]
}

/** A model as JSON. */
export interface ModelData {
  readonly inputShape: Shape
  readonly layers: readonly { readonly kind: string; readonly options: object }[]
}

export interface Model {
  readonly inputShape: Shape
  readonly outputShape: Shape
  readonly layers: readonly PlacedLayer[]
  /** All weights, named `layer/weight`. */
  readonly weights: readonly WeightSpec[]
  /** Shapes, parameters and names as a table. */
  summary(): Summary
}

/** A table that renders as text. */
export interface Summary extends Displayable {
  readonly parameters: number
  toString(): string
}

/**
 * Builds a model: layers applied one after the other to samples of `inputShape`.
 *
 * @throws ShardbookError `argument` when a layer cannot take what comes out of the one before, or two have one name.
 * @example
 * ```ts
 * const mlp = nn.model([nn.flatten(), nn.dense({ units: 10 })], { inputShape: [28, 28, 1] })
 * ```
 */
export function model(layers: readonly Layer[], options: { readonly inputShape: Shape }): Model {
  const inputShape = [...options.inputShape]
  if (inputShape.length === 0 || !inputShape.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new ShardbookError(
      'argument',
      `nn.model: expected inputShape to be positive integers, one sample without the batch axis, got ${show(inputShape)}.`,
    )
  }
  if (layers.length === 0) throw new ShardbookError('argument', 'nn.model: expected at least one layer, got none.')
  const names = namesOf(layers)
  const placed: PlacedLayer[] = []
  const weights: WeightSpec[] = []
  let shape: Shape = inputShape
  for (const [i, layer] of layers.entries()) {
    const name = names[i]!
    const { output, weights: own } = inferAt(layer, name, i, shape)
    placed.push(Object.freeze({ layer, name, input: shape, output, firstWeight: weights.length, weights: own }))
    weights.push(...own.map((weight) => ({ ...weight, name: `${name}/${weight.name}` })))
    shape = output
  }
  const built: Model = {
    inputShape,
    outputShape: shape,
    layers: placed,
    weights,
    summary: () => summarise(built),
  }
  return Object.freeze(built)
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

/**
 * Applies a model, or some of its layers: `x: [batch, ...input] -> [batch, ...output]`.
 *
 * A max pooling that follows bias and monotone activation is applied before them: exactly the same numbers, as rounding
 * is monotone too, on a quarter of the elements.
 */
export function applyModel(
  { layers }: Model,
  context: LayerContext,
  weights: readonly Tensor[],
  x: Tensor,
  { from = 0, to = layers.length }: LayerRange = {},
): Tensor {
  let y = x
  for (let i = from; i < to; i++) {
    const { layer, firstWeight, weights: specs } = layers[i]!
    const own = weights.slice(firstWeight, firstWeight + specs.length)
    const next = i + 1 < to ? layers[i + 1]!.layer : undefined
    if (layer.halves !== undefined && next?.kind === 'maxPooling2d') {
      y = layer.halves.finish(context, next.apply(context, layer.halves.linear(context, y, own), []), own)
      i++
    } else {
      y = layer.apply(context, y, own)
    }
  }
  return y
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

export function modelData({ inputShape, layers }: Model): ModelData {
  return {
    inputShape,
    layers: layers.map(({ layer, name }) => ({ kind: layer.kind, options: { ...layer.options, name } })),
  }
}

/** The model that `modelData` described. */
export function modelOf({ inputShape, layers }: ModelData): Model {
  const made = layers.map(({ kind, options }) => {
    const make = layerKinds[kind as LayerKind] as ((options: object) => Layer) | undefined
    if (make !== undefined) return make(options)
    throw new ShardbookError('data', `nn.model: expected layers that this version knows, got "${kind}".`)
  })
  return model(made, { inputShape })
}

/** `conv1`, `conv2`, `pool1`: by kind and place, unless given. */
function namesOf(layers: readonly Layer[]): string[] {
  const counts = new Map<string, number>()
  const names = layers.map(({ kind, name }) => {
    const stem = stems[kind] ?? kind
    counts.set(stem, (counts.get(stem) ?? 0) + 1)
    return name ?? `${stem}${counts.get(stem)}`
  })
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return names
  throw new ShardbookError('argument', `nn.model: expected layers with names of their own, got "${twice}" twice.`)
}

const stems: Readonly<Record<string, string>> = {
  conv2d: 'conv',
  conv2dTranspose: 'deconv',
  maxPooling2d: 'pool',
  averagePooling2d: 'pool',
  upSampling2d: 'up',
}

function inferAt(layer: Layer, name: string, index: number, input: Shape) {
  try {
    return layer.infer(input)
  } catch (error) {
    if (!(error instanceof ShardbookError)) throw error
    throw new ShardbookError(error.code, `nn.model: layer ${index + 1} ("${name}") does not fit: ${error.message}`, {
      cause: error,
    })
  }
}

function summarise({ layers, inputShape }: Model): Summary {
  const rows = [
    ['layer', 'kind', 'output', 'parameters'],
    ['(input)', '', showShape(inputShape), ''],
    ...layers.map(({ name, layer, output, weights }) => [
      name,
      layer.kind,
      showShape(output),
      String(weights.reduce((n, { shape }) => n + sizeOf(shape), 0)),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  '),
  )
  const parameters = layers.reduce((n, { weights }) => n + weights.reduce((m, { shape }) => m + sizeOf(shape), 0), 0)
  const text = [...lines, `${parameters.toLocaleString('en-US')} parameters`].join('\n')
  return { parameters, toString: () => text, [displaySymbol]: () => ({ 'text/plain': text }) }
}
