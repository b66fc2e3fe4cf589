/** A model as a graph: its layers from top to bottom, what goes into which, their shapes and parameters. */
import { nearest, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Chart } from './chart.js'
import { formatCount } from './format.js'
import { type JsonObject, round } from './json.js'
import { colours } from './theme.js'

/** A layer as plain data. */
export interface LayerRow {
  readonly name: string
  /** `'conv2d'`, `'dense'`, … */
  readonly kind: string
  /** Names of the layers that it takes; without any it takes the layer before it, and the first takes none. */
  readonly inputs?: readonly string[]
  /** What it puts out for one sample; null where a size is not known. */
  readonly shape?: readonly (number | null)[]
  readonly parameters?: number
}

const layersShown = 150
const boxHeight = 38
const rowHeight = 60
const chartWide = 640

/**
 * A box a layer with its kind, the shape that it puts out and the number of its parameters.
 *
 * @throws `argument` for two layers of one name, an input that is no layer (the nearest is named), or a cycle
 * @example
 * ```ts
 * viz.graph([
 *   { name: 'image', kind: 'input', shape: [28, 28, 1] },
 *   { name: 'conv', kind: 'conv2d', shape: [26, 26, 8], parameters: 80 },
 *   { name: 'out', kind: 'dense', inputs: ['conv'], shape: [10], parameters: 54090 },
 * ])
 * ```
 */
export function graph(layers: readonly LayerRow[], options: { readonly title?: string } = {}): Chart {
  const inputs = inputsOf(layers)
  const depths = depthsOf(layers, inputs)
  const shown = layers.filter(({ name }) => depths.get(name)! < layersShown)
  const ranks = new Map<number, LayerRow[]>()
  for (const layer of shown) {
    const rank = ranks.get(depths.get(layer.name)!) ?? []
    ranks.set(depths.get(layer.name)!, [...rank, layer])
  }
  const widest = Math.max(1, ...[...ranks.values()].map((rank) => rank.length))
  const boxWidth = Math.min(260, chartWide / widest - 12)
  const height = Math.max(boxHeight, ranks.size * rowHeight - (rowHeight - boxHeight))
  const places = new Map<string, { x: number; y: number }>()
  for (const [depth, rank] of ranks) {
    for (const [i, { name }] of rank.entries()) {
      places.set(name, { x: (chartWide * (i + 0.5)) / rank.length, y: depth * rowHeight })
    }
  }
  const total = layers.reduce((sum, { parameters = 0 }) => sum + parameters, 0)
  const title = options.title ?? 'Model'
  const summary = [
    layers.length === 0 ? 'no layers' : `${layers.length} ${layers.length === 1 ? 'layer' : 'layers'}`,
    `${formatCount(total)} parameters`,
    ...(shown.length < layers.length ? [`first ${shown.length} shown`] : []),
  ].join(' · ')
  const boxes = shown.map((layer): JsonObject => {
    const { x, y } = places.get(layer.name)!
    return {
      x: round(x - boxWidth / 2),
      x2: round(x + boxWidth / 2),
      y,
      y2: y + boxHeight,
      m: round(x),
      name: layer.name,
      kind: layer.kind,
      shape: shapeOf(layer),
      parameters: layer.parameters ?? 0,
      text: [
        layer.kind,
        ...(layer.shape === undefined ? [] : [shapeOf(layer)]),
        ...((layer.parameters ?? 0) === 0 ? [] : [`${formatCount(layer.parameters!)} parameters`]),
      ].join(' · '),
      learns: (layer.parameters ?? 0) > 0,
    }
  })
  const edges = shown.flatMap((layer) =>
    inputs.get(layer.name)!.flatMap((from): JsonObject[] => {
      const [a, b] = [places.get(from), places.get(layer.name)!]
      if (a === undefined) return []
      // What skips ranks goes beside the boxes between.
      const skips = depths.get(layer.name)! - depths.get(from)! > 1 && Math.abs(a.x - b.x) < boxWidth / 2
      const side = round(Math.min(a.x + boxWidth / 2 + 24, chartWide - 2))
      const points = skips
        ? [
            [round(a.x + boxWidth / 2), a.y + boxHeight / 2],
            [side, a.y + boxHeight / 2 + 8],
            [side, b.y + boxHeight / 2 - 8],
            [round(b.x + boxWidth / 2), b.y + boxHeight / 2],
          ]
        : [
            [round(a.x), a.y + boxHeight],
            [round(b.x), b.y],
          ]
      return points.map(([x, y], i) => ({ x: x!, y: y!, i, e: `${from} → ${layer.name}` }))
    }),
  )
  const heads = edges.filter((point, i) => edges[i + 1]?.['e'] !== point['e'])
  const at = (field: string): JsonObject => ({ field, type: 'quantitative', scale: null, axis: null })
  const text = (field: string, dy: number, mark: JsonObject): JsonObject => ({
    mark: { type: 'text', baseline: 'middle', dy, limit: boxWidth - 12, ...mark },
    encoding: { x: at('m'), y: at('y'), text: { field, type: 'nominal' } },
  })
  return new Chart({
    text: [
      title,
      summary,
      ...shown
        .slice(0, 40)
        .map(
          (layer) => `${layer.name}: ${layer.kind} ${shapeOf(layer)}, ${formatCount(layer.parameters ?? 0)} parameters`,
        ),
    ].join('\n'),
    spec: {
      title: { text: title, subtitle: summary },
      width: chartWide,
      height,
      layer: [
        {
          data: { values: edges },
          mark: { type: 'line', color: colours.quiet, strokeWidth: 1.5 },
          encoding: {
            x: at('x'),
            y: at('y'),
            detail: { field: 'e', type: 'nominal' },
            order: { field: 'i', type: 'quantitative' },
          },
        },
        {
          data: { values: boxes },
          layer: [
            {
              mark: { type: 'rect', cornerRadius: 5, fill: colours.ground, strokeWidth: 1.5 },
              encoding: {
                x: at('x'),
                x2: { field: 'x2' },
                y: at('y'),
                y2: { field: 'y2' },
                stroke: { condition: { test: 'datum.learns', value: colours.first }, value: colours.quiet },
                tooltip: ['name', 'kind', 'shape', 'parameters'].map((field) => ({
                  field,
                  type: field === 'parameters' ? 'quantitative' : 'nominal',
                })),
              },
            },
            text('name', 12, { fontSize: 12, fontWeight: 600, color: colours.ink }),
            text('text', 27, { fontSize: 10, color: colours.quiet }),
          ],
        },
        {
          data: { values: heads },
          mark: { type: 'point', filled: true, size: 24, opacity: 1, color: colours.quiet },
          encoding: { x: at('x'), y: at('y') },
        },
      ],
    },
  })
}

