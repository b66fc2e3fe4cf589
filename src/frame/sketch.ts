/** A column's sampled values in a nutshell: a small histogram, or its most frequent values. */
import type { ColumnType } from './schema.js'

export type Sketch =
  /** Counts of equal steps from `min` to `max`. */
  | {
      readonly kind: 'histogram'
      readonly counts: readonly number[]
      readonly min: number
      readonly max: number
      readonly nulls: number
    }
  /** Values that occur most often; `distinct` counts all. */
  | {
      readonly kind: 'values'
      readonly top: readonly { readonly value: string; readonly count: number }[]
      readonly distinct: number
      readonly nulls: number
    }

const bins = 12
const topValues = 12

/** `undefined` where there is nothing to sketch: tensors, nested values, no values. */
export function sketchOf(type: ColumnType, values: readonly unknown[]): Sketch | undefined {
  const known = values.filter((value) => value !== null && value !== undefined)
  const nulls = values.length - known.length
  switch (type.kind) {
    case 'number':
    case 'bigint':
    case 'date':
    case 'timestamp':
      return histogram(known.map(Number).filter(Number.isFinite), nulls)
    case 'string':
    case 'categorical':
    case 'boolean':
      return frequencies(known.map(String), nulls)
    default:
      return undefined
  }
}

function histogram(values: readonly number[], nulls: number): Sketch | undefined {
  if (values.length === 0) return undefined
  const min = values.reduce((a, b) => Math.min(a, b))
  const max = values.reduce((a, b) => Math.max(a, b))
  const counts = Array.from({ length: max > min ? bins : 1 }, () => 0)
  for (const value of values) {
    // Halved: the span of two large numbers may be infinite.
    const share = max > min ? (value / 2 - min / 2) / (max / 2 - min / 2) : 0
    counts[Math.min(counts.length - 1, Math.floor(share * counts.length))]!++
  }
  return { kind: 'histogram', counts, min, max, nulls }
}

function frequencies(values: readonly string[], nulls: number): Sketch | undefined {
  if (values.length === 0) return undefined
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const top = [...counts]
    .map(([value, count]) => ({ value, count }))
    .toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
  return { kind: 'values', top: top.slice(0, topValues), distinct: counts.size, nulls }
}
