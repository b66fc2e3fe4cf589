/**
 * Bars and histograms: counted here, so that a chart of any number of rows is a few numbers.
 */
import { checkInteger, checkOneOf } from '../core/check.js'
import { greatest } from './categories.js'
import type { Chart } from './chart.js'
import { type JsonObject, round } from './json.js'
import { type Column, type Table, chartOf, heading, inOrder, kindOf, leftOut, numberOf } from './table.js'
import { colours } from './theme.js'

export interface BarOptions<R extends object> {
  /** Column of the categories. */
  readonly x: Column<R>
  /** Column of the values; without one, rows are counted. */
  readonly y?: Column<R>
  /** Column that stacks the bars. */
  readonly color?: Column<R>
  /** What is made of several rows of one category: `'sum'` by default. */
  readonly aggregate?: 'sum' | 'mean'
  readonly title?: string
}

export interface HistogramOptions<R extends object> {
  /** Column of the numbers. */
  readonly x: Column<R>
  /** Column that stacks the bars. */
  readonly color?: Column<R>
  /** About how many bins, 30 by default. */
  readonly bins?: number
  readonly title?: string
}

const categoriesShown = 30

/**
 * A bar a category: numbers in their order, names as they come; beyond 30, the greatest and one of all others.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.bar([{ kind: 'a', n: 3 }, { kind: 'b', n: 5 }], { x: 'kind', y: 'n' })
 * ```
 */
export function bar<R extends object>(table: Table<R>, options: BarOptions<R>): Chart {
  const { x, y, color, aggregate = 'sum' } = options
  checkOneOf('viz.bar', 'aggregate', aggregate, ['sum', 'mean'])
  return chartOf('viz.bar', table, (cells) => {
    const names = cells.column(x).map(String)
    const values = y === undefined ? names.map(() => 1) : cells.column(y).map(numberOf)
    const tones = color === undefined ? undefined : cells.column(color).map(String)
    const missing = values.filter((value) => !Number.isFinite(value)).length
    const weights = values.map((value) => (Number.isFinite(value) ? Math.abs(value) : 0))
    const categories = greatest(names, categoriesShown, weights)
    const { kept } = categories
    const many = kept.size < categories.total
    const groups = new Map<string, { x: string; c: string; sum: number; rows: number }>()
    for (const [i, name] of names.entries()) {
      if (!Number.isFinite(values[i]!)) continue
      const [category, tone] = [categories.of(name), tones?.[i] ?? '']
      const key = JSON.stringify([category, tone])
      const group = groups.get(key) ?? { x: category, c: tone, sum: 0, rows: 0 }
      groups.set(key, { ...group, sum: group.sum + values[i]!, rows: group.rows + 1 })
    }
    // Numbers in their order, names as they come; of too many the greatest first, the others last.
    const numeric = kindOf(cells.column(x)) === 'quantitative'
    const order = many ? [...kept, 'other'] : numeric ? [...kept].toSorted(inOrder) : [...kept]
    const sorted = [...groups.values()].toSorted((a, b) => order.indexOf(a.x) - order.indexOf(b.x))
    const data = sorted.map((group): JsonObject => ({
      x: group.x,
      y: round(aggregate === 'mean' ? group.sum / group.rows : group.sum, 6),
      ...(color === undefined ? {} : { c: group.c }),
    }))
    // Long names are read across, not turned.
    const flat = kept.size > 12 || Math.max(0, ...[...kept].map((name) => name.length)) > 12
    const label = y ?? 'rows'
    const notes = [
      ...(data.length === 0 ? ['no data'] : []),
      ...categories.note,
      ...leftOut(missing, 'rows without a number'),
    ]
    const category = { field: 'x', type: 'nominal', title: x, sort: null, axis: { labelAngle: 0, labelLimit: 160 } }
    const length = {
      field: 'y',
      type: 'quantitative',
      title: y === undefined || aggregate === 'sum' ? label : `mean ${label}`,
      stack: tones === undefined ? null : 'zero',
      ...(data.length === 0 ? { scale: { domain: [0, 1] } } : {}),
    }
    const title = options.title ?? (y === undefined ? `Rows by ${x}` : `${y} by ${x}`)
    const { text, ...head } = heading(title, notes)
    return {
      text: `${text}\n${data
        .slice(0, 8)
        .map((row) => `${String(row['x'])}: ${String(row['y'])}`)
        .join(', ')}`,
      spec: {
        ...head,
        width: flat
          ? color === undefined
            ? 500
            : 420
          : { step: Math.max(28, Math.min(64, 560 / Math.max(1, kept.size))) },
        height: flat ? { step: 20 } : 260,
        data: { values: data },
        mark: { type: 'bar', cornerRadiusEnd: 2 },
        encoding: {
          [flat ? 'y' : 'x']: flat ? { ...category, axis: { labelLimit: 160 } } : category,
          [flat ? 'x' : 'y']: flat ? { ...length, axis: { grid: true } } : length,
          ...(color === undefined ? {} : { color: { field: 'c', type: 'nominal', title: color, sort: null } }),
          tooltip: [
            { field: 'x', type: 'nominal', title: x },
            { field: 'y', type: 'quantitative', title: label },
            ...(color === undefined ? [] : [{ field: 'c', type: 'nominal', title: color }]),
          ],
        },
      },
    }
  })
}

