/** The categories of a chart: all of them, or of too many the greatest and one for the rest. */

/** Which categories are drawn. */
export interface Categories {
  readonly kept: ReadonlySet<string>
  /** How many there are. */
  readonly total: number
  /** The category that a name is drawn as: itself, or `'other'`. */
  of(name: string): string
  /** What the chart says when not all are drawn. */
  readonly note: readonly string[]
}

/** At most `limit` categories, the greatest by the sum of their weights (1 each by default) where there are more. */
export function greatest(names: readonly string[], limit: number, weights?: readonly number[]): Categories {
  const totals = new Map<string, number>()
  for (const [i, name] of names.entries()) totals.set(name, (totals.get(name) ?? 0) + (weights?.[i] ?? 1))
  const total = totals.size
  if (total <= limit) return { kept: new Set(totals.keys()), total, of: (name) => name, note: [] }
  const sorted = [...totals].toSorted((a, b) => b[1] - a[1])
  const kept = new Set(sorted.slice(0, limit - 1).map(([name]) => name))
  return {
    kept,
    total,
    of: (name) => (kept.has(name) ? name : 'other'),
    note: [`${kept.size} greatest of ${total.toLocaleString('en')} categories, the rest as 'other'`],
  }
}
