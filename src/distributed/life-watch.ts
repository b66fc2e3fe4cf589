/**
 * Finds workers that live no more although their process is there: stopped, stuck, or beyond the memory they may use.
 *
 * A thread of each worker gives a sign of life twice a second whatever its main thread does (`watch-parent.ts`); the sign tells
 * whether the main thread has had a turn. A main thread may well compute for long; a process that is silent is stopped.
 * When this process was itself stopped, nobody is to blame: the time that it lost does not count.
 */
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { WorkerLimits } from './child.js'
import { residentBytes, type Seat } from './seat.js'

const lookMs = 500
/** How long a main thread may go without a turn: an engine that computes on it may take long for a step. */
const stuckFactor = 12

export class LifeWatch {
  readonly #seats: readonly Seat[]
  readonly #limits: WorkerLimits
  readonly #lose: (seat: Seat, how: string) => void
  readonly #timer: NodeJS.Timeout
  #lookedAt = performance.now()

  constructor(seats: readonly Seat[], limits: WorkerLimits, lose: (seat: Seat, how: string) => void) {
    this.#seats = seats
    this.#limits = limits
    this.#lose = lose
    this.#timer = setInterval(() => this.#look(), lookMs).unref()
  }

  /** Follows the signs of a new process. */
  begin(seat: Seat, child: ChildProcess): void {
    seat.aliveAt = seat.turnAt = performance.now()
    const signs = child.stdio[3] as Readable
    signs.on('error', () => {})
    signs.on('data', (bytes: Buffer) => {
      if (seat.process !== child) return
      seat.aliveAt = performance.now()
      if (bytes.includes(1)) seat.turnAt = seat.aliveAt
    })
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    const missed = now - this.#lookedAt - lookMs
    this.#lookedAt = now
    const { silentMs, memoryBytes } = this.#limits
    for (const seat of this.#seats) {
      if (seat.process === undefined || !seat.up) continue
      if (missed > lookMs) {
        seat.aliveAt += missed
        seat.turnAt += missed
      }
      const silent = now - seat.aliveAt
      const stuck = now - seat.turnAt
      const used = memoryBytes === undefined ? 0 : (residentBytes(seat.process.pid) ?? 0)
      if (silent > silentMs) this.#lose(seat, `it gave no sign of life for ${seconds(silent)} s`)
      else if (stuck > stuckFactor * silentMs) this.#lose(seat, `its main thread was stuck for ${seconds(stuck)} s`)
      else if (memoryBytes !== undefined && used > memoryBytes) {
        this.#lose(seat, `it used ${megabytes(used)} MB of memory, more than the ${megabytes(memoryBytes)} MB it may`)
      }
    }
  }
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
const megabytes = (bytes: number): number => Math.round(bytes / 1e6)
