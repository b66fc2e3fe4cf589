/** The pool's own rendering: one output that follows the workers while the pool is open, once a second. */
import { randomUUID } from 'node:crypto'
import { displaySymbol, type MimeBundle } from '../core/display.js'
import { host } from '../core/host.js'
import type { PoolStatus } from './status.js'

const intervalMs = 1000

export class LivePool {
  readonly #id = randomUUID()
  readonly #status: () => Promise<PoolStatus>
  #timer: NodeJS.Timeout | undefined
  #asking = false

  constructor(status: () => Promise<PoolStatus>) {
    this.#status = status
  }

  /** Shows it in the cell that runs, and keeps all its outputs up to date; without a kernel, the state as it is. */
  async show(): Promise<MimeBundle> {
    const bundle = (await this.#status())[displaySymbol]()
    const screen = host()
    if (screen.kind === 'terminal') return bundle
    screen.publish(bundle, { id: this.#id })
    this.#timer ??= setInterval(() => void this.#update(), intervalMs).unref()
    return {}
  }

  /** The pool is closed or left: the last state. */
  async end(): Promise<void> {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    host().update(this.#id, (await this.#status())[displaySymbol]())
  }

  async #update(): Promise<void> {
    // One question at a time: a coordinator that is being replaced does not answer.
    if (this.#asking) return
    this.#asking = true
    try {
      const bundle = (await this.#status())[displaySymbol]()
      if (this.#timer !== undefined) host().update(this.#id, bundle)
    } catch (error) {
      // It was closed meanwhile, and has shown its last state.
      if (this.#timer !== undefined) process.emitWarning(`the state of a pool could not be shown: ${String(error)}`)
    }
    this.#asking = false
  }
}
