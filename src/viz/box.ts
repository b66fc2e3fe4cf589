/** Distributions side by side: quartiles computed here, so that a box of any number of rows is a few numbers. */
import { greatest } from './categories.js'
import type { Chart } from './chart.js'
import { formatCount } from './format.js'
import { type JsonObject, round } from './json.js'
import { type Column, type Table, chartOf, heading, inOrder, kindOf, leftOut, numberOf } from './table.js'
import { colours } from './theme.js'

export interface BoxOptions<R extends object> {
  /** Column of the numbers. */
  readonly y: Column<R>
  /** Column of the categories, a box each; without one there is one box. */
  readonly x?: Column<R>
  readonly title?: string
}

const boxesShown = 30
const outliersABox = 60

/**
 * A box a category: median, quartiles, whiskers to the last value within 1.5 interquartile ranges, and what lies beyond.
 *
 * Quartiles interpolate linearly between the two nearest values.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.box([{ kind: 'a', ms: 3 }, { kind: 'a', ms: 4 }, { kind: 'b', ms: 9 }], { x: 'kind', y: 'ms' })
 * ```
 */
export function box<R extends object>(table: Table<R>, options: BoxOptions<R>): Chart {
  const { x, y } = options
  return chartOf('viz.box', table, (cells) => {
    const values = cells.column(y).map(numberOf)
    const column = x === undefined ? values.map(() => 'all rows') : cells.column(x)
    const names = column.map(String)
    const categories = greatest(names, boxesShown)
    const groups = new Map<string, number[]>()
    for (const [i, value] of values.entries()) {
      if (!Number.isFinite(value)) continue
      const name = categories.of(names[i]!)
      const own = groups.get(name)
      if (own === undefined) groups.set(name, [value])
      else own.push(value)
    }
    const order = [...groups.keys()]
    if (categories.note.length > 0) order.sort((a, b) => Number(a === 'other') - Number(b === 'other'))
    else if (kindOf(column) === 'quantitative') order.sort(inOrder)
    const boxes = order.map((name) => ({ name, ...summary(groups.get(name)!) }))
    const beyond = boxes.flatMap(({ name, outliers }) => {
      const every = Math.ceil(outliers.length / outliersABox)
      return outliers.filter((_, i) => every <= 1 || i % every === 0).map((v) => ({ x: name, y: round(v) }))
    })
    const outliers = boxes.reduce((sum, own) => sum + own.outliers.length, 0)
    const rows = boxes.reduce((sum, own) => sum + own.rows, 0)
    const { title, text } = heading(options.title ?? (x === undefined ? `Distribution of ${y}` : `${y} by ${x}`), [
      rows === 0 ? 'no data' : `${formatCount(rows)} values`,
      ...categories.note,
      ...(beyond.length < outliers ? [`${formatCount(beyond.length)} of ${formatCount(outliers)} outliers drawn`] : []),
      ...leftOut(values.length - rows, 'rows without a number'),
    ])
    const data = boxes.map((own): JsonObject => ({
      x: own.name,
      low: round(own.low),
      q1: round(own.q1),
      median: round(own.median),
      q3: round(own.q3),
      high: round(own.high),
      rows: own.rows,
    }))
    const scale = rows === 0 ? { domain: [0, 1] } : { zero: false, nice: true }
    const length = (field: string): JsonObject => ({ field, type: 'quantitative', title: y, scale })
    const category = {
      field: 'x',
      type: 'nominal',
      title: x ?? 'rows',
      sort: null,
      axis: { labelAngle: boxes.length > 8 ? -45 : 0, labelLimit: 120 },
      ...(rows === 0 ? { scale: { domain: [''] } } : { scale: { domain: order } }),
    }
    const width = Math.max(10, Math.min(44, 400 / Math.max(1, boxes.length)))
    return {
      text: [text, ...boxes.slice(0, 8).map((own) => `${own.name}: median ${round(own.median, 4)}`)].join('\n'),
      spec: {
        title,
        width: { step: Math.max(18, Math.min(80, 600 / Math.max(1, boxes.length))) },
        height: 280,
        data: { values: data },
        encoding: {
          x: category,
          tooltip: ['rows', 'low', 'q1', 'median', 'q3', 'high'].map((field) => ({
            field,
            type: 'quantitative',
            title:
              { low: 'whisker from', high: 'whisker to', q1: 'lower quartile', q3: 'upper quartile' }[field] ?? field,
          })),
        },
        layer: [
          {
            mark: { type: 'rule', color: colours.quiet },
            encoding: { y: length('low'), y2: { field: 'high' } },
          },
          {
            mark: { type: 'bar', size: width, color: colours.first, cornerRadius: 2 },
            encoding: { y: length('q1'), y2: { field: 'q3' } },
          },
          {
            mark: { type: 'tick', size: width, thickness: 2, color: colours.ground },
            encoding: { y: length('median') },
          },
          {
            data: { values: beyond },
            mark: { type: 'point', size: 16, color: colours.quiet, opacity: 0.8 },
            encoding: { x: category, y: length('y'), tooltip: { field: 'y', type: 'quantitative', title: y } },
          },
        ],
      },
    }
  })
}

function summary(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b)
  const [q1, median, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)]
  const reach = 1.5 * (q3 - q1)
  const inside = (value: number): boolean => value >= q1 - reach && value <= q3 + reach
  return {
    rows: sorted.length,
    q1,
    median,
    q3,
    low: Math.min(q1, sorted.find(inside) ?? q1),
    high: Math.max(q3, sorted.findLast(inside) ?? q3),
    outliers: sorted.filter((value) => !inside(value)),
  }
}

/** The value below which a part of the sorted values lies, interpolated linearly. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const place = (sorted.length - 1) * part
  const low = Math.floor(place)
  const [a, b] = [sorted[low] ?? NaN, sorted[Math.ceil(place)] ?? NaN]
  return a === b ? a : a + (place - low) * (b - a)
}
