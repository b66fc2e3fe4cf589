/** A cell of a sparse vector column. */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'

/**
 * A vector of `size` components, of which only some are kept: `values[i]` is the component `indices[i]`, the others are
 * zero. Indices are in [0, size) and rise.
 *
 * @example
 * ```ts
 * const df = frame([{ counts: { size: 1000, indices: [3, 17], values: [1, 2] } }])
 * const [row] = await df.toRows()
 * row.counts.indices // Int32Array [3, 17]
 * ```
 */
export interface Sparse<Size extends number = number> {
  readonly size: Size
  readonly indices: Int32Array
  readonly values: Float32Array
}

/** How a sparse vector may be written: with plain arrays. */
export interface SparseLike {
  readonly size: number
  readonly indices: ArrayLike<number>
  readonly values: ArrayLike<number>
}

export function isSparseLike(value: unknown): value is SparseLike {
  if (typeof value !== 'object' || value === null || !('size' in value)) return false
  const { size, indices, values } = value as Partial<SparseLike>
  const isArray = (each: unknown): boolean => Array.isArray(each) || ArrayBuffer.isView(each)
  return typeof size === 'number' && isArray(indices) && isArray(values)
}

/** A copy, checked. @throws `argument` unless indices rise within the size and each has a value */
export function sparseOf(caller: string, { size, indices, values }: SparseLike): Sparse {
  const rises = Array.from(indices).every((index, i) => {
    return Number.isInteger(index) && index < size && index > (i === 0 ? -1 : indices[i - 1]!)
  })
  if (Number.isInteger(size) && size > 0 && indices.length === values.length && rises) {
    return { size, indices: Int32Array.from(indices), values: Float32Array.from(values) }
  }
  throw new ShardbookError(
    'argument',
    `${caller}: expected a sparse vector of rising indices below ${size} with a value each, got indices ${show([...Int32Array.from(indices)])} with ${values.length} values.`,
  )
}
