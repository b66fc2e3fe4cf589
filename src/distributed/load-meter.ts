/** Where a worker's time goes: waiting for data, communication, its own work; told at most once a second. */
import type { WorkerLoad } from './messages.js'

const intervalMs = 1000

export class LoadMeter {
  readonly #tell: (load: WorkerLoad) => void
  readonly #share: number
  #since = performance.now()
  #markedAt = this.#since
  #inputMs = 0
  #reduceMs = 0
  #rows = 0
  #steps = 0

  /** `share`: the part of a batch's rows that this worker computes. */
  constructor(share: number, tell: (load: WorkerLoad) => void) {
    this.#share = share
    this.#tell = tell
  }

  /** A batch is here: since the last step was done the worker waited for it. */
  batchCame(): void {
    this.#inputMs += performance.now() - this.#markedAt
  }

  async communicating<T>(work: Promise<T>): Promise<T> {
    const began = performance.now()
    try {
      return await work
    } finally {
      this.#reduceMs += performance.now() - began
    }
  }

  /** A step of so many rows, over all workers, is done. */
  stepDone(rows: number): void {
    const now = performance.now()
    this.#markedAt = now
    this.#rows += rows * this.#share
    this.#steps++
    const elapsed = now - this.#since
    if (elapsed < intervalMs) return
    const [inputMs, reduceMs] = [this.#inputMs, this.#reduceMs]
    this.#tell({
      rowsPerSecond: (1000 * this.#rows) / elapsed,
      inputShare: inputMs / elapsed,
      reduceShare: reduceMs / elapsed,
      computeMs: Math.max(0, elapsed - inputMs - reduceMs) / this.#steps,
    })
    this.reset()
  }

  /** Begins anew: after a pause. */
  reset(): void {
    this.#since = this.#markedAt = performance.now()
    this.#inputMs = this.#reduceMs = this.#rows = this.#steps = 0
  }
}
