/**
 * What the coordinator sends to the session, which may not read for a long time while a cell runs.
 *
 * Training events wait here until the session reads; of too many waiting steps every other one is dropped, so a session
 * that sleeps for hours costs little and its chart is coarser for that time. Everything else goes out at once.
 */
import type { Connection } from './connection.js'
import type { CoordinatorMessage, JobEvent, SessionMessage } from './messages.js'

const waitingLimit = 8192

export class Outbox {
  readonly #connection: Connection<SessionMessage, CoordinatorMessage>
  #task = -1
  #waiting: JobEvent[] = []
  #draining = false

  constructor(connection: Connection<SessionMessage, CoordinatorMessage>) {
    this.#connection = connection
  }

  event(task: number, event: JobEvent): void {
    if (task !== this.#task) this.#flush()
    this.#task = task
    this.#waiting.push(event)
    if (this.#waiting.length > waitingLimit) {
      this.#waiting = this.#waiting.filter(({ event: { kind } }, i) => kind !== 'step' || i % 2 === 1)
    }
    if (!this.#draining) void this.#drain()
  }

  /** Sends a message behind all events so far. */
  send(message: CoordinatorMessage): void {
    this.#flush()
    this.#connection.send(message)
  }

  async drained(): Promise<void> {
    this.#flush()
    await this.#connection.drained()
  }

  async #drain(): Promise<void> {
    this.#draining = true
    while (this.#waiting.length > 0) {
      this.#flush()
      await this.#connection.drained()
    }
    this.#draining = false
  }

  #flush(): void {
    if (this.#waiting.length === 0) return
    this.#connection.send({ type: 'events', task: this.#task, events: this.#waiting })
    this.#waiting = []
  }
}
