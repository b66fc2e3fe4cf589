/**
 * Kernels that training needs and that `tfjs-backend-wasm` 4.22 lacks (the gradients of convolutions by their filter, of
 * depthwise convolutions, of `gather`, the shared gradient kernels of `../gradients.ts`) or has wrong (those of pooling
 * and resizing).
 *
 * The convolution's filter gradient is one matrix product a filter tap (or one in all, where channels are few), because
 * the backend's matrix product is its fastest part. The rest are plain loops over the values.
 */
import type { KernelFunc, NamedTensorMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import { gradientKernels } from '../gradients.js'
import { tfCore } from '../tf.js'
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise.js'
import { avgPoolGrad, maxPoolGrad } from './pooling.js'
import { resizeBilinearGrad, resizeNearestGrad } from './resizing.js'

/** Kernels whose results are wrong and that we have no replacement for: better none than those. */
const brokenKernels = ['MaxPool3DGrad', 'AvgPool3DGrad']

/** Registers the kernels, in place of the backend's where it has one; harmless to repeat. */
export function registerWasmKernels(): void {
  const tf = tfCore()
  const kernels: Record<string, KernelFunc> = {
    Conv2DBackpropFilter: convBackpropFilter,
    DepthwiseConv2dNativeBackpropFilter: depthwiseBackpropFilter,
    DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
    UnsortedSegmentSum: unsortedSegmentSum,
    MaxPoolGrad: maxPoolGrad,
    AvgPoolGrad: avgPoolGrad,
    ResizeNearestNeighborGrad: resizeNearestGrad,
    ResizeBilinearGrad: resizeBilinearGrad,
    [gradientKernels.Relu]: composed(({ dy, y }) => tf.mul(dy!, tf.cast(tf.step(y!), 'float32'))),
    [gradientKernels.Sigmoid]: composed(({ dy, y }) => tf.mul(dy!, tf.mul(y!, tf.sub(1, y!)))),
    [gradientKernels.Tanh]: composed(({ dy, y }) => tf.mul(dy!, tf.sub(1, tf.square(y!)))),
  }
  for (const kernelName of [...brokenKernels, ...Object.keys(kernels)]) {
    if (tf.getKernel(kernelName, 'wasm') !== undefined) tf.unregisterKernel(kernelName, 'wasm')
  }
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc })
  }
}

/** A kernel made of TensorFlow.js operations. */
function composed(compute: (inputs: Record<string, Tensor>, attrs: Record<string, unknown>) => Tensor): KernelFunc {
  return ({ inputs, attrs }) => {
    const tf = tfCore()
    return tf.tidy(() => compute(inputs as NamedTensorMap, (attrs ?? {}) as Record<string, unknown>))
  }
}

const convBackpropFilter = composed(({ x, dy }, attrs) => {
  const tf = tfCore()
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs as unknown as ConvAttributes
  if (dataFormat !== 'NHWC') {
    throw new ShardbookError('engine', `Conv2DBackpropFilter: expected dataFormat NHWC on wasm, got ${dataFormat}.`)
  }
  const info = tf.backend_util.computeConv2DInfo(x!.shape as Shape4, filterShape, strides, 1, pad, dimRoundingMode)
  const { padInfo, strideHeight, strideWidth, outHeight, outWidth, batchSize } = info
  const [rows, columns, inChannels, outChannels] = filterShape
  const { top, bottom, left, right } = padInfo
  const positions = batchSize * outHeight * outWidth
  const padded =
    top + bottom + left + right === 0
      ? x!
      : tf.pad4d(x as never, [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ])
  const gradient = tf.reshape(dy!, [positions, outChannels])

  // The inputs that filter tap (i, j) saw, as [positions, inChannels].
  const tap = (i: number, j: number): Tensor => {
    const begin = [0, i, j, 0]
    const [height, width] = [(outHeight - 1) * strideHeight + 1, (outWidth - 1) * strideWidth + 1]
    const seen =
      strideHeight === 1 && strideWidth === 1
        ? tf.slice(padded, begin, [batchSize, height, width, inChannels])
        : tf.stridedSlice(
            padded,
            begin,
            [batchSize, i + height, j + width, inChannels],
            [1, strideHeight, strideWidth, 1],
          )
    return tf.reshape(seen, [positions, inChannels])
  }
  // (positions, n) x (positions, outChannels) -> (n, outChannels); transposed by hand: the backend's own is slow.
  const product = (seen: Tensor): Tensor => tf.matMul(tf.transpose(seen) as never, gradient)

  const taps: Tensor[] = []
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      taps.push(inChannels < 8 ? tap(i, j) : tf.tidy(() => product(tap(i, j))))
    }
  }
  const filter = inChannels < 8 ? product(tf.concat(taps, 1)) : tf.concat(taps, 0)
  return tf.reshape(filter, filterShape)
})

/** Sums rows by segment; rows with a negative segment are dropped. */
const unsortedSegmentSum: KernelFunc = ({ inputs, attrs, backend }) => {
  const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo }
  const { numSegments } = attrs as unknown as { numSegments: number }
  const read = backend as unknown as { readSync(id: object): Float32Array | Int32Array }
  const values = read.readSync(x.dataId)
  const ids = read.readSync(segmentIds.dataId)
  const shape = [numSegments, ...x.shape.slice(segmentIds.shape.length)]
  const width = shape.slice(1).reduce((n, d) => n * d, 1)
  const sums = x.dtype === 'int32' ? new Int32Array(numSegments * width) : new Float32Array(numSegments * width)
  for (let row = 0; row < ids.length; row++) {
    const segment = ids[row]!
    if (segment < 0 || segment >= numSegments) continue
    for (let k = 0; k < width; k++) sums[segment * width + k]! += values[row * width + k]!
  }
  return tfCore().tensor(sums, shape, x.dtype)
}

type Shape4 = [number, number, number, number]

export interface ConvAttributes {
  readonly strides: [number, number] | number
  readonly pad: 'valid' | 'same' | number
  readonly dataFormat: string
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
  readonly filterShape: Shape4
}
