/** Distributions side by side: quartiles made where the table is, so that a box of any number of rows is a few numbers. */
import { type NumberColumn, type Place, axisOf, columnOf } from './channels.js'
import type { Chart } from './chart.js'
import { formatCount } from './format.js'
import { type JsonObject, round } from './json.js'
import { askBoxes, askTotals, chartOfQueries } from './query.js'
import { type Table, heading, leftOut } from './table.js'
import { colours } from './theme.js'

export interface BoxOptions<R extends object> {
  /** Column of the numbers. */
  readonly y: NumberColumn<R>
  /** The categories, a box each: a column, or `{ bin: 'age' }`, `{ time: 'day', unit: 'month' }`; without them there is one box. */
  readonly x?: Place<R>
  readonly title?: string
}

const boxesShown = 30
const outliersAnEnd = 30

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
export function box<R extends object>(table: Table<R>, options: BoxOptions<NoInfer<R>>): Chart {
  const { x, y } = options
  const columns = [y, x === undefined ? undefined : columnOf(x)]
  return chartOfQueries('viz.box', table, columns, function* (facts) {
    const axis = x === undefined ? undefined : yield* axisOf('viz.box', facts, x, boxesShown, { op: 'rows' })
    const [all, rows] = yield* askTotals([{ op: 'rows' }, { op: 'numbers', column: y }])
    const found = yield* askBoxes(y, axis?.key, outliersAnEnd)
    const nameOf = (key: (typeof found)[number]['key']): string => axis?.nameOf(key) ?? 'all rows'
    const boxes = found.map((own) => ({ ...own, name: nameOf(own.key) }))
    if (axis !== undefined) boxes.sort((a, b) => axis.order.indexOf(a.name) - axis.order.indexOf(b.name))
    const beyond = boxes.flatMap(({ name, outliers }) => outliers.map((value) => ({ x: name, y: round(value) })))
    const outliers = boxes.reduce((sum, own) => sum + own.beyond, 0)
    const { title, text } = heading(
      options.title ?? (x === undefined ? `Distribution of ${y}` : `${y} by ${axis!.title}`),
      [
        rows === 0 ? 'no data' : `${formatCount(rows!)} values`,
        ...(axis?.note ?? []),
        ...(beyond.length < outliers
          ? [`the farthest ${formatCount(beyond.length)} of ${formatCount(outliers)} outliers drawn`]
          : []),
        ...leftOut(all! - rows!, 'rows without a number'),
      ],
    )
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
      title: axis?.title ?? 'rows',
      sort: null,
      axis: { labelAngle: boxes.length > 8 ? -45 : 0, labelLimit: 120, labelOverlap: 'parity' },
      scale: { domain: boxes.length === 0 ? [''] : boxes.map((own) => own.name) },
    }
    const width = Math.max(2, Math.min(44, 400 / Math.max(1, boxes.length)))
    return {
      text: [text, ...boxes.slice(0, 8).map((own) => `${own.name}: median ${round(own.median, 4)}`)].join('\n'),
      spec: {
        title,
        width: { step: Math.max(3, Math.min(80, 600 / Math.max(1, boxes.length))) },
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
          // Without outliers a layer of theirs would have no extent.
          ...(beyond.length === 0 && boxes.length > 0
            ? []
            : [
                {
                  data: { values: beyond },
                  mark: { type: 'point', size: 16, color: colours.quiet, opacity: 0.8 },
                  encoding: { x: category, y: length('y'), tooltip: { field: 'y', type: 'quantitative', title: y } },
                },
              ]),
        ],
      },
    }
  })
}
