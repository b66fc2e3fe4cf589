/**
 * Large matrices as pictures between two axes: what attention looks at, and the state of a recurrent layer over time.
 *
 * Each matrix travels as one picture, a fraction of the size of a rectangle a value; small ones answer the pointer too.
 */
import { ShardbookError } from '../core/errors.js'
import { Chart } from './chart.js'
import { type RampName, anchorsOf } from './colour.js'
import { formatNumber } from './format.js'
import { blank, draw } from './grid.js'
import { type JsonObject, type Spec, round } from './json.js'
import { pngUrl } from './png.js'
import { type PlainTensor, checkTensor, extent } from './tensor.js'
import { chartWidth } from './theme.js'

export interface AttentionOptions {
  /** Tokens that look, one a row; by default their numbers. */
  readonly queries?: readonly string[]
  /** Tokens that are looked at, one a column; the queries by default where there are as many. */
  readonly keys?: readonly string[]
  readonly title?: string
}

const headsShown = 12
const answering = 1024

/**
 * What each token attends to: a map a head, rows look at columns.
 *
 * @param weights shape `[queries, keys]` or `[heads, queries, keys]`, in [0, 1]
 * @throws `argument` for another rank, or tokens of another number
 * @example
 * ```ts
 * viz.attention({ shape: [2, 2], values: [0.9, 0.1, 0.4, 0.6] }, { queries: ['the', 'cat'] })
 * ```
 */
export function attention(weights: PlainTensor, options: AttentionOptions = {}): Chart {
  const caller = 'viz.attention'
  checkTensor(caller, 'the weights', weights)
  const { shape, values } = weights
  if (shape.length !== 2 && shape.length !== 3) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected weights of shape [queries, keys] or [heads, queries, keys], got [${shape.join(', ')}].`,
      shape.length === 4 ? { hint: 'Cut out one sample of the batch.' } : {},
    )
  }
  const [rows, columns] = shape.slice(-2) as [number, number]
  const heads = shape.length === 3 ? shape[0]! : 1
  const queries = tokens(caller, 'queries', options.queries, rows)
  const keys = tokens(caller, 'keys', options.keys ?? (rows === columns ? options.queries : undefined), columns)
  const range = [0, Math.max(extent(values)[1], 1e-9)] as const
  const count = Math.min(heads, headsShown)
  const side = count === 1 ? 420 : count <= 4 ? 220 : 150
  const size = Math.max(4, Math.floor(side / Math.max(rows, columns)))
  const maps = Array.from({ length: count }, (_, head) =>
    matrixView({
      values: Array.from({ length: rows * columns }, (__, i) => values[head * rows * columns + i]!),
      rows,
      columns,
      width: Math.min(side, size * columns),
      height: Math.min(side, size * rows),
      x: { title: 'looked at', ...(keys === undefined ? {} : { labels: keys }) },
      y: { title: 'looks', ...(queries === undefined ? {} : { labels: queries }) },
      value: 'attention',
      ramp: 'magma',
      range,
      ...(heads === 1 ? {} : { title: `head ${head}` }),
    }),
  )
  const title = options.title ?? 'Attention'
  const summary = [
    `${heads} ${heads === 1 ? 'head' : 'heads'}, ${rows} tokens look at ${columns}`,
    ...(heads > count ? [`first ${count} shown`] : []),
    `weights up to ${formatNumber(range[1])}`,
  ].join(' · ')
  return new Chart({
    spec: {
      title: { text: title, subtitle: summary },
      ...(count === 1 ? maps[0]! : { columns: count <= 4 ? 2 : 3, concat: maps }),
    },
    text: `${title}\n${summary}`,
  })
}

/**
 * The state of a recurrent layer, a row a unit, a column a step: blue is negative, red positive.
 *
 * @param activations shape `[steps, units]` or `[n, steps, units]`, of which the first is shown
 * @param options.steps what came in at each step, written below
 * @throws `argument` for another rank, or labels of another number
 * @example
 * ```ts
 * viz.states({ layer: 'lstm', shape: [3, 2], values: [0, 0.1, 0.4, -0.2, 0.9, -0.6] }, { steps: ['a', 'b', 'c'] })
 * ```
 */
export function states(
  activations: PlainTensor & { readonly layer?: string },
  options: { readonly steps?: readonly string[]; readonly title?: string } = {},
): Chart {
  const caller = 'viz.states'
  checkTensor(caller, 'the activations', activations)
  const { shape, values, layer } = activations
  if (shape.length !== 2 && shape.length !== 3) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected activations of shape [steps, units] or [n, steps, units], got [${shape.join(', ')}].`,
      { hint: 'A recurrent layer gives its state at every step when it returns sequences.' },
    )
  }
  const [steps, units] = shape.slice(-2) as [number, number]
  const labels = tokens(caller, 'steps', options.steps, steps)
  const own = Array.from({ length: steps * units }, (_, i) => values[(i % steps) * units + Math.floor(i / steps)]!)
  const [low, high] = extent(own)
  const most = Math.max(Math.abs(low), Math.abs(high), 1e-9)
  const title = options.title ?? (layer === undefined ? 'State over time' : `State of ${layer} over time`)
  const summary = [
    `${units} units over ${steps} steps`,
    ...(shape.length === 3 && shape[0]! > 1 ? [`first of ${shape[0]} inputs`] : []),
    `values from ${formatNumber(low)} to ${formatNumber(high)}`,
  ].join(' · ')
  return new Chart({
    spec: {
      title: { text: title, subtitle: summary },
      ...matrixView({
        values: own,
        rows: units,
        columns: steps,
        width: Math.min(chartWidth - 160, 32 * steps),
        height: Math.min(360, Math.max(60, 14 * units)),
        x: { title: 'step', ...(labels === undefined ? {} : { labels }) },
        y: { title: 'unit' },
        value: 'state',
        ramp: 'signed',
        range: [-most, most],
      }),
    },
    text: `${title}\n${summary}`,
  })
}

