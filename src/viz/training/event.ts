/**
 * What a training tells its chart. The events are those of a training; they are described here by their structure, because
 * charts know nothing of trainings.
 */

/** What a training tells while it runs. */
export type TrainingViewEvent =
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
      readonly step: number
      readonly epoch: number
      readonly loss: number
      readonly metrics: Readonly<Record<string, number>>
      readonly learningRate: number
      readonly rows: number
      readonly stepMs: number
      /** Of all gradients together, before any clipping. */
      readonly gradientNorm?: number
      /** Of `stepMs`: the wait for data, and for other workers. */
      readonly inputMs?: number
      readonly reduceMs?: number
    }
  | ({
      readonly kind: 'epoch'
      /** Why the training ends with it. */
      readonly stop?: string
    } & TrainingEpoch)
  | ({ readonly kind: 'validation'; readonly epoch: number } & TrainingValidation)
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly kind: 'workers'; readonly workers: readonly WorkerLane[] }
  | { readonly kind: 'worker'; readonly rank: number; readonly change: WorkerChange; readonly message: string }
  | { readonly kind: 'notice'; readonly message: string }
  | {
      readonly kind: 'end'
      readonly reason: 'done' | 'stopped' | 'failed'
      readonly step: number
      readonly seconds: number
      readonly message?: string
    }

export type WorkerChange = 'up' | 'lost' | 'replaced'

export interface TrainingEpoch {
  /** From 1. */
  readonly epoch: number
  /** Steps done at its end. */
  readonly step: number
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
  /** Loss (`loss`) and metrics on the validation rows. */
  readonly validation?: Readonly<Record<string, number>>
}

/** Loss and metrics on the validation rows, within an epoch. */
export interface TrainingValidation {
  readonly step: number
  readonly validation: Readonly<Record<string, number>>
}

/** What a worker does at the moment. */
export interface WorkerLane {
  readonly rank: number
  readonly rowsPerSecond: number
  /** Shares of its time that it waits for data, and for other workers, in [0, 1]. */
  readonly inputShare: number
  readonly reduceShare: number
  readonly memoryBytes: number
}
