/** Areas under ROC, and under precision by recall, of resamples: rows come with their scores falling. */
import { ShardbookError } from '../../../core/errors.js'
import type { Tally } from './bootstrap.js'

/** @throws `data` for a resample of one class only, as for rows of one */
export function areaTally(samples: number, metric: 'areaUnderROC' | 'areaUnderPR'): Tally {
  const zeros = (): Float64Array => new Float64Array(samples)
  // Of rows above the score at hand, and of those that have it.
  const [hits, alarms, area] = [zeros(), zeros(), zeros()]
  const [positives, negatives] = [zeros(), zeros()]
  const precision = zeros().fill(NaN)
  let score: number | undefined
  const step = (): void => {
    for (let s = 0; s < samples; s++) {
      const [positive, negative] = [positives[s]!, negatives[s]!]
      if (metric === 'areaUnderROC') area[s]! += negative * (hits[s]! + positive / 2)
      hits[s]! += positive
      alarms[s]! += negative
      const found = hits[s]! + alarms[s]!
      if (metric === 'areaUnderPR' && found > 0) {
        const now = hits[s]! / found
        // Before the first threshold precision is as at it.
        area[s]! += (positive * (now + (Number.isNaN(precision[s]!) ? now : precision[s]!))) / 2
        precision[s] = now
      }
    }
    positives.fill(0)
    negatives.fill(0)
  }
  return {
    add(row, weights) {
      if (row['score'] !== score) step()
      score = row['score']!
      const own = row['label'] === 1 ? positives : negatives
      for (let s = 0; s < samples; s++) own[s]! += weights[s]!
    },
    metrics: () => {
      step()
      return area.map((sum, s) => {
        const missing =
          hits[s] === 0 ? 'positive' : alarms[s] === 0 && metric === 'areaUnderROC' ? 'negative' : undefined
        if (missing !== undefined) throw oneClass(missing)
        return sum / (metric === 'areaUnderROC' ? hits[s]! * alarms[s]! : hits[s]!)
      })
    },
  }
}

export function oneClass(missing: string): ShardbookError {
  return new ShardbookError(
    'data',
    `BinaryClassificationEvaluator: expected rows of both classes, got no ${missing} one.`,
    { hint: 'A split by label keeps both: randomSplit(…, { stratify: labelCol }).' },
  )
}
