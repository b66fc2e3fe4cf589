/**
 * Initial weights: a function of seed, weight and element only, computed on the host, so that a seed gives the same network
 * on every engine and for every number of workers.
 */
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { uniform } from '../../core/random.js'
import type { Key } from '../../core/random.js'
import type { WeightSpec } from './layer.js'

export const initializerNames = ['glorotUniform', 'heUniform'] as const
export type InitializerName = (typeof initializerNames)[number]

/** Draws a weight: uniform in `[-a, a)`, `a = sqrt(6 / (fanIn + fanOut))` (Glorot) or `sqrt(6 / fanIn)` (He). */
export function initialWeight({ shape, initial }: WeightSpec, key: Key): TensorData {
  const values = new Float32Array(sizeOf(shape))
  if (initial.kind !== 'zeros') {
    const fans = initial.kind === 'heUniform' ? initial.fanIn : initial.fanIn + initial.fanOut
    const limit = Math.sqrt(6 / fans)
    for (let i = 0; i < values.length; i++) values[i] = limit * (2 * uniform(key, i) - 1)
  }
  return { shape, dtype: 'float32', values }
}
