/**
 * Every message that travels between the processes of a pool, and the version of the protocol.
 *
 * Messages are plain data: JSON values and typed arrays (see `codec.ts`). Change a type here, and `protocolVersion` goes up.
 *
 * Names: a *task* is what the session submits (a training, a list of trainings, a transform); a *run* is one job on a
 * group of workers; a *generation* numbers the rings that were ever built in a pool, so that nothing of an older ring
 * can be mistaken for the present one's.
 */
import type { ErrorCode } from '../core/errors.js'
import type { TensorData } from '../core/dtype.js'
import type { EngineName } from '../engine/index.js'
import type { TransformJob } from '../nn/strategy.js'
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import type { CheckpointPlan } from './child.js'
import type { Control, Mode } from './control.js'

export const protocolVersion = 4

/** An error as data: what the other side shows, with the stack of where it happened. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly stack?: string | undefined
}

/** What a client says it is when it connects; covered by its proof. */
export type Claim =
  | { readonly role: 'session' }
  | { readonly role: 'worker'; readonly rank: number; readonly incarnation: number }
  | { readonly role: 'ring'; readonly rank: number; readonly generation: number }

/** The handshake, before anything else is accepted. */
export type HandshakeMessage =
  | { readonly type: 'challenge'; readonly nonce: string }
  | { readonly type: 'hello'; readonly nonce: string; readonly claim: Claim; readonly proof: string }
  | { readonly type: 'welcome'; readonly proof: string }
  | { readonly type: 'refused'; readonly reason: string }

export type Work =
  | { readonly kind: 'step'; readonly job: TrainingJob; readonly options?: RunOptions }
  | { readonly kind: 'map'; readonly jobs: readonly TrainingJob[] }
  | { readonly kind: 'transform'; readonly job: TransformJob }

/** How the workers of a training work together. */
export interface RunOptions {
  readonly strategy?: SharingStrategy | undefined
  readonly compression?: Compression | undefined
  /** A folder where workers log the ordinals of the samples that they compute, step by step: to count them. */
  readonly sampleLogs?: string | undefined
}

/**
 * `allReduce`: gradients are added up at every step. `localSgd`: each worker takes steps of its own on its share of the
 * batches, and weights and optimiser state are averaged every so many steps. `zero1`: as `allReduce`, with the optimiser's state in shards: each worker keeps that of its share of the
 * weights, updates these, and gets the others; what is lost with a worker comes from the last checkpoint.
 */
export type SharingStrategy =
  | { readonly kind: 'allReduce' }
  | { readonly kind: 'localSgd'; readonly everySteps: number }
  | { readonly kind: 'zero1' }

/** Of gradients on the way: `float16`, or only the `topK` share of the largest. What is left out is added to the next step's. */
export type Compression = { readonly kind: 'float16' } | { readonly kind: 'topK'; readonly share: number }

export type SessionMessage =
  | {
      readonly type: 'submit'
      readonly task: number
      readonly work: Work
      /** Higher ones go first; those of the same priority take turns. */
      readonly priority: number
      /** Results of a `map` that are known already, by job: after the loss of a coordinator. */
      readonly known?: readonly { readonly job: number; readonly state: TrainingState }[]
    }
  /** Takes up a task that another session submitted: its events so far, those to come, and its result. */
  | { readonly type: 'follow'; readonly task: number; readonly request: number }
  | { readonly type: 'control'; readonly task: number; readonly request: number; readonly mode: Mode }
  /** Saves the state of a training now; the answer has its path. */
  | { readonly type: 'save'; readonly task: number; readonly request: number }
  /** Asks for the next block of a transform. */
  | { readonly type: 'pull'; readonly task: number; readonly block: number }
  | { readonly type: 'cancel'; readonly task: number }
  | { readonly type: 'status'; readonly request: number }
  | { readonly type: 'logs'; readonly request: number; readonly rank?: number | undefined; readonly lines: number }
  | { readonly type: 'close' }

/** A worker as `status()` shows it. */
export interface WorkerReport extends Partial<WorkerLoad> {
  readonly rank: number
  readonly pid: number | undefined
  /** The number of its device, where the pool has `devices`. */
  readonly device: number | undefined
  readonly state: WorkerState
  readonly engine: string
  /** Resident memory. */
  readonly memoryBytes: number | undefined
  /** How often the worker of this rank was replaced. */
  readonly replaced: number
}
export type WorkerState = 'starting' | 'idle' | 'busy' | 'lost'

/** What a worker did in the last second. */
export interface WorkerLoad {
  readonly rowsPerSecond: number
  /** Share of the time that it waited for data, and that it spent on communication and on waiting for others. */
  readonly inputShare: number
  readonly reduceShare: number
  /** Of its own work, a step. */
  readonly computeMs: number
}

