/**
 * Gradients of pooling as loops over the values, in place of the backend's own: its `MaxPoolGrad` loses windows without
 * a positive value, its `AvgPoolGrad` divides by the whole window where padding leaves less.
 */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { tfCore } from '../tf.js'

type Shape4 = [number, number, number, number]

interface Attributes {
  readonly filterSize: [number, number] | number
  readonly strides: [number, number] | number
  readonly pad: 'valid' | 'same' | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

interface Reader {
  readSync(id: object): Float32Array
}

/** Gives each window's gradient to its maximum: to the first one, row by row, where several are equal. */
export const maxPoolGrad: KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
  const read = backend as unknown as Reader
  const [gradient, x] = [read.readSync(dy.dataId), read.readSync(input.dataId)]
  const dx = new Float32Array(x.length)
  forEachWindow(input.shape as Shape4, attrs as unknown as Attributes, (output, channels, positions, count) => {
    for (let c = 0; c < channels; c++) {
      let best = positions[0]! + c
      for (let i = 1; i < count; i++) if (x[positions[i]! + c]! > x[best]!) best = positions[i]! + c
      dx[best]! += gradient[output + c]!
    }
  })
  return tfCore().tensor(dx, input.shape)
}

/** Shares each window's gradient among the values that it has (padding has none). */
export const avgPoolGrad: KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
  const gradient = (backend as unknown as Reader).readSync(dy.dataId)
  const dx = new Float32Array(input.shape.reduce((n, d) => n * d, 1))
  forEachWindow(input.shape as Shape4, attrs as unknown as Attributes, (output, channels, positions, count) => {
    for (let i = 0; i < count; i++) {
      const position = positions[i]!
      for (let c = 0; c < channels; c++) dx[position + c]! += gradient[output + c]! / count
    }
  })
  return tfCore().tensor(dx, input.shape)
}

/** Calls `visit` for each window with the flat index of its output, the number of channels, and the `count` flat indices of its inputs. */
function forEachWindow(
  shape: Shape4,
  { filterSize, strides, pad, dimRoundingMode }: Attributes,
  visit: (output: number, channels: number, positions: Int32Array, count: number) => void,
): void {
  const info = tfCore().backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode)
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info
  const positions = new Int32Array(info.filterHeight * info.filterWidth)
  for (let b = 0; b < batchSize; b++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = Math.max(0, oy * info.strideHeight - padInfo.top)
      const bottom = Math.min(inHeight, oy * info.strideHeight - padInfo.top + info.filterHeight)
      for (let ox = 0; ox < outWidth; ox++) {
        const left = Math.max(0, ox * info.strideWidth - padInfo.left)
        const right = Math.min(inWidth, ox * info.strideWidth - padInfo.left + info.filterWidth)
        let count = 0
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) positions[count++] = ((b * inHeight + y) * inWidth + x) * inChannels
        }
        if (count > 0) visit(((b * outHeight + oy) * outWidth + ox) * inChannels, inChannels, positions, count)
      }
    }
  }
}
