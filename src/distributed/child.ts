/**
 * Child processes of a pool, from both sides.
 *
 * A child gets its settings, the secret among them, as one JSON line on its standard input, so nothing shows in its
 * arguments or environment. The pipe then stays open as the lifeline: when the parent is gone, however it went, the
 * pipe ends and so does the child. A thread watches too, for a child that is busy and does not get to see that.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ShardbookError } from '../core/errors.js'
import type { EngineName } from '../engine/index.js'
import { isAlive } from './is-alive.js'

/** What every process of a pool is told. */
export interface ChildSettings {
  /** Base64. */
  readonly secret: string
  /** The pool's folder of sockets, mode 0700. */
  readonly folder: string
  /** The same for segments in shared memory, where there is such and all workers are on this host. */
  readonly shared?: string | undefined
  readonly engine: EngineName
  /** Where workers listen when they are reached from other hosts: `HOST`; unix sockets without. */
  readonly host?: string | undefined
  /** The process that owns the pool and tidies up after it; none of a detached pool. */
  readonly session?: number | undefined
  /** Where checkpoints and, for a detached pool, its trainings are kept. */
  readonly stateFolder: string
}

/** What the user may set of the workers. */
export interface WorkerLimits {
  /** Resident memory at which a worker is ended and replaced. */
  readonly memoryBytes?: number | undefined
  /** Threads of the engine. Default: the cores divided between the workers. */
  readonly threads?: number | undefined
  /** Added to the priority of the session: 0 to 19. Default 10. */
  readonly niceness: number
  /** How long a process may give no sign of life before it is replaced. */
  readonly silentMs: number
}

export interface CoordinatorSettings extends ChildSettings, WorkerLimits {
  readonly name: string
  readonly workers: number
  /** The number of each worker's device; without, all have the engine's default. */
  readonly devices?: readonly number[] | undefined
  /** Where the coordinator listens. */
  readonly endpoint: string
  readonly checkpoint: CheckpointPlan
  /** A detached pool ends after so long without a session and without work. */
  readonly idleMs?: number | undefined
  /** The turn of a training while others of the same priority wait. */
  readonly turnMs: number
}

/** How often the state of a training is saved, and how many such states stay. */
export interface CheckpointPlan {
  readonly everyMs: number
  readonly keep: number
}

export interface WorkerSettings extends ChildSettings {
  /** Where the coordinator listens. */
  readonly endpoint: string
  readonly rank: number
  /** How many workers of this rank there were before. */
  readonly incarnation: number
  readonly threads: number
  /** The number of its device. */
  readonly device?: number | undefined
  readonly niceness: number
}

/** Starts one of our own programs. */
export function spawnChild(
  main: 'coordinator' | 'worker',
  settings: CoordinatorSettings | WorkerSettings,
  /** `log` is the file that gets what it writes to standard error; a pipe without. */
  options: { detached: boolean; log?: number },
): ChildProcess {
  const program = mainPath(main)
  const { detached, log } = options
  const device = 'device' in settings ? settings.device : undefined
  // Whatever opens an engine there opens it on that device.
  const env = device === undefined ? process.env : { ...process.env, SHARDBOOK_DEVICE: String(device) }
  // The fourth pipe brings signs of life.
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', log ?? 'pipe', 'pipe'], detached, env })
  // A child that died before it read its settings is reported by its exit, not by the pipe.
  child.stdin!.on('error', () => {})
  child.stdin!.write(`${JSON.stringify(settings)}\n`)
  return child
}

/** Socket paths of a pool. */
export function socketPath(folder: string, name: string): string {
  return `${folder}/${name}`
}

/** The program as built: from the sources (tests run these) it is the copy in `dist`. */
function mainPath(main: string): string {
  const here = fileURLToPath(import.meta.url)
  const built = here.endsWith('.ts')
    ? fileURLToPath(new URL(`../../dist/src/distributed/${main}-main.js`, import.meta.url))
    : fileURLToPath(new URL(`./${main}-main.js`, import.meta.url))
  if (existsSync(built)) return built
  throw new ShardbookError('missing', `pool: expected its program at ${built}, got no such file.`, {
    hint: 'Run npm run build.',
  })
}

/** Folders of a pool's sockets and shared memory: those of one coordinator. */
export type PoolFolders = Pick<ChildSettings, 'folder' | 'shared'>

export function removePoolFolders({ folder, shared }: PoolFolders): void {
  for (const path of [folder, shared]) if (path !== undefined) rmSync(path, { recursive: true, force: true })
}

/** All that ends with the processes of a pool that is not detached. */
function ownPlaces({ folder, shared, stateFolder }: ChildSettings): string[] {
  return [folder, shared, stateFolder].filter((path) => path !== undefined)
}

/**
 * Child side: reads the settings. From then on the process watches its parent, unless it is `free` of it, and gives signs
 * of life.
 */
export async function readSettings<T extends ChildSettings>(
  isFree: (settings: T) => boolean = () => false,
): Promise<T> {
  let text = ''
  let settings: T | undefined
  const parent = process.ppid
  // The parent decides when a child ends; an interrupt at the terminal is meant for the parent.
  process.on('SIGINT', () => {})
  return await new Promise<T>((resolve) => {
    process.stdin.setEncoding('utf8')
    process.stdin.on('data', (chunk: string) => {
      if (settings !== undefined) return
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0) return
      settings = JSON.parse(text.slice(0, end)) as T
      watch(settings, isFree(settings) ? undefined : parent)
      resolve(settings)
    })
    process.stdin.on('end', () => {
      if (settings !== undefined && isFree(settings)) return
      if (settings !== undefined) leaveOrphaned(settings, parent)
      process.exit(0)
    })
  })
}

/** The session tidies up after a pool; where it is gone, whoever is left does. */
function leaveOrphaned(settings: ChildSettings, parent: number): void {
  const { session } = settings
  if (session !== undefined && (session === parent || !isAlive(session))) {
    for (const path of ownPlaces(settings)) rmSync(path, { recursive: true, force: true })
  }
}

const turnMs = 250

/** The thread that watches goes on while this one computes; what it sends tells whether this one has had a turn since. */
function watch(settings: ChildSettings, parent: number | undefined): void {
  const turns = new Int32Array(new SharedArrayBuffer(4))
  setInterval(() => Atomics.add(turns, 0, 1), turnMs).unref()
  const workerData = { parent, session: settings.session, folders: ownPlaces(settings), turns }
  new Worker(new URL('./watch-parent.js', import.meta.url), { workerData, stdin: false }).unref()
}
