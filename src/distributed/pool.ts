/** What users call: starting a pool, and finding one that was left running. */
import { mkdtempSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkInteger, checkNumber, checkOneOf, show } from '../core/check.js'
import type { Displayable } from '../core/display.js'
import { ShardbookError } from '../core/errors.js'
import { host } from '../core/host.js'
import { engineNames, openEngine, type EngineName } from '../engine/index.js'
import type { Savable, Training } from '../nn/train/training.js'
import type { Strategy } from '../nn/strategy.js'
import type { PoolSettings } from './launch.js'
import { isRunning, poolStateFolder, readFromRegistry, registeredNames } from './registry.js'
import type { Compression, SharingStrategy, TaskReport } from './messages.js'
import { PoolSession } from './pool-session.js'
import { ProcessPool } from './process-pool.js'
import { crowding, type PoolStatus } from './status.js'
import { storedTasks } from './task-store.js'

const maxWorkers = 256

export interface PoolOptions {
  /** Worker processes; by default one a core, with `devices` one a device, of `pjrt` without them one. */
  readonly workers?: number
  /**
   * The devices of the engine `pjrt` by number, one a worker: `[0, 1, 2, 3]`. Default: with several workers as many as there are
   * workers, from 0 on; with one, that of `SHARDBOOK_DEVICE`.
   */
  readonly devices?: readonly number[]
  /** Engine of all workers; `auto` by default, with `devices` it is `pjrt`. */
  readonly engine?: EngineName | 'auto'
  /** Shown by `status()` and in errors; by it `pool.attach` finds a detached pool. */
  readonly name?: string
  /** Whether the pool outlives this process: it ends when it is closed, or after `idleMs` without work. Default false. */
  readonly detached?: boolean
  /** How long a detached pool stays without a session and without work. Default an hour. */
  readonly idleMs?: number
  /** Threads of the engine in each worker. Default: the cores divided between the workers. */
  readonly threads?: number
  /** Resident memory at which a worker is ended and replaced. Default: no limit. */
  readonly memoryBytes?: number
  /** How far workers stand back behind other processes, 0 to 19. Default 10. */
  readonly niceness?: number
  /** How long a worker may give no sign of life before it is replaced. Default 10,000. */
  readonly heartbeatMs?: number
  /** How often the state of a training is saved, and how many such states are kept. Default every 10,000 ms, 3 of them. */
  readonly checkpoints?: { readonly everyMs?: number; readonly keep?: number }
  /** How long a training keeps the workers while others of the same priority wait. Default 10,000. */
  readonly turnMs?: number
  /** Address on which the processes listen, over TLS. Default: unix sockets, which nobody else can reach. */
  readonly host?: string
  /** Port of the coordinator, with `host`. Default: any that is free. */
  readonly port?: number
}

/** How trainings share the workers of a pool, and how the workers of a training work together. */
export interface SharingOptions {
  /** Higher ones go first; those of the same priority take turns. Default 0. */
  readonly priority?: number
  /** Default: gradients are added up at every step. */
  readonly strategy?: SharingStrategy
  /** Of gradients on their way between workers. Default: none. */
  readonly compression?: Compression
  /** A folder where workers log the ordinals of the samples of each step. */
  readonly sampleLogs?: string
}

/** Background worker processes that train together. */
export interface Pool extends Strategy, Displayable {
  readonly name: string
  /** Rank, process, engine, memory, state and load of each worker, and the tasks; renders as tables. */
  status(): Promise<PoolStatus>
  /** The same workers, with other options for what is run on them: `fit(frame, { on: workers.with({ priority: 1 }) })`. */
  with(options: SharingOptions): Strategy
  /** The last lines that workers wrote, each behind its rank. */
  logs(options?: { readonly rank?: number; readonly lines?: number }): Promise<string>
  /** Trainings, transforms and queues of this pool: those that wait, run and have ended lately. */
  tasks(): Promise<readonly TaskReport[]>
  /**
   * A training of this pool that another session began, by its name or number: its chart goes on from where it is, and awaiting it
   * gives the model. Default: the one that began last.
   *
   * It rejects with `argument` when there is none.
   */
  training(which?: string | number): Training<Savable>
  /** Leaves a detached pool to itself; what it does goes on. */
  detach(): Promise<void>
  /** Ends the workers and removes what they left. Trainings that go on are rejected. Closing twice is fine. */
  close(): Promise<void>
}

/** `pool(options)`, with what finds detached pools. */
export interface PoolFunction {
  (options?: PoolOptions): Promise<Pool>
  /**
   * Finds a pool that was started with `detached: true`, in this process or another. One whose coordinator was lost is started
   * again and goes on from its checkpoints.
   *
   * @throws ShardbookError `argument` when there is none of that name, `pool` when it is of another version.
   */
  attach(name: string): Promise<Pool>
  /** Names of the detached pools. */
  list(): readonly string[]
}

/**
 * Starts a pool of background worker processes.
 *
 * None of them outlives this process, unless `detached` says so. The cores are divided between the workers, which run at a
 * lower priority than the session.
 *
 * @throws ShardbookError `argument` for options that make no pool, `pool` or `missing` when a worker cannot start.
 * @example
 * ```ts
 * const workers = await pool({ workers: 2, engine: 'wasm' })
 * await workers.status()
 * await workers.close()
 * ```
 */
