/**
 * Resamples of a frame's rows: how often each row is in a resample, as weights. The counts are independent and Poisson with mean
 * 1, which is how often a row is drawn from many (Chamandy et al., Estimating Uncertainty for Massive Data Streams, 2012); so no
 * row is moved. The same seed gives the same resamples.
 *
 * Where a metric follows from sums (`Tally`), one pass over the rows adds them up for all resamples at once; where it does not,
 * each resample is a frame with a column of weights.
 */
import { fold, keyOf, uniform } from '../../../core/random.js'
import { col, Frame, streamRows } from '../../../frame/index.js'
import { literalNode } from '../../../frame/expr/literal.js'
import type { NumberRows, RowFunction } from '../../../frame/row-function.js'
import { computed, withColumns } from '../column-stage.js'

/** The column of weights that a resample has. */
export const resampleWeight = 'bootstrap weight'

/** The column that numbers rows, by which they are drawn. */
export const resampleRow = 'bootstrap row'

/** The rows with their numbers. */
export function numbered(frame: Frame): Frame {
  const row = col.rowNumber().over({}).node
  return Frame.fromPlan(withColumns('evaluate', frame.plan, { name: resampleRow, expr: row }))
}

/** A row as a tally takes it: what the metric needs, its weight and its number. */
export type TalliedRow = Readonly<Record<string, number>>

/** Sums that give a metric, for all resamples side by side. */
export interface Tally {
  /** @param weights of the row in each resample */
  add(row: TalliedRow, weights: Float64Array): void
  /** The metric of each resample. */
  metrics(): Float64Array
}

/** The metrics of resamples, by one pass over rows with the columns `weight` and `bootstrap row`. */
export async function tallied(
  rows: Frame,
  { samples, seed }: { readonly samples: number; readonly seed: number },
  tally: Tally,
): Promise<Float64Array> {
  const keys = Array.from({ length: samples }, (_, sample) => fold(keyOf(seed), sample))
  const weights = new Float64Array(samples)
  for await (const row of streamRows(rows.plan)) {
    const { weight, [resampleRow]: at } = row as TalliedRow
    for (let sample = 0; sample < samples; sample++) {
      weights[sample] = weight! * timesOf(uniform(keys[sample]!, Number(at)))
    }
    tally.add(row as TalliedRow, weights)
  }
  return tally.metrics()
}

/** The weighted mean of the column `value`, and what `finish` makes of it. */
export function meanTally(samples: number, finish: (mean: number) => number = (mean) => mean): Tally {
  const [sums, totals] = [new Float64Array(samples), new Float64Array(samples)]
  return {
    add({ value }, weights) {
      for (let s = 0; s < samples; s++) {
        sums[s]! += weights[s]! * value!
        totals[s]! += weights[s]!
      }
    },
    metrics: () => sums.map((sum, s) => finish(sum / totals[s]!)),
  }
}

/** What makes the resamples of numbered rows. */
export function resampler(rows: Frame, seed: number, weightCol: string | undefined): (sample: number) => Frame {
  const payload = { seed }
  const gives = { type: { kind: 'number', storage: 'float64' }, nullable: false } as const
  return (sample) => {
    const args = [resampleRow, literalNode('evaluate', sample)]
    const drawn = withColumns('evaluate', rows.plan, computed(resampleWeight, poisson, payload, args, gives))
    if (weightCol === undefined) return Frame.fromPlan(drawn)
    const both = col(resampleWeight).mul(col(weightCol)).node
    return Frame.fromPlan(withColumns('evaluate', drawn, { name: resampleWeight, expr: both }))
  }
}

/** `P(count <= k)` of a Poisson distribution with mean 1, for k from 0. */
const shares = Array.from({ length: 12 }, (_, k) => {
  let [term, sum] = [Math.exp(-1), 0]
  for (let i = 0; i <= k; i++) {
    sum += term
    term /= i + 1
  }
  return sum
})

/** How often a row is drawn, from a number in [0, 1). */
function timesOf(share: number): number {
  for (let times = 0; times < shares.length; times++) if (share < shares[times]!) return times
  return shares.length
}

const poisson = {
  kind: 'poisson',
  make: ({ seed }: { seed: number }): RowFunction => {
    return ([row, sample], rows) => {
      const [positions, samples] = [(row as NumberRows).values, (sample as NumberRows).values]
      const values = new Float64Array(rows)
      for (let i = 0; i < rows; i++) {
        values[i] = timesOf(uniform(fold(keyOf(seed), samples[i]!), positions[i]!))
      }
      return { kind: 'numbers', values, valid: null }
    }
  },
}
