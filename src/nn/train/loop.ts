/**
 * The training loop: what a worker does with a job, in this process or in a pool's. The only loop there is.
 *
 * It owns weights and optimiser slots on an engine, reads its slices, computes gradients, has them added up over all
 * workers, applies them. It is restartable at any step: `epoch` and position follow from the number of steps done.
 */
import type { TensorData } from '../../core/dtype.js'
import type { Engine } from '../../engine/engine.js'
import type { Feed, FrameSource } from '../../frame/feed.js'
import type { TrainingEvent } from './event.js'
import type { TrainingState } from './job.js'

/** What the loop needs from where it runs. */
export interface LoopContext {
  readonly engine: Engine
  /** Slices of the batch that this process computes. */
  readonly owned: readonly number[]
  /** Number of workers, for the `start` event. */
  readonly workers: number
  open(source: FrameSource, options: { slices: number; slice: number }): Promise<Feed>
  /** Adds `vector` up over all workers, in place. Rejects when a peer is lost: the step is then not applied. */
  reduce(step: number, vector: Float32Array): Promise<void>
  /** Asked before each step: waits while paused. */
  gate(step: number): Promise<'go' | 'stop'>
  /** Step and epoch events; the loop sends them on one worker only (`lead`). */
  report(event: TrainingEvent): void
  readonly lead: boolean
}

export interface Loop {
  /** Steps done and applied. */
  readonly step: number
  /** Runs to the end or to a stop. When `reduce` rejects it rejects, with the state as after the last applied step. */
  run(): Promise<'done' | 'stopped'>
  snapshot(): Promise<TrainingState>
  restore(state: Pick<TrainingState, 'step'> & { weights: readonly TensorData[]; slots: readonly TensorData[] }): void
  dispose(): Promise<void>
}
