/**
 * The pool as a session sees it: starts the coordinator, submits tasks, hears of them.
 *
 * A pool keeps its session's process alive only while it has something to do; when the process ends, so does the pool.
 */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkInteger, checkOneOf, show } from '../core/check.js'
import type { TensorData } from '../core/dtype.js'
import { displaySymbol, type Displayable, type MimeBundle } from '../core/display.js'
import { ShardbookError } from '../core/errors.js'
import { engineNames, openEngine, type EngineName } from '../engine/index.js'
import type { StepOptions, StepRun, Strategy, TransformJob } from '../nn/strategy.js'
import type { TrainingEvent } from '../nn/train/event.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import { socketPath, spawnChild, type CoordinatorSettings } from './child.js'
import { Client } from './client.js'
import { connect } from './connection.js'
import { joinShards } from './join-shards.js'
import { LogTail } from './log-tail.js'
import { PoolStatus, type PoolState } from './status.js'

const closeMs = 5000
const maxWorkers = 256
/** Blocks of a transform that are computed ahead of the one that is waited for. */
const blocksAhead = 1

export interface PoolOptions {
  /** Worker processes; one a core by default. */
  readonly workers?: number
  /** Engine of all workers; `auto` by default. */
  readonly engine?: EngineName | 'auto'
  /** Shown by `status()` and in errors. */
  readonly name?: string
}

/** Background worker processes that train together. */
export interface Pool extends Strategy, Displayable {
  readonly name: string
  /** Rank, process id, engine, memory and state of each worker; renders as a table. */
  status(): Promise<PoolStatus>
  /** Ends the workers and removes what they left. Trainings that go on are rejected. Closing twice is fine. */
  close(): Promise<void>
}

/**
 * Starts a pool of background worker processes.
 *
 * None of them outlives this process. The cores are divided between the workers, which run at a lower priority than
 * the session.
 *
 * @throws ShardbookError `argument` for options that make no pool, `pool` or `missing` when a worker cannot start.
 * @example
 * ```ts
 * const workers = await pool({ workers: 2, engine: 'wasm' })
 * await workers.status()
 * await workers.close()
 * ```
 */
export async function pool(options: PoolOptions = {}): Promise<Pool> {
  const { workers = availableParallelism(), engine = 'auto', name = 'pool' } = options
  checkInteger('pool', 'workers', workers, 1, maxWorkers)
  checkOneOf('pool', 'engine', engine, ['auto', ...engineNames])
  if (typeof name !== 'string' || name === '') {
    throw new ShardbookError('argument', `pool: expected name to be text, got ${show(name)}.`)
  }
  const resolved = engine === 'auto' ? (await openEngine('auto')).name : engine
  return await ProcessPool.start(name, workers, resolved)
}

class ProcessPool implements Pool {
  readonly name: string
  readonly workers: number
  readonly engine: EngineName
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #exited: Promise<string>
  readonly #client: Client
  #state: PoolState = 'open'
  #closing: Promise<void> | undefined

  private constructor(name: string, settings: CoordinatorSettings, started: Started, client: Client) {
    this.name = name
    this.workers = settings.workers
    this.engine = settings.engine
    this.#folder = settings.folder
    this.#child = started.child
    this.#exited = started.exited
    this.#client = client
  }

