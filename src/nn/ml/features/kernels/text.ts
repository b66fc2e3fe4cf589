/**
 * Text and tokens as row functions, on UTF-8 bytes: texts are decoded only where case or a pattern needs characters.
 */
import type { ListRows, RowFunction, RowValues, StringRows } from '../../../../frame/row-function.js'

/** Texts one behind the other. */
class TextBuilder {
  bytes = new Uint8Array(1024)
  starts = new Uint32Array(256)
  ends = new Uint32Array(256)
  length = 0
  count = 0

  /** Forgets its texts and keeps its room. */
  clear(): void {
    this.length = 0
    this.count = 0
  }

  /** Makes room for so many more bytes, and texts. */
  reserve(bytes: number, texts = 0): void {
    if (this.bytes.length < this.length + bytes) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + bytes))
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    }
    while (this.starts.length < this.count + texts) {
      this.starts = grown(this.starts)
      this.ends = grown(this.ends)
    }
  }

  /** A text of bytes that were written at `start` up to the builder's end. */
  end(start: number): void {
    this.reserve(0, 1)
    this.starts[this.count] = start
    this.ends[this.count++] = this.length
  }

  push(text: Uint8Array): void {
    this.reserve(text.length)
    this.bytes.set(text, this.length)
    const start = this.length
    this.length += text.length
    this.end(start)
  }

  rows(): StringRows {
    return { kind: 'strings', bytes: this.bytes, starts: this.starts, ends: this.ends, valid: null }
  }
}

function grown(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const twice = new Uint32Array(array.length * 2)
  twice.set(array)
  return twice
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const lower = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte))
/** A byte in lower case; -1 where it is white space, as Java's `\s` has it. */
const inWord = Int16Array.from(lower, (byte) => (byte === 32 || (byte >= 9 && byte <= 13) ? -1 : byte))

/** `text.toLowerCase.split("\\s")` as Java has it: one separator each, empty tokens but for those at the end. */
export const tokenise = {
  kind: 'tokenise',
  make: (): RowFunction => {
    const out = new TextBuilder()
    return ([input], rows) => {
      const { bytes, starts, ends, valid } = input as StringRows
      return lists(out, rows, valid, (row) => {
        const [from, to] = [starts[row]!, ends[row]!]
        const first = out.count
        if (!cutAtSpaces(bytes, from, to, out, true)) {
          const text = encoder.encode(decoder.decode(bytes.subarray(from, to)).toLowerCase())
          cutAtSpaces(text, 0, text.length, out, false)
        }
        if (to > from) while (out.count > first && out.starts[out.count - 1] === out.ends[out.count - 1]) out.count--
      })
    }
  },
}

/** Adds the tokens of a text in lower case; `asciiOnly`: none, and false, where it has other characters. */
function cutAtSpaces(text: Uint8Array, from: number, to: number, out: TextBuilder, asciiOnly: boolean): boolean {
  out.reserve(to - from, to - from + 1)
  const { bytes, starts, ends } = out
  let [length, count] = [out.length, out.count]
  let start = length
  for (let i = from; i < to; i++) {
    const byte = text[i]!
    if (asciiOnly && byte >= 0x80) return false
    const folded = inWord[byte]!
    if (folded >= 0) {
      bytes[length++] = folded
      continue
    }
    starts[count] = start
    ends[count++] = length
    start = length
  }
  starts[count] = start
  ends[count++] = length
  out.length = length
  out.count = count
  return true
}

/** Tokens by a pattern: what lies between its matches (`gaps`), or the matches. */
export const tokeniseByPattern = {
  kind: 'tokeniseByPattern',
  make: (payload: {
    pattern: string
    flags: string
    gaps: boolean
    minTokenLength: number
    toLowercase: boolean
  }): RowFunction => {
    const pattern = new RegExp(payload.pattern, `${payload.flags.replace('g', '')}g`)
    const out = new TextBuilder()
    return ([input], rows) => {
      const { bytes, starts, ends, valid } = input as StringRows
      return lists(out, rows, valid, (row) => {
        const text = decoder.decode(bytes.subarray(starts[row], ends[row]))
        const whole = payload.toLowercase ? text.toLowerCase() : text
        const tokens = payload.gaps ? whole.split(pattern) : (whole.match(pattern) ?? [])
        for (const token of tokens) {
          if (token !== undefined && token.length >= payload.minTokenLength) out.push(encoder.encode(token))
        }
      })
    }
  },
}

