/** Points of two classes that a test can tell apart. */
import { keyOf, normal } from '../../../src/core/random.js'
import { frame } from '../../../src/frame/index.js'

/** Two clusters of points around (2, 0) and (-1, 3). */
export function clusters(rows: number, seed: number) {
  const label = Int32Array.from({ length: rows }, (_, row) => row % 2)
  const centres = [2, 0, -1, 3]
  const values = Float32Array.from(
    { length: 2 * rows },
    (_, i) => centres[2 * label[i >> 1]! + (i & 1)]! + 0.3 * normal(keyOf(seed), i),
  )
  return frame({ point: { shape: [rows, 2] as const, dtype: 'float32', values }, label })
}
