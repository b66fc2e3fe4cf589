/**
 * Weights in few bits: numbers that a float16, or eight bits and a scale, can hold. A network computes with them as float32, so
 * that every engine runs it; in its folder they take a half or a quarter of the room, and come back the same to the bit.
 */
import { sizeOf } from '../../../core/dtype.js'
import type { TensorData } from '../../../core/dtype.js'
import type { SavedTensor } from '../../safetensors.js'

export const weightFormats = ['float16', 'int8'] as const
export type WeightFormat = (typeof weightFormats)[number]

/** A weight that is kept in few bits; its values are those that the bits stand for. */
export interface SmallWeight extends TensorData {
  readonly stored?: WeightFormat
}

/** The nearest weight that the format can hold. Vectors (biases, averages) are kept as float16 at least. */
export function shrinkWeight(weight: TensorData, to: WeightFormat): SmallWeight {
  if (weight.dtype !== 'float32') return weight
  const stored = to === 'int8' && weight.shape.length < 2 ? 'float16' : to
  const { '': own, '/scale': scale } = pack({ ...weight, stored })
  return expand(own, scale)
}

/** A weight as it is saved: the arrays, by what comes behind its name. */
export function pack({ shape, values, dtype, stored }: SmallWeight): {
  readonly '': SavedTensor
  readonly '/scale'?: SavedTensor
} {
  if (stored === undefined || dtype !== 'float32') return { '': { shape, dtype, values } }
  if (stored === 'float16') return { '': { shape, dtype: 'float16', values: Uint16Array.from(values, halfBits) } }
  const channels = shape.at(-1)!
  const scales = scalesOf(values as Float32Array, channels)
  const whole = Int8Array.from(values, (value, i) => {
    const scale = scales[i % channels]!
    return scale === 0 ? 0 : Math.round(value / scale)
  })
  return {
    '': { shape, dtype: 'int8', values: whole },
    '/scale': { shape: [channels], dtype: 'float32', values: scales },
  }
}

/** The weight that saved arrays stand for. */
export function expand(own: SavedTensor, scale?: SavedTensor): SmallWeight {
  const { shape, dtype, values } = own
  if (dtype === 'float16') {
    return { shape, dtype: 'float32', values: Float32Array.from(values, fromHalfBits), stored: 'float16' }
  }
  if (dtype !== 'int8' || scale === undefined) return own as TensorData
  const channels = sizeOf(scale.shape)
  const expanded = Float32Array.from(values, (value, i) => value * scale.values[i % channels]!)
  return { shape, dtype: 'float32', values: expanded, stored: 'int8' }
}

/**
 * A scale for each channel of the last axis: its greatest weight becomes 127. Of 16 significant bits, so that a product with
 * eight bits is exact in float32: to pack what was expanded gives the same bits again.
 */
function scalesOf(values: Float32Array, channels: number): Float32Array {
  const most = new Float32Array(channels)
  for (const [i, value] of values.entries()) {
    const channel = i % channels
    most[channel] = Math.max(most[channel]!, Math.abs(value))
  }
  return most.map((value) => {
    // What is as small as that is zero: products of the smallest numbers are not exact.
    if (value < 2 ** -100) return 0
    const unit = 2 ** (Math.floor(Math.log2(value / 127)) - 15)
    return Math.ceil(value / 127 / unit) * unit
  })
}

const bits = new Uint32Array(1)
const float = new Float32Array(bits.buffer)

/** The float16 nearest to a number, ties to even, as bits (IEEE 754 binary16). */
export function halfBits(value: number): number {
  float[0] = value
  const word = bits[0]!
  const sign = (word >>> 16) & 0x8000
  const exponent = (word >>> 23) & 0xff
  const fraction = word & 0x7fffff
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200)
  const shifted = exponent - 112
  if (shifted >= 31) return sign | 0x7c00
  // Of a subnormal one the leading bit is written out, and more bits fall away.
  const drop = shifted <= 0 ? 14 - shifted : 13
  if (drop > 24) return sign
  const whole = shifted <= 0 ? fraction | 0x800000 : (shifted << 23) | fraction
  const kept = Math.floor(whole / 2 ** drop)
  const rest = whole - kept * 2 ** drop
  const half = 2 ** (drop - 1)
  return sign | (kept + (rest > half || (rest === half && kept % 2 === 1) ? 1 : 0))
}

/** The number that the bits of a float16 stand for. */
export function fromHalfBits(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
