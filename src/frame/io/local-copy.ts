/**
 * Copies of files that the engine cannot read where they are: on the network, in another encoding. They lie in the process's
 * temporary folder and are made once for each version of the original.
 */
import { constants, mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ShardbookError } from '../../core/errors.js'
import { ioError, isRemote, storeOf, temporaryDir, type ObjectInfo } from '../../store/index.js'
import { trackBytes } from './progress.js'

const copies = new Map<string, Promise<string>>()

/** What is known of a file. @throws `io` when it is not there */
export async function infoOf(caller: string, file: string): Promise<ObjectInfo> {
  const info = await storeOf(file)
    .stat(file)
    .catch((cause: unknown) => {
      if (!(cause instanceof ShardbookError)) throw cause
      throw new ShardbookError(cause.code, cause.message.replace(/^stat:/, `${caller}:`), { cause })
    })
  if (info !== undefined) return info
  throw new ShardbookError('io', `${caller}: cannot read ${file}.`, { hint: 'There is no such object.' })
}

/**
 * The path of a local copy of a file, whole; the file itself when nothing is to be done. `change` makes something else of
 * it; `how` tells its results apart.
 */
export async function copyOf(
  caller: string,
  file: string,
  change?: { readonly how: string; make(path: string): Promise<string> },
): Promise<string> {
  if (!isRemote(file) && change === undefined) return file
  const info = await infoOf(caller, file)
  const key = JSON.stringify([file, info.version, change?.how])
  let copy = copies.get(key)
  if (copy === undefined) {
    copy = change === undefined ? fetchWhole(file, info) : copyOf(caller, file).then((path) => change.make(path))
    copies.set(key, copy)
    copy.catch(() => copies.delete(key))
  }
  return copy
}

let counter = 0
const originals = new Map<string, string>()

/** The file that a path is a copy of; a path that is none stays itself. */
export function originalOf(path: string): string {
  return originals.get(path) ?? path
}

/** A new path for a copy of `file`: its name, below the folders that hold its partitions' values. */
export function copyPath(file: string): string {
  const segments = (/^https?:/i.test(file) ? new URL(file).pathname : file).split('/')
  const partitions = segments.slice(0, -1).filter((segment) => segment.includes('='))
  const path = join(temporaryDir(), `copy-${++counter}`, ...partitions, segments.at(-1) || 'file')
  mkdirSync(dirname(path), { recursive: true })
  originals.set(path, file)
  return path
}

const pieceBytes = 8 * 2 ** 20
const piecesAtOnce = 4

async function fetchWhole(file: string, info: ObjectInfo): Promise<string> {
  const path = copyPath(file)
  await fetchRanges(file, info, path, [{ offset: 0, length: info.sizeBytes }])
  return path
}

export interface Range {
  readonly offset: number
  readonly length: number
}

/** Puts parts of a remote file where they belong in a local one, some at a time; the rest of it takes no space. */
export async function fetchRanges(
  file: string,
  info: ObjectInfo,
  path: string,
  ranges: readonly Range[],
): Promise<void> {
  const store = storeOf(file)
  const pieces = ranges.flatMap(({ offset, length }) =>
    Array.from({ length: Math.ceil(length / pieceBytes) }, (_, i) => ({
      offset: offset + i * pieceBytes,
      length: Math.min(pieceBytes, length - i * pieceBytes),
    })),
  )
  const progress = trackBytes(
    file,
    pieces.reduce((sum, { length }) => sum + length, 0),
  )
  const to = await open(path, constants.O_RDWR | constants.O_CREAT)
  const remaining = pieces.values()
  const work = async (): Promise<void> => {
    for (const { offset, length } of remaining) {
      const bytes = await store.get(file, { offset, length }, info.version)
      if (bytes.length !== length) {
        throw new ShardbookError('data', `read: expected ${length} bytes at ${offset} of ${file}, got ${bytes.length}.`)
      }
      await to.write(bytes, 0, length, offset).catch((cause: unknown) => {
        throw ioError('read', 'write', path, cause)
      })
      progress.add(length)
    }
  }
  try {
    await Promise.all(Array.from({ length: piecesAtOnce }, work))
    progress.end('done')
  } finally {
    progress.end('stopped')
    await to.close()
  }
}
