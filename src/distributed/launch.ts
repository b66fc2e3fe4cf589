/** Starts the coordinator of a pool. */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { ShardbookError } from '../core/errors.js'
import { removePoolFolders, socketPath, spawnChild, type CoordinatorSettings, type PoolFolders } from './child.js'
import { LogTail } from './log-tail.js'
import { writeToRegistry } from './registry.js'
import { sharedMemoryFolder } from './segment-file.js'

/** What stays the same for the coordinator that takes the place of a lost one. */
export type PoolSettings = Omit<CoordinatorSettings, 'secret' | 'folder' | 'shared' | 'endpoint'> & {
  /** With `host`; any free one without. */
  readonly port?: number | undefined
}

export interface Started {
  readonly settings: CoordinatorSettings
  readonly secret: Buffer
  readonly endpoint: string
  readonly pid: number
  readonly child: ChildProcess
  /** Resolves with how the coordinator ended. */
  readonly exited: Promise<string>
}

/** Starts a coordinator with folders and a secret of its own; resolves when it listens. */
export async function launch(pool: PoolSettings): Promise<Started> {
  const { port = 0, ...rest } = pool
  const secret = randomBytes(32)
  // Paths of sockets have to fit into 107 bytes.
  const folder = mkdtempSync(join(tmpdir().length > 60 ? '/tmp' : tmpdir(), 'shardbook-pool-'))
  const memory = rest.host === undefined ? sharedMemoryFolder() : undefined
  const shared = memory === undefined ? undefined : join(memory, basename(folder))
  const places: PoolFolders = { folder, shared }
  let child: ChildProcess | undefined
  try {
    if (shared !== undefined) mkdirSync(shared, { mode: 0o700 })
    const endpoint = rest.host === undefined ? socketPath(folder, 'coordinator') : `tls:${rest.host}:${port}`
    const settings: CoordinatorSettings = { ...rest, ...places, secret: secret.toString('base64'), endpoint }
    const isDetached = settings.session === undefined
    mkdirSync(settings.stateFolder, { recursive: true, mode: 0o700 })
    const logPath = join(settings.stateFolder, 'coordinator.log')
    const log = isDetached ? openSync(logPath, 'a', 0o600) : undefined
    // In a process group of its own: an interrupt at the terminal is for the session.
    child = spawnChild('coordinator', settings, { detached: true, ...(log === undefined ? {} : { log }) })
    if (log !== undefined) closeSync(log)
    const { exited, listening } = watch(child, () =>
      existsSync(logPath) ? readFileSync(logPath, 'utf8').slice(-2000) : '',
    )
    const bound = await listening
    if (isDetached) writeToRegistry({ pid: child.pid!, endpoint: bound, settings })
    return { settings, secret, endpoint: bound, pid: child.pid!, child, exited }
  } catch (error) {
    child?.kill('SIGKILL')
    removePoolFolders(places)
    throw error
  }
}

function watch(child: ChildProcess, log: () => string): { exited: Promise<string>; listening: Promise<string> } {
  const tail = new LogTail()
  if (child.stderr !== null) tail.follow(child.stderr, '[coordinator] ')
  // Its signs of life are for whoever wants them; here nobody does.
  ;(child.stdio[3] as Socket | null)?.resume().on('error', () => {})
  const exited = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => {
      const output = tail.tail() || log().trim()
      resolve(
        `it ${signal === null ? `exited with code ${code}` : `was ended by ${signal}`}.${output === '' ? '' : `\nIts last output:\n${output}`}`,
      )
    })
    child.once('error', (error) => resolve(`it could not be started: ${error.message}.`))
  })
  const listening = Promise.race([
    new Promise<string>((resolve) => {
      let text = ''
      child.stdout!.on('data', (bytes: Buffer) => {
        text += bytes.toString()
        const line = /^listening (.+)\n/.exec(text)
        if (line !== null) resolve(line[1]!)
      })
    }),
    exited.then((how) => {
      throw new ShardbookError('pool', `pool: expected its coordinator to start, but ${how}`)
    }),
  ])
  return { exited, listening }
}

/** Lets this process end although the coordinator runs: the coordinator notices, and ends unless it is detached. */
export function release(child: ChildProcess): void {
  child.unref()
  for (const stream of child.stdio) (stream as Socket | null)?.unref()
}
