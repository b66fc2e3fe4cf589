/** Tables as coloured squares: a value for each pair of categories, and how columns go together. */
import { checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { rowsWithout } from './bar.js'
import { type Measure, type NumberColumn, type Place, askedFor, axisOf, columnOf } from './channels.js'
import type { Chart } from './chart.js'
import { formatNumber } from './format.js'
import { type JsonObject, round } from './json.js'
import { type Value, askGroups, askTotals, chartOfQueries } from './query.js'
import { type Column, type Table, heading, leftOut } from './table.js'
import { extent } from './tensor.js'
import { colours, diverging, faint, textOn } from './theme.js'

export interface HeatmapOptions<R extends object> {
  /** Categories: a column, or `{ bin: 'age' }`, `{ time: 'day', unit: 'month' }`. */
  readonly x: Place<R>
  readonly y: Place<R>
  /** The value: a column, or a statistic of one, `{ max: 'price' }`; without it rows are counted. */
  readonly color?: NumberColumn<R> | Measure<R>
  /** What is made of several rows of one square where `color` is a column: `'mean'` by default. */
  readonly aggregate?: 'mean' | 'sum'
  readonly title?: string
}

const categoriesShown = 40
const columnsShown = 40

/**
 * A square a pair of categories, coloured by its value: blue below zero and red above where values have both signs.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.heatmap({ day: ['Mo', 'Mo', 'Tu'], hour: [8, 9, 8], calls: [3, 5, 2] }, { x: 'hour', y: 'day', color: 'calls' })
 * ```
 */
export function heatmap<R extends object>(table: Table<R>, options: HeatmapOptions<NoInfer<R>>): Chart {
  const { x, y, color, aggregate = 'mean' } = options
  checkOneOf('viz.heatmap', 'aggregate', aggregate, ['mean', 'sum'])
  const measure = askedFor('viz.heatmap', 'color', color ?? { count: true }, aggregate)
  const columns = [columnOf(x), columnOf(y), measure.column]
  return chartOfQueries('viz.heatmap', table, columns, function* (facts) {
    const across = yield* axisOf('viz.heatmap', facts, x, categoriesShown, { op: 'rows' })
    const down = yield* axisOf('viz.heatmap', facts, y, categoriesShown, { op: 'rows' })
    const counted: Value = measure.column === undefined ? { op: 'rows' } : { op: 'numbers', column: measure.column }
    const { groups } = yield* askGroups([across.key, down.key], [measure.value, counted])
    const missing = measure.column === undefined ? 0 : yield* rowsWithout(measure.column)
    const squares = groups
      .filter(({ values }) => Number.isFinite(values[0]))
      .map(({ keys, values }) => ({
        x: across.nameOf(keys[0]!),
        y: down.nameOf(keys[1]!),
        v: round(values[0]!, 4),
        n: values[1]!,
      }))
    const [low, high] = extent(squares.map(({ v }) => v))
    const { title, text } = heading(
      options.title ?? `${measure.column ?? 'Rows'} by ${across.title} and ${down.title}`,
      [
        ...(squares.length === 0
          ? ['no data']
          : [`${measure.name} from ${formatNumber(low)} to ${formatNumber(high)}`]),
        ...across.note.map((note) => `${across.title}: ${note}`),
        ...down.note.map((note) => `${down.title}: ${note}`),
        ...leftOut(missing, 'rows without a number'),
      ],
    )
    // Bins and times rise as on any axis; names are read from the top.
    const isDown = typeof y === 'string'
    return {
      text,
      spec: {
        title,
        ...squaresOf(squares, {
          x: { title: across.title, order: across.order },
          y: { title: down.title, order: isDown ? down.order : down.order.toReversed() },
          value: measure.name,
          most: low < 0 ? Math.max(-low, high) : undefined,
        }),
      },
    }
  })
}

/**
 * Pearson's correlation of each pair of number columns, over the rows where both are there.
 *
 * @param options.columns all columns of numbers by default
 * @throws `column` for a column that is not there, `argument` for one that holds no numbers
 * @example
 * ```ts
 * viz.correlation({ height: [1.6, 1.7, 1.8], weight: [60, 72, 75], shoes: [38, 41, 42] })
 * ```
 */
export function correlation<R extends object>(
  table: Table<R>,
  options: { readonly columns?: readonly Column<R>[]; readonly title?: string } = {},
): Chart {
  return chartOfQueries('viz.correlation', table, options.columns ?? [], function* (facts) {
    const numeric = (name: string): boolean => facts.kind(name) === 'quantitative'
    const named: readonly string[] = options.columns ?? facts.names.filter(numeric)
    const odd = named.find((name) => !numeric(name))
    if (odd !== undefined) {
      throw new ShardbookError('argument', `viz.correlation: expected columns of numbers, got ${show(odd)}.`)
    }
    const names = named.slice(0, columnsShown)
    const pairs = names.flatMap((column, i) => names.slice(0, i + 1).map((by) => ({ column, by })))
    const [rows, ...values] = yield* askTotals([
      { op: 'rows' },
      ...pairs.flatMap((pair): Value[] => [
        { op: 'correlation', ...pair },
        { op: 'pairs', ...pair },
      ]),
    ])
    const valueOf = (x: string, y: string): { readonly v: number | null; readonly n: number } => {
      const at = pairs.findIndex((own) => (own.column === x && own.by === y) || (own.column === y && own.by === x))
      const [r, n] = [values[2 * at]!, values[2 * at + 1]!]
      return { v: Number.isFinite(r) ? round(r, 3) : null, n: Number.isNaN(n) ? 0 : n }
    }
    const squares = names.flatMap((x) => names.map((y) => ({ x, y, ...valueOf(x, y) })))
    const known = squares.filter(({ x, y, v }) => names.indexOf(x) < names.indexOf(y) && v !== null)
    const [most] = known.toSorted((a, b) => Math.abs(b.v!) - Math.abs(a.v!))
    const flat = names.filter((_, i) => squares[i * names.length + i]!.v === null)
    const { title, text } = heading(options.title ?? 'Correlation', [
      ...(names.length === 0
        ? ['no columns of numbers']
        : [`${names.length} columns, ${rows!.toLocaleString('en')} rows`]),
      ...(most === undefined ? [] : [`closest: ${most.x} and ${most.y} (${most.v!.toFixed(2)})`]),
      ...(flat.length === 0 ? [] : [`constant or empty: ${flat.slice(0, 5).join(', ')}`]),
      ...leftOut(named.length - names.length, 'columns'),
    ])
    return {
      text,
      spec: {
        title,
        ...squaresOf(squares, {
          x: { title: 'column', order: names },
          y: { title: 'column', order: names },
          value: 'correlation',
          most: 1,
        }),
      },
    }
  })
}

interface Square {
  readonly x: string
  readonly y: string
  readonly v: number | null
  readonly n: number
}

interface SquaresLook {
  readonly x: { readonly title: string; readonly order: readonly string[] }
  readonly y: { readonly title: string; readonly order: readonly string[] }
  readonly value: string
  /** Where the colours of a signed scale end; without it the scale goes from the least to the greatest value. */
  readonly most: number | undefined
}

function squaresOf(squares: readonly Square[], { x, y, value, most }: SquaresLook): JsonObject {
  const [low, high] = extent(squares.map(({ v }) => v ?? NaN))
  const across = Math.max(16, Math.min(52, Math.floor(520 / Math.max(1, x.order.length))))
  const down = Math.max(16, Math.min(36, Math.floor(480 / Math.max(1, y.order.length))))
  const values = squares.map(({ x: column, y: row, v, n }): JsonObject => ({
    x: column,
    y: row,
    v,
    n,
    t: v === null ? '' : most === 1 ? v.toFixed(2).replace('-0.00', '0.00') : formatNumber(v),
  }))
  const widest = Math.max(0, ...values.map((square) => String(square['t']).length))
  const axis = (field: string, name: string, order: readonly string[]): JsonObject => ({
    field,
    type: 'nominal',
    title: name,
    sort: null,
    scale: { domain: order.length === 0 ? [''] : [...order] },
  })
  const longest = Math.max(0, ...x.order.map((name) => name.length))
  const scale =
    most === undefined
      ? { domain: high > low ? [low, high] : [low, low + 1], range: [faint, colours.first] }
      : { domain: [-(most || 1), most || 1], range: [...diverging] }
  return {
    width: { step: across },
    height: { step: down },
    data: { values },
    encoding: {
      x: {
        ...axis('x', x.title, x.order),
        axis: { labelAngle: longest * 6.5 > across ? -45 : 0, labelLimit: 120, domain: false, ticks: false },
      },
      y: { ...axis('y', y.title, y.order), axis: { labelLimit: 140, domain: false, ticks: false } },
      tooltip: [
        { field: 'x', type: 'nominal', title: x.title },
        { field: 'y', type: 'nominal', title: y.title },
        { field: 'v', type: 'quantitative', title: value },
        { field: 'n', type: 'quantitative', title: 'rows', format: ',' },
      ],
    },
    layer: [
      {
        mark: { type: 'rect', stroke: colours.ground, strokeWidth: 1, invalid: null },
        encoding: {
          color: {
            condition: { test: 'datum.v === null', value: colours.grid },
            field: 'v',
            type: 'quantitative',
            title: value,
            scale: { ...scale, interpolate: 'rgb' },
            legend: values.length === 0 ? null : { gradientLength: 120 },
          },
        },
      },
      ...(widest * 6.5 + 4 > across || squares.length > 400
        ? []
        : [
            {
              mark: { type: 'text', fontSize: 10 },
              encoding: {
                text: { field: 't', type: 'nominal' },
                color: textOn("scale('color', datum.v)"),
              },
            },
          ]),
    ],
  }
}
