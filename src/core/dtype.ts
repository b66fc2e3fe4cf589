/** Element types of tensors and the typed arrays that hold them. */
import { ShardbookError } from './errors.js'

/** Element type of a tensor on an engine (TensorFlow.js names). */
export type DType = 'float32' | 'int32' | 'bool'

/** Element type of a tensor column as it is stored in a frame; engines get it cast to a `DType`. */
export type StoredDType = 'uint8' | 'int32' | 'float32' | 'float64'

export type TensorValues = Float32Array | Int32Array | Uint8Array

/** A tensor as plain data: what travels between processes. `values` is row-major. */
export interface TensorData {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly values: TensorValues
}

/** The typed array of each way in which a column stores numbers, but for bigints. */
export const numberArrays = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const

/** Number of elements of a shape; `[]` is a scalar with one. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1)
}

/** A zeroed typed array for `length` elements of `dtype`. */
export function allocate(dtype: DType, length: number): TensorValues {
  switch (dtype) {
    case 'float32':
      return new Float32Array(length)
    case 'int32':
      return new Int32Array(length)
    case 'bool':
      return new Uint8Array(length)
    default:
      throw new ShardbookError('internal', `allocate: expected a tensor dtype, got ${String(dtype satisfies never)}.`)
  }
}
