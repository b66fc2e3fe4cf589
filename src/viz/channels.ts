/**
 * Channels: what of a table goes onto an axis, a colour or a length, and how it gets there.
 *
 * Their types name the table's own columns, so that a misspelt one, or one without numbers where numbers are needed, is a
 * type error.
 */
import { checkInteger, checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { round } from './json.js'
import {
  type Category,
  type Facts,
  type Key,
  type Statistic,
  type Steps,
  type TimeUnit,
  type Value,
  askGroups,
  askTotals,
  timeUnits,
} from './query.js'
import { type Column, inOrder } from './table.js'

/** Columns of numbers or times. */
export type NumberColumn<R extends object> = ColumnOf<R, number | bigint | boolean | Date>
/** Columns of times. */
export type TimeColumn<R extends object> = ColumnOf<R, Date>
type ColumnOf<R extends object, T> = {
  [K in Column<R>]: unknown extends R[K] ? K : [NonNullable<R[K]>] extends [T] ? K : never
}[Column<R>]

/** Categories on an axis: a column's values, its bins of one width (about `bins` of them), or units of time. */
export type Place<R extends object> =
  | Column<R>
  | { readonly bin: NumberColumn<R>; readonly bins?: number }
  | { readonly time: TimeColumn<R>; readonly unit: TimeUnit }

/** A number for each group of rows: how many rows it has, or what is made of a column's numbers. */
export type Measure<R extends object> = { readonly count: true } | { readonly [S in Statistic]: Only<S, R> }[Statistic]
type Only<S extends Statistic, R extends object> = { readonly [K in S]: NumberColumn<R> } & {
  readonly [K in Exclude<Statistic | 'count', S>]?: never
}

const statistics = ['sum', 'mean', 'median', 'min', 'max', 'std'] as const satisfies readonly Statistic[]

/** What a measure asks for. */
export interface Asked {
  readonly value: Value
  /** Its name in the chart. */
  readonly name: string
  readonly column?: string
}

/** What a measure means; a column alone stands for `otherwise` of it. */
export function askedFor(caller: string, name: string, measure: unknown, otherwise: Statistic): Asked {
  if (typeof measure === 'string') return statisticOf(otherwise, measure)
  const [[op, column] = [], ...more] = Object.entries(measure ?? {}) as [string, unknown][]
  if (op === undefined || more.length > 0) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected ${name} to be a column or one statistic of a column, got ${show(measure)}.`,
      { hint: "For instance { mean: 'price' } or { count: true }." },
    )
  }
  if (op === 'count') return { value: { op: 'rows' }, name: 'rows' }
  checkOneOf(caller, `the statistic of ${name}`, op, [...statistics, 'count'])
  return statisticOf(op as Statistic, String(column))
}

function statisticOf(op: Statistic, column: string): Asked {
  const words = { sum: '', mean: 'mean ', median: 'median ', min: 'least ', max: 'greatest ', std: 'deviation of ' }
  return { value: { op, column }, name: `${words[op]}${column}`, column }
}

/** The column that a place reads. */
export function columnOf(place: unknown): string {
  if (typeof place === 'string') return place
  const { bin, time } = (place ?? {}) as { readonly bin?: string; readonly time?: string }
  return bin ?? time ?? show(place)
}

/** Categories along an axis. */
export interface Axis {
  readonly title: string
  readonly key: Key
  /** All of them, in the order of the axis. */
  readonly order: readonly string[]
  readonly note: readonly string[]
  nameOf(key: Category | number): string
}

/** The categories of a place: at most `limit`, of too many the greatest by `weight` and one for the rest. */
export function* axisOf(caller: string, facts: Facts, place: unknown, limit: number, weight: Value): Steps<Axis> {
  const column = columnOf(place)
  if (typeof place !== 'string' && 'time' in (place as object)) {
    return yield* timeAxis(caller, column, (place as { readonly unit: TimeUnit }).unit)
  }
  if (typeof place !== 'string') {
    return yield* binAxis(caller, column, (place as { readonly bins?: number }).bins ?? 20)
  }
  const top = yield* topOf(column, limit, weight)
  const names = top.kept.map((own) => own.name)
  const sorted = facts.kind(column) === 'nominal' || top.isCut ? names : names.toSorted(inOrder)
  return {
    title: column,
    key: { as: 'category', column, kept: top.kept },
    order: top.isCut ? [...sorted, 'other'] : sorted,
    note: top.note,
    nameOf: (key) => (typeof key === 'number' ? String(key) : key.name),
  }
}

export interface Top {
  /** As they are found in the table, or the greatest first where some are left out. */
  readonly kept: readonly Category[]
  readonly total: number
  readonly isCut: boolean
  /** What the chart says when not all are drawn. */
  readonly note: readonly string[]
}

/** The categories of a column that are drawn: all, or of more than `limit` the greatest, one less. */
export function* topOf(column: string, limit: number, weight: Value): Steps<Top> {
  const { groups, total } = yield* askGroups([{ as: 'category', column }], [weight, { op: 'place' }], 'greatest', limit)
  const isCut = total > limit
  const chosen = isCut ? groups.slice(0, limit - 1) : groups.toSorted((a, b) => a.values[1]! - b.values[1]!)
  return {
    kept: chosen.map((group) => group.keys[0] as Category),
    total,
    isCut,
    note: isCut ? [`${limit - 1} greatest of ${total.toLocaleString('en')} categories, the rest as 'other'`] : [],
  }
}

function* binAxis(caller: string, column: string, bins: number): Steps<Axis> {
  checkInteger(caller, 'bins', bins, 1, 200)
  const [low, high] = yield* askTotals([
    { op: 'min', column },
    { op: 'max', column },
  ])
  const step = niceStep(low!, high!, bins)
  const name = (bin: number): string => `${round(bin * step, 6)} – ${round((bin + 1) * step, 6)}`
  const [first, last] = [Math.floor(low! / step), Math.floor(high! / step)]
  return {
    title: column,
    key: { as: 'bin', column, step },
    order: Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, i) => name(first + i)),
    note: [],
    nameOf: (key) => name(key as number),
  }
}

const unitsShown = 400

function* timeAxis(caller: string, column: string, unit: TimeUnit): Steps<Axis> {
  checkOneOf(caller, 'the unit', unit, timeUnits)
  const key: Key = { as: 'time', column, unit }
  const { groups, total } = yield* askGroups([key], [], 'key', unitsShown)
  if (total > unitsShown) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected at most ${unitsShown} units of time, got ${total.toLocaleString('en')} of a ${unit}.`,
      { hint: 'Choose a longer unit, or a shorter time.' },
    )
  }
  const name = (ms: number): string => timeName(ms, unit)
  return {
    title: `${column} (${unit})`,
    key,
    order: groups.map((group) => name(group.keys[0] as number)),
    note: [],
    nameOf: (own) => name(own as number),
  }
}

function timeName(ms: number, unit: TimeUnit): string {
  const text = new Date(ms).toISOString()
  switch (unit) {
    case 'year':
      return text.slice(0, 4)
    case 'quarter':
      return `${text.slice(0, 4)} Q${Math.floor(new Date(ms).getUTCMonth() / 3) + 1}`
    case 'month':
      return text.slice(0, 7)
    case 'week':
    case 'day':
      return text.slice(0, 10)
    case 'hour':
    case 'minute':
      return text.slice(0, 16).replace('T', ' ')
    case 'second':
      return text.slice(0, 19).replace('T', ' ')
    default:
      return unit satisfies never
  }
}

/** The width of 1, 2 or 5 times a power of ten that gives about `bins` bins. */
export function niceStep(low: number, high: number, bins: number): number {
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
