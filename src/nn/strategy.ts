/**
 * Where training runs. `nn` knows only this interface; `src/distributed` implements it with a pool of processes,
 * `train/local.ts` in this process.
 */
import type { TensorData } from '../core/dtype.js'
import type { EngineName } from '../engine/engine.js'
import type { Trace } from '../engine/trace.js'
import type { FrameSource } from '../frame/index.js'
import type { TrainingEvent } from './train/event.js'
import type { TrainingJob, TrainingState } from './train/job.js'

export interface Strategy {
  /** Workers that share a step. */
  readonly workers: number
  /** Engine that the programs will run on: a step is traced for it. */
  readonly engine: EngineName
  /** Whether programs run in this process, where JavaScript that cannot be recorded can run too. */
  readonly inProcess?: true
  /** Trainings on it show no chart of their own: whoever runs them shows them. */
  readonly quiet?: true
  /** Runs synchronous data-parallel steps. Returns at once. */
  step(job: TrainingJob, listener: (event: TrainingEvent) => void, options?: StepOptions): StepRun
  /** Runs independent jobs, each on one worker, as a queue; results in the order of the jobs. */
  map(jobs: readonly TrainingJob[], listener?: (job: number, event: TrainingEvent) => void): Promise<TrainingState[]>
  /** Runs a program over all rows of a source; yields the results in row order. */
  transform(job: TransformJob): AsyncIterable<readonly TensorData[]>
}

export interface StepOptions {
  /** With 1, one worker trains alone, and others may train something else beside it. Default: all. */
  readonly workers?: 1
  /** Makes a model of a state: where a training outlives its session, that is how the next one gets the model. */
  readonly finish?: FinishModel
}

/** Makes the model of a state. */
export type FinishModel = (state: TrainingState) => PromiseLike<SavableModel> | SavableModel

/** A model that can be saved to a folder. */
export interface SavableModel {
  save(path: string): Promise<void>
}

/** A running training. */
export interface StepRun {
  /** The state at the end: after the last epoch, or where it was stopped. Rejects when the training failed. */
  readonly done: Promise<TrainingState>
  pause(): Promise<void>
  resume(): Promise<void>
  /** Ends after the step in flight; `done` resolves with the state so far. */
  stop(): Promise<void>
  /** Saves the state after the step in flight; the path. Only where states are saved. */
  checkpoint?(): Promise<string>
}

/** Inference over a frame: `program` maps weights..., batch columns... [rows, ...] split -> outputs [rows, ...] by concat. */
export interface TransformJob {
  readonly version: 1
  readonly engine: EngineName
  readonly program: Trace
  readonly weights: readonly TensorData[]
  readonly data: FrameSource
  readonly batchRows: number
}
