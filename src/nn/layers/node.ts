/** Layers with what each takes: a graph, or a row, in which each takes the one before. */
import type { Layer } from './layer.js'

/** A layer of a graph: the places of what it takes, -1 being the sample. */
export interface Node {
  readonly layer: Layer
  readonly from: readonly number[]
}

/** Layers in a row as nodes. */
export function inARow(layers: readonly Layer[]): Node[] {
  return layers.map((layer, i) => ({ layer, from: [i - 1] }))
}

/** Whether each node takes the one before it. */
export function isRow(nodes: readonly Pick<Node, 'from'>[]): boolean {
  return nodes.every(({ from }, i) => from.length === 1 && from[0] === i - 1)
}

/** The nodes that one needs, in their order. */
export function needed<N extends Pick<Node, 'from'>>(nodes: readonly N[], end: number): N[] {
  const places = placesOf(nodes, end)
  const moved = new Map(places.map((place, i) => [place, i]))
  return places.map((place) => ({ ...nodes[place]!, from: nodes[place]!.from.map((from) => moved.get(from) ?? -1) }))
}

function placesOf(nodes: readonly Pick<Node, 'from'>[], end: number): number[] {
  const found = new Set<number>()
  const open = [end]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at < 0 || found.has(at)) continue
    found.add(at)
    open.push(...nodes[at]!.from)
  }
  return [...found].sort((a, b) => a - b)
}
