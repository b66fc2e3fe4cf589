/** The oracle: every verb over arrays of row objects, as plainly as it can be written. Plans must agree with it. */
export type Value = number | string | boolean | null
export type Row = Readonly<Record<string, Value>>

/** Order of values: null last, NaN above every number and equal to itself, strings by their UTF-8 bytes. */
export function compare(a: Value, b: Value): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return Number(a) - Number(b) || (a === b ? 0 : a < b ? -1 : 1)
}
const keyOf = (row: Row, names: readonly string[]): string => JSON.stringify(names.map((name) => String(row[name])))

export const filter = (rows: readonly Row[], keep: (row: Row) => boolean | null): Row[] =>
  rows.filter((row) => keep(row) === true)
export const withColumn = (rows: readonly Row[], name: string, value: (row: Row) => Value): Row[] =>
  rows.map((row) => ({ ...row, [name]: value(row) }))
const select = (rows: readonly Row[], names: readonly string[]): Row[] =>
  rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name]!])))
export function sort(rows: readonly Row[], keys: readonly { name: string; descending: boolean }[]): Row[] {
  const byKey = (a: Row, b: Row, { name, descending }: { name: string; descending: boolean }): number => {
    const [x, y] = [a[name]!, b[name]!]
    return x === null || y === null || !descending ? compare(x, y) : -compare(x, y)
  }
  return [...rows].sort((a, b) => keys.reduce((order, key) => order || byKey(a, b, key), 0))
}
export const distinct = (rows: readonly Row[], names: readonly string[]): Row[] => {
  const seen = new Set<string>()
  return rows.filter((row) => !seen.has(keyOf(row, names)) && seen.add(keyOf(row, names)))
}
export function groupBy(rows: readonly Row[], keys: readonly string[], agg: (group: readonly Row[]) => Row): Row[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) groups.set(keyOf(row, keys), [...(groups.get(keyOf(row, keys)) ?? []), row])
  const results = [...groups.values()].map((group) => ({ ...select(group.slice(0, 1), keys)[0], ...agg(group) }))
  return sort(
    results,
    keys.map((name) => ({ name, descending: false })),
  )
}
export function join(
  left: readonly Row[],
  right: readonly Row[],
  on: string,
  rightNames: readonly string[],
  keepLeft: boolean,
): Row[] {
  return left.flatMap((row) => {
    const matches = right.filter(
      (other) => row[on] !== null && other[on] !== null && compare(row[on]!, other[on]!) === 0,
    )
    const pick = (other: Row | undefined): Row => ({
      ...row,
      ...Object.fromEntries(rightNames.map((name) => [`${name}_right`, other?.[name] ?? null])),
    })
    return matches.length === 0 && keepLeft ? [pick(undefined)] : matches.map(pick)
  })
}
