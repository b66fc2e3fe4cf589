/**
 * Lines over a table. Only what a screen can show travels: short lines keep their peaks (see thin.ts); of long ones each
 * bin gives its first, last, least and greatest point (U. Jugel et al., "M4: A Visualization-Oriented Time Series Data
 * Aggregation", 2014), found where the table is. The chart says so.
 */
import {
  type Measure,
  type NumberColumn,
  type TimeColumn,
  askedFor,
  axisOf,
  columnOf,
  niceStep,
  topOf,
} from './channels.js'
import type { Chart, ChartSource } from './chart.js'
import {
  type Category,
  type Facts,
  type Key,
  type Steps,
  type TimeUnit,
  type Value,
  askGroups,
  askRows,
  askTotals,
  chartOfQueries,
} from './query.js'
import { type Column, type Kind, type Table, heading, leftOut, nameOf, numberOf } from './table.js'
import { thin } from './thin.js'
import { type Point, count, pointCount, xySource } from './xy.js'

export interface LineOptions<R extends object> {
  /** A column; with a statistic as `y` also bins or units of time. */
  readonly x:
    | Column<R>
    | { readonly bin: NumberColumn<R>; readonly bins?: number }
    | { readonly time: TimeColumn<R>; readonly unit: TimeUnit }
  /** One column, or several, each a line of its own; or a statistic over the rows of one x, `{ mean: 'price' }`. */
  readonly y: NumberColumn<R> | readonly NumberColumn<R>[] | Measure<R>
  /** Column that tells lines apart. */
  readonly color?: Column<R>
  readonly title?: string
}

const pointsALine = 800
/** Points that are read as they are, whatever is drawn of them. */
const pointsRead = 20_000
const linesShown = 10
const groupsShown = 2000

/**
 * Lines of one or several columns over another.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.line([{ day: 1, sales: 3 }, { day: 2, sales: 5 }], { x: 'day', y: 'sales' })
 * viz.line({ when: [new Date(0), new Date(9e9)], price: [3, 5] }, { x: { time: 'when', unit: 'month' }, y: { mean: 'price' } })
 * ```
 */
export function line<R extends object>(table: Table<R>, options: LineOptions<NoInfer<R>>): Chart {
  const { x, y, color } = options
  if (typeof y === 'object' && !Array.isArray(y)) return summarised(table, options)
  const ys = [y].flat() as readonly string[]
  if (typeof x !== 'string') return summarised(table, { ...options, y: { mean: ys[0] } as never })
  return chartOfQueries('viz.line', table, [x, ...ys, color], function* (facts) {
    const kind = facts.kind(x)
    const numbers = kind === 'nominal' ? [] : [x]
    const tones = color === undefined ? undefined : yield* topOf(color, linesShown, { op: 'rows' })
    const [rows, ...finite] = yield* askTotals([
      { op: 'rows' },
      ...ys.map((column): Value => (kind === 'nominal' ? { op: 'numbers', column } : { op: 'pairs', column, by: x })),
    ])
    const total = finite.reduce((sum, own) => sum + own, 0)
    const lines = ys.length * Math.max(1, tones?.kept.length ?? 1)
    const limit = Math.max(50, Math.floor((2 * pointsALine) / Math.max(2, lines)))
    const isLong = kind !== 'nominal' && total > pointsRead
    const parts: Point[] = []
    for (const column of ys) {
      const tone = (own: string): string => (ys.length > 1 ? column : own)
      if (isLong)
        parts.push(
          ...(yield* cornersOf(
            x,
            column,
            tones === undefined ? undefined : { as: 'category', column: color!, kept: tones.kept },
            limit,
            tone,
          )),
        )
      else {
        const answer = yield* askRows(
          [x, column, ...(color === undefined ? [] : [color])],
          [...numbers, column],
          pointsRead,
        )
        const nameOfTone = toneNames(tones?.kept, tones?.isCut === true)
        parts.push(
          ...answer.rows.map(([place, value, own]) => ({
            x: kind === 'nominal' ? nameOf(place) : numberOf(place),
            y: numberOf(value),
            color: tone(nameOfTone(own)),
          })),
        )
      }
    }
    const drawn = isLong ? parts : thinned(parts, kind, limit)
    return lineSource(drawn, options, {
      kind,
      x,
      y: ys.length > 1 ? 'value' : ys[0]!,
      title: `${ys.join(', ')} by ${x}`,
      notes: [
        drawn.length < total ? `${count(total)} points, drawn with ${count(drawn.length)}` : pointCount(total),
        ...(tones?.note ?? []).map((note) => `${color}: ${note}`),
        ...leftOut(rows! * ys.length - total, 'points without a number'),
      ],
    })
  })
}

/** A line of a statistic for each x. */
function summarised<R extends object>(table: Table<R>, options: LineOptions<NoInfer<R>>): Chart {
  const { x, y, color } = options
  const measure = askedFor('viz.line', 'y', y, 'mean')
  return chartOfQueries('viz.line', table, [columnOf(x), measure.column, color], function* (facts) {
    const tones = color === undefined ? undefined : yield* topOf(color, linesShown, { op: 'rows' })
    const places = yield* placesOf(facts, x)
    const { key, kind, title, note } = places
    const by: Key[] = [
      key,
      ...(tones === undefined ? [] : [{ as: 'category', column: color!, kept: tones.kept } as const]),
    ]
    const { groups } = yield* askGroups(by, [measure.value], kind === 'nominal' ? 'found' : 'key')
    const points = groups
      .filter((group) => Number.isFinite(group.values[0]))
      .map((group): Point => ({
        x: places.nameOf(group.keys[0]!),
        y: group.values[0]!,
        color: tones === undefined ? '' : (group.keys[1] as Category).name,
      }))
    const drawn = thinned(points, kind, pointsALine)
    return lineSource(drawn, options, {
      kind,
      x: title,
      y: measure.name,
      title: `${measure.name} by ${title}`,
      notes: [pointCount(points.length), ...note, ...(tones?.note ?? []).map((own) => `${color}: ${own}`)],
    })
  })
}

