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

/** What every process of a pool is told. */
export interface ChildSettings {
  /** Base64. */
  readonly secret: string
  /** The pool's folder of sockets, mode 0700; the last one to leave removes it. */
  readonly folder: string
  readonly engine: EngineName
}

export interface CoordinatorSettings extends ChildSettings {
  readonly workers: number
}

export interface WorkerSettings extends ChildSettings {
  readonly rank: number
  /** How many workers of this rank there were before. */
  readonly incarnation: number
  readonly threads: number
}

/** Starts one of our own programs. Standard output and error are pipes. */
export function spawnChild(
  main: 'coordinator' | 'worker',
  settings: CoordinatorSettings | WorkerSettings,
  options: { detached: boolean },
): ChildProcess {
  const program = mainPath(main)
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'], detached: options.detached })
  // A child that died before it read its settings is reported by its exit, not by the pipe.
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(settings)}\n`)
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

/**
 * Child side: reads the settings and watches the parent from then on.
 *
 * @param onOrphaned runs before the process ends because its parent is gone
 */
export async function readSettings<T extends ChildSettings>(onOrphaned: () => void = () => {}): Promise<T> {
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
      watchParent(parent, settings.folder)
      resolve(settings)
    })
    process.stdin.on('end', () => {
      onOrphaned()
      if (settings !== undefined) rmSync(settings.folder, { recursive: true, force: true })
      process.exit(0)
    })
  })
}

function watchParent(parent: number, folder: string): void {
  const thread = new Worker(new URL('./watch-parent.js', import.meta.url), {
    workerData: { parent, folder },
    stdin: false,
  })
  thread.unref()
}
