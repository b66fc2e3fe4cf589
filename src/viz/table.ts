/**
 * Rows as charts take them: an array of objects, columns, or a frame, which is read when the chart is first drawn.
 *
 * A frame is known by its `toRows` alone, so that any other table with one will do.
 */
import { nearest, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Frame } from '../frame/index.js'
import { Chart, type ChartSource } from './chart.js'
import type { JsonObject } from './json.js'

/** Anything that reads itself as rows. */
export interface FrameLike<R extends object> {
  toRows(): Promise<readonly R[]>
}

/** Rows, columns of one length, or a frame. */
export type Table<R extends object> = readonly R[] | FrameLike<R> | { readonly [K in keyof R]: ArrayLike<R[K]> }

export type Column<R extends object> = Extract<keyof R, string>

export function isFrameLike(value: unknown): value is FrameLike<object> {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<FrameLike<object>>).toRows === 'function'
  )
}

/** The columns that a chart reads from a table. */
export interface Cells {
  readonly rows: number
  /** Names of the columns; none are known of no rows. */
  readonly names: readonly string[]
  column(name: string): readonly unknown[]
}

/**
 * A chart of a table: `build` is called with its cells, at once or when a frame has been read, of which only the columns
 * named in `columns` are, if any are.
 */
export function chartOf(
  caller: string,
  table: unknown,
  build: (cells: Cells) => ChartSource,
  columns: readonly string[] = [],
): Chart {
  if (table instanceof Frame && columns.length > 0) {
    const names = [...new Set(columns)]
    for (const name of names) checkColumn(caller, table.columns, name)
    const read = (table as Frame).select(...names)
    return new Chart(async () => build(cellsOf(caller, await read.toRows())))
  }
  if (isFrameLike(table)) return new Chart(async () => build(cellsOf(caller, await table.toRows())))
  return new Chart(build(cellsOf(caller, table)))
}

export function cellsOf(caller: string, table: unknown): Cells {
  if (Array.isArray(table)) {
    const rows = table as readonly Readonly<Record<string, unknown>>[]
    const odd = rows.find((row) => typeof row !== 'object' || row === null)
    if (odd !== undefined) {
      throw new ShardbookError('argument', `${caller}: expected rows to be objects, got ${show(odd)}.`)
    }
    const names = rows.length === 0 ? undefined : Object.keys(rows[0]!)
    return {
      rows: rows.length,
      names: names ?? [],
      column: (name) => (checkColumn(caller, names, name), rows.map((row) => row[name])),
    }
  }
  if (typeof table !== 'object' || table === null) {
    throw new ShardbookError('argument', `${caller}: expected rows, columns or a frame, got ${show(table)}.`)
  }
  const columns = table as Readonly<Record<string, ArrayLike<unknown>>>
  const lengths = Object.values(columns).map((column) => column?.length)
  if (lengths.length === 0 || lengths.some((length) => typeof length !== 'number' || length !== lengths[0])) {
    throw new ShardbookError('argument', `${caller}: expected columns of one length, got ${show(table)}.`)
  }
  return {
    rows: lengths[0]!,
    names: Object.keys(columns),
    column: (name) => (checkColumn(caller, Object.keys(columns), name), Array.from(columns[name]!)),
  }
}

/** Raises unless `name` is one of the columns. */
export function checkColumn(caller: string, names: readonly string[] | undefined, name: string): void {
  if (names === undefined || names.includes(name)) return
  const near = nearest(name, names)
  throw new ShardbookError(
    'column',
    `${caller}: expected one of the columns ${names.slice(0, 20).join(', ')}, got ${show(name)}.`,
    near === undefined ? {} : { hint: `Did you mean ${show(near)}?` },
  )
}

/** How a column is drawn: numbers on an axis, dates on a time axis, anything else as categories. */
export type Kind = 'quantitative' | 'temporal' | 'nominal'

export function kindOf(values: readonly unknown[]): Kind {
  const present = values.filter((value) => value !== null && value !== undefined)
  if (present.every((value) => value instanceof Date) && present.length > 0) return 'temporal'
  return present.every((value) => typeof value === 'number' || typeof value === 'bigint') ? 'quantitative' : 'nominal'
}

/** A cell as a number: dates in milliseconds, what is no number as NaN. */
export function numberOf(value: unknown): number {
  if (value === null || value === undefined) return NaN
  return value instanceof Date ? value.getTime() : Number(value)
}

/** A cell as a category: times in ISO form, without what is zero. */
export function nameOf(value: unknown): string {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return String(value ?? 'null')
  return value
    .toISOString()
    .replace(/(?:T00:00:00)?\.000Z$/, '')
    .replace('Z', '')
}

/** Orders categories: numbers by value, then texts. */
export function inOrder(a: string, b: string): number {
  const difference = Number(a) - Number(b)
  if (!Number.isNaN(difference)) return difference
  return Number(Number.isNaN(Number(a))) - Number(Number.isNaN(Number(b))) || (a < b ? -1 : Number(a !== b))
}

/** The note that says what is not in the picture. */
export function leftOut(count: number, of: string): readonly string[] {
  return count === 0 ? [] : [`${count.toLocaleString('en')} ${of} left out`]
}

/** Title and subtitle of a chart, and its text. A line of notes has up to so many characters. */
export function heading(
  title: string,
  notes: readonly string[],
  lineLength = 110,
): { readonly title: JsonObject; readonly text: string } {
  const lines: string[] = []
  for (const note of notes) {
    const longer = `${lines.at(-1)} · ${note}`
    if (lines.length > 0 && longer.length <= lineLength) lines.splice(-1, 1, longer)
    else lines.push(note)
  }
  return {
    title: { text: title, ...(lines.length === 0 ? {} : { subtitle: lines.length === 1 ? lines[0]! : lines }) },
    text: [title, ...lines].join('\n'),
  }
}
