/** What the sums of a metric become once all rows are added up. Pure functions over plain data: jobs name them. */

/** The classes that count: one of them, the mean over all, all rows together, or the mean weighted by rows. */
export type Average = number | 'macro' | 'micro' | 'weighted'

export type MetricFinish =
  | { readonly kind: 'mean' }
  /** Of sums for each class: rows that are right, that are predicted, that are expected. */
  | { readonly kind: 'precision' | 'recall' | 'f1'; readonly average?: Average }
  /** Of sums for each threshold: true and false positives; then positives and negatives. */
  | { readonly kind: 'auc'; readonly curve: 'ROC' | 'PR' }

/** The metric of its sums over `rows` rows. What would be 0 / 0 is 0. */
export function finishMetric(finish: MetricFinish, sums: readonly number[], rows: number): number {
  switch (finish.kind) {
    case 'mean':
      return sums[0]! / rows
    case 'precision':
    case 'recall':
    case 'f1':
      return averageOf(finish.kind, finish.average, sums)
    case 'auc':
      return finish.curve === 'ROC' ? rocArea(sums) : precisionRecallArea(sums)
    default:
      return finish satisfies never
  }
}

function averageOf(kind: 'precision' | 'recall' | 'f1', given: Average | undefined, sums: readonly number[]): number {
  const classes = sums.length / 3
  const average = given ?? (classes === 2 ? 1 : 'macro')
  const counts = Array.from(
    { length: classes },
    (_, i) => [sums[i]!, sums[classes + i]!, sums[2 * classes + i]!] as const,
  )
  const of = ([right, predicted, expected]: readonly [number, number, number]): number => {
    if (kind === 'f1') return ratio(2 * right, predicted + expected)
    return ratio(right, kind === 'precision' ? predicted : expected)
  }
  if (typeof average === 'number') return of(counts[average] ?? [0, 0, 0])
  if (average === 'micro')
    return of([0, 1, 2].map((k) => total(counts.map((count) => count[k]!))) as [number, number, number])
  const weights = counts.map(([, , expected]) => (average === 'weighted' ? expected : 1))
  return ratio(total(counts.map((count, i) => of(count) * weights[i]!)), total(weights))
}

interface Counts {
  readonly truePositives: readonly number[]
  readonly falsePositives: readonly number[]
  readonly positives: number
  readonly negatives: number
}

function countsOf(sums: readonly number[]): Counts {
  const n = (sums.length - 2) / 2
  return {
    truePositives: sums.slice(0, n),
    falsePositives: sums.slice(n, 2 * n),
    positives: sums[2 * n]!,
    negatives: sums[2 * n + 1]!,
  }
}

/** By trapezoids between the thresholds. */
function rocArea(sums: readonly number[]): number {
  const { truePositives, falsePositives, positives, negatives } = countsOf(sums)
  const hit = truePositives.map((count) => ratio(count, positives))
  const alarm = falsePositives.map((count) => ratio(count, negatives))
  return total(hit.slice(1).map((next, i) => ((alarm[i]! - alarm[i + 1]!) * (hit[i]! + next)) / 2))
}

/** Between the thresholds true positives are linear in positives (Davis and Goadrich, 2006), as in Keras. */
function precisionRecallArea(sums: readonly number[]): number {
  const { truePositives, falsePositives, positives } = countsOf(sums)
  const called = truePositives.map((count, i) => count + falsePositives[i]!)
  const parts = truePositives.slice(1).map((next, i) => {
    const gained = truePositives[i]! - next
    const slope = ratio(gained, Math.max(called[i]! - called[i + 1]!, 0))
    const intercept = next - slope * called[i + 1]!
    const change = called[i]! > 0 && called[i + 1]! > 0 ? called[i]! / called[i + 1]! : 1
    return ratio(slope * (gained + intercept * Math.log(change)), positives)
  })
  return total(parts)
}

function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
