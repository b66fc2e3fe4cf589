/**
 * Events of a training on their way out of a worker: steps that end shortly after one another go in one message, everything else
 * at once, behind the steps before it. A message a step costs three processes a turn each, which on a busy machine comes out of
 * the time of the workers.
 *
 * Invariant: who calls `flush` before it tells or saves anything else leaves nobody with a newer state than the events say.
 */
import type { TrainingEvent } from '../nn/train/event.js'

/** How long a step may wait to be told of, and how many of them. */
const waitMs = 50
export const maxWaiting = 64

export class EventBatch {
  readonly #send: (events: readonly TrainingEvent[]) => void
  #waiting: TrainingEvent[] = []
  #timer: NodeJS.Timeout | undefined
  #sentAt = -Infinity

  constructor(send: (events: readonly TrainingEvent[]) => void) {
    this.#send = send
  }

  add(event: TrainingEvent): void {
    this.#waiting.push(event)
    const left = this.#sentAt + waitMs - performance.now()
    if (event.kind !== 'step' || left <= 0 || this.#waiting.length >= maxWaiting) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), left)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    this.#sentAt = performance.now()
    this.#send(this.#waiting)
    this.#waiting = []
  }
}
