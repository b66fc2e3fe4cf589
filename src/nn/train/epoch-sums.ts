/** Means of loss and metrics over an epoch. */

/** Row-weighted sums over the steps of an epoch. */
export class EpochSums {
  rows = 0
  readonly #totals: number[] = []

  add(rows: number, means: readonly number[]): void {
    this.rows += rows
    for (const [i, mean] of means.entries()) this.#totals[i] = (this.#totals[i] ?? 0) + mean * rows
  }

  means(): number[] {
    return this.#totals.map((total) => total / this.rows)
  }
}
