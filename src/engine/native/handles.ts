/** What an eager tensor handle is: its shape and dtype, asked from TensorFlow. */
import { describe } from '../errors.js'
import { type TensorFlow, dataTypes } from './c-api.js'

/** `float`, `int32` and so on, by TensorFlow's number. */
const dtypeNames: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(dataTypes).map(([name, dtype]) => [dtype, name.slice('TF_'.length).toLowerCase()]),
)

export function specOf({ api, status }: TensorFlow, handle: number): { shape: number[]; dtype: number } {
  const rank = api.TFE_TensorHandleNumDims(handle, status)
  const shape = Array.from({ length: rank }, (_, axis) => api.TFE_TensorHandleDim(handle, axis, status))
  return { shape, dtype: api.TFE_TensorHandleDataType(handle) }
}

/** `float[2, 3]`. */
export function describeHandle(tensorFlow: TensorFlow, handle: number): string {
  const { dtype, shape } = specOf(tensorFlow, handle)
  return describe({ dtype: dtypeNames[dtype] ?? `dtype ${dtype}`, shape })
}
