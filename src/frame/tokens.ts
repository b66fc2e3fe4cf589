/**
 * Text to token ids, on UTF-8 bytes. A token is a longest run of letters, digits and characters outside of ASCII; ASCII letters
 * count as lower case. Ids go into rows of fixed length, cut or filled up with 0.
 *
 * With a vocabulary a token's id is its position + 2, and 1 where it is unknown. Without, it is hashed into 1 .. buckets (FNV-1a).
 */
import { checkInteger } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'

export type TokenOptions = {
  /** Ids a row. */
  readonly length: number
} & (
  | { readonly vocabulary: readonly string[]; readonly buckets?: undefined }
  /** Ids are 1 .. buckets. */
  | { readonly buckets: number; readonly vocabulary?: undefined }
)

export interface Tokenizer {
  readonly length: number
  /** Writes the ids of the text `bytes[start .. end)` to `out[at .. at + length)`. */
  write(bytes: Uint8Array, start: number, end: number, out: Int32Array, at: number): void
}

/** @throws `argument` for a length, number of buckets or vocabulary that cannot be */
export function openTokenizer(caller: string, options: TokenOptions): Tokenizer {
  checkInteger(caller, 'length', options.length, 1)
  const idOf =
    options.vocabulary === undefined ? bucketOf(caller, options.buckets) : indexOf(caller, options.vocabulary)
  const { length } = options
  return {
    length,
    write(bytes, start, end, out, at) {
      const stop = at + length
      let next = at
      let from = start
      while (next < stop && from < end) {
        while (from < end && fold[bytes[from]!] === 0) from++
        let hash = offsetBasis
        let to = from
        for (; to < end; to++) {
          const byte = fold[bytes[to]!]!
          if (byte === 0) break
          hash = Math.imul(hash ^ byte, prime)
        }
        if (to > from) out[next++] = idOf(hash >>> 0, bytes, from, to)
        from = to
      }
      while (next < stop) out[next++] = 0
    },
  }
}

/** The id of a token from its hash, and its bytes where the hash does not do. */
type IdOf = (hash: number, bytes: Uint8Array, from: number, to: number) => number

const offsetBasis = 0x811c9dc5
const prime = 0x01000193

/** A byte in lower case, 0 where it separates tokens. */
const fold = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80 || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a)) return byte
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : 0
})

function bucketOf(caller: string, buckets: number | undefined): IdOf {
  checkInteger(caller, 'buckets', buckets, 1, 2 ** 31 - 1)
  // FNV's low bits are its good ones; the fold keeps the high ones from being lost. Of 31 bits the remainder is taken as of
  // an integer, which takes a tenth of the time.
  return (hash) => 1 + (((hash ^ (hash >>> 15)) & 0x7fffffff) % buckets)
}

/** Open addressing over all tokens' bytes in one array. */
function indexOf(caller: string, vocabulary: readonly string[]): IdOf {
  const tokens = vocabulary.map((word) => tokenBytes(caller, word))
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, tokens.length * 2))) - 1
  const slots = new Int32Array(mask + 1)
  const hashes = Uint32Array.from(tokens, hashOf)
  tokens.forEach((token, i) => {
    let slot = hashes[i]! & mask
    while (slots[slot] !== 0) {
      if (sameBytes(tokens[slots[slot]! - 1]!, token, 0, token.length)) {
        throw new ShardbookError('argument', `${caller}: expected each token once, got '${vocabulary[i]}' twice.`)
      }
      slot = (slot + 1) & mask
    }
    slots[slot] = i + 1
  })
  return (hash, bytes, from, to) => {
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = slots[slot]! - 1
      if (hashes[index] === hash && sameBytes(tokens[index]!, bytes, from, to)) return index + 2
    }
    return 1
  }
}

function tokenBytes(caller: string, word: string): Uint8Array {
  const bytes = new TextEncoder().encode(word).map((byte) => fold[byte]!)
  if (bytes.length > 0 && !bytes.includes(0)) return bytes
  throw new ShardbookError('argument', `${caller}: expected tokens of letters and digits, got '${word}'.`)
}

function hashOf(token: Uint8Array): number {
  return token.reduce((hash, byte) => Math.imul(hash ^ byte, prime), offsetBasis) >>> 0
}

function sameBytes(token: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (token.length !== to - from) return false
  for (let i = 0; i < token.length; i++) if (token[i] !== fold[bytes[from + i]!]) return false
  return true
}
