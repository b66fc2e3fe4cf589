/**
 * Pause, resume and stop, so that all workers of a training take effect at the same step.
 *
 * The coordinator numbers its controls and sends each to every worker, in order. A worker joins the latest one it knows to
 * every all-reduce; the newest of all ranks wins there, so after the step all ranks agree on one. While it is a pause,
 * each waits for the first control after it that ends the pause: the order is the same everywhere, so is the decision,
 * however the messages are delayed.
 */

export const modes = ['run', 'pause', 'stop'] as const
export type Mode = (typeof modes)[number]

export interface Control {
  /** Counts up from 0 for each training. */
  readonly version: number
  readonly mode: Mode
}

/** The controls that one worker knows, and the one that all agreed upon. */
export class ControlLog {
  #agreed: Control
  #later: Control[] = []
  #wake: (() => void) | undefined
  #broken: Error | undefined

  /** `agreed` is what the coordinator told all workers when the ring was built. */
  constructor(agreed: Control) {
    this.#agreed = agreed
  }

  /** The newest control that this worker knows. */
  get latest(): Control {
    return this.#later.at(-1) ?? this.#agreed
  }

  /** Whether all workers pause before the next step. */
  get isPausing(): boolean {
    return this.#agreed.mode === 'pause'
  }

  append(control: Control): void {
    if (control.version <= this.latest.version) return
    this.#later.push(control)
    this.#wake?.()
  }

  /** Takes the outcome of an all-reduce. */
  agree(control: Control): void {
    this.#agreed = control
    this.#later = this.#later.filter((entry) => entry.version > control.version)
  }

  /** Decides about the next step, after the pause if there is one; `onPause` hears of the pauses that it waits in. */
  async gate(onPause: (version: number) => void | Promise<void>): Promise<'go' | 'stop'> {
    while (this.#agreed.mode === 'pause') {
      await onPause(this.#agreed.version)
      while (this.#later.length === 0) {
        if (this.#broken !== undefined) throw this.#broken
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
      this.#agreed = this.#later.shift()!
    }
    return this.#agreed.mode === 'stop' ? 'stop' : 'go'
  }

  /** Ends a pause by an error: the ring is gone. */
  break(error: Error): void {
    this.#broken = error
    this.#wake?.()
  }
}
