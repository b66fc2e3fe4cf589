/**
 * Saves the state of a training while it goes on: read between two steps, written beside them. One at a time; whether a state was
 * saved or why not is told, and a failure (a full disk) costs the training nothing.
 */
import { saveCheckpoint } from '../nn/train/checkpoint.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import type { WireError, WorkerCheckpoints } from './messages.js'
import { toWire } from './wire-error.js'

export type SavedState =
  | { readonly step: number; readonly path: string }
  | { readonly step: number; readonly error: WireError }

export class Checkpointer {
  readonly #job: TrainingJob
  readonly #plan: WorkerCheckpoints
  readonly #begin: () => void
  readonly #tell: (saved: SavedState) => void
  #savedAt = performance.now()
  #savedStep = -1
  #asked = false
  #writing: Promise<void> | undefined

  /** `begin` is called before a state is written, `tell` after it. */
  constructor(
    job: TrainingJob,
    plan: WorkerCheckpoints,
    { begin, tell }: { begin: () => void; tell: (saved: SavedState) => void },
  ) {
    this.#job = job
    this.#plan = plan
    this.#begin = begin
    this.#tell = tell
  }

  /** The next offer is taken. */
  ask(): void {
    this.#asked = true
  }

  /** Whether a state after `step` steps would be saved. */
  isDue(step: number): boolean {
    const isTime = this.#asked || performance.now() - this.#savedAt >= this.#plan.everyMs
    return isTime && this.#writing === undefined && (step !== this.#savedStep || this.#asked)
  }

  /** Between two steps: saves the state if it is time to. Resolves when the state was read. */
  async offer(step: number, snapshot: () => Promise<TrainingState>): Promise<void> {
    if (!this.isDue(step)) return
    this.#asked = false
    const state = await snapshot()
    this.#writing = this.#save(state).finally(() => (this.#writing = undefined))
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing
  }

  async #save(state: TrainingState): Promise<void> {
    const { step } = state
    const { folder, keep } = this.#plan
    this.#begin()
    try {
      const path = await saveCheckpoint(folder, this.#job, state, { keep })
      this.#savedStep = step
      this.#tell({ step, path })
    } catch (error) {
      this.#tell({ step, error: toWire(error) })
    }
    this.#savedAt = performance.now()
  }
}
