/**
 * Initial weights: a function of seed, weight and element only, computed on the host, so that a seed gives the same network
 * on every engine and for every number of workers.
 */
import { sizeOf } from '../../core/dtype.js'
import type { TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { normal, uniform } from '../../core/random.js'
import type { Key } from '../../core/random.js'
import type { WeightSpec } from './layer.js'

export const initializerNames = ['glorotUniform', 'heUniform'] as const
export type InitializerName = (typeof initializerNames)[number]

/** Draws a weight: uniform in `[-a, a)`, `a = sqrt(6 / (fanIn + fanOut))` (Glorot) or `sqrt(6 / fanIn)` (He). */
export function initialWeight({ shape, initial }: WeightSpec, key: Key): TensorData {
  const values = new Float32Array(sizeOf(shape))
  const { kind } = initial
  switch (kind) {
    case 'zeros':
      break
    case 'blocks': {
      const columns = shape.at(-1)!
      const width = columns / initial.values.length
      for (let i = 0; i < values.length; i++) values[i] = initial.values[Math.floor((i % columns) / width)]!
      break
    }
    case 'orthogonal':
      orthogonal(values, shape[0]!, shape[1]!, key)
      break
    case 'uniform':
      for (let i = 0; i < values.length; i++) values[i] = initial.limit * (2 * uniform(key, i) - 1)
      break
    case 'glorotUniform':
    case 'heUniform': {
      const limit = Math.sqrt(6 / (kind === 'heUniform' ? initial.fanIn : initial.fanIn + initial.fanOut))
      for (let i = 0; i < values.length; i++) values[i] = limit * (2 * uniform(key, i) - 1)
      break
    }
    default:
      throw new ShardbookError('internal', `initialWeight: unknown kind ${String(kind satisfies never)}.`)
  }
  return { shape, dtype: 'float32', values }
}

/** Orthonormal rows (or columns, where those are fewer) from normal draws, by Gram and Schmidt, twice for exactness. */
function orthogonal(values: Float32Array, rows: number, columns: number, key: Key): void {
  const wide = rows <= columns
  const [count, length] = wide ? [rows, columns] : [columns, rows]
  const basis: Float64Array[] = []
  for (let k = 0; k < count; k++) {
    const vector = Float64Array.from({ length }, (_, i) => normal(key, k * length + i))
    for (const other of [...basis, ...basis]) {
      const along = dot(vector, other)
      for (let i = 0; i < length; i++) vector[i]! -= along * other[i]!
    }
    const norm = Math.sqrt(dot(vector, vector))
    basis.push(vector.map((value) => value / norm))
    for (let i = 0; i < length; i++) values[wide ? k * columns + i : i * columns + k] = basis[k]![i]!
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