/** The tokens that are not in a list of words. */
export const withoutWords = {
  kind: 'withoutWords',
  make: ({ words, caseSensitive }: { words: readonly string[]; caseSensitive: boolean }): RowFunction => {
    const fold = (text: string): string => (caseSensitive ? text : text.toLowerCase())
    const index = byteIndex(words.map(fold), !caseSensitive)
    return ([input], rows) => {
      const { starts, ends, items, valid } = input as ListRows
      const { bytes, starts: from, ends: to } = items as StringRows
      const [keptStarts, keptEnds] = [new Uint32Array(from.length), new Uint32Array(from.length)]
      let count = 0
      const bounds = { starts: new Uint32Array(rows), ends: new Uint32Array(rows) }
      for (let row = 0; row < rows; row++) {
        bounds.starts[row] = count
        for (let i = starts[row]!; i < ends[row]!; i++) {
          if (index.find(bytes, from[i]!, to[i]!) >= 0) continue
          keptStarts[count] = from[i]!
          keptEnds[count++] = to[i]!
        }
        bounds.ends[row] = count
      }
      const kept: StringRows = { kind: 'strings', bytes, starts: keptStarts, ends: keptEnds, valid: null }
      return { kind: 'lists', ...bounds, items: kept, itemCount: count, valid }
    }
  },
}

/** Runs of `n` tokens, joined by a space. */
export const ngrams = {
  kind: 'ngrams',
  make: ({ n }: { n: number }): RowFunction => {
    const out = new TextBuilder()
    return ([input], rows) => {
      const { starts, ends, items, valid } = input as ListRows
      const { bytes, starts: from, ends: to } = items as StringRows
      return lists(out, rows, valid, (row) => {
        for (let first = starts[row]!; first + n <= ends[row]!; first++) {
          const start = out.length
          for (let i = first; i < first + n; i++) {
            out.reserve(to[i]! - from[i]! + 1)
            if (i > first) out.bytes[out.length++] = 32
            out.bytes.set(bytes.subarray(from[i], to[i]), out.length)
            out.length += to[i]! - from[i]!
          }
          out.end(start)
        }
      })
    }
  },
}

function lists(out: TextBuilder, rows: number, valid: RowValues['valid'], write: (row: number) => void): ListRows {
  out.clear()
  const [starts, ends] = [new Uint32Array(rows), new Uint32Array(rows)]
  for (let row = 0; row < rows; row++) {
    starts[row] = out.count
    if (valid === null || valid[row] === 1) write(row)
    ends[row] = out.count
  }
  return { kind: 'lists', starts, ends, items: out.rows(), itemCount: out.count, valid }
}

/** A dictionary of texts by their bytes. */
export interface ByteIndex {
  /** The position of the text `bytes[from .. to)` among the words, -1 where it is none. */
  find(bytes: Uint8Array, from: number, to: number): number
}

/** `folds`: ASCII letters of what is looked up count as lower case, other texts are folded as strings. */
export function byteIndex(words: readonly string[], folds = false): ByteIndex {
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, words.length * 2))) - 1
  const slots = new Int32Array(mask + 1)
  const texts = words.map((word) => encoder.encode(word))
  const hashes = Int32Array.from(texts, (text) => fnv(text, 0, text.length))
  texts.forEach((text, i) => {
    let slot = hashes[i]! & mask
    while (slots[slot] !== 0) {
      if (sameBytes(texts[slots[slot]! - 1]!, text, 0, text.length)) return
      slot = (slot + 1) & mask
    }
    slots[slot] = i + 1
  })
  const find = (bytes: Uint8Array, from: number, to: number): number => {
    const hash = fnv(bytes, from, to)
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const position = slots[slot]! - 1
      if (hashes[position] === hash && sameBytes(texts[position]!, bytes, from, to)) return position
    }
    return -1
  }
  if (!folds) return { find }
  let folded = new Uint8Array(64)
  return {
    find(bytes, from, to) {
      if (to - from > folded.length) folded = new Uint8Array((to - from) * 2)
      for (let i = from; i < to; i++) {
        const byte = bytes[i]!
        if (byte >= 0x80) {
          const text = encoder.encode(decoder.decode(bytes.subarray(from, to)).toLowerCase())
          return find(text, 0, text.length)
        }
        folded[i - from] = lower[byte]!
      }
      return find(folded, 0, to - from)
    },
  }
}

function fnv(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

function sameBytes(text: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false
  for (let i = 0; i < text.length; i++) if (text[i] !== bytes[from + i]) return false
  return true
}
