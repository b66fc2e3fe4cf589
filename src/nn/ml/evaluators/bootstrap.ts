/**
 * Resamples of a frame's rows: how often each row is in a resample, as a column of weights. The counts are independent and
 * Poisson with mean 1, which is how often a row is drawn from many (Chamandy et al., Estimating Uncertainty for Massive Data
 * Streams, 2012); so no row is moved. The same seed gives the same resamples.
 */
import { fold, keyOf, uniform } from '../../../core/random.js'
import { col, Frame } from '../../../frame/index.js'
import { literalNode } from '../../../frame/expr/literal.js'
import type { NumberRows, RowFunction } from '../../../frame/row-function.js'
import { computed, withColumns } from '../column-stage.js'

/** The column of weights that a resample has. */
export const resampleWeight = 'bootstrap weight'

/** Numbers the rows, once; what it gives makes the resamples. */
export function resampler(frame: Frame, seed: number, weightCol: string | undefined): (sample: number) => Frame {
  const row = col.rowNumber().over({}).node
  const numbered = withColumns('evaluate', frame.plan, { name: 'bootstrap row', expr: row })
  const rows = Frame.fromPlan(numbered).cache()
  const payload = { seed }
  const gives = { type: { kind: 'number', storage: 'float64' }, nullable: false } as const
  return (sample) => {
    const args = ['bootstrap row', literalNode('evaluate', sample)]
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

const poisson = {
  kind: 'poisson',
  make: ({ seed }: { seed: number }): RowFunction => {
    return ([row, sample], rows) => {
      const [positions, samples] = [(row as NumberRows).values, (sample as NumberRows).values]
      const values = new Float64Array(rows)
      for (let i = 0; i < rows; i++) {
        const share = uniform(fold(keyOf(seed), samples[i]!), positions[i]!)
        const at = shares.findIndex((bound) => share < bound)
        values[i] = at < 0 ? shares.length : at
      }
      return { kind: 'numbers', values, valid: null }
    }
  },
}
