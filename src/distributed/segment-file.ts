/**
 * Shared memory of one host for large segments of a ring: a file on a memory file system that one rank writes and the next reads,
 * mapped by both. A dead peer's file is just a file, and has no name any more once its reader has opened it.
 *
 * A segment lies in the place of its turn. A place is used again 2 (W - 1) turns later, when the ring itself has proved that
 * the reader is past it: what a rank sends at turn k it sends after every other rank has finished turn k - W.
 */
import { closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ShardbookError } from '../core/errors.js'
import { openMappedFiles, type MappedFiles, type Mapping } from '../ffi/index.js'

/** Smaller segments go through the socket: its one message is quicker than a message and a file. */
export const sharedFloats = 16_384

const memoryFolder = '/dev/shm'

/** A folder on a memory file system, or `undefined` where there is none. */
export function sharedMemoryFolder(): string | undefined {
  return statSync(memoryFolder, { throwIfNoEntry: false })?.isDirectory() === true ? memoryFolder : undefined
}

/** Where the ranks of one host have their segments. */
export interface SegmentFolder {
  /** @throws ShardbookError `pool` when the file cannot be made. */
  writer(generation: number, rank: number, workers: number): SegmentWriter
  /** @throws ShardbookError `pool` when the file is gone, or is not ours alone. */
  reader(generation: number, rank: number): SegmentReader
}

export async function openSegmentFolder(folder: string): Promise<SegmentFolder> {
  const files = await openMappedFiles()
  const pathOf = (generation: number, rank: number): string => join(folder, `ring-${generation}-${rank}`)
  return {
    writer: (generation, rank, workers) => new SegmentWriter(pathOf(generation, rank), workers, files),
    reader: (generation, rank) => new SegmentReader(pathOf(generation, rank), files),
  }
}

/** The places that one rank writes its segments to. */
export class SegmentWriter {
  readonly path: string
  readonly #file: number
  readonly #files: MappedFiles
  readonly #places: number
  #mapping: Mapping | undefined
  /** Bytes of a place, and where the places of this size begin. */
  #placeBytes = 0
  #base = 0
  /** Bytes of the smallest segment for which there was no room. */
  #tooLarge = Infinity

  constructor(path: string, workers: number, files: MappedFiles) {
    this.path = path
    this.#files = files
    this.#places = 2 * (workers - 1)
    try {
      this.#file = openSync(path, 'wx+', 0o600)
    } catch (cause) {
      throw new ShardbookError('pool', `ring: expected to make ${path}, got ${String(cause)}.`, { cause })
    }
  }

  /**
   * Copies a segment to the place of its turn; where it lies, or `undefined` when the file system has no room for it. A place that
   * no longer fits is left behind for a larger one.
   */
  write(turn: number, segment: Float32Array): number | undefined {
    if (segment.byteLength >= this.#tooLarge) return undefined
    if (segment.byteLength > this.#placeBytes) {
      const base = this.#base + this.#placeBytes * this.#places
      const bytes = base + segment.byteLength * this.#places
      if (!this.#files.reserve(this.#file, bytes)) {
        this.#tooLarge = segment.byteLength
        return undefined
      }
      this.#base = base
      this.#placeBytes = segment.byteLength
      this.#mapping?.close()
      this.#mapping = this.#files.map(this.#file, bytes)
    }
    const offset = this.#base + (turn % this.#places) * this.#placeBytes
    this.#mapping?.write(offset, bytesOf(segment))
    return offset
  }

  /** Removes the file; a reader that has it open still reads. */
  close(): void {
    this.#mapping?.close()
    closeSync(this.#file)
    rmSync(this.path, { force: true })
  }
}

/** Reads what another rank wrote. */
export class SegmentReader {
  readonly #file: number
  readonly #files: MappedFiles
  #mapping: Mapping | undefined

  constructor(path: string, files: MappedFiles) {
    let file = -1
    try {
      file = openSync(path, 'r+')
      if (fstatSync(file).uid !== process.getuid?.()) throw new Error('a file of another user')
    } catch (cause) {
      if (file >= 0) closeSync(file)
      throw new ShardbookError('pool', `ring: expected the segments of a peer at ${path}, got ${String(cause)}.`, {
        cause,
      })
    }
    this.#file = file
    this.#files = files
    // Open files need no name: whoever is killed now leaves none behind.
    rmSync(path, { force: true })
  }

  /** Fills `target` from the file. @throws ShardbookError `pool` when the file ends before. */
  read(offset: number, target: Float32Array): void {
    const end = offset + target.byteLength
    if (this.#mapping === undefined || end > this.#mapping.bytes) {
      const { size } = fstatSync(this.#file)
      if (size < end) throw new ShardbookError('pool', 'ring: expected a whole segment, got the end of the file.')
      this.#mapping?.close()
      this.#mapping = this.#files.map(this.#file, size)
    }
    this.#mapping.read(offset, bytesOf(target))
  }

  close(): void {
    this.#mapping?.close()
    closeSync(this.#file)
  }
}

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
