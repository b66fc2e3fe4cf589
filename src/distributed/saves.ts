/** Who waits for the state of a run to be saved, and what is told of what was. */
import type { TrainingEvent } from '../nn/train/event.js'
import type { Answer, WorkerMessage } from './messages.js'

export class Saves {
  readonly #parts: { ask(): void; onEvent(event: TrainingEvent): void }
  #waiting: ((answer: Answer) => void)[] = []
  #lastFailure = ''

  constructor(parts: { ask(): void; onEvent(event: TrainingEvent): void }) {
    this.#parts = parts
  }

  /** Resolves with the path of the state, once it is saved. */
  async request(): Promise<Answer> {
    return await new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#parts.ask()
    })
  }

  /** There is another lead: whoever still waits is not forgotten. */
  again(): void {
    if (this.#waiting.length > 0) this.#parts.ask()
  }

  take({ step, path, error }: WorkerMessage & { type: 'saved' }): void {
    const asked = this.#waiting.splice(0)
    for (const resolve of asked) resolve(error === undefined ? { path: path! } : { error })
    // What the pool saves on its own account is nobody's concern while it succeeds.
    if (path !== undefined)
      return asked.length > 0 ? this.#parts.onEvent({ kind: 'checkpoint', step, path }) : undefined
    // A full disk stays full for a while: once is enough.
    if (error!.message === this.#lastFailure) return
    this.#lastFailure = error!.message
    const message = `The state after step ${step} could not be saved; the training goes on. ${error!.message}`
    this.#parts.onEvent({ kind: 'notice', step, message })
  }

  end(): void {
    const error = {
      code: 'state',
      message: 'training.checkpoint: expected a training that goes on, got one that is over.',
    } as const
    for (const resolve of this.#waiting.splice(0)) resolve({ error })
  }
}
