/**
 * Seeded randomness: counter-based, so that any element of any stream is reachable without drawing the ones before it.
 *
 * The generator is the 32-bit finaliser of MurmurHash3 over (key, counter): not cryptographic; uniform enough for
 * shuffles, splits and initial weights, and equal on every platform.
 */

/** A random key: a 32-bit unsigned integer. Derive, never reuse. */
export type Key = number

/** The key of a seed. */
export function keyOf(seed: number): Key {
  return mix((seed >>> 0) ^ 0x9e3779b9 ^ Math.floor(seed / 4294967296))
}

/** A key derived from another by a number (an epoch, a slice, a layer). */
export function fold(key: Key, data: number): Key {
  return mix(mix(key ^ 0x85ebca6b) + Math.imul((data >>> 0) + 1, 0x9e3779b1))
}

/** The `index`-th 32-bit draw of a key. */
function bits(key: Key, index: number): number {
  return mix(fold(key, index) ^ (Math.floor(index / 4294967296) >>> 0))
}

/** The `index`-th uniform draw of a key, in [0, 1). */
export function uniform(key: Key, index: number): number {
  return bits(key, index) / 4294967296
}

/** The `index`-th standard normal draw of a key (Box and Muller, 1958). */
export function normal(key: Key, index: number): number {
  // 1 - u is never zero.
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(key, 2 * index)))
  return radius * Math.cos(2 * Math.PI * uniform(key, 2 * index + 1))
}

/** A permutation of `0 .. length - 1` (Fisher-Yates). */
export function permutation(key: Key, length: number): Uint32Array {
  const order = new Uint32Array(length)
  for (let i = 0; i < length; i++) order[i] = i
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(uniform(key, i) * (i + 1))
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}

function mix(value: number): number {
  let h = value >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
