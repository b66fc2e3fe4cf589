/** The pool as a session sees it: what it offers on the workers behind a `PoolSession`. */
import { join } from 'node:path'
import { checkInteger, show } from '../core/check.js'
import type { TensorData } from '../core/dtype.js'
import { displaySymbol, type MimeBundle } from '../core/display.js'
import { ShardbookError } from '../core/errors.js'
import { host } from '../core/host.js'
import type { EngineName } from '../engine/index.js'
import type { StepOptions, StepRun, Strategy, TransformJob } from '../nn/strategy.js'
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import { checkShards } from '../nn/train/state-shard.js'
import { Training, type Savable } from '../nn/train/training.js'
import { newTask, type Client, type Submitted } from './client.js'
import { EventFilter } from './event-filter.js'
import { joinShards } from './join-shards.js'
import { keepFiles } from './keep-files.js'
import { LivePool } from './live-pool.js'
import type { JobEvent, RunOptions, TaskReport } from './messages.js'
import { modelFrom, saveTemplate } from './model-template.js'
import { PoolSession } from './pool-session.js'
import type { Pool, SharingOptions } from './pool.js'
import { checkSharing } from './sharing.js'
import { PoolStatus } from './status.js'
import { taskFolder } from './task-store.js'

/** Blocks of a transform that are computed ahead of the one that is waited for. */
const blocksAhead = 1
const defaultLines = 50

export class ProcessPool implements Pool {
  readonly name: string
  readonly workers: number
  readonly engine: EngineName
  readonly #session: PoolSession
  readonly #client: Client
  readonly #live: LivePool

  constructor(session: PoolSession) {
    const { name, workers, engine } = session.settings
    this.name = name
    this.workers = workers
    this.engine = engine
    this.#session = session
    this.#client = session.client
    this.#live = new LivePool(async () => this.status())
  }

  step(job: TrainingJob, listener: (event: TrainingEvent) => void, options?: StepOptions): StepRun {
    return this.#step(job, listener, {}, options)
  }

  async map(
    jobs: readonly TrainingJob[],
    listener?: (job: number, event: TrainingEvent) => void,
  ): Promise<TrainingState[]> {
    return this.#map(jobs, listener, 0)
  }

  transform(job: TransformJob): AsyncGenerator<readonly TensorData[]> {
    return this.#transform(job, 0)
  }

  with(options: SharingOptions): Strategy {
    checkSharing(options)
    const { priority = 0 } = options
    return Object.freeze({
      workers: this.workers,
      engine: this.engine,
      step: (job: TrainingJob, listener: (event: TrainingEvent) => void, how?: StepOptions) =>
        this.#step(job, listener, options, how),
      map: async (jobs: readonly TrainingJob[], listener?: (job: number, event: TrainingEvent) => void) =>
        this.#map(jobs, listener, priority),
      transform: (job: TransformJob) => this.#transform(job, priority),
    })
  }

  async status(): Promise<PoolStatus> {
    const { state } = this.#session
    if (state !== 'open') return new PoolStatus(this.name, state, [], [])
    const { workers = [], tasks = [] } = await this.#client.request((request) => ({ type: 'status', request }))
    return new PoolStatus(this.name, state, workers, tasks)
  }

  async logs({ rank, lines = defaultLines }: { rank?: number; lines?: number } = {}): Promise<string> {
    if (rank !== undefined) checkInteger('pool.logs', 'rank', rank, 0, this.workers - 1)
    checkInteger('pool.logs', 'lines', lines, 1)
    this.#checkOpen('logs')
    const answer = await this.#client.request((request) => ({ type: 'logs', request, rank, lines }))
    return (answer.lines ?? []).join('\n')
  }

  async tasks(): Promise<readonly TaskReport[]> {
    return (await this.status()).tasks
  }

  training(which?: string | number): Training<Savable> {
    this.#checkOpen('training')
    return new Training<Savable>(which === undefined ? 'Training' : String(which), async () => {
      const { task } = await this.#find(which)
      // What comes before the training listens waits for it.
      const early: TrainingEvent[] = []
      let hear = (event: TrainingEvent): void => void early.push(event)
      const { job, done } = await this.#client.follow(task, ({ event }) => hear(event))
      const step = (_: TrainingJob, listener: (event: TrainingEvent) => void): StepRun => {
        hear = listener
        for (const event of early) listener(event)
        return this.#runOf({ task, done })
      }
      const template = taskFolder(this.#session.settings.stateFolder, task)
      const finish = async (state: TrainingState): Promise<Savable> => modelFrom(template, job, state)
      return { strategy: { ...this.with({}), step }, job, finish }
    })
  }

  async detach(): Promise<void> {
    if (this.#session.settings.session !== undefined) {
      throw new ShardbookError('state', `pool.detach: expected a detached pool, got ${show(this.name)}.`, {
        hint: 'Start it with pool({ detached: true, name }).',
      })
    }
    await this.#live.end()
    this.#session.leave()
  }

  async close(): Promise<void> {
    await this.#session.close()
    await this.#live.end()
  }

  async [displaySymbol](): Promise<MimeBundle> {
    return await this.#live.show()
  }

  async #find(which: string | number | undefined): Promise<TaskReport> {
    const trainings = (await this.tasks()).filter(({ kind }) => kind === 'step')
    const found = trainings.findLast(({ task, name }) => which === undefined || which === task || which === name)
    if (found !== undefined) return found
    const names = trainings.map(({ name }) => show(name)).join(', ')
    throw new ShardbookError(
      'argument',
      `pool.training: expected a training of the pool ${show(this.name)}, got ${show(which)}.`,
      { hint: names === '' ? 'It has none.' : `It has ${names}.` },
    )
  }

