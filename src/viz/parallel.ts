/** Parallel coordinates: many trials, each a line over its parameters to what it reached. */
import { checkOneOf } from '../core/check.js'
import { greatest } from './categories.js'
import type { Chart } from './chart.js'
import { formatNumber } from './format.js'
import { type JsonObject, round } from './json.js'
import { type Column, type Table, chartOf, heading, inOrder, kindOf, leftOut, numberOf } from './table.js'
import { extent } from './tensor.js'
import { colours } from './theme.js'

export interface ParallelOptions<R extends object> {
  /** Columns in the order of the axes; all by default. */
  readonly columns?: readonly Column<R>[]
  /** Column of what a trial reached: the colour, and the last axis. */
  readonly color: Column<R>
  /** Which results are better: `'lower'` by default, as of a loss. */
  readonly better?: 'higher' | 'lower'
  readonly title?: string
}

const trialsShown = 300
const categoriesShown = 12

/**
 * A line a trial over parallel axes; positive parameters that span two orders of magnitude get a logarithmic axis.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.parallel(
 *   [{ rate: 0.001, layers: 2, loss: 0.4 }, { rate: 0.1, layers: 3, loss: 0.9 }],
 *   { columns: ['rate', 'layers'], color: 'loss' },
 * )
 * ```
 */
export function parallel<R extends object>(table: Table<R>, options: ParallelOptions<R>): Chart {
  const { color, better = 'lower' } = options
  checkOneOf('viz.parallel', 'better', better, ['higher', 'lower'])
  return chartOf('viz.parallel', table, (cells) => {
    const results = cells.column(color).map(numberOf)
    const names = [...(options.columns ?? cells.names).filter((name) => name !== color), color]
    const axes = names.map((name) => axisOf(name, cells.column(name)))
    const whole = results.map((_, i) => i).filter((i) => axes.every((axis) => Number.isFinite(axis.places[i]!)))
    const sign = better === 'lower' ? 1 : -1
    const sorted = whole.toSorted((a, b) => sign * (results[a]! - results[b]!))
    // The best are drawn last, over all others.
    const drawn = sorted.slice(0, trialsShown).toReversed()
    const values = drawn.flatMap((trial) =>
      axes.map((axis): JsonObject => ({
        k: axis.name,
        y: round(axis.places[trial]!, 4),
        i: trial,
        v: round(results[trial]!, 4),
        t: axis.text(trial),
      })),
    )
    const ticks = axes.flatMap((axis) => axis.ticks.map((tick): JsonObject => ({ k: axis.name, ...tick })))
    const best = sorted[0]
    const { title, text } = heading(options.title ?? `${color} of ${whole.length.toLocaleString('en')} trials`, [
      best === undefined ? 'no data' : `best: ${[...axes].map((axis) => `${axis.name} ${axis.text(best)}`).join(', ')}`,
      ...(drawn.length < sorted.length ? [`best ${drawn.length} drawn`] : []),
      ...leftOut(results.length - whole.length, 'trials with a missing value'),
    ])
    const [low, high] = extent(drawn.map((trial) => results[trial]!))
    const range =
      better === 'lower' ? [colours.second, colours.line, colours.first] : [colours.first, colours.line, colours.second]
    const x = {
      field: 'k',
      type: 'nominal',
      title: 'parameter, and result at the right',
      sort: null,
      scale: { type: 'point', padding: 0.3, domain: names },
      axis: {
        labelAngle: 0,
        labelFontWeight: 600,
        labelLimit: 100,
        orient: 'top',
        domain: false,
        ticks: false,
        titlePadding: 6,
        labelPadding: 10,
      },
    }
    const y = { field: 'y', type: 'quantitative', scale: { domain: [0, 1] }, axis: null }
    return {
      text,
      spec: {
        title: { ...title, limit: 640 },
        width: 560,
        height: 280,
        encoding: { x },
        layer: [
          {
            data: { values: names.map((k) => ({ k })) },
            mark: { type: 'rule', color: colours.line, strokeWidth: 1.5 },
          },
          {
            data: { values },
            mark: { type: 'line', opacity: drawn.length > 60 ? 0.5 : 0.85, strokeWidth: 1.5 },
            encoding: {
              y,
              detail: { field: 'i', type: 'nominal' },
              color: {
                field: 'v',
                type: 'quantitative',
                title: color,
                ...(drawn.length === 0 ? { legend: null } : {}),
                scale: {
                  domain: high > low ? [low, (low + high) / 2, high] : [low - 1, low, low + 1],
                  range: range.toReversed(),
                  interpolate: 'rgb',
                },
              },
              tooltip: [
                { field: 'i', type: 'nominal', title: 'trial' },
                { field: 'k', type: 'nominal', title: 'parameter' },
                { field: 't', type: 'nominal', title: 'value' },
                { field: 'v', type: 'quantitative', title: color },
              ],
            },
          },
          // Written twice: first a white edge, which sets the words off from the lines.
          ...[{ color: colours.ground, stroke: colours.ground, strokeWidth: 4 }, { color: colours.ink }].map(
            (look) => ({
              data: { values: ticks },
              mark: { type: 'text', align: 'left', dx: 5, fontSize: 10, limit: 90, ...look },
              encoding: { y, text: { field: 't', type: 'nominal' } },
            }),
          ),
        ],
      },
    }
  })
}

interface Axis {
  readonly name: string
  /** Where each trial stands, in [0, 1]; NaN where it has no value. */
  readonly places: readonly number[]
  readonly ticks: readonly { readonly y: number; readonly t: string }[]
  text(trial: number): string
}

function axisOf(name: string, column: readonly unknown[]): Axis {
  if (kindOf(column) === 'nominal') {
    const names = column.map(String)
    const categories = greatest(names, categoriesShown)
    const order = [...categories.kept].toSorted(inOrder)
    if (categories.note.length > 0) order.push('other')
    const place = (text: string): number => (order.length === 1 ? 0.5 : order.indexOf(text) / (order.length - 1))
    return {
      name,
      places: names.map((text) => place(categories.of(text))),
      ticks: order.map((t) => ({ y: round(place(t), 4), t })),
      text: (trial) => names[trial]!,
    }
  }
  const values = column.map(numberOf)
  const [low, high] = extent(values)
  const logarithmic = low > 0 && high / low >= 100
  const scaled = (value: number): number => (logarithmic ? Math.log(value) : value)
  const raw = (value: number): number => (logarithmic ? Math.exp(value) : value)
  const [from, to] = [scaled(low), scaled(high)]
  const places = values.map((value) =>
    Number.isFinite(value) ? (to > from ? (scaled(value) - from) / (to - from) : 0.5) : NaN,
  )
  // Few values are written as they are, many by quarters of the axis.
  const distinct = [...new Set(values.filter(Number.isFinite))]
  const few = to > from && distinct.length <= 8
  const ticks = few
    ? distinct.map((value) => (scaled(value) - from) / (to - from))
    : to > from
      ? [0, 0.25, 0.5, 0.75, 1]
      : [0.5]
  return {
    name,
    places,
    ticks: places.some(Number.isFinite)
      ? ticks.map((y) => ({ y: round(y, 4), t: formatNumber(raw(to > from ? from + y * (to - from) : from)) }))
      : [],
    text: (trial) => formatNumber(values[trial]!),
  }
}