/** A task as `status()` shows it. */
export interface TaskReport {
  readonly task: number
  readonly name: string
  readonly kind: Work['kind']
  readonly state: 'waiting' | 'running' | 'paused' | 'done' | 'stopped' | 'failed'
  readonly priority: number
  /** Steps done. */
  readonly step: number
}

/** Events of a training, with the index of its job (0 but for `map`). */
export interface JobEvent {
  readonly job: number
  readonly event: TrainingEvent
}

/** The answer to a request: what was asked for, or why there is none. */
export interface Answer {
  readonly workers?: readonly WorkerReport[]
  readonly tasks?: readonly TaskReport[]
  readonly lines?: readonly string[]
  readonly path?: string
  /** The job of a training that is followed. */
  readonly job?: TrainingJob
  readonly error?: WireError
}

export type CoordinatorMessage =
  | { readonly type: 'ready'; readonly workers: readonly WorkerReport[] }
  | { readonly type: 'unready'; readonly error: WireError }
  | { readonly type: 'events'; readonly task: number; readonly events: readonly JobEvent[] }
  /** One job of a `map` is done. */
  | { readonly type: 'mapped'; readonly task: number; readonly job: number; readonly state: TrainingState }
  | { readonly type: 'trained'; readonly task: number; readonly states: readonly TrainingState[] }
  /** The next block of a transform: the outputs of each rank's shard; `rows` is 0 after the end. */
  | { readonly type: 'rows'; readonly task: number; readonly block: number; readonly shards: readonly Shard[] }
  | {
      readonly type: 'failed'
      readonly task: number
      readonly error: WireError
      readonly state?: TrainingState | undefined
    }
  | { readonly type: 'done'; readonly request: number; readonly answer: Answer }

/** One rank's rows of a block, in source order. */
export interface Shard {
  readonly rows: number
  readonly outputs: readonly TensorData[]
}

export interface WorkerCheckpoints extends CheckpointPlan {
  readonly folder: string
}

export type OrderMessage =
  /** Makes a loop for the job, in place of the one before; the worker answers `ready`. */
  | {
      readonly type: 'assign'
      readonly run: number
      readonly job: TrainingJob
      readonly options: RunOptions
      readonly owned: readonly number[]
      readonly workers: number
      /** Its place among the workers, as on the ring. */
      readonly index: number
    }
  /** Builds the ring of a generation and runs the loop on it. `lead` is the rank that reports events. */
  | {
      readonly type: 'ring'
      readonly run: number
      readonly generation: number
      readonly rank: number
      readonly lead: boolean
      /** Endpoints in the order of ranks. */
      readonly peers: readonly string[]
      readonly control: Control
      /** Where the lead saves states, and how often. */
      readonly checkpoint: WorkerCheckpoints
    }
  /** The lead saves the state after the step in flight. */
  | { readonly type: 'save'; readonly run: number }
  | { readonly type: 'control'; readonly run: number; readonly control: Control }
  /** Breaks the ring; the worker answers `ready` when its loop rests. */
  | { readonly type: 'halt'; readonly run: number; readonly generation: number }
  | { readonly type: 'snapshot'; readonly run: number }
  | { readonly type: 'restore'; readonly run: number; readonly state: TrainingState }
  | { readonly type: 'release'; readonly run: number }
  | {
      readonly type: 'transform'
      readonly run: number
      readonly job: TransformJob
      readonly slices: number
      readonly slice: number
    }
  | { readonly type: 'pull'; readonly run: number; readonly block: number }

export type WorkerMessage =
  | { readonly type: 'up'; readonly engine: EngineName; readonly description: string; readonly door: string }
  | { readonly type: 'down'; readonly error: WireError }
  /** The loop rests after `step` steps; `generation` is that of the halt (0: assigned or restored). */
  | { readonly type: 'ready'; readonly run: number; readonly generation: number; readonly step: number }
  /** The ring of this generation broke without a halt. */
  | { readonly type: 'broken'; readonly run: number; readonly generation: number; readonly step: number }
  /** Waits in the pause of this version. */
  | { readonly type: 'paused'; readonly run: number; readonly generation: number; readonly version: number }
  | { readonly type: 'events'; readonly run: number; readonly events: readonly TrainingEvent[] }
  | {
      readonly type: 'finished'
      readonly run: number
      readonly generation: number
      readonly step: number
      readonly reason: 'done' | 'stopped'
    }
  | { readonly type: 'state'; readonly run: number; readonly state: TrainingState }
  /** The state after `step` steps was saved, or why not. */
  | {
      readonly type: 'saved'
      readonly run: number
      readonly step: number
      readonly path?: string | undefined
      readonly error?: WireError | undefined
    }
  | { readonly type: 'load'; readonly run: number; readonly load: WorkerLoad }
  | { readonly type: 'rows'; readonly run: number; readonly block: number; readonly shard: Shard }
  /** The job itself failed, after `step` steps (-1: there is no loop). */
  | { readonly type: 'failed'; readonly run: number; readonly step: number; readonly error: WireError }
