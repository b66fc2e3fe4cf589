/** Writing files and folders by programs that take a path: whole or not at all, wherever they go. */
import { createReadStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { ShardbookError } from '../core/errors.js'
import { ioError } from './io-error.js'
import { makeFolder } from './make-folder.js'
import { localStore, putLocalFile, temporaryPath } from './local.js'
import { isRemote, storeOf } from './open.js'
import { temporaryFile } from './temporary.js'

/** Runs `write` on a temporary path and puts what it wrote at `path`, whole or not at all. */
export async function putFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  if (!isRemote(path)) return putLocalFile(path, write)
  const temporary = temporaryFile('upload')
  try {
    await write(temporary)
    await storeOf(path).put(path, createReadStream(temporary) as AsyncIterable<Uint8Array>)
  } finally {
    await rm(temporary, { force: true })
  }
}

/**
 * Runs `write` on a temporary path, where it makes a folder, and puts that at `path` for whatever was there. No file of it is
 * ever half; object stores, which have no folders, may be left with some of the files.
 */
export async function putFolder(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = isRemote(path) ? temporaryFile('upload') : temporaryPath(path)
  try {
    if (isRemote(path)) {
      await write(temporary)
      const base = path.replace(/\/$/, '')
      for (const file of await localStore().list(`${temporary}/`)) {
        const target = `${base}/${relative(temporary, file)}`
        await storeOf(path).put(target, createReadStream(file) as AsyncIterable<Uint8Array>)
      }
      return
    }
    await makeFolder(dirname(path))
    await write(temporary)
    const old = temporaryPath(path)
    const replaces = await stat(path).then(
      () => true,
      () => false,
    )
    if (replaces) await rename(path, old)
    await rename(temporary, path)
    await rm(old, { recursive: true, force: true })
  } catch (cause) {
    throw cause instanceof ShardbookError ? cause : ioError('put', 'write', path, cause)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
