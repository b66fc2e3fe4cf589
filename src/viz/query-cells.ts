/** Answers to a chart's questions from rows in memory. */
import { quantile } from './quantile.js'
import type { Box, Category, Group, Groups, Key, Query, Rows, Statistic, TimeUnit, Value } from './query.js'
import { type Cells, nameOf, numberOf } from './table.js'

/** What answers questions about these cells. */
export function answerCells(cells: Cells): (query: Query) => Groups | Rows | readonly Box[] {
  return (query) => {
    switch (query.kind) {
      case 'groups':
        return groupsOf(cells, query)
      case 'rows':
        return rowsOf(cells, query)
      case 'boxes':
        return boxesOf(cells, query)
      default:
        return query satisfies never
    }
  }
}

function groupsOf(cells: Cells, { by, values, order, limit }: Extract<Query, { kind: 'groups' }>): Groups {
  const keys = by.map((key) => keyReader(cells, key))
  const members = new Map<string | number, { keys: (Category | number)[]; rows: number[] }>()
  const idOf = (key: Category | number): string | number => (typeof key === 'object' ? key.key : key)
  for (let row = 0; row < cells.rows; row++) {
    const own: (Category | number)[] = []
    for (const read of keys) {
      const key = read(row)
      if (key !== undefined) own.push(key)
    }
    if (own.length < keys.length) continue
    // A key alone is its own name: tables of a million categories are grouped by one.
    const id = own.length === 1 ? idOf(own[0]!) : JSON.stringify(own.map(idOf))
    const group = members.get(id)
    if (group === undefined) members.set(id, { keys: own, rows: [row] })
    else group.rows.push(row)
  }
  const readers = values.map((value) => valueReader(cells, value))
  const groups = [...members.values()].map(({ keys: own, rows }): Group => ({
    keys: own,
    values: readers.map((read) => read(rows)),
  }))
  if (order === 'key') groups.sort((a, b) => compareKeys(a.keys, b.keys))
  if (order === 'greatest') groups.sort((a, b) => weight(b) - weight(a) || 0)
  return { groups: limit === undefined ? groups : groups.slice(0, limit), total: groups.length }
}

function keyReader(cells: Cells, key: Key): (row: number) => Category | number | undefined {
  const column = cells.column(key.column)
  switch (key.as) {
    case 'category': {
      const kept = key.kept === undefined ? undefined : new Set(key.kept.map((own) => own.key))
      return (row) => {
        const name = nameOf(column[row])
        return kept === undefined || kept.has(name) ? { name, key: name } : { name: 'other', key: '' }
      }
    }
    case 'number':
      return (row) => finite(numberOf(column[row]))
    case 'bin':
      return (row) => finite(Math.floor(numberOf(column[row]) / key.step))
    case 'time':
      return (row) => {
        const ms = numberOf(column[row])
        return Number.isFinite(ms) ? beginning(ms, key.unit) : undefined
      }
    default:
      return key satisfies never
  }
}

function valueReader(cells: Cells, value: Value): (rows: readonly number[]) => number {
  if (value.op === 'rows') return (rows) => rows.length
  if (value.op === 'place') return (rows) => rows[0]!
  const column = cells.column(value.column)
  if (value.op === 'atMin' || value.op === 'atMax') {
    const by = cells.column(value.by).map(numberOf)
    const sign = value.op === 'atMin' ? 1 : -1
    return (rows) => {
      let best = -1
      for (const row of rows) {
        if (Number.isFinite(by[row]!) && (best < 0 || sign * (by[row]! - by[best]!) < 0)) best = row
      }
      return best < 0 ? NaN : numberOf(column[best])
    }
  }
  if (value.op === 'correlation' || value.op === 'pairs') {
    const [a, b] = [column.map(numberOf), cells.column(value.by).map(numberOf)]
    return (rows) => {
      const both = rows.filter((row) => Number.isFinite(a[row]!) && Number.isFinite(b[row]!))
      return value.op === 'pairs'
        ? both.length
        : pearson(
            both.map((row) => a[row]!),
            both.map((row) => b[row]!),
          )
    }
  }
  const { op } = value
  return (rows) => {
    const numbers = rows.map((row) => numberOf(column[row])).filter(Number.isFinite)
    if (op === 'numbers') return numbers.length
    return numbers.length === 0 ? NaN : aggregate(op, numbers)
  }
}

