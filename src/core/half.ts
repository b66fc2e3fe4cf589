/** Numbers of 16 bits (IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction), which JavaScript of Node 20 has no arrays of. */

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The bits of the float16 nearest to a number, ties to even; beyond the largest one, 65504, infinity. */
export function halfBits(value: number): number {
  float[0] = value
  const word = bits[0]!
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Below the smallest normal half: a multiple of 2^-24.
    const scaled = Math.abs(float[0]) * 2 ** 24
    const floor = Math.floor(scaled)
    const rest = scaled - floor
    return sign | (floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0))
  }
  const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)
  return sign | (rounded >>> 13)
}

/** The number that the bits of a float16 stand for. */
export function fromHalfBits(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
