/** Points of one column over another: all, a part of them, or how many lie where; the chart says which. */
import { checkInteger } from '../core/check.js'
import { type NumberColumn, niceStep, topOf } from './channels.js'
import type { Chart, ChartSource } from './chart.js'
import { type JsonObject, round } from './json.js'
import { type Steps, askGroups, askRows, askTotals, chartOfQueries } from './query.js'
import { type Column, type Kind, type Table, heading, leftOut, nameOf, numberOf } from './table.js'
import { colours, faint } from './theme.js'
import { type Axes, type Point, count, pointCount, xySource } from './xy.js'

export interface ScatterOptions<R extends object> {
  readonly x: Column<R>
  readonly y: NumberColumn<R>
  /** Column of the colours: numbers make a ramp, anything else categories. */
  readonly color?: Column<R>
  /** Counts all points in squares, so many along each axis (40 for `true`), in place of drawing some of them. */
  readonly density?: boolean | number
  readonly title?: string
}

const pointsShown = 4000
const coloursShown = 10

/**
 * Points of one column over another. Beyond 4,000 a part of them is drawn; with `density` all are counted in squares.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.scatter({ height: [1.6, 1.8], weight: [60, 75], sex: ['f', 'm'] }, { x: 'height', y: 'weight', color: 'sex' })
 * viz.scatter({ height: [1.6, 1.8], weight: [60, 75] }, { x: 'height', y: 'weight', density: true })
 * ```
 */
export function scatter<R extends object>(table: Table<R>, options: ScatterOptions<NoInfer<R>>): Chart {
  const { x, y, color, density = false } = options
  const squares = density === true ? 40 : Number(density)
  if (density !== false) checkInteger('viz.scatter', 'density', squares, 2, 200)
  return chartOfQueries('viz.scatter', table, [x, y, color], function* (facts) {
    const kind = facts.kind(x)
    const title = options.title ?? `${y} by ${x}`
    if (density !== false && kind !== 'nominal') return yield* densityOf(x, y, kind, squares, title)
    const colorKind = color === undefined ? 'nominal' : facts.kind(color)
    const tones =
      color === undefined || colorKind !== 'nominal' ? undefined : yield* topOf(color, coloursShown, { op: 'rows' })
    const names = new Set((tones?.kept ?? []).map((own) => own.name))
    const toneOf = (value: unknown): string | number => {
      if (color === undefined) return ''
      if (colorKind !== 'nominal') return round(numberOf(value))
      return names.has(nameOf(value)) ? nameOf(value) : 'other'
    }
    const [all] = yield* askTotals([{ op: 'rows' }])
    const finite = kind === 'nominal' ? [y] : [x, y]
    const { rows, total } = yield* askRows([x, y, ...(color === undefined ? [] : [color])], finite, pointsShown)
    const points = rows.map(([place, value, own]): Point => ({
      x: kind === 'nominal' ? nameOf(place) : numberOf(place),
      y: numberOf(value),
      color: toneOf(own),
    }))
    return pointCloud(points, {
      title,
      note: [
        total > points.length ? `${count(points.length)} of ${count(total)} points` : pointCount(total),
        ...(tones?.note ?? []).map((own) => `${color}: ${own}`),
        ...leftOut(all! - total, 'points without a number'),
      ],
      x: { name: x, kind },
      y,
      ...(color === undefined ? {} : { color: { name: color, kind: colorKind } }),
    })
  })
}

/** Points as circles: small and pale where there are many. */
export function pointCloud(
  points: readonly Point[],
  options: Axes & { readonly title: string; readonly note: readonly string[] },
): ChartSource {
  const many = points.length > 500
  return xySource(points, {
    mark: { type: 'circle', size: many ? 22 : 45, opacity: many ? 0.6 : 0.8 },
    x: options.x,
    y: options.y,
    ...(options.color === undefined ? {} : { color: options.color }),
    ...heading(options.title, options.note),
  })
}

function* densityOf(x: string, y: string, kind: Kind, squares: number, title: string): Steps<ChartSource> {
  const [rows, pairs, x0, x1, y0, y1] = yield* askTotals([
    { op: 'rows' },
    { op: 'pairs', column: x, by: y },
    { op: 'min', column: x },
    { op: 'max', column: x },
    { op: 'min', column: y },
    { op: 'max', column: y },
  ])
  const [dx, dy] = [niceStep(x0!, x1!, squares), niceStep(y0!, y1!, squares)]
  const { groups } = yield* askGroups(
    [
      { as: 'bin', column: x, step: dx },
      { as: 'bin', column: y, step: dy },
    ],
    [{ op: 'rows' }],
    'key',
  )
  const digits = kind === 'temporal' ? 15 : 8
  const data = groups.map(({ keys: [a, b], values }): JsonObject => {
    const [left, low] = [Number(a), Number(b)]
    return {
      x: round(left * dx, digits),
      x2: round((left + 1) * dx, digits),
      y: round(low * dy, 8),
      y2: round((low + 1) * dy, 8),
      n: values[0]!,
    }
  })
  const most = Math.max(1, ...groups.map((group) => group.values[0]!))
  const { text, ...head } = heading(title, [
    pairs === 0 || data.length === 0 ? 'no data' : `${count(pairs!)} points, counted in ${count(data.length)} squares`,
    ...leftOut(rows! - (pairs ?? 0), 'points without a number'),
  ])
  const scale = data.length === 0 ? { scale: { domain: [0, 1] } } : { scale: { zero: false, nice: false } }
  return {
    text,
    spec: {
      ...head,
      width: 540,
      height: 320,
      data: { values: data },
      mark: { type: 'rect' },
      encoding: {
        x: { field: 'x', type: kind, title: x, ...(kind === 'temporal' ? {} : scale) },
        x2: { field: 'x2' },
        y: { field: 'y', type: 'quantitative', title: y, ...scale },
        y2: { field: 'y2' },
        color: {
          field: 'n',
          type: 'quantitative',
          title: 'points',
          // Few points are seen beside many.
          scale: { type: 'sqrt', domain: [0, most], range: [faint, colours.first], interpolate: 'rgb' },
          legend: data.length === 0 ? null : { gradientLength: 120 },
        },
        tooltip: [
          { field: 'x', type: kind, title: x },
          { field: 'y', type: 'quantitative', title: y },
          { field: 'n', type: 'quantitative', title: 'points', format: ',' },
        ],
      },
    },
  }
}