/**
 * How often the values of a column fall into bins of one round width.
 *
 * @param options.bins about how many, in [1, 200]
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.histogram({ age: [3, 5, 5, 8, 13] }, { x: 'age', bins: 5 })
 * ```
 */
export function histogram<R extends object>(table: Table<R>, options: HistogramOptions<R>): Chart {
  const { x, color, bins = 30 } = options
  checkInteger('viz.histogram', 'bins', bins, 1, 200)
  return chartOf('viz.histogram', table, (cells) => {
    const all = cells.column(x).map(numberOf)
    const tones = color === undefined ? undefined : cells.column(color).map(String)
    const values = all.filter(Number.isFinite)
    const [low, high] = values.reduce(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [Infinity, -Infinity])
    const step = niceStep(low, high, bins)
    const start = values.length === 0 ? 0 : Math.floor(low / step)
    const counts = new Map<string, Map<number, number>>()
    for (const [i, value] of all.entries()) {
      if (!Number.isFinite(value)) continue
      const own = counts.get(tones?.[i] ?? '') ?? new Map<number, number>()
      counts.set(tones?.[i] ?? '', own)
      const bin = Math.floor(value / step) - start
      own.set(bin, (own.get(bin) ?? 0) + 1)
    }
    const data = [...counts].flatMap(([tone, own]) =>
      [...own]
        .toSorted((a, b) => a[0] - b[0])
        .map(([bin, rows]): JsonObject => ({
          x: round((start + bin) * step, 8),
          x2: round((start + bin + 1) * step, 8),
          y: rows,
          ...(color === undefined ? {} : { c: tone }),
        })),
    )
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const { text, ...head } = heading(options.title ?? `Distribution of ${x}`, [
      ...(values.length === 0
        ? ['no data']
        : [
            `${values.length.toLocaleString('en')} values from ${round(low, 4)} to ${round(high, 4)}`,
            `mean ${round(mean, 4)}`,
          ]),
      ...leftOut(all.length - values.length, 'without a number'),
    ])
    const domain = data.length === 0 ? { scale: { domain: [0, 1] } } : {}
    return {
      text,
      spec: {
        ...head,
        width: color === undefined ? 620 : 540,
        height: 260,
        data: { values: data },
        mark: { type: 'bar', stroke: colours.ground, strokeWidth: 1 },
        encoding: {
          x: { field: 'x', type: 'quantitative', title: x, bin: { binned: true, step }, ...domain },
          x2: { field: 'x2' },
          y: {
            field: 'y',
            type: 'quantitative',
            title: 'rows',
            ...(color === undefined ? { stack: null } : {}),
            ...domain,
          },
          ...(color === undefined ? {} : { color: { field: 'c', type: 'nominal', title: color, sort: null } }),
          tooltip: [
            { field: 'x', type: 'quantitative', title: 'from' },
            { field: 'x2', type: 'quantitative', title: 'to' },
            { field: 'y', type: 'quantitative', title: 'rows' },
            ...(color === undefined ? [] : [{ field: 'c', type: 'nominal', title: color }]),
          ],
        },
      },
    }
  })
}

/** The width of 1, 2 or 5 times a power of ten that gives about `bins` bins. */
function niceStep(low: number, high: number, bins: number): number {
  const size = Math.max(Math.abs(low), Math.abs(high))
  const span = high - low
  // Values as good as equal, or too small to be divided, share a bin of their own size.
  if (!(span > Math.max(1e-9 * size, 1e-280)) || !Number.isFinite(span)) {
    return size > 1e-280 && Number.isFinite(size) ? 10 ** Math.floor(Math.log10(size)) : 1
  }
  const rough = span / bins
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough / 1.6) ?? 10
  return round(factor * power, 12)
}
