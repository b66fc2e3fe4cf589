/** Tables as coloured squares: a value for each pair of categories, and how columns go together. */
import { checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { greatest } from './categories.js'
import type { Chart } from './chart.js'
import { formatNumber } from './format.js'
import { type JsonObject, round } from './json.js'
import { type Column, type Table, chartOf, heading, inOrder, kindOf, leftOut, numberOf } from './table.js'
import { extent } from './tensor.js'
import { colours, diverging, faint, textOn } from './theme.js'

export interface HeatmapOptions<R extends object> {
  readonly x: Column<R>
  readonly y: Column<R>
  /** Column of the values; without one, rows are counted. */
  readonly color?: Column<R>
  /** What is made of several rows of one square: `'mean'` by default. */
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
export function heatmap<R extends object>(table: Table<R>, options: HeatmapOptions<R>): Chart {
  const { x, y, color, aggregate = 'mean' } = options
  checkOneOf('viz.heatmap', 'aggregate', aggregate, ['mean', 'sum'])
  return chartOf('viz.heatmap', table, (cells) => {
    const values = color === undefined ? undefined : cells.column(color).map(numberOf)
    const across = axisOf(cells.column(x))
    const down = axisOf(cells.column(y))
    const sums = new Map<string, { x: string; y: string; sum: number; rows: number }>()
    let missing = 0
    for (let i = 0; i < cells.rows; i++) {
      const value = values?.[i] ?? (values === undefined ? 1 : NaN)
      if (!Number.isFinite(value)) missing++
      else {
        const [column, row] = [across.names[i]!, down.names[i]!]
        const key = JSON.stringify([column, row])
        const own = sums.get(key) ?? { x: column, y: row, sum: 0, rows: 0 }
        sums.set(key, { ...own, sum: own.sum + value, rows: own.rows + 1 })
      }
    }
    const mean = color !== undefined && aggregate === 'mean'
    const squares = [...sums.values()].map((own) => ({
      x: own.x,
      y: own.y,
      v: round(mean ? own.sum / own.rows : own.sum, 4),
      n: own.rows,
    }))
    const what = color === undefined ? 'rows' : `${aggregate} of ${color}`
    const [low, high] = extent(squares.map(({ v }) => v))
    const { title, text } = heading(options.title ?? `${color ?? 'Rows'} by ${x} and ${y}`, [
      ...(squares.length === 0 ? ['no data'] : [`${what} from ${formatNumber(low)} to ${formatNumber(high)}`]),
      ...across.note.map((note) => `${x}: ${note}`),
      ...down.note.map((note) => `${y}: ${note}`),
      ...leftOut(missing, 'rows without a number'),
    ])
    return {
      text,
      spec: {
        title,
        ...squaresOf(squares, {
          x: { title: x, order: across.order },
          y: { title: y, order: down.order },
          value: what,
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
  return chartOf('viz.correlation', table, (cells) => {
    const numeric = (name: string): boolean => kindOf(cells.column(name)) === 'quantitative'
    const named: readonly string[] = options.columns ?? cells.names.filter(numeric)
    const odd = named.find((name) => !numeric(name))
    if (odd !== undefined) {
      throw new ShardbookError('argument', `viz.correlation: expected columns of numbers, got ${show(odd)}.`)
    }
    const names = named.slice(0, columnsShown)
    const columns = names.map((name) => cells.column(name).map(numberOf))
    const squares = names.flatMap((x, i) =>
      names.map((y, j) => {
        const { r, rows } = pearson(columns[i]!, columns[j]!)
        return { x, y, v: Number.isFinite(r) ? round(r, 3) : null, n: rows }
      }),
    )
    const pairs = squares.filter(({ x, y, v }) => names.indexOf(x) < names.indexOf(y) && v !== null)
    const [most] = pairs.toSorted((a, b) => Math.abs(b.v!) - Math.abs(a.v!))
    const flat = names.filter((_, i) => squares[i * names.length + i]!.v === null)
    const { title, text } = heading(options.title ?? 'Correlation', [
      ...(names.length === 0
        ? ['no columns of numbers']
        : [`${names.length} columns, ${cells.rows.toLocaleString('en')} rows`]),
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

function axisOf(column: readonly unknown[]): {
  readonly names: readonly string[]
  readonly order: readonly string[]
  readonly note: readonly string[]
} {
  const all = column.map(String)
  const categories = greatest(all, categoriesShown)
  const names = all.map((name) => categories.of(name))
  const sorted = [...categories.kept]
  if (kindOf(column) !== 'nominal') sorted.sort(inOrder)
  return { names, order: categories.note.length > 0 ? [...sorted, 'other'] : sorted, note: categories.note }
}

function pearson(a: readonly number[], b: readonly number[]): { readonly r: number; readonly rows: number } {
  const both = a.flatMap((value, i) => (Number.isFinite(value) && Number.isFinite(b[i]!) ? [i] : []))
  const mean = (values: readonly number[]): number => both.reduce((sum, i) => sum + values[i]!, 0) / both.length
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (const i of both) {
    const [da, db] = [a[i]! - ma, b[i]! - mb]
    ab += da * db
    aa += da * da
    bb += db * db
  }
  return { r: Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb))), rows: both.length }
}
