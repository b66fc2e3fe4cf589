/** Tensors of TensorFlow's C API to and from typed arrays, by copy. A string tensor is a list of its strings' bytes. */
import type { Memory } from '../../ffi/index.js'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { int64s } from './attributes.js'
import { type TensorFlow, dataTypes } from './c-api.js'

export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array | readonly Uint8Array[]

export interface TensorStore {
  /** A new `TF_Tensor`; the caller releases it. */
  allocate(shape: readonly number[], dtype: number, values: unknown): number
  /** Frees what `allocate` made; nothing may share its strings then. */
  release(tensor: number, dtype: number): void
  /** Copies the bytes of a `TF_Tensor` of numbers, at most as many as fit. */
  readInto(tensor: number, target: Float32Array): void
  /** The values of a `TF_Tensor`. */
  values(tensor: number, dtype: number): Values
}

/** Bytes of a `TF_TString`, the element of a string tensor. */
const stringBytes = 24

export function tensorStore({ api }: TensorFlow, memory: Memory): TensorStore {
  const newTensor = (dtype: number, shape: readonly number[], sizeBytes: number): number => {
    const tensor = api.TF_AllocateTensor(dtype, int64s(shape), shape.length, sizeBytes)
    if (tensor !== 0 && (sizeBytes === 0 || api.TF_TensorData(tensor) !== 0)) return tensor
    throw new ShardbookError(
      'engine',
      `createTensor: expected memory for [${shape.join(', ')}] (${sizeBytes} bytes), got none.`,
    )
  }
  return {
    allocate(shape, dtype, given) {
      if (dtype === dataTypes.TF_STRING) {
        const strings = given as readonly Uint8Array[]
        const tensor = newTensor(dtype, shape, strings.length * stringBytes)
        const data = api.TF_TensorData(tensor)
        for (const [i, bytes] of strings.entries()) {
          api.TF_StringInit(data + i * stringBytes)
          api.TF_StringCopy(data + i * stringBytes, bytes, bytes.length)
        }
        return tensor
      }
      const values = typed(dtype, given)
      const tensor = newTensor(dtype, shape, values.byteLength)
      memory.write(
        api.TF_TensorData(tensor),
        new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
      )
      return tensor
    },
    release(tensor, dtype) {
      if (dtype === dataTypes.TF_STRING) {
        const data = api.TF_TensorData(tensor)
        for (let at = 0; at < api.TF_TensorByteSize(tensor); at += stringBytes) api.TF_StringDealloc(data + at)
      }
      api.TF_DeleteTensor(tensor)
    },
    readInto(tensor, target) {
      const sizeBytes = Math.min(api.TF_TensorByteSize(tensor), target.byteLength)
      memory.read(api.TF_TensorData(tensor), new Uint8Array(target.buffer, target.byteOffset, sizeBytes))
    },
    values(tensor, dtype) {
      const data = api.TF_TensorData(tensor)
      const sizeBytes = api.TF_TensorByteSize(tensor)
      if (dtype === dataTypes.TF_STRING) {
        return Array.from({ length: sizeBytes / stringBytes }, (_, i) => {
          const string = data + i * stringBytes
          const bytes = new Uint8Array(api.TF_StringGetSize(string))
          memory.read(api.TF_StringGetDataPointer(string), bytes)
          return bytes
        })
      }
      const bytes = new Uint8Array(sizeBytes)
      memory.read(data, bytes)
      return new (arrayOf(dtype))(bytes.buffer)
    },
  }
}

function typed(dtype: number, values: unknown): Exclude<Values, readonly Uint8Array[]> {
  const type = arrayOf(dtype)
  if (values instanceof type) return values
  // tfjs-node's kernels give 64-bit integers as pairs of 32-bit ones.
  if (values instanceof Int32Array && type === BigInt64Array) return values
  if (values instanceof Uint8ClampedArray || values instanceof Uint8Array)
    return (type as typeof Int32Array).from(values)
  if (Array.isArray(values)) return (type as typeof Int32Array).from(values as number[])
  throw new ShardbookError('engine', `createTensor: expected ${type.name} values, got ${show(values)}.`)
}

function arrayOf(dtype: number): new (buffer: ArrayBuffer) => Exclude<Values, readonly Uint8Array[]> {
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
      throw new ShardbookError('engine', `native engine: expected a dtype of TensorFlow.js, got TensorFlow's ${dtype}.`)
  }
}
