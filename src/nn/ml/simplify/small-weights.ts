/**
 * Weights in few bits: numbers that a float16, or eight bits and a scale, can hold. A network computes with them as float32, so
 * that every engine runs it; in its folder they take a half or a quarter of the room, and come back the same to the bit.
 */
import { sizeOf } from '../../../core/dtype.js'
import type { TensorData } from '../../../core/dtype.js'
import { fromHalfBits, halfBits } from '../../../core/half.js'
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