export const pool: PoolFunction = Object.assign(startPool, { attach, list: registeredNames })

async function startPool(options: PoolOptions = {}): Promise<Pool> {
  const { devices: given, name = 'pool', detached = false } = options
  const { engine = given === undefined ? 'auto' : 'pjrt' } = options
  if (given !== undefined) checkDevices(given)
  if (options.workers !== undefined) checkInteger('pool', 'workers', options.workers, 1, maxWorkers)
  checkOneOf('pool', 'engine', engine, ['auto', ...engineNames])
  if (typeof name !== 'string' || name === '') {
    throw new ShardbookError('argument', `pool: expected name to be text, got ${show(name)}.`)
  }
  checkSettings(options)
  if (detached) checkFree(name)
  const resolved = engine === 'auto' ? (await openEngine('auto')).name : engine
  const workers = options.workers ?? given?.length ?? (resolved === 'pjrt' ? 1 : availableParallelism())
  const devices = placesOf(resolved, workers, given)
  const { threads, memoryBytes, niceness = 10, heartbeatMs = 10_000, turnMs = 10_000, idleMs = 3_600_000 } = options
  const { everyMs = 10_000, keep = 3 } = options.checkpoints ?? {}
  const settings: PoolSettings = {
    name,
    workers,
    devices,
    engine: resolved,
    threads,
    memoryBytes,
    niceness,
    silentMs: heartbeatMs,
    turnMs,
    checkpoint: { everyMs, keep },
    host: options.host,
    port: options.port,
    stateFolder: detached ? poolStateFolder(name) : mkdtempSync(join(tmpdir(), 'shardbook-state-')),
    ...(detached ? { idleMs } : { session: process.pid }),
  }
  const started = new ProcessPool(await PoolSession.start(settings))
  const crowd = devices === undefined ? crowding(workers) : undefined
  if (crowd !== undefined) host().publish({ 'text/plain': `Pool ${name}: ${crowd}` })
  return started
}

/** The device of each worker; whether it is there, the worker comes to know. */
function placesOf(engine: EngineName, workers: number, given: readonly number[] | undefined) {
  if (given === undefined) {
    return engine === 'pjrt' && workers > 1 ? Array.from({ length: workers }, (_, rank) => rank) : undefined
  }
  if (engine !== 'pjrt') {
    throw new ShardbookError('argument', `pool: expected devices with the engine pjrt, got ${engine}.`, {
      hint: 'Workers of the other engines compute on the processor: give their number only.',
    })
  }
  if (workers > given.length) {
    throw new ShardbookError(
      'argument',
      `pool: expected a device a worker, got ${given.length} for ${workers} workers.`,
    )
  }
  return given.slice(0, workers)
}

function checkDevices(devices: readonly number[]): void {
  if (!Array.isArray(devices) || devices.length === 0) {
    throw new ShardbookError('argument', `pool: expected devices to be numbers of devices, got ${show(devices)}.`)
  }
  for (const device of devices) checkInteger('pool', 'devices', device, 0)
  const twice = devices.find((device, i) => devices.indexOf(device) !== i)
  if (twice === undefined) return
  throw new ShardbookError('argument', `pool: expected each device once, got ${twice} twice.`, {
    hint: 'Two processes on one device would share its memory: give it one worker.',
  })
}

async function attach(name: string): Promise<Pool> {
  const found = readFromRegistry(name)
  if (found !== undefined) return new ProcessPool(await PoolSession.attach(found))
  const names = registeredNames()
  throw new ShardbookError('argument', `pool.attach: expected the name of a detached pool, got ${show(name)}.`, {
    hint: names.length === 0 ? 'There is none.' : `There is ${names.map((each) => show(each)).join(', ')}.`,
  })
}

/** A name stands for one pool: neither one that runs nor what a lost one has left is overwritten. */
function checkFree(name: string): void {
  const found = readFromRegistry(name)
  if (found === undefined) return
  const isAlive = isRunning(found)
  if (!isAlive && storedTasks(found.settings.stateFolder).tasks.length === 0) return
  throw new ShardbookError(
    'argument',
    `pool: expected a name that is free, got ${show(name)}, ${isAlive ? 'a pool that runs' : 'a pool that was lost with its trainings'}.`,
    { hint: `Take it up with pool.attach(${show(name)}), and close it if it is not wanted.` },
  )
}

function checkSettings(options: PoolOptions): void {
  const {
    threads = 1,
    memoryBytes = 1e9,
    niceness = 10,
    heartbeatMs = 1e4,
    turnMs = 1e4,
    idleMs = 1e4,
    port = 0,
  } = options
  const { everyMs = 1e4, keep = 3 } = options.checkpoints ?? {}
  checkInteger('pool', 'threads', threads, 1)
  checkNumber('pool', 'memoryBytes', memoryBytes, 1e8)
  checkInteger('pool', 'niceness', niceness, 0, 19)
  checkNumber('pool', 'heartbeatMs', heartbeatMs, 1500)
  checkNumber('pool', 'turnMs', turnMs, 100)
  checkNumber('pool', 'idleMs', idleMs, 100)
  checkInteger('pool', 'port', port, 0, 65_535)
  checkNumber('pool', 'checkpoints.everyMs', everyMs, 0)
  checkInteger('pool', 'checkpoints.keep', keep, 1)
}
