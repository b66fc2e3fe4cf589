/** A cell of a tensor column. */
import type { StoredDType } from '../../core/dtype.js'

/**
 * A tensor of fixed shape, as it lies in a frame: `values` are row-major.
 *
 * @example
 * ```ts
 * const [row] = await digits.limit(1).toRows()
 * row.image.shape // [28, 28, 1]
 * ```
 */
export interface Tensor<Shape extends readonly number[] = readonly number[]> {
  readonly shape: Shape
  readonly dtype: StoredDType
  readonly values: Uint8Array | Int32Array | Float32Array | Float64Array
}
