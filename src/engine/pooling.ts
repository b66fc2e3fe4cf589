/**
 * Gradients of pooling in two and three dimensions as loops over the values: exact with ties, with windows that have no
 * positive value, and with padding of any kind, where engines' own kernels are wrong or missing.
 */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { tfCore } from './tf.js'

interface Attributes {
  readonly filterSize: [number, number] & [number, number, number]
  readonly strides: [number, number] & [number, number, number]
  readonly pad: 'valid' | 'same' | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

interface Reader {
  readSync(id: object): Float32Array
}

/** One spatial axis: its length, that of the output, and where windows lie on it. */
interface Axis {
  readonly size: number
  readonly outputs: number
  readonly stride: number
  readonly filter: number
  readonly before: number
}

/** Gives each window's gradient to its maximum: to the first one, row by row, where several are equal. */
const maxPoolGrad: KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
  const read = backend as unknown as Reader
  const [gradient, x] = [read.readSync(dy.dataId), read.readSync(input.dataId)]
  const dx = new Float32Array(x.length)
  forEachWindow(input.shape, attrs as unknown as Attributes, (output, channels, positions, count) => {
    for (let c = 0; c < channels; c++) {
      let best = positions[0]! + c
      for (let i = 1; i < count; i++) if (x[positions[i]! + c]! > x[best]!) best = positions[i]! + c
      dx[best]! += gradient[output + c]!
    }
  })
  return tfCore().tensor(dx, input.shape)
}

/** Shares each window's gradient among the values that it has (padding has none). */
const avgPoolGrad: KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
  const gradient = (backend as unknown as Reader).readSync(dy.dataId)
  const dx = new Float32Array(input.shape.reduce((n, d) => n * d, 1))
  forEachWindow(input.shape, attrs as unknown as Attributes, (output, channels, positions, count) => {
    for (let i = 0; i < count; i++) {
      const position = positions[i]!
      for (let c = 0; c < channels; c++) dx[position + c]! += gradient[output + c]! / count
    }
  })
  return tfCore().tensor(dx, input.shape)
}

/** The gradient kernels by their names. */
export const poolingGradients: Readonly<Record<string, KernelFunc>> = {
  AvgPoolGrad: avgPoolGrad,
  AvgPool3DGrad: avgPoolGrad,
  MaxPoolGrad: maxPoolGrad,
  MaxPool3DGrad: maxPoolGrad,
}

/** Calls `visit` for each window with the flat index of its output, the number of channels, and the `count` flat indices of its inputs. */
function forEachWindow(
  shape: readonly number[],
  attributes: Attributes,
  visit: (output: number, channels: number, positions: Int32Array, count: number) => void,
): void {
  const [batch, channels] = [shape[0]!, shape.at(-1)!]
  const [depth, height, width] = axesOf(shape, attributes)
  const positions = new Int32Array(depth.filter * height.filter * width.filter)
  let output = 0
  for (let b = 0; b < batch; b++) {
    for (let od = 0; od < depth.outputs; od++) {
      const [front, back] = window(depth, od)
      for (let oy = 0; oy < height.outputs; oy++) {
        const [top, bottom] = window(height, oy)
        for (let ox = 0; ox < width.outputs; ox++) {
          const [left, right] = window(width, ox)
          let count = 0
          for (let z = front; z < back; z++) {
            for (let y = top; y < bottom; y++) {
              const row = ((b * depth.size + z) * height.size + y) * width.size
              for (let x = left; x < right; x++) positions[count++] = (row + x) * channels
            }
          }
          if (count > 0) visit(output, channels, positions, count)
          output += channels
        }
      }
    }
  }
}

/** Images are volumes of depth 1. */
function axesOf(shape: readonly number[], attributes: Attributes): [depth: Axis, height: Axis, width: Axis] {
  const { filterSize, strides, pad, dimRoundingMode } = attributes
  const { computePool2DInfo, computePool3DInfo } = tfCore().backend_util
  const isVolume = shape.length === 5
  const info = isVolume
    ? computePool3DInfo(
        [...shape] as [number, number, number, number, number],
        filterSize,
        strides,
        1,
        pad,
        dimRoundingMode,
      )
    : computePool2DInfo([...shape] as [number, number, number, number], filterSize, strides, 1, pad, dimRoundingMode)
  const height: Axis = {
    size: info.inHeight,
    outputs: info.outHeight,
    stride: info.strideHeight,
    filter: info.filterHeight,
    before: info.padInfo.top,
  }
  const width: Axis = {
    size: info.inWidth,
    outputs: info.outWidth,
    stride: info.strideWidth,
    filter: info.filterWidth,
    before: info.padInfo.left,
  }
  if (!('inDepth' in info)) return [{ size: 1, outputs: 1, stride: 1, filter: 1, before: 0 }, height, width]
  const depth: Axis = {
    size: info.inDepth,
    outputs: info.outDepth,
    stride: info.strideDepth,
    filter: info.filterDepth,
    before: info.padInfo.front,
  }
  return [depth, height, width]
}

/** The part of an output's window that lies on the axis. */
function window({ size, stride, filter, before }: Axis, output: number): [start: number, end: number] {
  const start = output * stride - before
  return [Math.max(0, start), Math.min(size, start + filter)]
}
