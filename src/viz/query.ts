/**
 * What a chart asks of a table, as plain data, and how the answers get back to it.
 *
 * A chart of a table is a generator: it yields questions (groups with aggregates, rows, boxes) and gets answers that are
 * small however large the table is. Rows in memory answer at once (`query-cells.ts`), a frame lets its engine answer
 * (`query-frame.ts`); the chart cannot tell the difference, and both give the same picture.
 */
import { Chart, type ChartSource } from './chart.js'
import { Frame } from '../frame/index.js'
import { answerCells } from './query-cells.js'
import { answerFrame, kindOfType } from './query-frame.js'
import { type Cells, type Kind, cellsOf, checkColumn, isFrameLike, kindOf } from './table.js'

/** A value that rows are grouped by: as it is written in the chart, and as the engine knows it. */
export interface Category {
  readonly name: string
  readonly key: string
}

export const timeUnits = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const
export type TimeUnit = (typeof timeUnits)[number]

/** What rows are grouped by. Rows without a finite number for a key that is one are in no group. */
export type Key =
  /** Text; of those that are not among `kept` it is 'other'. */
  | { readonly as: 'category'; readonly column: string; readonly kept?: readonly Category[] }
  /** A number, or a time in milliseconds. */
  | { readonly as: 'number'; readonly column: string }
  /** The number of a bin: the value divided by the step, rounded down. */
  | { readonly as: 'bin'; readonly column: string; readonly step: number }
  /** The beginning of a time's unit, in milliseconds. */
  | { readonly as: 'time'; readonly column: string; readonly unit: TimeUnit }

/** What is made of the numbers of a group. */
export type Statistic = 'sum' | 'mean' | 'median' | 'min' | 'max' | 'std'

/**
 * What is computed of a group; all but `rows` and `place` over the finite numbers of a column, and NaN where there
 * are none. `size` is the sum of absolute values.
 */
export type Value =
  | { readonly op: 'rows' }
  /** Where the group's first row stands. */
  | { readonly op: 'place' }
  | { readonly op: 'numbers' | 'size' | Statistic; readonly column: string }
  /** Pearson's correlation over the rows where both are numbers, and how many these are. */
  | { readonly op: 'correlation' | 'pairs'; readonly column: string; readonly by: string }
  /** The number of `column` in the row where that of `by` is least or greatest. */
  | { readonly op: 'atMin' | 'atMax'; readonly column: string; readonly by: string }

export type Query =
  | {
      readonly kind: 'groups'
      readonly by: readonly Key[]
      readonly values: readonly Value[]
      /** As they are found, by their keys, or by the first value, the greatest first. */
      readonly order: 'found' | 'key' | 'greatest'
      readonly limit?: number
    }
  /** Rows whose columns `finite` hold finite numbers: evenly apart, or for an engine at random, where there are too many. */
  | {
      readonly kind: 'rows'
      readonly columns: readonly string[]
      readonly finite: readonly string[]
      readonly limit: number
    }
  | { readonly kind: 'boxes'; readonly by?: Key; readonly column: string; readonly outliers: number }

export interface Group {
  readonly keys: readonly (Category | number)[]
  readonly values: readonly number[]
}
export interface Groups {
  readonly groups: readonly Group[]
  /** How many there are, beyond the limit too. */
  readonly total: number
}
export interface Rows {
  readonly rows: readonly (readonly unknown[])[]
  readonly total: number
}
export interface Box {
  readonly key: Category | number
  readonly rows: number
  readonly q1: number
  readonly median: number
  readonly q3: number
  /** Least and greatest value within 1.5 interquartile ranges of the box. */
  readonly low: number
  readonly high: number
  readonly beyond: number
  /** The farthest of the values beyond, at most the wanted number at each end. */
  readonly outliers: readonly number[]
}

type Answer = Groups | Rows | readonly Box[]
/** A chart, or a part of one, that asks on its way. */
export type Steps<T> = Generator<Query, T, Answer>

/** What is known of a table before it is read. */
export interface Facts {
  readonly names: readonly string[]
  kind(column: string): Kind
}

export function* askGroups(
  by: readonly Key[],
  values: readonly Value[],
  order: 'found' | 'key' | 'greatest' = 'found',
  limit?: number,
): Steps<Groups> {
  return (yield { kind: 'groups', by, values, order, ...(limit === undefined ? {} : { limit }) }) as Groups
}

export function* askRows(columns: readonly string[], finite: readonly string[], limit: number): Steps<Rows> {
  return (yield { kind: 'rows', columns, finite, limit }) as Rows
}

export function* askBoxes(column: string, by: Key | undefined, outliers: number): Steps<readonly Box[]> {
  return (yield { kind: 'boxes', column, outliers, ...(by === undefined ? {} : { by }) }) as readonly Box[]
}

/** One row of values over all rows. */
export function* askTotals(values: readonly Value[]): Steps<readonly number[]> {
  const { groups } = yield* askGroups([], values)
  return groups[0]?.values ?? values.map((value) => (['rows', 'numbers', 'pairs'].includes(value.op) ? 0 : NaN))
}

/**
 * A chart of a table that reads these columns.
 *
 * @throws `column` for one that is not there: at once where the columns are known
 */
export function chartOfQueries(
  caller: string,
  table: unknown,
  columns: readonly (string | undefined)[],
  steps: (facts: Facts) => Steps<ChartSource>,
): Chart {
  return new Chart(answered(caller, table, columns, steps))
}

/** What the steps come to over a table: at once of rows in memory, else by a function that reads it. */
export function answered<T>(
  caller: string,
  table: unknown,
  columns: readonly (string | undefined)[],
  steps: (facts: Facts) => Steps<T>,
): T | (() => Promise<T>) {
  const read = [...new Set(columns.filter((name) => name !== undefined))]
  if (table instanceof Frame) {
    const names = table.columns
    for (const name of read) checkColumn(caller, names, name)
    const facts: Facts = { names, kind: (name) => kindOfType(table.schema.find((own) => own.name === name)!.type) }
    return async () => {
      const own = steps(facts)
      let next = own.next()
      while (next.done !== true) next = own.next(await answerFrame(caller, table, next.value))
      return next.value
    }
  }
  const ofCells = (cells: Cells): T => {
    for (const name of read) cells.column(name)
    const own = steps({ names: cells.names, kind: (name) => kindOf(cells.column(name)) })
    const answer = answerCells(cells)
    let next = own.next()
    while (next.done !== true) next = own.next(answer(next.value))
    return next.value
  }
  if (isFrameLike(table)) return async () => ofCells(cellsOf(caller, await table.toRows()))
  return ofCells(cellsOf(caller, table))
}
