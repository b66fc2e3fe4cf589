/** The coordinator's end of `control.ts`: the controls of one run, and who waits for a pause to take effect. */
import type { Control, Mode } from './control.js'

export class RunControl {
  #current: Control = { version: 0, mode: 'run' }
  #waiting: (() => void)[] = []

  get current(): Control {
    return this.#current
  }

  /** The next control, to be sent to all; nothing after a stop. */
  change(mode: Mode): Control | undefined {
    if (this.#current.mode === 'stop') return undefined
    this.#current = { version: this.#current.version + 1, mode }
    if (mode !== 'pause') this.settle()
    return this.#current
  }

  /** Resolves when `settle` is called; at once when nothing is paused. */
  async settled(): Promise<void> {
    if (this.#current.mode === 'pause') await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** The pause is in effect, or over. */
  settle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
