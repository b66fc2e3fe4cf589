/**
 * Lines and points over a table, and the latent space of an encoder.
 *
 * Only what a screen can show travels: a line keeps its peaks (see thin.ts), points are taken evenly; the chart says so.
 */
import { ShardbookError } from '../core/errors.js'
import { show } from '../core/check.js'
import type { Chart, ChartSource } from './chart.js'
import { type Json, type JsonObject, round } from './json.js'
import {
  type Cells,
  type Column,
  type Kind,
  type Table,
  chartOf,
  heading,
  inOrder,
  kindOf,
  leftOut,
  numberOf,
} from './table.js'
import { type PlainTensor, checkTensor, isTensor } from './tensor.js'
import { thin } from './thin.js'

export interface LineOptions<R extends object> {
  readonly x: Column<R>
  /** One column, or several, each a line of its own. */
  readonly y: Column<R> | readonly Column<R>[]
  /** Column that tells lines apart. */
  readonly color?: Column<R>
  readonly title?: string
}

export interface ScatterOptions<R extends object> {
  readonly x: Column<R>
  readonly y: Column<R>
  /** Column of the colours: numbers make a ramp, anything else categories. */
  readonly color?: Column<R>
  readonly title?: string
}

const pointsALine = 800
const pointsShown = 4000

/**
 * Lines of one or several columns over another.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.line([{ day: 1, sales: 3 }, { day: 2, sales: 5 }], { x: 'day', y: 'sales' })
 * ```
 */
export function line<R extends object>(table: Table<R>, options: LineOptions<R>): Chart {
  const ys = Array.isArray(options.y) ? (options.y as readonly string[]) : [options.y as string]
  return chartOf('viz.line', table, (cells) => {
    const many = ys.length > 1
    const { points, kind, missing } = pointsOf(cells, options.x, ys, options.color)
    const series = new Map<string | number, Point[]>()
    for (const point of points) {
      const own = series.get(point.color)
      if (own === undefined) series.set(point.color, [point])
      else own.push(point)
    }
    const thinned = [...series.values()].flatMap((own) => {
      const sorted = kind === 'nominal' ? own : own.toSorted((a, b) => Number(a.x) - Number(b.x))
      if (kind === 'nominal') return sorted
      return thin(
        sorted,
        Math.max(50, Math.floor((2 * pointsALine) / Math.max(2, series.size))),
        (p) => Number(p.x),
        (p) => p.y,
      )
    })
    const title = options.title ?? `${ys.join(', ')} by ${options.x}`
    const notes = [
      thinned.length < points.length
        ? `${count(points.length)} points, drawn with ${count(thinned.length)}`
        : pointCount(points.length),
      ...leftOut(missing, 'points without a number'),
    ]
    return xySource(thinned, {
      mark: { type: 'line', ...(thinned.length <= 30 * series.size ? { point: { size: 30 } } : {}) },
      x: { name: options.x, kind },
      y: many ? 'value' : ys[0]!,
      ...(many || options.color !== undefined ? { color: { name: many ? '' : options.color!, kind: 'nominal' } } : {}),
      ...heading(title, notes),
    })
  })
}

/**
 * Points of one column over another.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.scatter({ height: [1.6, 1.8], weight: [60, 75], sex: ['f', 'm'] }, { x: 'height', y: 'weight', color: 'sex' })
 * ```
 */
export function scatter<R extends object>(table: Table<R>, options: ScatterOptions<R>): Chart {
  const { x, y, color } = options
  return chartOf('viz.scatter', table, (cells) => {
    const { points, kind, colorKind, missing } = pointsOf(cells, x, [y], color)
    return pointCloud(points, missing, {
      title: options.title ?? `${y} by ${x}`,
      x: { name: x, kind },
      y,
      ...(color === undefined ? {} : { color: { name: color, kind: colorKind } }),
    })
  })
}

/**
 * The first two coordinates of encoded samples.
 *
 * @param points shape `[n, d]` with d >= 2, or a list of such points
 * @param options.labels one a point: the colours
 * @throws `argument` for another shape, or labels of another number
 * @example
 * ```ts
 * viz.latent({ shape: [2, 2], values: [0, 1, 1, 0] }, { labels: ['a', 'b'] })
 * ```
 */
