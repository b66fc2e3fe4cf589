/**
 * Which samples went into which step, by the worker that computed them: one line a slice and step, `step slice ordinals`, written
 * before their gradients are handed over. A step that is repeated is written again. For those who count samples.
 */
import { appendFileSync } from 'node:fs'
import type { Feed } from '../frame/feed.js'

export class SampleLog {
  readonly #path: string
  /** Ordinals by step and slice, of batches that were read. */
  readonly #read = new Map<number, Map<number, readonly number[]>>()

  constructor(path: string) {
    this.#path = path
  }

  /** The same feed, with a note of what it gives. */
  watch(feed: Feed, slice: number, slices: number, rowsPerSlice: number): Feed {
    const stepsPerEpoch = Math.ceil(feed.totalRows / (slices * rowsPerSlice))
    const note = (step: number, index: Int32Array): void => {
      const bySlice = this.#read.get(step) ?? new Map<number, readonly number[]>()
      bySlice.set(slice, [...index])
      this.#read.set(step, bySlice)
    }
    return {
      rows: feed.rows,
      totalRows: feed.totalRows,
      close: async () => feed.close(),
      async *batches(options) {
        const { epoch = 0, skip = 0 } = options
        let step = epoch * stepsPerEpoch + skip
        for await (const batch of feed.batches(options)) {
          note(step++, batch.index.subarray(0, batch.rows))
          yield batch
        }
      },
    }
  }

  /** The gradients of step `step` (from 0) are computed. */
  computed(step: number): void {
    const lines = [...(this.#read.get(step) ?? [])].map(([slice, index]) => `${step} ${slice} ${index.join(',')}\n`)
    this.#read.delete(step)
    if (lines.length > 0) appendFileSync(this.#path, lines.join(''))
  }
}