interface Places {
  readonly key: Key
  readonly kind: Kind
  readonly title: string
  readonly note: readonly string[]
  nameOf(key: Category | number): number | string
}

function* placesOf(facts: Facts, x: unknown): Steps<Places> {
  const column = columnOf(x)
  if (typeof x === 'object' && 'time' in (x as object)) {
    const axis = yield* axisOf('viz.line', facts, x, groupsShown, { op: 'rows' })
    return { key: axis.key, kind: 'temporal', title: axis.title, note: [], nameOf: (own) => own as number }
  }
  const kind = facts.kind(column)
  if (kind === 'nominal') {
    const axis = yield* axisOf('viz.line', facts, column, groupsShown, { op: 'rows' })
    return { key: axis.key, kind, title: column, note: axis.note, nameOf: (own) => axis.nameOf(own) }
  }
  const key: Key = { as: 'number', column }
  const { total } = yield* askGroups([key], [], 'key', 1)
  if (typeof x === 'string' && total <= groupsShown)
    return { key, kind, title: column, note: [], nameOf: (own) => own as number }
  const bins = typeof x === 'string' ? 200 : ((x as { readonly bins?: number }).bins ?? 40)
  const [low, high] = yield* askTotals([
    { op: 'min', column },
    { op: 'max', column },
  ])
  const step = niceStep(low!, high!, bins)
  return {
    key: { as: 'bin', column, step },
    kind,
    title: column,
    note: [`${column} in bins of ${step.toLocaleString('en')}`],
    nameOf: (bin) => ((bin as number) + 0.5) * step,
  }
}

/** First, last, least and greatest point of each bin. */
function* cornersOf(
  x: string,
  y: string,
  tone: Key | undefined,
  limit: number,
  nameOfTone: (own: string) => string,
): Steps<Point[]> {
  const [low, high] = yield* askTotals([
    { op: 'min', column: x },
    { op: 'max', column: x },
  ])
  const step = (high! - low!) / Math.floor(limit / 4) || 1
  const pairs: readonly (readonly [Value, Value])[] = [
    [
      { op: 'min', column: x },
      { op: 'atMin', column: y, by: x },
    ],
    [
      { op: 'atMin', column: x, by: y },
      { op: 'min', column: y },
    ],
    [
      { op: 'atMax', column: x, by: y },
      { op: 'max', column: y },
    ],
    [
      { op: 'max', column: x },
      { op: 'atMax', column: y, by: x },
    ],
  ]
  const by: Key[] = [...(tone === undefined ? [] : [tone]), { as: 'bin', column: x, step }]
  const { groups } = yield* askGroups(by, pairs.flat(), 'key')
  return groups.flatMap(({ keys, values }) => {
    const corners = pairs.map((_, i) => ({ x: values[2 * i]!, y: values[2 * i + 1]! }))
    const color = nameOfTone(tone === undefined ? '' : (keys[0] as Category).name)
    const sorted = corners
      .filter((own) => Number.isFinite(own.x) && Number.isFinite(own.y))
      .toSorted((a, b) => a.x - b.x)
    return sorted
      .filter((own, i) => i === 0 || own.x !== sorted[i - 1]!.x || own.y !== sorted[i - 1]!.y)
      .map((own): Point => ({ ...own, color }))
  })
}

function thinned(points: readonly Point[], kind: Kind, limit: number): readonly Point[] {
  if (kind === 'nominal') return points
  const series = new Map<string | number, Point[]>()
  for (const point of points) {
    const own = series.get(point.color)
    if (own === undefined) series.set(point.color, [point])
    else own.push(point)
  }
  return [...series.values()].flatMap((own) =>
    thin(
      own.toSorted((a, b) => Number(a.x) - Number(b.x)),
      limit,
      (point) => Number(point.x),
      (point) => point.y,
    ),
  )
}

function toneNames(kept: readonly Category[] | undefined, isCut: boolean): (value: unknown) => string {
  if (kept === undefined) return () => ''
  const names = new Set(kept.map((own) => own.name))
  return (value) => (isCut && !names.has(nameOf(value)) ? 'other' : nameOf(value))
}

interface LineLook {
  readonly kind: Kind
  readonly x: string
  readonly y: string
  readonly title: string
  readonly notes: readonly string[]
}

function lineSource<R extends object>(
  points: readonly Point[],
  { y, color, title }: LineOptions<R>,
  look: LineLook,
): ChartSource {
  const lines = new Set(points.map((point) => point.color)).size
  const many = Array.isArray(y) && y.length > 1
  return xySource(points, {
    mark: { type: 'line', ...(points.length <= 30 * lines ? { point: { size: 30 } } : {}) },
    x: { name: look.x, kind: look.kind },
    y: look.y,
    ...(many || color !== undefined ? { color: { name: many ? '' : color!, kind: 'nominal' } } : {}),
    ...heading(title ?? look.title, look.notes),
  })
}
