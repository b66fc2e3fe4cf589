/** What a training tells while it runs. Plain data: it crosses processes and feeds charts. */

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
    }
  | {
      readonly kind: 'epoch'
      /** From 1. */
      readonly epoch: number
      readonly step: number
      readonly loss: number
      readonly metrics: Readonly<Record<string, number>>
      readonly validation?: Readonly<Record<string, number>>
    }
  /** The state was saved. */
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string }
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
