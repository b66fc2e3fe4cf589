/** The events of a training for whoever comes later: all but those of many steps, of which every other one is dropped. */
import type { JobEvent } from './messages.js'

const keptSteps = 2048

export class EventHistory {
  #events: JobEvent[] = []
  #steps = 0

  get events(): readonly JobEvent[] {
    return this.#events
  }

  add(event: JobEvent): void {
    const { kind } = event.event
    if (kind === 'workers') return
    this.#events.push(event)
    if (kind !== 'step' || ++this.#steps < keptSteps) return
    let odd = false
    this.#events = this.#events.filter((kept) => kept.event.kind !== 'step' || (odd = !odd))
    this.#steps = Math.ceil(this.#steps / 2)
  }
}
