/**
 * Files mapped into memory, and copies to and from them.
 *
 * A mapping of a file that is shortened, or of one without room on its file system, ends the process when it is touched: `reserve`
 * makes sure of the room, and nobody shortens a file that is mapped.
 */
import { ShardbookError } from '../core/errors.js'
import { openLibrary, systemLibrary } from './library.js'
import { openMemory } from './memory.js'

/** A file's first bytes in memory, shared with all who map it. */
export interface Mapping {
  readonly bytes: number
  write(offset: number, from: Uint8Array): void
  read(offset: number, into: Uint8Array): void
  /** Nothing may be copied any more. */
  close(): void
}

export interface MappedFiles {
  /** Makes a file at least so long, with room for all of it; `false` when there is none. */
  reserve(file: number, bytes: number): boolean
  /** Maps the first bytes of an open file, which must be that long. @throws ShardbookError `pool` when that is refused. */
  map(file: number, bytes: number): Mapping
}

/** `PROT_READ | PROT_WRITE`, and `MAP_SHARED`. */
const [readAndWrite, shared] = [3, 1]

/** Opens the C library's functions; Linux only. */
export async function openMappedFiles(): Promise<MappedFiles> {
  const library = await openLibrary(systemLibrary, {
    mmap: ['pointer', 'pointer', 'size', 'int', 'int', 'int', 'int64'],
    munmap: ['int', 'pointer', 'size'],
    posix_fallocate: ['int', 'int', 'int64', 'int64'],
  })
  const memory = await openMemory()
  return {
    reserve: (file, bytes) => library.posix_fallocate(file, 0, bytes) === 0,
    map(file, bytes) {
      const address = library.mmap(0, bytes, readAndWrite, shared, file, 0)
      // MAP_FAILED is the last address.
      if (address === 0 || address > Number.MAX_SAFE_INTEGER) {
        throw new ShardbookError('pool', `ring: expected to map ${bytes} bytes of shared memory, got a refusal.`)
      }
      let isOpen = true
      const check = (offset: number, length: number): void => {
        if (!isOpen || offset < 0 || offset + length > bytes) {
          throw new ShardbookError('internal', `mapping: expected a place within ${bytes} open bytes, got ${offset}.`)
        }
      }
      return {
        bytes,
        write(offset, from) {
          check(offset, from.length)
          memory.write(address + offset, from)
        },
        read(offset, into) {
          check(offset, into.length)
          memory.read(address + offset, into)
        },
        close() {
          if (isOpen) library.munmap(address, bytes)
          isOpen = false
        },
      }
    },
  }
}
