/** Lets each event of a training through once, though steps may be repeated and ranks may take over from each other. */
import type { TrainingEvent } from '../nn/train/event.js'

export class EventFilter {
  #started = false
  #step: number
  #epoch = 0
  #validated: number

  /** `step`: steps that were done before. */
  constructor(step: number) {
    this.#step = this.#validated = step
  }

  admit(event: TrainingEvent): boolean {
    switch (event.kind) {
      case 'start': {
        const first = !this.#started
        this.#started = true
        return first
      }
      case 'step': {
        const fresh = event.step > this.#step
        if (fresh) this.#step = event.step
        return fresh
      }
      case 'epoch': {
        const fresh = event.epoch > this.#epoch
        if (fresh) this.#epoch = event.epoch
        return fresh
      }
      case 'validation': {
        const fresh = event.step > this.#validated
        if (fresh) this.#validated = event.step
        return fresh
      }
      case 'checkpoint':
      case 'worker':
      case 'workers':
      case 'notice':
      case 'end':
        return true
      default:
        return event satisfies never
    }
  }
}