export function latent(
  points: PlainTensor | readonly ArrayLike<number>[],
  options: { labels?: ArrayLike<string | number>; title?: string } = {},
): Chart {
  const caller = 'viz.latent'
  const list: readonly ArrayLike<number>[] = isTensor(points) ? rowsOf(points) : points
  if (!Array.isArray(list) || list.some((point) => typeof point?.length !== 'number' || point.length < 2)) {
    throw new ShardbookError('argument', `${caller}: expected points of 2 or more coordinates, got ${show(points)}.`)
  }
  const { labels } = options
  if (labels !== undefined && labels.length !== list.length) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected ${list.length} labels, one a point, got ${labels.length}.`,
    )
  }
  return chartOf(
    caller,
    {
      'dimension 1': list.map((point) => point[0]!),
      'dimension 2': list.map((point) => point[1]!),
      label: labels === undefined ? list.map(() => '') : Array.from(labels, String),
    },
    (cells) => {
      const { points: all, missing } = pointsOf(cells, 'dimension 1', ['dimension 2'], 'label')
      const dimensions = list[0]?.length ?? 2
      return pointCloud(all, missing, {
        title: options.title ?? 'Latent space',
        note: dimensions > 2 ? [`first 2 of ${dimensions} dimensions`] : [],
        x: { name: 'dimension 1', kind: 'quantitative' },
        y: 'dimension 2',
        ...(labels === undefined ? {} : { color: { name: 'label', kind: 'nominal' } }),
      })
    },
  )

  function rowsOf(tensor: PlainTensor): readonly ArrayLike<number>[] {
    checkTensor(caller, 'the points', tensor)
    const [n, width] = tensor.shape
    if (tensor.shape.length !== 2) {
      throw new ShardbookError(
        'argument',
        `${caller}: expected points of shape [n, d], got [${tensor.shape.join(', ')}].`,
      )
    }
    return Array.from({ length: n! }, (_, i) =>
      Array.from({ length: width! }, (__, d) => tensor.values[i * width! + d]!),
    )
  }
}

interface Point {
  readonly x: number | string
  readonly y: number
  readonly color: string | number
}

interface Axes {
  readonly x: { readonly name: string; readonly kind: Kind }
  readonly y: string
  readonly color?: { readonly name: string; readonly kind: Kind }
}

function pointsOf(
  cells: Cells,
  x: string,
  ys: readonly string[],
  color: string | undefined,
): { readonly points: Point[]; readonly kind: Kind; readonly colorKind: Kind; readonly missing: number } {
  const xs = cells.column(x)
  const kind = kindOf(xs)
  const tones = color === undefined ? [] : cells.column(color)
  const colorKind = kindOf(tones)
  const toneOf = (i: number, y: string): string | number => {
    if (ys.length > 1) return y
    if (color === undefined) return ''
    return colorKind === 'quantitative' ? round(numberOf(tones[i])) : String(tones[i])
  }
  const points = ys.flatMap((name) =>
    cells.column(name).map((y, i): Point => ({
      x: kind === 'nominal' ? String(xs[i]) : numberOf(xs[i]),
      y: numberOf(y),
      color: toneOf(i, name),
    })),
  )
  const whole = points.filter(
    (point) => Number.isFinite(point.y) && (typeof point.x === 'string' || Number.isFinite(point.x)),
  )
  return { points: whole, kind, colorKind, missing: points.length - whole.length }
}

function pointCloud(
  points: readonly Point[],
  missing: number,
  options: Axes & { title: string; note?: readonly string[] },
): ChartSource {
  const every = Math.ceil(points.length / pointsShown)
  const some = points.filter((_, i) => i % every === 0)
  const notes = [
    ...(options.note ?? []),
    every > 1 ? `${count(some.length)} of ${count(points.length)} points` : pointCount(points.length),
    ...leftOut(missing, 'points without a number'),
  ]
  return xySource(some, {
    mark: { type: 'circle', size: some.length > 500 ? 22 : 45, opacity: some.length > 500 ? 0.6 : 0.8 },
    x: options.x,
    y: options.y,
    ...(options.color === undefined ? {} : { color: options.color }),
    ...heading(options.title, notes),
  })
}

function xySource(
  points: readonly Point[],
  { mark, x, y, color, title, text }: Axes & { mark: JsonObject; title: JsonObject; text: string },
): ChartSource {
  const values = points.map((point): JsonObject => ({
    x: typeof point.x === 'number' && x.kind === 'quantitative' ? round(point.x, 6) : point.x,
    y: round(point.y),
    ...(color === undefined ? {} : { c: point.color }),
  }))
  const tooltip: Json[] = [
    { field: 'x', type: x.kind, title: x.name },
    { field: 'y', type: 'quantitative', title: y },
    ...(color === undefined ? [] : [{ field: 'c', type: color.kind, title: color.name || 'series' }]),
  ]
  // Vega finds an empty column's extent infinite.
  const scale = (empty: boolean): JsonObject => (empty ? { domain: [0, 1] } : { zero: false, nice: true })
  const flat = points.length === 0
  const names = [...new Set(points.map((point) => String(point.color)))]
  const tones = color?.kind === 'nominal' ? { scale: { domain: names.toSorted(inOrder) } } : {}
  return {
    text,
    spec: {
      title,
      width: color === undefined ? 620 : 540,
      height: 280,
      data: { values },
      mark: { ...mark },
      encoding: {
        x: {
          field: 'x',
          type: x.kind,
          title: x.name,
          ...(x.kind === 'quantitative' ? { scale: scale(flat) } : {}),
          ...(x.kind === 'nominal' ? { sort: null } : {}),
        },
        y: { field: 'y', type: 'quantitative', title: y, scale: scale(flat) },
        ...(color === undefined
          ? {}
          : { color: { field: 'c', type: color.kind, title: color.name || null, ...tones } }),
        tooltip,
      },
    },
  }
}

function pointCount(n: number): string {
  return n === 0 ? 'no data' : `${count(n)} ${n === 1 ? 'point' : 'points'}`
}

function count(n: number): string {
  return n.toLocaleString('en')
}
