/** Bars: a number for each category, stacked by colour. Groups are made where the table is, a frame's by its engine. */
import { checkOneOf } from '../core/check.js'
import { type Measure, type NumberColumn, type Place, askedFor, axisOf, columnOf, topOf } from './channels.js'
import type { Chart } from './chart.js'
import { type JsonObject, round } from './json.js'
import { type Category, type Value, askGroups, askTotals, chartOfQueries } from './query.js'
import { type Column, type Table, heading, leftOut } from './table.js'

export interface BarOptions<R extends object> {
  /** The categories: a column, or `{ bin: 'age' }`, `{ time: 'day', unit: 'month' }`. */
  readonly x: Place<R>
  /** The length: a column, or a statistic of one, `{ mean: 'price' }`; without it rows are counted. */
  readonly y?: NumberColumn<R> | Measure<R>
  /** Column that stacks the bars. */
  readonly color?: Column<R>
  /** What is made of several rows where `y` is a column: `'sum'` by default. */
  readonly aggregate?: 'sum' | 'mean'
  readonly title?: string
}

const categoriesShown = 30
const coloursShown = 10

/**
 * A bar a category: numbers in their order, names as they come; beyond 30, the greatest and one of all others.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.bar([{ kind: 'a', n: 3 }, { kind: 'b', n: 5 }], { x: 'kind', y: 'n' })
 * viz.bar({ country: ['CH', 'CH', 'FR'], price: [3, 4, 9] }, { x: 'country', y: { mean: 'price' } })
 * ```
 */
export function bar<R extends object>(table: Table<R>, options: BarOptions<NoInfer<R>>): Chart {
  const { x, y, color, aggregate = 'sum' } = options
  checkOneOf('viz.bar', 'aggregate', aggregate, ['sum', 'mean'])
  const measure = askedFor('viz.bar', 'y', y ?? { count: true }, aggregate)
  return chartOfQueries('viz.bar', table, [columnOf(x), measure.column, color], function* (facts) {
    const isSum = measure.value.op === 'sum'
    const weight: Value = isSum ? { op: 'size', column: measure.column! } : { op: 'rows' }
    const axis = yield* axisOf('viz.bar', facts, x, categoriesShown, weight)
    const tones = color === undefined ? undefined : yield* topOf(color, coloursShown, weight)
    const by = [
      axis.key,
      ...(tones === undefined ? [] : [{ as: 'category', column: color!, kept: tones.kept } as const]),
    ]
    const { groups } = yield* askGroups(by, [measure.value])
    const missing = measure.column === undefined ? 0 : yield* rowsWithout(measure.column)
    const data = groups
      .filter((group) => Number.isFinite(group.values[0]))
      .map(({ keys: [place, tone], values: [value] }): JsonObject => ({
        x: axis.nameOf(place!),
        y: round(value!, 6),
        ...(tones === undefined ? {} : { c: (tone as Category).name }),
      }))
      .toSorted((a, b) => axis.order.indexOf(String(a['x'])) - axis.order.indexOf(String(b['x'])))
    const isOrdered = typeof x !== 'string'
    const count = Math.max(1, axis.order.length)
    const longest = Math.max(0, ...axis.order.map((name) => name.length))
    // Long names are read across, not turned.
    const flat = !isOrdered && (count > 12 || longest > 12)
    const { text, ...head } = heading(options.title ?? `${y === undefined ? 'Rows' : measure.name} by ${axis.title}`, [
      ...(data.length === 0 ? ['no data'] : []),
      ...axis.note,
      ...(tones?.note ?? []).map((note) => `${color}: ${note}`),
      ...leftOut(missing, 'rows without a number'),
    ])
    const step = isOrdered ? Math.max(2, Math.min(40, 560 / count)) : Math.max(28, Math.min(64, 560 / count))
    const category = {
      field: 'x',
      type: 'nominal',
      title: axis.title,
      sort: null,
      ...(isOrdered && axis.order.length > 0 ? { scale: { domain: [...axis.order] } } : {}),
      axis: {
        labelLimit: 160,
        ...(flat ? {} : { labelAngle: isOrdered && longest * 6.5 > step ? -45 : 0 }),
        ...(isOrdered ? { labelOverlap: 'parity' } : {}),
      },
    }
    const length = {
      field: 'y',
      type: 'quantitative',
      title: measure.name,
      stack: tones === undefined ? null : 'zero',
      ...(data.length === 0 ? { scale: { domain: [0, 1] } } : {}),
      axis: { ...(flat ? { grid: true } : {}), ...(y === undefined ? { tickMinStep: 1 } : {}) },
    }
    const tone = {
      field: 'c',
      type: 'nominal',
      title: color ?? null,
      sort: null,
      ...(tones?.isCut === true ? { scale: { domain: [...tones.kept.map((own) => own.name), 'other'] } } : {}),
    }
    return {
      text: `${text}\n${data
        .slice(0, 8)
        .map((row) => `${String(row['x'])}: ${String(row['y'])}`)
        .join(', ')}`,
      spec: {
        ...head,
        width: flat ? (color === undefined ? 500 : 420) : { step },
        height: flat ? { step: 20 } : 260,
        data: { values: data },
        mark: { type: 'bar', cornerRadiusEnd: 2 },
        encoding: {
          [flat ? 'y' : 'x']: category,
          [flat ? 'x' : 'y']: length,
          ...(tones === undefined ? {} : { color: tone }),
          tooltip: [
            { field: 'x', type: 'nominal', title: axis.title },
            { field: 'y', type: 'quantitative', title: measure.name },
            ...(tones === undefined ? [] : [{ field: 'c', type: 'nominal', title: color! }]),
          ],
        },
      },
    }
  })
}

/** How many rows have no finite number in a column. */
export function* rowsWithout(column: string) {
  const [rows, numbers] = yield* askTotals([{ op: 'rows' }, { op: 'numbers', column }])
  return rows! - numbers!
}
