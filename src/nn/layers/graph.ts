/**
 * Graphs of layers. A function that is called once with symbolic tensors, as in Keras's functional way, says what goes into
 * which; what comes of it is a list of layers, each with the places of those before it that it takes. A row of layers is the
 * special case in which each takes the one before.
 */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { runSteps, withMask } from './chain.js'
import type { Step } from './chain.js'
import { inputs } from './input.js'
import type { InputShapes } from './input.js'
import type { Layer, LayerContext, Shape } from './layer.js'
import { checkLayers } from './composite.js'
import type { Behind, Fits, Joined, ShapeError } from './literal-shapes.js'
import { merge } from './merge.js'
import type { MergeName } from './merge.js'
import { needed } from './node.js'
import type { Node } from './node.js'

/** Types only; there is no such property. */
declare const shapeOf: unique symbol

/** `unknown` where shapes fit each other, or cannot be told; else an error. */
type Fitting<Name extends string, A extends Shape, B extends Shape> =
  Joined<Name, A, B> extends infer Found ? (Found extends ShapeError<string> ? Found : unknown) : never
type Shaped<Found> = Found extends Shape ? Found : Shape

/** What an input or layer of a graph gives, while the graph is built. */
export interface SymbolicTensor<S extends Shape = Shape> {
  readonly [shapeOf]?: S
  /** What layers in a row make of it. */
  to<const Layers extends readonly Layer[]>(
    ...layers: Layers & Fits<Layers, S>
  ): SymbolicTensor<Shaped<Behind<Layers, S>>>
  /** The sum with another one of the same shape: a residual connection. */
  add<T extends Shape>(other: SymbolicTensor<T> & Fitting<'add', S, T>, options?: { name?: string }): SymbolicTensor<S>
  /** The product with another one of the same shape: a gate. */
  multiply<T extends Shape>(
    other: SymbolicTensor<T> & Fitting<'add', S, T>,
    options?: { name?: string },
  ): SymbolicTensor<S>
  /** Both, one behind the other along the last axis. */
  concatenate<T extends Shape>(
    other: SymbolicTensor<T> & Fitting<'concatenate', S, T>,
    options?: { name?: string },
  ): SymbolicTensor<Shaped<Joined<'concatenate', S, T>>>
}

/**
 * The nodes that a function over symbolic tensors builds, of those that its result needs; the last one is the result.
 *
 * @throws ShardbookError `argument` when it gives something else, or no more than an input.
 */
export function buildGraph(build: (given: never) => unknown, shapes: InputShapes | undefined): Node[] {
  const nodes: Node[] = []
  const places = new Map<unknown, number>()
  const placeOf = (value: unknown): number => {
    const place = places.get(value)
    if (place !== undefined) return place
    throw new ShardbookError('argument', `nn.model: expected a tensor of this graph, got ${show(value)}.`, {
      hint: 'For example (x) => x.to(nn.flatten(), nn.dense({ units: 10 })).',
    })
  }
  const symbol = (place: number): SymbolicTensor => {
    const joined =
      (by: MergeName) =>
      (other: unknown, { name }: { name?: string } = {}) =>
        node(merge({ by, ...(name === undefined ? {} : { name }) }), [place, placeOf(other)])
    const made = Object.freeze({
      to: (...layers: readonly Layer[]) =>
        symbol(
          checkLayers('model', 'what a tensor goes to', layers).reduce((from, layer) => push(layer, [from]), place),
        ),
      add: joined('add'),
      multiply: joined('multiply'),
      concatenate: joined('concatenate'),
    }) as unknown as SymbolicTensor
    places.set(made, place)
    return made
  }
  const push = (layer: Layer, from: readonly number[]): number => nodes.push({ layer, from }) - 1
  const node = (layer: Layer, from: readonly number[]): SymbolicTensor => symbol(push(layer, from))
  const given =
    shapes === undefined
      ? symbol(-1)
      : Object.fromEntries(Object.entries(inputs(shapes)).map(([name, layer]) => [name, node(layer, [-1])]))
  const end = placeOf(build(given as never))
  if (end < 0 || nodes[end]!.layer.kind === 'input') {
    throw new ShardbookError('argument', 'nn.model: expected at least one layer, got none.')
  }
  return needed(nodes, end)
}

/** Applies a graph; rows of layers within it run as such, with what is gained by that. */
export function applyGraph(context: LayerContext, nodes: readonly (Step & Pick<Node, 'from'>)[], x: Tensor): Tensor {
  const takers = new Map<number, number[]>()
  for (const [i, { from }] of nodes.entries()) for (const at of from) takers.set(at, [...(takers.get(at) ?? []), i])
  const done = new Map<number, { readonly y: Tensor; readonly mask: Tensor2D | undefined }>()
  done.set(-1, { y: x, mask: context.mask })
  for (const [i, { layer, from }] of nodes.entries()) {
    if (done.has(i)) continue
    const given = from.map((at) => done.get(at)!)
    if (layer.joins !== undefined) {
      const y = layer.joins.apply(
        context.tf,
        given.map((each) => each.y),
      )
      const mask = given.find((each) => each.mask !== undefined)?.mask
      done.set(i, { y, mask: mask !== undefined && y.rank === 3 && y.shape[1] === mask.shape[1] ? mask : undefined })
      continue
    }
    const row = [i]
    for (let next = onlyTaker(i); next !== undefined; next = onlyTaker(next)) row.push(next)
    const [first] = given as [{ readonly y: Tensor; readonly mask: Tensor2D | undefined }]
    const steps = row.map((at) => nodes[at]!)
    for (const at of row) done.set(at, first)
    done.set(row.at(-1)!, runSteps(withMask(context, first.mask), steps, first.y))
  }
  return done.get(nodes.length - 1)!.y

  /** What alone takes it, and takes nothing else. */
  function onlyTaker(at: number): number | undefined {
    const [next, ...others] = takers.get(at) ?? []
    return next !== undefined && others.length === 0 && nodes[next]!.layer.joins === undefined ? next : undefined
  }
}
