/**
 * This process's folder for temporary files, under the cache, its owner's alone: rows of any frame may lie there. It goes when the process ends; folders of processes that
 * were killed go when the next one makes its own.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { cacheDir } from '../core/paths.js'
import { ioError } from './io-error.js'

let folder: string | undefined

/** The folder, made at the first call. */
export function temporaryDir(): string {
  if (folder !== undefined) return folder
  const parent = cacheDir('tmp')
  const mine = join(parent, `${process.pid}-${Math.random().toString(36).slice(2, 8)}@${hostname()}`)
  try {
    mkdirSync(mine, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(parent)) {
      const [owner, host] = [Number(name.split('-')[0]), name.slice(name.indexOf('@') + 1)]
      if (host !== hostname() || !Number.isInteger(owner) || owner <= 0 || isAlive(owner)) continue
      rmSync(join(parent, name), { recursive: true, force: true })
    }
  } catch (cause) {
    throw ioError('temporaryDir', 'create', mine, cause)
  }
  process.on('exit', () => rmSync(mine, { recursive: true, force: true }))
  folder = mine
  return mine
}

let counter = 0

/** A new path in the folder. */
export function temporaryFile(extension: string): string {
  return join(temporaryDir(), `${++counter}.${extension}`)
}

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM'
  }
}