interface Matrix {
  /** Row by row, the first row on top. */
  readonly values: readonly number[]
  readonly rows: number
  readonly columns: number
  readonly width: number
  readonly height: number
  readonly x: { readonly title: string; readonly labels?: readonly string[] }
  readonly y: { readonly title: string; readonly labels?: readonly string[] }
  readonly value: string
  readonly ramp: RampName
  readonly range: readonly [number, number]
  readonly title?: string
}

function matrixView(matrix: Matrix): Spec {
  const { values, rows, columns, width, height, x, y, value, ramp, range, title } = matrix
  const raster = blank(width, height)
  const at = { x: 0, y: 0 }
  draw(raster, { height: rows, width: columns, channels: 1, values }, { ramp, range }, at, { width, height })
  // Every value answers the pointer where there are few; the axes and the legend need two corners only.
  const small = values.length <= answering
  const places = small
    ? values.map((v, i) => ({ x: i % columns, y: Math.floor(i / columns), v: Number.isFinite(v) ? round(v, 3) : null }))
    : [
        { x: 0, y: 0, v: round(range[0], 3) },
        { x: columns - 1, y: rows - 1, v: round(range[1], 3) },
      ]
  const name = (place: number, labels: readonly string[] | undefined): string => labels?.[place] ?? String(place)
  return {
    width,
    height,
    ...(title === undefined ? {} : { title: { text: title, fontSize: 12, offset: 6 } }),
    layer: [
      {
        data: { values: [{}] },
        mark: { type: 'image', width, height, align: 'left', baseline: 'top', aspect: false },
        encoding: { x: { value: 0 }, y: { value: 0 }, url: { value: pngUrl(raster) } },
      },
      {
        data: {
          values: places.map((place) => ({
            ...place,
            x2: place.x + 1,
            y2: place.y + 1,
            a: name(place.x, x.labels),
            b: name(place.y, y.labels),
          })),
        },
        mark: { type: 'rect', opacity: 0, invalid: null },
        encoding: {
          x: { field: 'x', type: 'quantitative', ...axisOf(x, columns, width, false) },
          x2: { field: 'x2' },
          y: { field: 'y', type: 'quantitative', ...axisOf(y, rows, height, true) },
          y2: { field: 'y2' },
          color: {
            field: 'v',
            type: 'quantitative',
            title: value,
            scale: { domain: [...range].map((end) => round(end, 3)), range: [...anchorsOf(ramp)], interpolate: 'rgb' },
            legend: { gradientOpacity: 1, gradientLength: Math.max(60, Math.min(140, height - 20)), tickCount: 3 },
          },
          ...(small
            ? {
                tooltip: [
                  { field: 'a', type: 'nominal', title: x.title },
                  { field: 'b', type: 'nominal', title: y.title },
                  { field: 'v', type: 'quantitative', title: value },
                ],
              }
            : {}),
        },
      },
    ],
  }
}

/** Ticks in the middle of the cells, as many as have room. */
function axisOf(
  { title, labels }: { readonly title: string; readonly labels?: readonly string[] },
  count: number,
  lengthPx: number,
  down: boolean,
): JsonObject {
  const turned =
    !down && labels !== undefined && Math.max(...labels.map((text) => text.length)) * 6.5 > lengthPx / count
  const room = down || turned ? 13 : 30
  const every =
    labels === undefined
      ? ([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000].find((n) => (n * lengthPx) / count >= room) ?? count)
      : Math.ceil((room * count) / lengthPx)
  const ticks = Array.from({ length: Math.ceil(count / every) }, (_, i) => i * every + 0.5)
  const text = labels === undefined ? 'floor(datum.value)' : `${JSON.stringify(labels)}[floor(datum.value)]`
  return {
    scale: { domain: [0, count], nice: false, zero: false, ...(down ? { reverse: true } : {}) },
    axis: {
      title,
      values: ticks,
      labelExpr: text,
      grid: false,
      ticks: false,
      domain: false,
      labelLimit: 90,
      labelOverlap: false,
      ...(turned ? { labelAngle: -45 } : {}),
    },
  }
}

function tokens(
  caller: string,
  name: string,
  given: readonly string[] | undefined,
  count: number,
): readonly string[] | undefined {
  if (given === undefined || given.length === count) return given
  throw new ShardbookError('argument', `${caller}: expected ${count} ${name}, got ${given.length}.`)
}
