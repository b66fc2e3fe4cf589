/** What generative models draw from, and how what they make becomes samples again. */
import { fold, keyOf, uniform } from '../../core/random.js'

/** Independent standard normal numbers, the same ones for a seed on every machine (Box and Muller, 1958). */
export function normals(count: number, seed: number): Float32Array {
  const [radii, angles] = [fold(keyOf(seed), 0), fold(keyOf(seed), 1)]
  return Float32Array.from({ length: count }, (_, i) => {
    // 1 - u is never zero.
    return Math.sqrt(-2 * Math.log(1 - uniform(radii, i))) * Math.cos(2 * Math.PI * uniform(angles, i))
  })
}

/** Numbers as a column of tensors; those in [0, 1] as bytes where bytes were learnt from. `shape` begins with the rows. */
export function samplesOf(values: Float32Array, shape: readonly number[], isBytes: boolean) {
  if (!isBytes) return { shape, dtype: 'float32', values } as const
  return {
    shape,
    dtype: 'uint8',
    values: Uint8Array.from(values, (x) => Math.round(255 * Math.min(1, Math.max(0, x)))),
  } as const
}
