/** Lists of tokens as sparse vectors of counts. */
import type { ListRows, RowFunction, SparseRows, StringRows } from '../../../../frame/row-function.js'
import { byteIndex } from './text.js'

/** The position of the token `bytes[from .. to)`, -1 for none. */
type PositionOf = (bytes: Uint8Array, from: number, to: number) => number

/** Counts of tokens at the remainder of their MurmurHash3 (x86, 32 bits, seed 42 as in Spark) by `numFeatures`. */
export const hashTerms = {
  kind: 'hashTerms',
  make: ({ numFeatures, binary }: { numFeatures: number; binary: boolean }): RowFunction => {
    const last = numFeatures - 1
    // By a power of two the remainder is the last bits: no division.
    if ((numFeatures & last) === 0) {
      return counter(numFeatures, binary, 0, (bytes, from, to) => murmur3(bytes, from, to) & last)
    }
    return counter(numFeatures, binary, 0, (bytes, from, to) => {
      const remainder = murmur3(bytes, from, to) % numFeatures
      return remainder < 0 ? remainder + numFeatures : remainder
    })
  },
}

/** Counts of the tokens of a vocabulary, at their position in it; those below `minTF` are left out. */
export const countTerms = {
  kind: 'countTerms',
  make: (payload: { vocabulary: readonly string[]; binary: boolean; minTF: number }): RowFunction => {
    const index = byteIndex(payload.vocabulary)
    return counter(payload.vocabulary.length, payload.binary, payload.minTF, (bytes, from, to) =>
      index.find(bytes, from, to),
    )
  },
}

/** The ids of the first `length` tokens: their position in the vocabulary + 2, 1 where they are unknown; then 0. */
export const tokenIds = {
  kind: 'tokenIds',
  make: ({ vocabulary, length }: { vocabulary: readonly string[]; length: number }): RowFunction => {
    const index = byteIndex(vocabulary)
    return ([input], rows) => {
      const { starts, ends, items, valid } = input as ListRows
      const { bytes, starts: from, ends: to } = items as StringRows
      const values = new Int32Array(rows * length)
      for (let row = 0; row < rows; row++) {
        const stop = Math.min(ends[row]!, starts[row]! + length)
        let at = row * length
        for (let i = starts[row]!; i < stop; i++) values[at++] = index.find(bytes, from[i]!, to[i]!) + 2
      }
      // An unknown token is at -1, and so gets 1.
      return { kind: 'tensors', width: length, values, valid }
    }
  },
}

/** `minTF`: at least so many times, or from below 1 such a share of the row's tokens. */
function counter(size: number, binary: boolean, minTF: number, positionOf: PositionOf): RowFunction {
  let found = new Int32Array(256)
  let [indices, values] = [new Int32Array(1024), new Float32Array(1024)]
  return ([input], rows) => {
    const { starts, ends, items, itemCount, valid } = input as ListRows
    const { bytes, starts: from, ends: to } = items as StringRows
    if (indices.length < itemCount) {
      ;[indices, values] = [new Int32Array(itemCount * 2), new Float32Array(itemCount * 2)]
    }
    const bounds = { starts: new Uint32Array(rows), ends: new Uint32Array(rows) }
    let at = 0
    for (let row = 0; row < rows; row++) {
      const tokens = ends[row]! - starts[row]!
      if (tokens > found.length) found = new Int32Array(tokens * 2)
      let count = 0
      for (let i = starts[row]!; i < ends[row]!; i++) {
        const position = positionOf(bytes, from[i]!, to[i]!)
        if (position >= 0) found[count++] = position
      }
      sortInts(found, count)
      const least = minTF < 1 ? minTF * tokens : minTF
      bounds.starts[row] = at
      for (let i = 0; i < count;) {
        const position = found[i]!
        let same = 1
        while (i + same < count && found[i + same] === position) same++
        i += same
        if (same < least) continue
        indices[at] = position
        values[at++] = binary ? 1 : same
      }
      bounds.ends[row] = at
    }
    const own = { indices: indices.subarray(0, at), values: values.subarray(0, at) }
    return { kind: 'sparse', size, ...bounds, ...own, valid } satisfies SparseRows
  }
}

/** Sorts `values[0 .. count)`: by insertion while there are few. */
function sortInts(values: Int32Array, count: number): void {
  if (count > 48) {
    values.subarray(0, count).sort()
    return
  }
  for (let i = 1; i < count; i++) {
    const value = values[i]!
    let j = i - 1
    while (j >= 0 && values[j]! > value) values[j + 1] = values[j--]!
    values[j + 1] = value
  }
}

/** MurmurHash3 of `bytes[from .. to)` with seed 42, as a signed integer. */
function murmur3(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from
  const body = to - (length & 3)
  let hash = 42
  for (let i = from; i < body; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    hash ^= mix(word)
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  let tail = 0
  if (to - body > 2) tail ^= bytes[body + 2]! << 16
  if (to - body > 1) tail ^= bytes[body + 1]! << 8
  if (to > body) hash ^= mix(tail ^ bytes[body]!)
  hash ^= length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function mix(word: number): number {
  const scaled = Math.imul(word, 0xcc9e2d51)
  return Math.imul((scaled << 15) | (scaled >>> 17), 0x1b873593)
}
