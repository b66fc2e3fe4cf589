/**
 * Side-by-side measurement: contestants take turns within one run, since the machine's speed changes by the minute.
 *
 * A contestant is asked for one figure a round; the order within a round rotates, so that nobody always follows the same
 * neighbour. Ratios are made of medians.
 */
export interface Contestant {
  readonly name: string
  /** One round's figure, in the unit of the contest. */
  measure(): number | Promise<number>
  close?(): void | Promise<void>
}

export interface Figures {
  readonly name: string
  /** One figure a round. */
  readonly all: readonly number[]
  readonly median: number
}

/** Rounds of every contestant in turn; closes them at the end, also after a failure. */
export async function contest(contestants: readonly Contestant[], rounds: number): Promise<Figures[]> {
  const all = contestants.map((): number[] => [])
  try {
    for (let round = 0; round < rounds; round++)
      for (let turn = 0; turn < contestants.length; turn++) {
        const i = (round + turn) % contestants.length
        all[i]!.push(await contestants[i]!.measure())
      }
  } finally {
    for (const contestant of contestants) await contestant.close?.()
  }
  return contestants.map(({ name }, i) => ({ name, all: all[i]!, median: median(all[i]!) }))
}

export function median(all: readonly number[]): number {
  return quantile(all, 0.5)
}

/** The value below which a share `q` of all lies, interpolated between neighbours. */
export function quantile(all: readonly number[], q: number): number {
  const sorted = all.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
  return low + (high - low) * (at - Math.floor(at))
}
