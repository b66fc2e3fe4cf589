/** Gradients of the depthwise convolution, NHWC, as loops over the values (the backend has none). */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { tfCore } from '../tf.js'

type Shape4 = [number, number, number, number]

interface Attributes {
  readonly strides: [number, number] | number
  readonly pad: 'valid' | 'same' | number
  readonly dilations?: [number, number] | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** `x: [batch, height, width, in]`, `dy: [batch, outHeight, outWidth, in * multiplier]` -> `[rows, columns, in, multiplier]`. */
export const depthwiseBackpropFilter: KernelFunc = ({ inputs, attrs, backend }) => {
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo }
  const { filterShape } = attrs as unknown as { filterShape: Shape4 }
  const read = backend as unknown as Reader
  const [seen, gradient] = [read.readSync(x.dataId), read.readSync(dy.dataId)]
  const filter = new Float32Array(filterShape[0] * filterShape[1] * filterShape[2] * filterShape[3])
  forEachTap(x.shape as Shape4, filterShape, attrs as unknown as Attributes, (input, output, tap, multiplier) => {
    for (let k = 0; k < multiplier; k++) filter[tap + k]! += seen[input]! * gradient[output + k]!
  })
  return tfCore().tensor(filter, filterShape)
}

/** `dy: [batch, outHeight, outWidth, in * multiplier]`, `filter: [rows, columns, in, multiplier]` -> `inputShape`. */
export const depthwiseBackpropInput: KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo }
  const { inputShape } = attrs as unknown as { inputShape: Shape4 }
  const read = backend as unknown as Reader
  const [gradient, weights] = [read.readSync(dy.dataId), read.readSync(filter.dataId)]
  const dx = new Float32Array(inputShape[0] * inputShape[1] * inputShape[2] * inputShape[3])
  forEachTap(inputShape, filter.shape as Shape4, attrs as unknown as Attributes, (input, output, tap, multiplier) => {
    for (let k = 0; k < multiplier; k++) dx[input]! += weights[tap + k]! * gradient[output + k]!
  })
  return tfCore().tensor(dx, inputShape)
}

interface Reader {
  readSync(id: object): Float32Array
}

/** Calls `visit` with the flat indices of each (input, first output, first filter element) that meet, and the multiplier. */
function forEachTap(
  inputShape: Shape4,
  filterShape: Shape4,
  { strides, pad, dilations, dimRoundingMode }: Attributes,
  visit: (input: number, output: number, tap: number, multiplier: number) => void,
): void {
  const info = tfCore().backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  )
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info
  const [rows, columns, , multiplier] = filterShape
  for (let b = 0; b < batchSize; b++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const output = ((b * outHeight + oy) * outWidth + ox) * inChannels * multiplier
        for (let i = 0; i < rows; i++) {
          const y = oy * info.strideHeight + i * info.dilationHeight - padInfo.top
          if (y < 0 || y >= inHeight) continue
          for (let j = 0; j < columns; j++) {
            const x = ox * info.strideWidth + j * info.dilationWidth - padInfo.left
            if (x < 0 || x >= inWidth) continue
            const input = ((b * inHeight + y) * inWidth + x) * inChannels
            const tap = (i * columns + j) * inChannels * multiplier
            for (let c = 0; c < inChannels; c++) {
              visit(input + c, output + c * multiplier, tap + c * multiplier, multiplier)
            }
          }
        }
      }
    }
  }
}
