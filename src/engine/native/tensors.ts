/** Tensors of TensorFlow's C API to and from typed arrays, by copy. */
import type { Memory } from '../../ffi/index.js'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { int64s } from './attributes.js'
import { type TensorFlow, dataTypes } from './c-api.js'

export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array

export interface TensorStore {
  /** A new `TF_Tensor`; the caller deletes it. */
  allocate(shape: readonly number[], dtype: number, values: unknown): number
  /** The values of a `TF_Tensor`. */
  values(tensor: number, dtype: number): Values
}

export function tensorStore({ api }: TensorFlow, memory: Memory): TensorStore {
  return {
    allocate(shape, dtype, given) {
      const values = typed(dtype, given)
      const tensor = api.TF_AllocateTensor(dtype, int64s(shape), shape.length, values.byteLength)
      memory.write(
        api.TF_TensorData(tensor),
        new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
      )
      return tensor
    },
    values(tensor, dtype) {
      const bytes = new Uint8Array(api.TF_TensorByteSize(tensor))
      memory.read(api.TF_TensorData(tensor), bytes)
      return new (arrayOf(dtype))(bytes.buffer)
    },
  }
}

function typed(dtype: number, values: unknown): Values {
  const type = arrayOf(dtype)
  if (values instanceof type) return values
  if (values instanceof Uint8ClampedArray || values instanceof Uint8Array)
    return (type as typeof Int32Array).from(values)
  if (Array.isArray(values)) return (type as typeof Int32Array).from(values as number[])
  throw new ShardbookError('engine', `createTensor: expected ${type.name} values, got ${show(values)}.`)
}

function arrayOf(dtype: number): new (buffer: ArrayBuffer) => Values {
  switch (dtype) {
    case dataTypes.TF_FLOAT:
    case dataTypes.TF_COMPLEX64:
      return Float32Array
    case dataTypes.TF_INT32:
      return Int32Array
    case dataTypes.TF_INT64:
      return BigInt64Array
    case dataTypes.TF_BOOL:
    case dataTypes.TF_UINT8:
      return Uint8Array
    default:
      throw new ShardbookError('engine', 'native engine: expected numbers or booleans, got strings.', {
        hint: 'Operations on strings run on the wasm engine.',
      })
  }
}
