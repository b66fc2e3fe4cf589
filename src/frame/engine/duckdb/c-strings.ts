/**
 * The strings of a vector as UTF-8 bytes. An entry has 16 bytes: the length, then up to 12 bytes of text, or 4 of them and a
 * pointer to the text. Texts of a materialised result lie one behind the other, so they are copied in long runs.
 */
import type { Memory } from '../../../ffi/index.js'

/** Of the entry of a string in a vector. */
export const stringBytes = 16
const inlineBytes = 12

export interface Strings {
  /** Reads `rows` entries at an address; the fields below then say where each text lies, until the next reading. */
  read(address: number, rows: number): void
  /** Reads the texts of entries that were copied. */
  take(entries: Uint8Array, rows: number): void
  bytes: Uint8Array
  starts: Uint32Array
  ends: Uint32Array
}

export function openStrings(memory: Memory): Strings {
  let words = new Uint32Array(0)
  const strings: Strings = {
    bytes: new Uint8Array(0),
    starts: new Uint32Array(0),
    ends: new Uint32Array(0),
    read(address, rows) {
      grow(rows)
      memory.read(address, new Uint8Array(words.buffer, 0, rows * stringBytes))
      texts(rows)
    },
    take(entries, rows) {
      grow(rows)
      new Uint8Array(words.buffer).set(entries.subarray(0, rows * stringBytes))
      texts(rows)
    },
  }
  const texts = (rows: number): void => {
    const inline = rows * stringBytes
    let total = inline
    const entries = new Uint8Array(words.buffer, 0, inline)
    for (let row = 0; row < rows; row++) {
      const length = words[row * 4]!
      if (length > inlineBytes) total += length
    }
    if (strings.bytes.length < total) strings.bytes = new Uint8Array(total * 2)
    const { bytes, starts, ends } = strings
    bytes.set(entries)
    // A run: texts that follow each other in memory, not yet copied.
    let runAddress = 0
    let runAt = inline
    let at = inline
    for (let row = 0; row < rows; row++) {
      const length = words[row * 4]!
      if (length <= inlineBytes) {
        starts[row] = row * stringBytes + 4
        ends[row] = row * stringBytes + 4 + length
        continue
      }
      const pointer = words[row * 4 + 2]! + words[row * 4 + 3]! * 2 ** 32
      if (pointer !== runAddress + (at - runAt)) {
        memory.read(runAddress, bytes.subarray(runAt, at))
        runAddress = pointer
        runAt = at
      }
      starts[row] = at
      at += length
      ends[row] = at
    }
    memory.read(runAddress, bytes.subarray(runAt, at))
  }
  const grow = (rows: number): void => {
    if (strings.starts.length >= rows) return
    words = new Uint32Array(rows * 4)
    strings.starts = new Uint32Array(rows)
    strings.ends = new Uint32Array(rows)
  }
  return strings
}
