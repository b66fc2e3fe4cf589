/**
 * Detached pools by name: a file each in a folder that only its owner can enter, with what it takes to connect, the secret among
 * it. The file of a pool is its coordinator's: written when it listens, removed when it leaves.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { cacheDir } from '../core/paths.js'
import type { CoordinatorSettings } from './child.js'
import { isAlive } from './is-alive.js'
import { protocolVersion } from './messages.js'

/** A detached pool, as it is found. */
export interface Registered {
  readonly protocol: number
  /** The coordinator's process. */
  readonly pid: number
  /** Where it listens. */
  readonly endpoint: string
  readonly settings: CoordinatorSettings
}

/** Folder of what the pool of that name keeps. */
export function poolStateFolder(name: string): string {
  return join(registryFolder(), `${encodeURIComponent(name)}.state`)
}

export function writeToRegistry(entry: Omit<Registered, 'protocol'>): void {
  const folder = registryFolder()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const path = entryPath(entry.settings.name)
  writeFileSync(`${path}.part`, JSON.stringify({ protocol: protocolVersion, ...entry }), { mode: 0o600 })
  renameSync(`${path}.part`, path)
}

/**
 * The pool of a name, or nothing.
 *
 * @throws ShardbookError `pool` for a file that others could have written, or one of another version.
 */
export function readFromRegistry(name: string): Registered | undefined {
  const path = entryPath(name)
  const file = statSync(path, { throwIfNoEntry: false })
  if (file === undefined) return undefined
  if ((file.mode & 0o077) !== 0 || file.uid !== process.getuid?.()) {
    throw new ShardbookError(
      'pool',
      `pool.attach: expected ${path} to be its owner's alone, got one that others may use.`,
    )
  }
  let entry: Registered
  try {
    entry = JSON.parse(readFileSync(path, 'utf8')) as Registered
  } catch (cause) {
    throw new ShardbookError('pool', `pool.attach: expected ${path} to be JSON, got something else.`, { cause })
  }
  if (entry.protocol === protocolVersion) return entry
  throw new ShardbookError(
    'pool',
    `pool.attach: expected the pool ${show(name)} to speak protocol version ${protocolVersion}, got ${entry.protocol}.`,
    {
      hint: 'It was started by another version of the package: attach with that one, or end its process and start anew.',
    },
  )
}

export function removeFromRegistry(name: string): void {
  rmSync(entryPath(name), { force: true })
}

/** Names of the pools that were left running, or whose coordinator was lost. */
export function registeredNames(): string[] {
  try {
    return readdirSync(registryFolder()).flatMap((file) =>
      file.endsWith('.json') ? [decodeURIComponent(file.slice(0, -'.json'.length))] : [],
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Whether the coordinator of a pool is there. */
export function isRunning({ pid }: Registered): boolean {
  return isAlive(pid)
}

function registryFolder(): string {
  return cacheDir('pools')
}

function entryPath(name: string): string {
  return join(registryFolder(), `${encodeURIComponent(name)}.json`)
}
