/** Which candidate wins: the best mean, or the simplest that is about as good. */
import type { CandidateScore } from './trial.js'

export const choices = ['best', 'oneStandardError'] as const
/** `'best'`: the best mean score; `'oneStandardError'`: the simplest candidate within one standard error of it. */
export type Choice = (typeof choices)[number]

/**
 * The simplest candidate whose mean score lies within one standard error of the best one's (Breiman and others, 1984): a more
 * complex one is only taken where it is better by more than chance.
 *
 * @param options.complexity orders candidates from simple to complex; default: as they stand in the grid
 * @param options.largerIsBetter default true
 * @returns the position in `scores`
 * @example
 * ```ts
 * const at = ml.oneStandardError(model.scores, { complexity: ({ depth }) => Number(depth) })
 * ```
 */
export function oneStandardError(
  scores: readonly CandidateScore[],
  options: {
    readonly complexity?: (params: Readonly<Record<string, unknown>>) => number
    readonly largerIsBetter?: boolean
  } = {},
): number {
  const { complexity, largerIsBetter = true } = options
  const sign = largerIsBetter ? 1 : -1
  const best = scores[bestOf(scores, largerIsBetter)]!
  const limit = sign * best.mean - best.deviation / Math.sqrt(best.folds)
  const close = [...scores.keys()].filter((at) => sign * scores[at]!.mean >= limit)
  if (complexity === undefined) return close[0]!
  return close.reduce((a, b) => (complexity(scores[b]!.params) < complexity(scores[a]!.params) ? b : a))
}

/** Position of the best mean, the first of equals; a score that is no number is the worst. */
export function bestOf(scores: readonly CandidateScore[], largerIsBetter: boolean): number {
  const sign = largerIsBetter ? 1 : -1
  const value = (at: number): number => {
    const { mean } = scores[at]!
    return Number.isNaN(mean) ? -Infinity : sign * mean
  }
  return [...scores.keys()].reduce((a, b) => (value(b) > value(a) ? b : a))
}
