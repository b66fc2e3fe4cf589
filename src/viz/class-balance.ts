/** How many samples each class has, in one set or in several. */
import { topOf } from './channels.js'
import type { Chart } from './chart.js'
import { formatCount, formatNumber } from './format.js'
import { type JsonObject, round } from './json.js'
import { type Category, askGroups, chartOfQueries } from './query.js'
import { type Column, type Table, heading, inOrder } from './table.js'

const classesShown = 30
const setsShown = 10

/**
 * A bar a class with its share of the samples; the caption says how uneven they are.
 *
 * @param options.label column of the classes
 * @param options.split column of the set that a row is in (training, validation): shares are then those of each set
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.classBalance({ label: ['cat', 'cat', 'dog'] }, { label: 'label' })
 * ```
 */
export function classBalance<R extends object>(
  table: Table<R>,
  options: { readonly label: Column<R>; readonly split?: Column<R>; readonly title?: string },
): Chart {
  const { label, split } = options
  return chartOfQueries('viz.classBalance', table, [label, split], function* () {
    const top = yield* topOf(label, classesShown, { op: 'rows' })
    const sets = split === undefined ? undefined : yield* topOf(split, setsShown, { op: 'rows' })
    const { groups } = yield* askGroups(
      [
        { as: 'category', column: label, kept: top.kept },
        ...(sets === undefined ? [] : [{ as: 'category', column: split!, kept: sets.kept } as const]),
      ],
      [{ op: 'rows' }],
    )
    const order = top.kept.map((own) => own.name).toSorted(inOrder)
    if (top.isCut) order.push('other')
    const counts = new Map<string, Map<string, number>>()
    for (const name of sets?.kept.map((own) => own.name) ?? ['']) counts.set(name, new Map())
    for (const { keys, values } of groups) {
      const set = sets === undefined ? '' : (keys[1] as Category).name
      const own = counts.get(set) ?? new Map<string, number>()
      counts.set(set, own)
      own.set((keys[0] as Category).name, values[0]!)
    }
    const rows = groups.reduce((sum, { values }) => sum + values[0]!, 0)
    const data = [...counts].flatMap(([set, own]) => {
      const total = [...own.values()].reduce((sum, n) => sum + n, 0)
      return order.map((name): JsonObject => {
        const n = own.get(name) ?? 0
        return { x: name, n, s: round((100 * n) / total, 4), t: `${((100 * n) / total).toFixed(1)} %`, c: set }
      })
    })
    const whole = order
      .filter((name) => name !== 'other' || !top.isCut)
      .map((name) => [...counts.values()].reduce((sum, own) => sum + (own.get(name) ?? 0), 0))
    const uneven = Math.max(...whole) / Math.min(...whole)
    const { title, text } = heading(options.title ?? 'Class balance', [
      ...(rows === 0
        ? ['no data']
        : [
            `${formatCount(rows)} samples, ${formatCount(top.total)} classes`,
            ...(whole.length > 1 ? [`the largest is ${formatNumber(uneven)} times the smallest`] : []),
          ]),
      ...top.note,
      ...(sets?.note ?? []).map((note) => `${split}: ${note}`),
    ])
    const axis = { field: 'x', type: 'nominal', title: label, scale: { domain: order.length === 0 ? [''] : order } }
    const length = {
      field: 's',
      type: 'quantitative',
      title: split === undefined ? 'share of samples (%)' : `share of each ${split} (%)`,
      axis: { grid: true },
      ...(data.length === 0 ? { scale: { domain: [0, 1] } } : {}),
    }
    const offset = split === undefined ? {} : { yOffset: { field: 'c', type: 'nominal', sort: null } }
    return {
      text,
      spec: {
        title,
        width: split === undefined ? 480 : 420,
        height: { step: split === undefined ? 22 : 14 },
        data: { values: data },
        encoding: { y: { ...axis, sort: null, axis: { labelLimit: 160 } }, x: length, ...offset },
        layer: [
          {
            mark: { type: 'bar', cornerRadiusEnd: 2 },
            encoding: {
              ...(split === undefined ? {} : { color: { field: 'c', type: 'nominal', title: split, sort: null } }),
              tooltip: [
                { field: 'x', type: 'nominal', title: label },
                ...(split === undefined ? [] : [{ field: 'c', type: 'nominal', title: split }]),
                { field: 'n', type: 'quantitative', title: 'samples', format: ',' },
                { field: 't', type: 'nominal', title: 'share' },
              ],
            },
          },
          ...(counts.size > 1
            ? []
            : [
                {
                  mark: { type: 'text', align: 'left', dx: 4, fontSize: 10 },
                  encoding: { text: { field: 't', type: 'nominal' } },
                },
              ]),
        ],
      },
    }
  })
}
