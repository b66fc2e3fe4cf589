/** What the workers of a training tell of their load, as one event at most once a second; and who is slow. */
import type { TrainingEvent } from '../nn/train/event.js'
import type { Slot } from './seat.js'

const intervalMs = 950
/** How much longer than the others a worker may take for its own part of a step, and for how many reports. */
const slowFactor = 2
const slowReports = 5

export class LoadReport {
  readonly #emit: (event: TrainingEvent) => void
  #toldAt = 0
  /** Reports in a row in which a rank was slow. */
  readonly #slow = new Map<number, number>()

  constructor(emit: (event: TrainingEvent) => void) {
    this.#emit = emit
  }

  /** A worker has told; `slots` are all of the training. */
  take(slots: readonly Slot[], step: number): void {
    const now = performance.now()
    if (now - this.#toldAt < intervalMs) return
    this.#toldAt = now
    const reports = slots.map((slot) => slot.report())
    const workers = reports.flatMap(({ rank, rowsPerSecond, inputShare, reduceShare, memoryBytes }) =>
      rowsPerSecond === undefined
        ? []
        : [{ rank, rowsPerSecond, inputShare: inputShare!, reduceShare: reduceShare!, memoryBytes: memoryBytes ?? 0 }],
    )
    this.#emit({ kind: 'workers', workers })
    for (const { rank, computeMs = 0 } of reports) {
      const others = reports
        .flatMap((other) => (other.rank === rank ? [] : [other.computeMs ?? 0]))
        .toSorted((a, b) => a - b)
      const median = others[Math.floor(others.length / 2)] ?? 0
      const reported = median > 0 && computeMs > slowFactor * median ? (this.#slow.get(rank) ?? 0) + 1 : 0
      this.#slow.set(rank, reported)
      if (reported !== slowReports) continue
      const times = (computeMs / median).toFixed(1)
      const message = `Worker rank ${rank} is slow: a step takes it ${Math.round(computeMs)} ms, ${times} times as long as the others.`
      this.#emit({ kind: 'notice', step, message })
    }
  }
}
