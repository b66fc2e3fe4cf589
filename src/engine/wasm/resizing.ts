/**
 * Gradients of image resizing as loops over the values, in place of the backend's own, which are wrong for batches of more
 * than one image.
 */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { tfCore } from '../tf.js'

interface Attributes {
  readonly alignCorners: boolean
  readonly halfPixelCenters?: boolean
}

/** The inputs that an output was made of along one axis, with their weights. */
type Sources = readonly (readonly [index: number, weight: number])[]

export const resizeNearestGrad: KernelFunc = resizeGrad((output, size, scale, { alignCorners, halfPixelCenters }) => {
  const place = halfPixelCenters === true ? (output + 0.5) * scale : output * scale
  return [[Math.min(size - 1, alignCorners ? Math.round(place) : Math.floor(place)), 1]]
})

export const resizeBilinearGrad: KernelFunc = resizeGrad((output, size, scale, { halfPixelCenters }) => {
  const place = Math.max(0, halfPixelCenters === true ? (output + 0.5) * scale - 0.5 : output * scale)
  const low = Math.min(size - 1, Math.floor(place))
  const high = Math.min(size - 1, low + 1)
  return [
    [low, 1 - (place - low)],
    [high, place - low],
  ]
})

function resizeGrad(
  sources: (output: number, size: number, scale: number, attributes: Attributes) => Sources,
): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const { images, dy } = inputs as { images: TensorInfo; dy: TensorInfo }
    const attributes = attrs as unknown as Attributes
    const gradient = (backend as unknown as { readSync(id: object): Float32Array }).readSync(dy.dataId)
    const [batch, height, width, channels] = images.shape as [number, number, number, number]
    const [, outHeight, outWidth] = dy.shape as [number, number, number, number]
    const along = (size: number, outSize: number): Sources[] => {
      const corners = attributes.alignCorners && outSize > 1
      const scale = corners ? (size - 1) / (outSize - 1) : size / outSize
      return Array.from({ length: outSize }, (_, output) => sources(output, size, scale, attributes))
    }
    const [rows, columns] = [along(height, outHeight), along(width, outWidth)]
    const dx = new Float32Array(batch * height * width * channels)
    for (let b = 0; b < batch; b++) {
      for (const [oy, ys] of rows.entries()) {
        for (const [ox, xs] of columns.entries()) {
          const output = ((b * outHeight + oy) * outWidth + ox) * channels
          for (const [y, wy] of ys) {
            for (const [x, wx] of xs) {
              const input = ((b * height + y) * width + x) * channels
              for (let c = 0; c < channels; c++) dx[input + c]! += gradient[output + c]! * wy * wx
            }
          }
        }
      }
    }
    return tfCore().tensor(dx, images.shape)
  }
}
