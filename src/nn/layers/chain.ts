/** Layers in a row: their names, shapes and weights, and how they are applied. A model is one, and so is each branch of a layer. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import { cropUnread } from './crop.js'
import { factors } from './half-precision.js'
import type { Inferred, Layer, LayerContext, Shape } from './layer.js'
import type { MergeOptions } from './merge.js'
import { inARow } from './node.js'
import type { Node } from './node.js'

/** A layer with its weights on the engine. */
export interface Step {
  readonly layer: Layer
  readonly weights: readonly Tensor[]
}

/**
 * Applies layers one after the other.
 *
 * A max pooling that follows bias and monotone activation is applied before them: exactly the same numbers, as rounding
 * is monotone too, on a quarter of the elements.
 */
export function applySteps(given: LayerContext, steps: readonly Step[], x: Tensor): Tensor {
  return runSteps(given, steps, x).y
}

/** The same, with which steps of the result count. */
export function runSteps(
  given: LayerContext,
  steps: readonly Step[],
  x: Tensor,
): { y: Tensor; mask: Tensor2D | undefined } {
  let y = x
  let context = given
  for (let i = 0; i < steps.length; i++) {
    const { layer } = steps[i]!
    const next = steps[i + 1]?.layer
    if (layer.window !== undefined && steps[i - 1]?.layer.window === undefined) {
      y = cropUnread(
        context.tf,
        steps.slice(i).map((step) => step.layer),
        y,
      )
    }
    const { x: taken, weights } = factors(context, layer, y, steps[i]!.weights)
    if (layer.halves !== undefined && next?.kind === 'maxPooling2d') {
      y = layer.halves.finish(context, next.apply(context, layer.halves.linear(context, taken, weights), []), weights)
      i++
    } else {
      const mask = layer.masks?.(context, y) ?? context.mask
      y = layer.apply(context, taken, weights)
      context = withMask(context, mask !== undefined && y.rank === 3 && y.shape[1] === mask.shape[1] ? mask : undefined)
    }
  }
  return { y, mask: context.mask }
}

/** A context with another mask, or none. */
export function withMask(context: LayerContext, mask: Tensor2D | undefined): LayerContext {
  if (context.mask === mask) return context
  const { mask: _, ...rest } = context
  return mask === undefined ? rest : { ...rest, mask }
}

/** What a layer within makes of a shape, and its name. */
export interface Link extends Inferred {
  readonly layer: Layer
  readonly name: string
  readonly input: Shape
}

/** Shapes through layers in a row. `caller` and the layer's name go before what a layer says against its input. */
export function inferChain(caller: string, layers: readonly Layer[], input: Shape): Link[] {
  return inferNodes(caller, inARow(layers), input)
}

/** Shapes through the nodes of a graph, each behind those that it takes. */
export function inferNodes(caller: string, nodes: readonly Node[], sample: Shape): (Link & Node)[] {
  const names = namesOf(
    caller,
    nodes.map(({ layer }) => layer),
  )
  const links: (Link & Node)[] = []
  for (const [i, { layer, from }] of nodes.entries()) {
    const name = names[i]!
    const given = from.map((at) => (at < 0 ? sample : links[at]!.output))
    const [input] = given as [Shape]
    links.push({ layer, from, name, input, ...inferAt(caller, { layer, name, index: i }, given) })
  }
  return links
}

/** Layers in a row as one rule: what they infer together, with weights named `layer/weight`. */
export function inferAsOne(caller: string, layers: readonly Layer[], input: Shape): Inferred {
  const links = inferChain(caller, layers, input)
  return {
    output: links.at(-1)?.output ?? input,
    weights: links.flatMap(({ name, weights }) =>
      weights.map((weight) => ({ ...weight, name: `${name}/${weight.name}` })),
    ),
  }
}

/** Applies layers that `inferAsOne` inferred, with their weights in one list. */
export function applyAsOne(
  context: LayerContext,
  layers: readonly Layer[],
  x: Tensor,
  weights: readonly Tensor[],
): Tensor {
  return runAsOne(context, layers, x, weights).y
}

/** The same, with which steps of the result count. */
export function runAsOne(context: LayerContext, layers: readonly Layer[], x: Tensor, weights: readonly Tensor[]) {
  let taken = 0
  const steps = inferChain('nn', layers, x.shape.slice(1)).map(({ layer, weights: specs }) => {
    taken += specs.length
    return { layer, weights: weights.slice(taken - specs.length, taken) }
  })
  return runSteps(context, steps, x)
}

/** `conv1`, `conv2`, `pool1`: by kind and place, unless given; a layer that stands there again is `conv1#2`. */
function namesOf(caller: string, layers: readonly Layer[]): string[] {
  const counts = new Map<string, number>()
  const first = new Map<Layer, string>()
  const uses = new Map<Layer, number>()
  const names = layers.map((layer) => {
    const use = (uses.get(layer) ?? 0) + 1
    uses.set(layer, use)
    if (use > 1) return `${first.get(layer)!}#${use}`
    const stem = layer.kind === 'merge' ? (layer.options as MergeOptions).by : (stems[layer.kind] ?? layer.kind)
    counts.set(stem, (counts.get(stem) ?? 0) + 1)
    const name = layer.name ?? `${stem}${counts.get(stem)}`
    first.set(layer, name)
    return name
  })
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return names
  throw new ShardbookError('argument', `${caller}: expected layers with names of their own, got "${twice}" twice.`)
}

const stems: Readonly<Record<string, string>> = {
  conv2d: 'conv',
  conv2dTranspose: 'deconv',
  maxPooling2d: 'pool',
  averagePooling2d: 'pool',
  upSampling2d: 'up',
}

function inferAt(
  caller: string,
  { layer, name, index }: { readonly layer: Layer; readonly name: string; readonly index: number },
  given: readonly Shape[],
): Inferred {
  try {
    return layer.joins === undefined ? layer.infer(given[0]!) : { output: layer.joins.output(given), weights: [] }
  } catch (error) {
    if (!(error instanceof ShardbookError)) throw error
    const { madeAt } = layer
    throw new ShardbookError(error.code, `${caller}: layer ${index + 1} ("${name}") does not fit: ${error.message}`, {
      cause: error,
      ...(madeAt === undefined ? {} : { hint: `The layer was made at ${madeAt}.` }),
    })
  }
}
