/**
 * The training loop: what a worker does with a job, in this process or in a pool's. The only loop there is.
 *
 * It owns weights and optimiser slots on an engine, reads its slices, computes gradients, has them added up over all
 * workers, applies them. It is restartable at any step: `epoch` and position follow from the number of steps done.
 */
import { loadTf } from '../../engine/index.js'
import type { Engine } from '../../engine/engine.js'
import type { Feed, FrameSource } from '../../frame/index.js'
import { BatchReader } from './batch-reader.js'
import type { TrainingEvent } from './event.js'
import type { TrainingJob, TrainingState } from './job.js'
import { provideProgramMapper } from './program-mapper.js'
import type { ShardContext } from './state-shard.js'
import { TrainingLoop } from './training-loop.js'

/** What the loop needs from where it runs. */
export interface LoopContext {
  readonly engine: Engine
  /** Slices of the batch that this process computes. */
  readonly owned: readonly number[]
  /** Number of workers, for the `start` event. With one, nothing is reduced and gradients stay on the engine. */
  readonly workers: number
  open(source: FrameSource, options: { slices: number; slice: number }): Promise<Feed>
  /**
   * Adds `vector` up over all workers, in place. Rejects when a peer is lost: the step is then not applied.
   * Called for each step, with the number of steps applied before it: once for each sum over the batch that its gradients need on
   * their way (batch normalisation), then once for the `gradients`, loss and metrics in front of them; and, where there is validation data, once at each epoch's end
   * and each validation within, with the number of steps applied so far. All workers call in the same order with the same lengths.
   */
  reduce(step: number, vector: Float32Array, what?: 'sums' | 'gradients'): Promise<void>
  /**
   * With the optimiser's state in shards, which is this worker's. Then `reduce` needs to leave only the own shard's gradients added
   * up, `snapshot` is called by all workers after the same step, and who was interrupted within a step is not gone on with.
   */
  readonly shard?: ShardContext | undefined
  /** Asked before each step: waits while paused, and rests only when the step that is under way has been told of. */
  gate(step: number, underWay: Promise<void>): Promise<'go' | 'stop'>
  /** Start, step, validation and epoch events, the same on every worker: whose are told is not the loop's affair. */
  report(event: TrainingEvent): void
  /** Whether this process writes the checkpoints of the job; default: with one worker. It alone reports them. */
  writes?(): boolean
}

export interface Loop {
  /** Steps done and applied. */
  readonly step: number
  /** Why a rule of the job has ended the training. */
  readonly stopped: string | undefined
  /** Runs to the end or to a stop. When `reduce` rejects it rejects, with the state as after the last applied step. */
  run(): Promise<'done' | 'stopped'>
  snapshot(): Promise<TrainingState>
  restore(state: TrainingState): void
  dispose(): Promise<void>
}

/**
 * Opens a job's data and loads its programs; the engine of the context must be the current one.
 *
 * @throws ShardbookError `data` when there are no rows.
 */
export async function createLoop(job: TrainingJob, context: LoopContext): Promise<Loop> {
  provideProgramMapper() // the data may come through a model
  const tf = await loadTf()
  const rowsPerSlice = job.batchRows / job.slices
  const read = async (source: FrameSource, program: TrainingJob['programs']['evaluate']) =>
    BatchReader.open(tf, source, context, { slices: job.slices, rowsPerSlice, program })
  const data = await read(job.data, job.programs.gradients)
  try {
    const validation = job.validation === undefined ? undefined : await read(job.validation, job.programs.evaluate)
    return new TrainingLoop(tf, job, context, data, validation)
  } catch (error) {
    await data.close()
    throw error
  }
}