  #step(
    job: TrainingJob,
    listener: (event: TrainingEvent) => void,
    { priority = 0, strategy, compression, sampleLogs }: SharingOptions,
    { workers, finish }: StepOptions = {},
  ): StepRun {
    this.#check('step', job.engine)
    const isAlone = workers === 1
    if (!isAlone && job.slices < this.workers) {
      throw new ShardbookError(
        'argument',
        `pool.step: expected a job of at least ${this.workers} slices, one a worker, got ${job.slices}.`,
        { hint: 'Use more slices or fewer workers.' },
      )
    }
    if (!isAlone && strategy?.kind === 'zero1') checkShards(job)
    const began = performance.now()
    let last: TrainingEvent | undefined
    const options: RunOptions = { strategy, compression, sampleLogs }
    const filter = new EventFilter(job.start.step)
    const task = newTask()
    const { stateFolder, session } = this.#session.settings
    const folder = taskFolder(stateFolder, task)
    const kept = session === undefined ? keepFiles(job, join(folder, 'data')) : job
    const hear = ({ event }: JobEvent): void => {
      // A coordinator that took another's place tells some things again.
      if (!filter.admit(event)) return
      if (event.kind === 'notice') host().publish({ 'text/plain': `${job.name}: ${event.message}` })
      last = event
      listener(event)
    }
    const work = isAlone ? ({ kind: 'map', jobs: [kept] } as const) : ({ kind: 'step', job: kept, options } as const)
    const submitted = this.#client.submit(work, priority, hear, task)
    if (finish !== undefined && session === undefined) void saveTemplate(folder, job, finish)
    const done = submitted.done.catch((error: Error) => {
      // The coordinator tells of every end but its own.
      if (last?.kind !== 'end') {
        const step = last?.kind === 'step' ? last.step : job.start.step
        const seconds = (performance.now() - began) / 1000
        const reason = this.#session.state === 'detached' ? 'stopped' : 'failed'
        listener({ kind: 'end', reason, step, seconds, message: error.message })
      }
      throw error
    })
    return this.#runOf({ task, done })
  }

  #runOf({ task, done }: Submitted): StepRun {
    const settled = done.then(
      () => {},
      () => {},
    )
    return {
      done: done.then(([state]) => state!),
      pause: async () => this.#client.control(task, 'pause'),
      resume: async () => this.#client.control(task, 'run'),
      stop: async () => {
        await this.#client.control(task, 'stop')
        await settled
      },
      checkpoint: async () => (await this.#client.request((request) => ({ type: 'save', task, request }))).path!,
    }
  }

  async #map(
    jobs: readonly TrainingJob[],
    listener: ((job: number, event: TrainingEvent) => void) | undefined,
    priority: number,
  ): Promise<TrainingState[]> {
    for (const job of jobs) this.#check('map', job.engine)
    if (jobs.length === 0) return []
    const work = { kind: 'map', jobs } as const
    const { done } = this.#client.submit(work, priority, ({ job, event }) => listener?.(job, event))
    return [...(await done)]
  }

  async *#transform(job: TransformJob, priority: number): AsyncGenerator<readonly TensorData[]> {
    this.#check('transform', job.engine)
    const { task, done } = this.#client.submit({ kind: 'transform', job }, priority)
    // Its failures are told by the blocks.
    done.catch(() => {})
    const pull = (block: number): ReturnType<Client['pull']> => {
      const shards = this.#client.pull(task, block)
      shards.catch(() => {})
      return shards
    }
    const ahead = Array.from({ length: 1 + blocksAhead }, (_, block) => pull(block))
    try {
      for (let block = ahead.length; ; block++) {
        const shards = await ahead.shift()!
        if (shards.every(({ rows }) => rows === 0)) return
        ahead.push(pull(block))
        yield joinShards(shards)
      }
    } finally {
      this.#client.cancel(task)
    }
  }

  #checkOpen(verb: string): void {
    const { state } = this.#session
    if (state === 'open') return
    throw new ShardbookError(
      'state',
      `pool.${verb}: expected an open pool, got ${show(this.name)}, which is ${state}.`,
      { hint: 'Start another with pool(...).' },
    )
  }

  #check(verb: string, engine: EngineName): void {
    this.#checkOpen(verb)
    if (engine === this.engine) return
    throw new ShardbookError(
      'argument',
      `pool.${verb}: expected a job for the engine ${this.engine}, got one for ${engine}.`,
    )
  }
}
