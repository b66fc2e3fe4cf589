/**
 * The store over local files.
 *
 * Invariant: a reader never sees half an object. `put` writes a temporary file in the same folder, syncs it and renames
 * it; whatever goes wrong on the way (a full disk, a kill) leaves the old object as it was.
 */
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ShardbookError } from '../core/errors.js'
import { ioError } from './io-error.js'
import { makeFolder } from './make-folder.js'
import { isAlive } from './temporary.js'
import type { ObjectInfo, Store } from './store.js'

/** Marks temporary files, so that a listing leaves out what a killed writer left behind, and a message the mark. */
const temporaryMark = '.part-'

/**
 * Local files as a store; paths are file-system paths.
 *
 * @example
 * ```ts
 * const store = localStore()
 * await store.put('weights.bin', new Uint8Array([1, 2, 3]))
 * await store.get('weights.bin', { offset: 1, length: 2 })
 * ```
 */
export function localStore(): Store {
  return { get, put, stat: describe, list, delete: remove }
}

/** The path of a temporary file next to `path`; rename it to `path` when it is whole. */
export function temporaryPath(path: string): string {
  return `${path}${temporaryMark}${process.pid}-${Math.random().toString(36).slice(2, 10)}`
}

/** Runs `write` on a temporary path and puts what it wrote at `path`, whole or not at all. */
export async function putLocalFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryPath(path)
  await makeFolder(dirname(path)).catch((cause: unknown) => {
    throw ioError('put', 'create the folder of', path, cause)
  })
  try {
    // The path is tried first, so that what is wrong with it is said of it, and before anything is computed. Nothing is left
    // there: DuckDB writes beside a file that exists, and leaves that behind when it fails.
    await (await open(temporary, 'wx')).close()
    await rm(temporary)
    await write(temporary)
    const file = await open(temporary, 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await removeLeftovers(path)
  } catch (cause) {
    // What could not be made may not be removable either; the first error is the one that tells.
    await rm(temporary, { force: true }).catch(() => {})
    throw cause instanceof ShardbookError ? cause : ioError('put', 'write', path, cause)
  }
}

/** Removes what killed writers of the same path left beside it. */
async function removeLeftovers(path: string): Promise<void> {
  const prefix = `${basename(path)}${temporaryMark}`
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix)) continue
    const writer = Number(name.slice(prefix.length).split('-')[0])
    if (!isAlive(writer)) await rm(join(dirname(path), name), { recursive: true, force: true })
  }
}

async function get(path: string, range?: { offset: number; length: number }): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const { offset, length } = range ?? { offset: 0, length: (await file.stat()).size }
      const bytes = new Uint8Array(Math.max(0, Math.min(length, (await file.stat()).size - offset)))
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled)
        if (bytesRead === 0) return bytes.subarray(0, filled)
        filled += bytesRead
      }
      return bytes
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw ioError('get', 'read', path, cause)
  }
}

async function put(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  await putLocalFile(path, async (temporary) => {
    const file = await open(temporary, 'wx')
    try {
      if (bytes instanceof Uint8Array) await file.writeFile(bytes)
      else for await (const chunk of bytes) await file.writeFile(chunk)
    } finally {
      await file.close()
    }
  })
}

async function describe(path: string): Promise<ObjectInfo | undefined> {
  try {
    const entry = await stat(path)
    return entry.isFile() ? { sizeBytes: entry.size, version: `${entry.mtimeMs} ${entry.size}` } : undefined
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    throw ioError('stat', 'look at', path, cause)
  }
}

async function list(prefix: string): Promise<string[]> {
  const folder = prefix.endsWith('/') ? prefix : dirname(prefix)
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && !entry.name.includes(temporaryMark))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => path.startsWith(join(prefix)))
      .sort()
  } catch (cause) {
    if (isAbsent(cause)) return []
    throw ioError('list', 'list', folder, cause)
  }
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true })
  } catch (cause) {
    throw ioError('delete', 'delete', path, cause)
  }
}

function isAbsent(cause: unknown): boolean {
  const code = (cause as { code?: unknown }).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
