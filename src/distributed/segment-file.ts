/**
 * Shared memory of one host for large segments of a ring: a file on a memory file system, written by one rank and read by
 * the next. Copies by `pwrite` and `pread` run at the speed of memory; a mapping would save one of them and cost the safety
 * that a dead peer's file is just a file.
 *
 * A segment lies in the place of its turn. A place is used again 2 (W - 1) turns later, when the ring itself has proved that
 * the reader is past it: what a rank sends at turn k it sends after every other rank has finished turn k - W.
 */
import { closeSync, fstatSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { ShardbookError } from '../core/errors.js'

/** Smaller segments go through the socket: its one message is quicker than a message and a file. */
export const sharedFloats = 16_384

const memoryFolder = '/dev/shm'

/** A folder on a memory file system, or `undefined` where there is none. */
export function sharedMemoryFolder(): string | undefined {
  return statSync(memoryFolder, { throwIfNoEntry: false })?.isDirectory() === true ? memoryFolder : undefined
}

/** The places that one rank writes its segments to. */
export class SegmentWriter {
  readonly path: string
  readonly #fd: number
  readonly #places: number
  /** Bytes of a place, and where the places of this size begin. */
  #placeBytes = 0
  #base = 0

  /** @throws ShardbookError `pool` when the file cannot be made. */
  constructor(path: string, workers: number) {
    this.path = path
    this.#places = 2 * (workers - 1)
    try {
      this.#fd = openSync(path, 'wx', 0o600)
    } catch (cause) {
      throw new ShardbookError('pool', `ring: expected to make ${path}, got ${String(cause)}.`, { cause })
    }
  }

  /** Copies a segment to the place of its turn; where it lies. A place that no longer fits is left behind for a larger one. */
  write(turn: number, segment: Float32Array): number {
    if (segment.byteLength > this.#placeBytes) {
      this.#base += this.#placeBytes * this.#places
      this.#placeBytes = segment.byteLength
    }
    const offset = this.#base + (turn % this.#places) * this.#placeBytes
    for (let done = 0; done < segment.byteLength;) {
      done += writeSync(this.#fd, segment, done, segment.byteLength - done, offset + done)
    }
    return offset
  }

  /** Removes the file; a reader that has it open still reads. */
  close(): void {
    closeSync(this.#fd)
    rmSync(this.path, { force: true })
  }
}

/** Reads what another rank wrote. */
export class SegmentReader {
  readonly #fd: number

  /** @throws ShardbookError `pool` when the file is gone, or is not ours alone. */
  constructor(path: string) {
    let fd = -1
    try {
      fd = openSync(path, 'r')
      if (fstatSync(fd).uid !== process.getuid?.()) throw new Error('a file of another user')
    } catch (cause) {
      if (fd >= 0) closeSync(fd)
      throw new ShardbookError('pool', `ring: expected the segments of a peer at ${path}, got ${String(cause)}.`, {
        cause,
      })
    }
    this.#fd = fd
    // Open files need no name: whoever is killed now leaves none behind.
    rmSync(path, { force: true })
  }

  /** Fills `target` from the file. @throws ShardbookError `pool` when the file ends before. */
  read(offset: number, target: Float32Array): void {
    for (let done = 0; done < target.byteLength;) {
      const count = readSync(this.#fd, target, done, target.byteLength - done, offset + done)
      if (count === 0) throw new ShardbookError('pool', 'ring: expected a whole segment, got the end of the file.')
      done += count
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
