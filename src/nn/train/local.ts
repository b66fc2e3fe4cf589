/** Training in this process: the loop on the session's own engine, one worker that owns every slice. */
import { ShardbookError } from '../../core/errors.js'
import { loadTf, openEngine } from '../../engine/index.js'
import type { EngineName } from '../../engine/index.js'
import type { TensorData } from '../../core/dtype.js'
import { openFeed } from '../../frame/index.js'
import type { Strategy, StepRun, TransformJob } from '../strategy.js'
import { Divergence, isDivergence } from './divergence.js'
import type { TrainingEvent } from './event.js'
import type { TrainingJob, TrainingState } from './job.js'
import { createLoop } from './loop.js'
import { openTransform } from './transform.js'

/**
 * A strategy that runs everything in this process, on its current engine unless another is named.
 *
 * @throws ShardbookError `missing` when the engine is not installed.
 */
export async function local(name: EngineName | 'auto' = 'auto'): Promise<Strategy> {
  const { name: engine } = await openEngine(name)
  return Object.freeze({
    workers: 1,
    engine,
    inProcess: true as const,
    step: (job: TrainingJob, listener: (event: TrainingEvent) => void) => runLocally(job, listener),
    map: async (jobs: readonly TrainingJob[], listener?: (job: number, event: TrainingEvent) => void) => {
      const states: TrainingState[] = []
      for (const [i, job] of jobs.entries()) {
        states.push(await runLocally(job, (event) => listener?.(i, event)).done)
      }
      return states
    },
    transform: (job: TransformJob) => transformLocally(job),
  })
}

function runLocally(job: TrainingJob, listener: (event: TrainingEvent) => void): StepRun {
  const gate = new Gate()
  return {
    done: train(job, gate, listener),
    pause: async () => gate.pause(),
    resume: async () => gate.resume(),
    stop: async () => gate.stop(),
  }
}

async function train(job: TrainingJob, gate: Gate, listener: (event: TrainingEvent) => void): Promise<TrainingState> {
  const began = performance.now()
  let step = job.start.step
  const end = (reason: 'done' | 'stopped' | 'failed', message?: string): void =>
    listener({
      kind: 'end',
      reason,
      step,
      seconds: (performance.now() - began) / 1000,
      ...(message === undefined ? {} : { message }),
    })
  try {
    const engine = await openEngine(job.engine)
    const loop = await createLoop(job, {
      engine,
      owned: Array.from({ length: job.slices }, (_, slice) => slice),
      workers: 1,
      open: openFeed,
      reduce: async () => {
        throw new ShardbookError('internal', 'training: expected nothing to reduce with one worker.')
      },
      gate: async (_, underWay) => gate.pass(underWay),
      report: listener,
    })
    try {
      const reason = await loop.run()
      const state = await loop.snapshot()
      step = state.step
      end(reason, loop.stopped)
      return state
    } catch (error) {
      throw isDivergence(error) ? new Divergence(error, await loop.snapshot()) : error
    } finally {
      step = loop.step
      await loop.dispose()
    }
  } catch (error) {
    end('failed', error instanceof Error ? error.message : String(error))
    throw error
  } finally {
    gate.stop()
  }
}

async function* transformLocally(job: TransformJob): AsyncIterable<readonly TensorData[]> {
  const engine = await openEngine(job.engine)
  const tf = await loadTf()
  for await (const { outputs } of openTransform(tf, job, { engine, open: openFeed, slices: 1, slice: 0 })) yield outputs
}

/** Where a training waits while it is paused. */
class Gate {
  #stopped = false
  /** The end of the pause, and the moment from which on nothing is under way. */
  #pause: { readonly end: Deferred; readonly rest: Deferred } | undefined

  async pass(underWay: Promise<void>): Promise<'go' | 'stop'> {
    while (this.#pause !== undefined && !this.#stopped) {
      const { end, rest } = this.#pause
      await underWay
      rest.resolve()
      await end.promise
    }
    return this.#stopped ? 'stop' : 'go'
  }

  /** Resolves when the loop rests, or needs not any more. */
  async pause(): Promise<void> {
    this.#pause ??= { end: defer(), rest: defer() }
    if (this.#stopped) this.#pause.rest.resolve()
    await this.#pause.rest.promise
  }

  resume(): void {
    this.#pause?.end.resolve()
    this.#pause?.rest.resolve()
    this.#pause = undefined
  }

  /** Ends the training after the step in flight; also called when it has ended. */
  stop(): void {
    this.#stopped = true
    this.resume()
  }
}

interface Deferred {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

function defer(): Deferred {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}
