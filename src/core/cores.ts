/**
 * How many cores this process uses: all that it may, until it is told fewer. A pool divides the cores between its workers, and what
 * works beside an engine (the database that reads its rows) is not to take another's.
 */
import { availableParallelism } from 'node:os'

let limit = Infinity

export function cores(): number {
  return Math.min(limit, availableParallelism())
}

/** From now on; what has been opened before keeps its threads. */
export function useCores(count: number): void {
  limit = count
}