function inputsOf(layers: readonly LayerRow[]): ReadonlyMap<string, readonly string[]> {
  const caller = 'viz.graph'
  const odd = Array.isArray(layers) ? layers.find((layer) => typeof layer?.name !== 'string') : layers
  if (!Array.isArray(layers) || odd !== undefined) {
    throw new ShardbookError('argument', `${caller}: expected layers { name, kind }, got ${show(odd)}.`)
  }
  const inputs = new Map<string, readonly string[]>()
  for (const [i, layer] of (layers as readonly LayerRow[]).entries()) {
    if (inputs.has(layer.name)) {
      throw new ShardbookError('argument', `${caller}: expected a name for each layer, got ${show(layer.name)} twice.`)
    }
    inputs.set(layer.name, layer.inputs ?? (i === 0 ? [] : [layers[i - 1].name as string]))
  }
  for (const [name, own] of inputs) {
    const unknown = own.find((input) => !inputs.has(input))
    if (unknown === undefined) continue
    const near = nearest(unknown, [...inputs.keys()])
    throw new ShardbookError(
      'argument',
      `${caller}: expected the inputs of ${name} to be layers, got ${show(unknown)}.`,
      near === undefined ? {} : { hint: `Did you mean ${show(near)}?` },
    )
  }
  return inputs
}

/** How far each layer is from the first: one more than the farthest of its inputs. */
function depthsOf(
  layers: readonly LayerRow[],
  inputs: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, number> {
  const depths = new Map<string, number>()
  let waiting = layers.map((layer) => layer.name)
  while (waiting.length > 0) {
    const later: string[] = []
    for (const name of waiting) {
      const before = inputs.get(name)!
      if (before.every((input) => depths.has(input))) {
        depths.set(name, Math.max(-1, ...before.map((input) => depths.get(input)!)) + 1)
      } else later.push(name)
    }
    if (later.length === waiting.length) {
      throw new ShardbookError('argument', `viz.graph: expected no cycle, got one through ${show(later[0])}.`)
    }
    waiting = later
  }
  return depths
}

function shapeOf({ shape }: LayerRow): string {
  return shape === undefined ? '' : shape.length === 0 ? 'scalar' : shape.map((size) => size ?? '?').join(' × ')
}
