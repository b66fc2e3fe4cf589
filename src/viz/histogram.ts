/** Histograms: values counted in bins where the table is, so that a chart of any number of rows is a few numbers. */
import { checkInteger } from '../core/check.js'
import { type NumberColumn, niceStep, topOf } from './channels.js'
import type { Chart } from './chart.js'
import { type JsonObject, round } from './json.js'
import { type Category, askGroups, askTotals, chartOfQueries } from './query.js'
import { type Column, type Table, heading, leftOut, nameOf } from './table.js'
import { colours } from './theme.js'

export interface HistogramOptions<R extends object> {
  /** Column of the numbers, or times. */
  readonly x: NumberColumn<R>
  /** Column that stacks the bars. */
  readonly color?: Column<R>
  /** About how many bins, 30 by default. */
  readonly bins?: number
  readonly title?: string
}

const coloursShown = 10

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
export function histogram<R extends object>(table: Table<R>, options: HistogramOptions<NoInfer<R>>): Chart {
  const { x, color, bins = 30 } = options
  checkInteger('viz.histogram', 'bins', bins, 1, 200)
  return chartOfQueries('viz.histogram', table, [x, color], function* (facts) {
    const isTime = facts.kind(x) === 'temporal'
    const [rows, count, low, high, mean] = yield* askTotals([
      { op: 'rows' },
      { op: 'numbers', column: x },
      { op: 'min', column: x },
      { op: 'max', column: x },
      { op: 'mean', column: x },
    ])
    const step = niceStep(low!, high!, bins)
    const tones = color === undefined ? undefined : yield* topOf(color, coloursShown, { op: 'rows' })
    const { groups } = yield* askGroups(
      [
        ...(tones === undefined ? [] : [{ as: 'category', column: color!, kept: tones.kept } as const]),
        { as: 'bin', column: x, step },
      ],
      [{ op: 'rows' }],
      'key',
    )
    const orderOf = new Map((tones?.kept ?? []).map((tone, i) => [tone.key, i]))
    const placeOf = (key: Category | number | undefined): number =>
      typeof key === 'object' ? (orderOf.get(key.key) ?? Infinity) : 0
    const data = groups
      .toSorted((a, b) => placeOf(a.keys[0]) - placeOf(b.keys[0]) || 0)
      .map(({ keys, values }): JsonObject => {
        const bin = keys.at(-1) as number
        return {
          x: round(bin * step, isTime ? 15 : 8),
          x2: round((bin + 1) * step, isTime ? 15 : 8),
          y: values[0]!,
          ...(tones === undefined ? {} : { c: (keys[0] as Category).name }),
        }
      })
    const day = 86_400_000
    const written = (value: number): string => {
      if (!isTime) return String(round(value, 4))
      // Of days one hour is not worth a word.
      return nameOf(new Date(high! - low! > 3 * day ? Math.floor(value / day) * day : value))
    }
    const { text, ...head } = heading(options.title ?? `Distribution of ${x}`, [
      ...(count === 0
        ? ['no data']
        : [
            `${count!.toLocaleString('en')} values from ${written(low!)} to ${written(high!)}`,
            `mean ${written(mean!)}`,
          ]),
      ...(tones?.note ?? []).map((note) => `${color}: ${note}`),
      ...leftOut(rows! - count!, 'without a number'),
    ])
    const domain = data.length === 0 ? { scale: { domain: [0, 1] } } : {}
    const across = isTime ? { type: 'temporal' } : { type: 'quantitative', bin: { binned: true, step } }
    return {
      text,
      spec: {
        ...head,
        width: color === undefined ? 620 : 540,
        height: 260,
        data: { values: data },
        mark: { type: 'bar', stroke: colours.ground, strokeWidth: 1, ...(isTime ? { orient: 'vertical' } : {}) },
        encoding: {
          x: { field: 'x', title: x, ...across, ...domain },
          x2: { field: 'x2' },
          y: {
            field: 'y',
            type: 'quantitative',
            title: 'rows',
            axis: { tickMinStep: 1 },
            ...(color === undefined ? { stack: null } : {}),
            ...domain,
          },
          ...(tones === undefined ? {} : { color: { field: 'c', type: 'nominal', title: color!, sort: null } }),
          tooltip: [
            { field: 'x', type: isTime ? 'temporal' : 'quantitative', title: 'from' },
            { field: 'x2', type: isTime ? 'temporal' : 'quantitative', title: 'to' },
            { field: 'y', type: 'quantitative', title: 'rows' },
            ...(tones === undefined ? [] : [{ field: 'c', type: 'nominal', title: color! }]),
          ],
        },
      },
    }
  })
}
