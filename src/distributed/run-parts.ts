/** What a run of a training is made from, and how it ends. */
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import type { EventFilter } from './event-filter.js'
import type { RunOptions, WireError, WorkerCheckpoints } from './messages.js'
import type { Roster } from './roster.js'
import type { Slot } from './seat.js'

/** How a run ended. */
export type Outcome =
  | { readonly state: TrainingState; readonly reason: 'done' | 'stopped'; readonly error?: undefined }
  | { readonly error: WireError; readonly state: TrainingState | undefined }

export interface RunParts {
  readonly id: number
  readonly job: TrainingJob
  readonly options: RunOptions
  /** Where it begins: the job's own start, or where it was left. */
  readonly base: TrainingState
  readonly slots: readonly Slot[]
  readonly roster: Roster
  readonly checkpoint: WorkerCheckpoints
  /** Lets each event of the job through once. */
  readonly filter: EventFilter
  nextGeneration(): number
  onEvent(event: TrainingEvent): void
  /** The last checkpoint, if there is one, and what is to be said about it. */
  recover(): Promise<{ readonly state: TrainingState; readonly notices: readonly string[] } | undefined>
}