  static async start(name: string, workers: number, engine: EngineName): Promise<ProcessPool> {
    const secret = randomBytes(32)
    // Paths of sockets have to fit into 107 bytes.
    const folder = mkdtempSync(join(tmpdir().length > 60 ? '/tmp' : tmpdir(), 'shardbook-pool-'))
    const settings: CoordinatorSettings = { secret: secret.toString('base64'), folder, engine, workers }
    let started: Started | undefined
    try {
      started = await startCoordinator(settings)
      const { exited } = started
      const client = new Client(await connect(socketPath(folder, 'coordinator'), secret, { role: 'session' }))
      void exited.then((how) =>
        client.fail(new ShardbookError('pool', `pool ${show(name)}: expected its coordinator to run, but ${how}`)),
      )
      await client.ready
      const created = new ProcessPool(name, settings, started, client)
      void exited.then(() => created.#lost())
      release(started.child)
      return created
    } catch (error) {
      started?.child.kill('SIGKILL')
      await started?.exited
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  step(job: TrainingJob, listener: (event: TrainingEvent) => void, options: StepOptions = {}): StepRun {
    this.#check('step', job.engine)
    const alone = options.workers === 1
    if (!alone && job.slices < this.workers) {
      throw new ShardbookError(
        'argument',
        `pool.step: expected a job of at least ${this.workers} slices, one a worker, got ${job.slices}.`,
        { hint: 'Use more slices or fewer workers.' },
      )
    }
    const began = performance.now()
    let last: TrainingEvent | undefined
    const { task, done: states } = this.#client.submit(
      alone ? { kind: 'map', jobs: [job] } : { kind: 'step', job },
      ({ event }) => {
        last = event
        listener(event)
      },
    )
    const done = states.then(
      ([state]) => state!,
      (error: Error) => {
        // The coordinator tells of every end but its own.
        if (last?.kind !== 'end') {
          const step = last?.kind === 'step' ? last.step : job.start.step
          listener({
            kind: 'end',
            reason: 'failed',
            step,
            seconds: (performance.now() - began) / 1000,
            message: error.message,
          })
        }
        throw error
      },
    )
    return {
      done,
      pause: async () => this.#client.control(task, 'pause'),
      resume: async () => this.#client.control(task, 'run'),
      stop: async () => {
        await this.#client.control(task, 'stop')
        await done.then(
          () => {},
          () => {},
        )
      },
    }
  }

  async map(
    jobs: readonly TrainingJob[],
    listener?: (job: number, event: TrainingEvent) => void,
  ): Promise<TrainingState[]> {
    for (const job of jobs) this.#check('map', job.engine)
    if (jobs.length === 0) return []
    const { done } = this.#client.submit({ kind: 'map', jobs }, ({ job, event }) => listener?.(job, event))
    return [...(await done)]
  }

  async *transform(job: TransformJob): AsyncGenerator<readonly TensorData[]> {
    this.#check('transform', job.engine)
    const { task, done } = this.#client.submit({ kind: 'transform', job })
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

  async status(): Promise<PoolStatus> {
    return new PoolStatus(this.name, this.#state, this.#state === 'open' ? await this.#client.status() : [])
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [displaySymbol](): Promise<MimeBundle> {
    return (await this.status())[displaySymbol]()
  }

  async #close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed'
    this.#client.close(
      new ShardbookError('state', `pool ${show(this.name)}: expected an open pool, got one that was closed.`),
    )
    this.#child.ref()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), closeMs)
    await this.#exited
    clearTimeout(timer)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** The coordinator has ended, asked or not. */
  #lost(): void {
    if (this.#state === 'open') this.#state = 'failed'
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #check(verb: string, engine: EngineName): void {
    if (this.#state !== 'open') {
      throw new ShardbookError(
        'state',
        `pool.${verb}: expected an open pool, got ${show(this.name)}, which is ${this.#state}.`,
        {
          hint: 'Start another with pool(...).',
        },
      )
    }
    if (engine === this.engine) return
    throw new ShardbookError(
      'argument',
      `pool.${verb}: expected a job for the engine ${this.engine}, got one for ${engine}.`,
    )
  }
}

interface Started {
  readonly child: ChildProcess
  /** Resolves with how the coordinator ended. */
  readonly exited: Promise<string>
}

/** Starts the coordinator; resolves when it listens. */
async function startCoordinator(settings: CoordinatorSettings): Promise<Started> {
  // In a process group of its own: an interrupt at the terminal is for the session.
  const child = spawnChild('coordinator', settings, { detached: true })
  const log = new LogTail()
  log.follow(child.stderr!, '[coordinator] ')
  const exited = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => {
      const output = log.tail()
      resolve(
        `it ${signal === null ? `exited with code ${code}` : `was ended by ${signal}`}.${output === '' ? '' : `\nIts last output:\n${output}`}`,
      )
    })
    child.once('error', (error) => resolve(`it could not be started: ${error.message}.`))
  })
  await Promise.race([
    new Promise((resolve) => child.stdout!.once('data', resolve)),
    exited.then((how) => {
      throw new ShardbookError('pool', `pool: expected its coordinator to start, but ${how}`)
    }),
  ])
  return { child, exited }
}

/** Lets this process end although the coordinator runs: the coordinator notices, and ends. */
function release(child: ChildProcess): void {
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket | null)?.unref()
}