function aggregate(op: 'size' | Statistic, numbers: number[]): number {
  const sum = (): number => numbers.reduce((total, own) => total + own, 0)
  switch (op) {
    case 'sum':
      return sum()
    case 'size':
      return numbers.reduce((total, own) => total + Math.abs(own), 0)
    case 'mean':
      return sum() / numbers.length
    case 'min':
      return numbers.reduce((a, b) => Math.min(a, b))
    case 'max':
      return numbers.reduce((a, b) => Math.max(a, b))
    case 'median':
      return quantile(Float64Array.from(numbers).sort(), 0.5)
    case 'std': {
      const mean = sum() / numbers.length
      return Math.sqrt(numbers.reduce((total, own) => total + (own - mean) ** 2, 0) / (numbers.length - 1))
    }
    default:
      return op satisfies never
  }
}

function rowsOf(cells: Cells, { columns, finite: needed, limit }: Extract<Query, { kind: 'rows' }>): Rows {
  const numbers = needed.map((name) => cells.column(name).map(numberOf))
  const whole = Array.from({ length: cells.rows }, (_, row) => row).filter((row) =>
    numbers.every((own) => Number.isFinite(own[row]!)),
  )
  const every = Math.ceil(whole.length / limit)
  const read = columns.map((name) => cells.column(name))
  const rows = whole.filter((_, i) => every <= 1 || i % every === 0).map((row) => read.map((own) => own[row]))
  return { rows, total: whole.length }
}

function boxesOf(cells: Cells, { by, column, outliers }: Extract<Query, { kind: 'boxes' }>): readonly Box[] {
  const values = cells.column(column).map(numberOf)
  const all: Category = { name: 'all rows', key: '' }
  const read = by === undefined ? () => all : keyReader(cells, by)
  const groups = new Map<string | number, { key: Category | number; values: number[] }>()
  for (const [row, value] of values.entries()) {
    if (!Number.isFinite(value)) continue
    const key = read(row)
    if (key === undefined) continue
    const id = typeof key === 'object' ? key.key : key
    const group = groups.get(id)
    if (group === undefined) groups.set(id, { key, values: [value] })
    else group.values.push(value)
  }
  return [...groups.values()].map(({ key, values: own }) => ({ key, ...boxOf(own, outliers) }))
}

function boxOf(values: readonly number[], outliers: number): Omit<Box, 'key'> {
  const sorted = Float64Array.from(values).sort()
  const [q1, median, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)]
  const reach = 1.5 * (q3 - q1)
  const inside = (value: number): boolean => value >= q1 - reach && value <= q3 + reach
  const below = sorted.filter((value) => value < q1 - reach)
  const above = sorted.filter((value) => value > q3 + reach)
  return {
    rows: sorted.length,
    q1,
    median,
    q3,
    low: Math.min(q1, sorted.find(inside) ?? q1),
    high: Math.max(q3, sorted.findLast(inside) ?? q3),
    beyond: below.length + above.length,
    outliers: [...below.subarray(0, outliers), ...above.subarray(Math.max(0, above.length - outliers))],
  }
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, own) => sum + own, 0) / values.length
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (const [i, own] of a.entries()) {
    const [da, db] = [own - ma, b[i]! - mb]
    ab += da * db
    aa += da * da
    bb += db * db
  }
  return Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb)))
}

/** The beginning of the unit that a time is in; weeks begin on Monday. UTC, as the frame's engine. */
function beginning(ms: number, unit: TimeUnit): number {
  const date = new Date(ms)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  switch (unit) {
    case 'year':
      return Date.UTC(year, 0)
    case 'quarter':
      return Date.UTC(year, month - (month % 3))
    case 'month':
      return Date.UTC(year, month)
    case 'week':
      return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7))
    case 'day':
      return Date.UTC(year, month, day)
    case 'hour':
      return ms - (((ms % 3_600_000) + 3_600_000) % 3_600_000)
    case 'minute':
      return ms - (((ms % 60_000) + 60_000) % 60_000)
    case 'second':
      return ms - (((ms % 1000) + 1000) % 1000)
    default:
      return unit satisfies never
  }
}

function compareKeys(a: readonly (Category | number)[], b: readonly (Category | number)[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i]!
    if (typeof left === 'number' && typeof right === 'number' && left !== right) return left - right
    if (typeof left === 'object' && typeof right === 'object' && left.key !== right.key) {
      return left.key < right.key ? -1 : 1
    }
  }
  return 0
}

/** The first value, least where there is none. */
function weight({ values }: Group): number {
  return Number.isNaN(values[0]) ? -Number.MAX_VALUE : values[0]!
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}
