/** What a training tells while it runs. Plain data: it crosses processes and feeds charts. */
import type { EpochResult } from './job.js'

export type TrainingEvent =
  | {
      readonly kind: 'start'
      readonly name: string
      readonly epochs: number
      readonly stepsPerEpoch: number
      readonly workers: number
      readonly engine: string
    }
  | {
      readonly kind: 'step'
      /** Steps done, from 1, over all epochs. */
      readonly step: number
      readonly epoch: number
      readonly loss: number
      readonly metrics: Readonly<Record<string, number>>
      readonly learningRate: number
      /** Rows of the global batch and the wall time since the last step ended. */
      readonly rows: number
      readonly stepMs: number
      /** Of that time, the wait for data. */
      readonly inputMs?: number
      /** Of that time, the communication with other workers. */
      readonly reduceMs?: number
      /** Euclidean norm of all gradients, where it is asked for. */
      readonly gradientNorm?: number
      /** Where a profile is asked for. */
      readonly phases?: PhaseTimes
    }
  /** An epoch ended; epochs count from 1. */
  | ({
      readonly kind: 'epoch'
      /** Why the training ends with it, where a rule says so. */
      readonly stop?: string
    } & EpochResult)
  /** Loss and metrics on the validation rows within an epoch. */
  | {
      readonly kind: 'validation'
      readonly step: number
      readonly epoch: number
      readonly validation: Readonly<Record<string, number>>
    }
  | {
      readonly kind: 'checkpoint'
      readonly step: number
      readonly path: string
    }
  /** What the workers do, at most once a second. */
  | { readonly kind: 'workers'; readonly workers: readonly WorkerFigures[] }
  /** Something that went wrong, and did not keep the training from going on. */
  | { readonly kind: 'notice'; readonly step: number; readonly message: string }
  | {
      readonly kind: 'worker'
      readonly rank: number
      readonly change: 'up' | 'lost' | 'replaced'
      readonly message: string
    }
  | {
      readonly kind: 'end'
      readonly reason: 'done' | 'stopped' | 'failed'
      readonly step: number
      readonly seconds: number
      readonly message?: string
    }

/** A worker in the last second. */
export interface WorkerFigures {
  readonly rank: number
  readonly rowsPerSecond: number
  /** Shares of its time: waiting for data, and communication with waiting for the others. */
  readonly inputShare: number
  readonly reduceShare: number
  readonly memoryBytes: number
}

/** Where the time of a step goes, in milliseconds. */
export interface PhaseTimes {
  /** Rows are read and decoded. */
  readonly read: number
  /** Rows become tensors of the engine. */
  readonly copy: number
  /** Gradients are computed and, with several workers, brought to the host. */
  readonly compute: number
  /** Gradients are added up over the workers. */
  readonly reduce: number
  /** Weights and slots change. */
  readonly update: number
}
