/** Trials as plain data: a candidate on a fold, and what came of it. */

/** One fit to be scored. */
export interface Trial {
  /** Which candidate, from 0. */
  readonly candidate: number
  /** Its values by name. */
  readonly params: Readonly<Record<string, unknown>>
  /** Which fold is held out, from 0. */
  readonly fold: number
  /** What halving gives a candidate in a round: a number of rows, or of epochs. */
  readonly resource?: number
}

export interface TrialResult {
  readonly trial: Trial
  readonly score: number
  readonly seconds: number
}

/** Scores of a candidate over the folds. */
export interface CandidateScore {
  readonly candidate: number
  readonly params: Readonly<Record<string, unknown>>
  readonly mean: number
  /** Of the sample; 0 of one fold. */
  readonly deviation: number
  readonly folds: number
}

/** Means over folds, in the order of the candidates. */
export function scoresOf(results: readonly TrialResult[]): CandidateScore[] {
  const groups = new Map<number, TrialResult[]>()
  for (const result of results) {
    const own = groups.get(result.trial.candidate)
    if (own === undefined) groups.set(result.trial.candidate, [result])
    else own.push(result)
  }
  return [...groups.values()]
    .map((own): CandidateScore => {
      const { candidate, params } = own[0]!.trial
      const scores = own.map(({ score }) => score)
      return { candidate, params, ...spreadOf(scores), folds: own.length }
    })
    .toSorted((a, b) => a.candidate - b.candidate)
}

/** Mean and standard deviation of a sample. */
export function spreadOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) }
}
