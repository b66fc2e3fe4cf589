/**
 * Charts made of charts: laid over each other, beside each other, or one for each category of a column.
 *
 * What a chart is made of has its data with it, so parts may come of different tables.
 */
import { checkInteger, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { col, Frame } from '../frame/index.js'
import { Chart, type ChartSource } from './chart.js'
import { type Top, topOf } from './channels.js'
import type { Json, JsonObject, Spec } from './json.js'
import { type Category, answered } from './query.js'
import { type Column, type FrameLike, type Table, cellsOf, heading, nameOf } from './table.js'

const parts = 16
/** Width of a chart that has a legend beside it. */
const legendFrom = 540

/**
 * Charts over each other, on common axes: those of the first.
 *
 * @param charts single views: lines, points, bars, not grids of images or tables
 * @throws `argument` for a chart of several views
 * @example
 * ```ts
 * const days = { day: [1, 2, 3], high: [9, 12, 11], low: [2, 4, 3] }
 * viz.layer([viz.line(days, { x: 'day', y: 'high' }), viz.scatter(days, { x: 'day', y: 'low' })])
 * ```
 */
export function layer(charts: readonly Chart[], options: { readonly title?: string } = {}): Chart {
  return ofCharts('viz.layer', charts, (list) => {
    const odd = list.find(({ spec }) => !('mark' in spec || 'layer' in spec))
    if (odd !== undefined) {
      throw new ShardbookError('argument', `viz.layer: expected charts of one view, got ${show(odd.text)}.`, {
        hint: 'Put charts of several views beside each other: viz.beside.',
      })
    }
    const [first] = list
    // Charts of one colour each get their own, and a legend of what they are; others have legends of their own.
    const isPlain = list.every(({ spec }) => 'mark' in spec && !('color' in ((spec['encoding'] ?? {}) as JsonObject)))
    const size: JsonObject = Object.fromEntries(
      ['width', 'height'].flatMap((key) => (first!.spec[key] === undefined ? [] : [[key, first!.spec[key]]])),
    )
    return {
      ...headOf(list, options.title ?? titleOf(first!)),
      ...size,
      ...(isPlain && Number(size['width']) > legendFrom ? { width: legendFrom } : {}),
      layer: list.map((own) => named(own, isPlain)),
      ...(isPlain ? {} : { resolve: { scale: { color: 'independent' } } }),
    }
  })
}

/**
 * Charts beside each other, in rows of `columns`.
 *
 * @param options.columns in [1, 16], 2 by default
 * @example
 * ```ts
 * const people = { age: [3, 5, 8], height: [0.9, 1.1, 1.3] }
 * viz.beside([viz.histogram(people, { x: 'age' }), viz.histogram(people, { x: 'height' })], { columns: 1 })
 * ```
 */
export function beside(
  charts: readonly Chart[],
  options: { readonly columns?: number; readonly title?: string } = {},
): Chart {
  const { columns = 2, title } = options
  checkInteger('viz.beside', 'columns', columns, 1, parts)
  return ofCharts('viz.beside', charts, (list) => ({
    ...(title === undefined ? { text: list.map(({ text }) => text).join('\n') } : headOf(list, title)),
    columns,
    spacing: 28,
    concat: list.map(({ spec }) => bare(narrowed(spec, columns), [])),
    resolve: { scale: { color: 'independent' } },
  }))
}

/**
 * A chart for each category of a column, side by side on common axes: of many categories those with the most rows.
 *
 * @param chart makes the chart of a category, of the rows that are in it
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * const people = { city: ['Bern', 'Bern', 'Genf'], age: [30, 41, 28] }
 * viz.facet(people, 'city', (own) => viz.histogram(own, { x: 'age' }))
 * ```
 */
export function facet<R extends object>(
  table: Table<R>,
  by: Column<NoInfer<R>>,
  chart: (table: Table<R>) => Chart,
  options: { readonly columns?: number; readonly most?: number; readonly title?: string } = {},
): Chart {
  const { columns = 3, most = 9 } = options
  checkInteger('viz.facet', 'columns', columns, 1, parts)
  checkInteger('viz.facet', 'most', most, 1, 36)
  const found = answered('viz.facet', table, [by], () => topOf(by, most + 1, { op: 'rows' }))
  const assemble = ({ kept, total }: Top, list: readonly Chart[]): ChartSource => {
    const { title, text } = heading(options.title ?? `By ${by}`, [
      ...(list.length === 0 ? ['no data'] : []),
      ...(total > list.length
        ? [`${list.length} of ${total.toLocaleString('en')} categories, those with the most rows`]
        : []),
    ])
    return {
      text: [text, ...list.map((own, i) => `${kept[i]!.name}: ${own.text.split('\n')[1] ?? ''}`)].join('\n'),
      spec: {
        title,
        columns,
        concat: list.length === 0 ? [nothing] : list.map(({ spec }, i) => small(spec, kept[i]!.name, columns)),
        resolve: { scale: { x: 'shared', y: 'shared', color: 'shared' } },
      },
    }
  }
  const chartsOf = (top: Top, rows: unknown): readonly Chart[] =>
    top.kept.slice(0, most).map((own) => chart(rowsOf(rows, by, own) as Table<R>))
  if (typeof found !== 'function') {
    const charts = chartsOf(found, table)
    if (charts.every((own) => own.isReady)) return new Chart(assemble(found, charts))
    return new Chart(async () => assemble(found, await allReady(charts)))
  }
  return new Chart(async () => {
    const top = await found()
    const rows = table instanceof Frame ? table : await (table as FrameLike<R>).toRows()
    return assemble(top, await allReady(chartsOf(top, rows)))
  })
}

async function allReady(charts: readonly Chart[]): Promise<readonly Chart[]> {
  for (const own of charts) await own.ready()
  return charts
}

const nothing: Spec = { data: { values: [] }, mark: 'point', width: 120, height: 60 }

/** The rows of a category. */
function rowsOf(table: unknown, by: string, { name, key }: Category): unknown {
  if (table instanceof Frame) {
    const text = col(by).cast('string')
    return (table as Frame).filter(key === 'null' ? text.isNull() : text.eq(key))
  }
  const cells = cellsOf('viz.facet', table)
  const own = cells.column(by)
  const columns = cells.names.map((column) => ({ column, values: cells.column(column) }))
  const chosen = own.flatMap((value, i) => (nameOf(value) === name ? [i] : []))
  return Object.fromEntries(columns.map(({ column, values }) => [column, chosen.map((i) => values[i])]))
}

/** A chart as one of many: smaller, with its category as title. */
function small(spec: Spec, name: string, columns: number): Spec {
  const own = narrowed(spec, columns)
  const low = typeof own['height'] === 'number' ? { height: Math.min(own['height'], 160) } : {}
  return { ...bare(own, ['title']), ...low, title: { text: name, fontSize: 12, offset: 6 } }
}

/** A chart of one view that fits into one of so many columns; what has a width of its own making keeps it. */
function narrowed(spec: Spec, columns: number): Spec {
  const width = Math.floor(660 / columns) - 60
  const { title } = spec
  const isHead = typeof title === 'object' && title !== null && !Array.isArray(title)
  const head = isHead ? { title: { ...(title as JsonObject), limit: width + 50 } } : {}
  const isDrawn = ('encoding' in spec || 'layer' in spec) && !JSON.stringify(spec).includes('"type":"image"')
  if (!isDrawn || typeof spec['width'] !== 'number' || spec['width'] <= width) return { ...spec, ...head }
  // What is square stays so.
  const height = spec['height'] === spec['width'] ? { height: width } : {}
  return { ...spec, ...head, width, ...height }
}

function ofCharts(caller: string, charts: readonly Chart[], build: (charts: readonly Chart[]) => JsonObject): Chart {
  if (!Array.isArray(charts) || charts.length === 0 || charts.some((own) => !(own instanceof Chart))) {
    throw new ShardbookError('argument', `${caller}: expected a list of charts, got ${show(charts)}.`)
  }
  const list = charts as readonly Chart[]
  const made = (): ChartSource => {
    const { text, ...spec } = build(list)
    return { text: String(text), spec }
  }
  if (list.every((own) => own.isReady)) return new Chart(made())
  return new Chart(async () => {
    await allReady(list)
    return made()
  })
}

function headOf(list: readonly Chart[], title: string): JsonObject {
  const texts = list.map(({ text }) => text.split('\n')[0]!)
  return { title: { text: title }, text: [title, ...texts].join('\n') }
}

function titleOf({ text }: Chart): string {
  return text.split('\n')[0]!
}

/** A chart as a layer, in a colour of its own where none has any. */
function named({ spec, text }: Chart, isPlain: boolean): Spec {
  const own = bare(spec, ['width', 'height', 'title'])
  if (!isPlain) return own
  const encoding = own['encoding'] as JsonObject
  const { title } = (encoding['y'] ?? {}) as JsonObject
  const name = typeof title === 'string' ? title : text.split('\n')[0]!
  return { ...own, encoding: { ...encoding, color: { datum: name, type: 'nominal', title: null } } }
}

/** A specification as a part of another: without what only a whole chart has. */
function bare(spec: Spec, more: readonly string[]): Spec {
  const left = ['$schema', 'config', 'description', ...more]
  return Object.fromEntries(Object.entries(spec).filter(([key]) => !left.includes(key))) as Record<string, Json> & Spec
}
