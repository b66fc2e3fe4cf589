/**
 * Charts of one table that answer each other: what is chosen in one is what all others show.
 *
 * The rows travel with the chart, a sample of them where there are many, so that it works in a saved notebook and a web
 * page without a kernel.
 */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import type { NumberColumn } from './channels.js'
import type { Chart } from './chart.js'
import { type Json, type JsonObject, round } from './json.js'
import { askRows, chartOfQueries } from './query.js'
import { type Column, type Kind, type Table, heading, nameOf, numberOf } from './table.js'
import { colours } from './theme.js'

/** One of the charts: points, bins of a column of numbers, or categories of any column. */
export type LinkedView<R extends object> =
  | { readonly scatter: { readonly x: NumberColumn<R>; readonly y: NumberColumn<R>; readonly color?: Column<R> } }
  | { readonly histogram: NumberColumn<R> }
  | { readonly bar: Column<R> }

const rowsShown = 3000

/**
 * Points, histograms and bars of the same rows: draw a box over points or bins, click a bar, and the others show these rows
 * only; a click beside them takes it back.
 *
 * @throws `column` for a column that is not there, `argument` for a view of another kind
 * @example
 * ```ts
 * const people = { age: [30, 41, 28], height: [1.6, 1.8, 1.7], city: ['Bern', 'Bern', 'Genf'] }
 * viz.linked(people, [{ scatter: { x: 'age', y: 'height' } }, { histogram: 'age' }, { bar: 'city' }])
 * ```
 */
export function linked<R extends object>(
  table: Table<R>,
  views: readonly LinkedView<NoInfer<R>>[],
  options: { readonly columns?: number; readonly title?: string } = {},
): Chart {
  if (!Array.isArray(views) || views.length < 2) {
    throw new ShardbookError('argument', `viz.linked: expected two views or more, got ${show(views)}.`)
  }
  const plain = views.map(plainView)
  const names = [...new Set(plain.flatMap((view) => view.columns))]
  return chartOfQueries('viz.linked', table, names, function* (facts) {
    const { rows, total } = yield* askRows(names, [], rowsShown)
    const kinds = names.map((name) => facts.kind(name))
    const data = rows.map((cells): JsonObject =>
      Object.fromEntries(cells.map((cell, i) => [`c${i}`, cellOf(cell, kinds[i]!)])),
    )
    const place = (name: string): Field => {
      const i = names.indexOf(name)
      const isEmpty = data.every((row) => row[`c${i}`] === null)
      return { field: `c${i}`, title: name, kind: kinds[i]!, isEmpty }
    }
    const { title, text } = heading(options.title ?? 'Linked', [
      total > data.length
        ? `${data.length.toLocaleString('en')} of ${total.toLocaleString('en')} rows`
        : `${total.toLocaleString('en')} rows`,
      'choose in one chart, see it in the others',
    ])
    return {
      text,
      spec: {
        title,
        columns: options.columns ?? 2,
        spacing: 24,
        data: { values: data },
        concat: plain.map((view, i) => {
          const others = plain.flatMap((_, other) => (other === i ? [] : [{ param: `chosen${other}` }]))
          return viewOf(view, i, others, place)
        }),
      },
    }
  })
}

interface PlainView {
  readonly kind: 'scatter' | 'histogram' | 'bar'
  readonly columns: readonly string[]
}
interface Field {
  readonly field: string
  readonly title: string
  readonly kind: Kind
  /** Whether no row has a value in it. */
  readonly isEmpty: boolean
}

function plainView(view: unknown): PlainView {
  const [[kind, what] = []] = Object.entries((view ?? {}) as Readonly<Record<string, unknown>>)
  if ((kind === 'histogram' || kind === 'bar') && typeof what === 'string') return { kind, columns: [what] }
  const { x, y, color } = (what ?? {}) as { readonly x?: string; readonly y?: string; readonly color?: string }
  if (kind === 'scatter' && typeof x === 'string' && typeof y === 'string') {
    return { kind, columns: [x, y, ...(color === undefined ? [] : [color])] }
  }
  throw new ShardbookError(
    'argument',
    `viz.linked: expected a view { scatter: { x, y } }, { histogram } or { bar }, got ${show(view)}.`,
  )
}

function viewOf(
  { kind, columns }: PlainView,
  i: number,
  others: readonly JsonObject[],
  place: (name: string) => Field,
): JsonObject {
  const [x, y, color] = columns.map(place)
  const channel = ({ field, title, kind: type }: Field, more: JsonObject = {}): JsonObject => ({
    field,
    type,
    title,
    ...more,
  })
  const chosen = (select: JsonObject): JsonObject => ({ name: `chosen${i}`, select })
  const isChosen: JsonObject = { and: [...others] as Json[] }
  const scaled = ({ isEmpty }: Field): JsonObject => ({
    scale: isEmpty ? { domain: [0, 1] } : { zero: false, nice: true },
  })
  const size = { width: 270, height: 180 }
  if (kind === 'scatter') {
    return {
      ...size,
      params: [chosen({ type: 'interval' })],
      mark: { type: 'circle', size: 24 },
      encoding: {
        x: channel(x!, scaled(x!)),
        y: channel(y!, scaled(y!)),
        color: {
          condition: { test: isChosen, ...(color === undefined ? { value: colours.first } : channel(color)) },
          value: colours.line,
        },
        opacity: { condition: { test: isChosen, value: 0.8 }, value: 0.35 },
      },
    }
  }
  const isBar = kind === 'bar'
  const across = isBar
    ? channel({ ...x!, kind: 'nominal' }, { sort: '-y', axis: { labelAngle: -45, labelLimit: 90 } })
    : channel(x!, x!.isEmpty ? scaled(x!) : { bin: { maxbins: 24 } })
  const count = {
    aggregate: 'count',
    type: 'quantitative',
    title: 'rows',
    stack: null,
    ...(x!.isEmpty ? scaled(x!) : {}),
  }
  // All rows in grey, those that are chosen elsewhere over them.
  return {
    ...size,
    layer: [
      {
        params: [chosen(isBar ? { type: 'point', encodings: ['x'] } : { type: 'interval', encodings: ['x'] })],
        mark: { type: 'bar', color: colours.line },
        encoding: { x: across, y: count },
      },
      {
        transform: [{ filter: isChosen }],
        mark: { type: 'bar', color: colours.first },
        encoding: { x: across, y: count },
      },
    ],
  }
}

function cellOf(value: unknown, kind: Kind): Json {
  if (value === null || value === undefined) return null
  if (kind === 'nominal') return nameOf(value)
  const number = numberOf(value)
  return Number.isFinite(number) ? (kind === 'temporal' ? number : round(number, 6)) : null
}
