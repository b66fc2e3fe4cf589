/**
 * What windows never reach. Without padding, windows of more than one stride leave rows and columns at the end of an image over:
 * of 11 rows a pooling of 2 reads 10, for which the convolution before it need compute 10, for which it reads 12 of 13. So a chain
 * of such layers gets only the part of its input that reaches its output: the same results and gradients for less work (a fifth
 * of the convolutions of a usual network for 28 x 28 images).
 */
import type { Rank, Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import type { Tf } from '../../engine/tf.js'
import type { Layer } from './layer.js'

/** The part of images that reaches the output of the layers that start the list and have windows, if one of them has weights. */
export function cropUnread(tf: Tf, layers: readonly Layer[], x: Tensor): Tensor {
  const end = layers.findIndex(({ window }) => window === undefined)
  const chain = end < 0 ? layers : layers.slice(0, end)
  if (x.rank !== 4 || !chain.some(({ kind }) => kind === 'conv2d')) return x
  const [rows, height, width, channels] = (x as Tensor4D).shape
  const read = [readOf(chain, height, 0), readOf(chain, width, 1)] as const
  if (read[0] === height && read[1] === width) return x
  return tf.slice<Rank.R4, Tensor4D>(x as Tensor4D, [0, 0, 0, 0], [rows, ...read, channels])
}

/** How many of `places` along an axis of images reach what the layers put out. */
function readOf(chain: readonly Layer[], places: number, axis: 0 | 1): number {
  const windows = chain.map(({ window }) => ({ size: window!.size[axis], stride: window!.strides[axis] }))
  const output = windows.reduce((n, { size, stride }) => Math.floor((n - size) / stride) + 1, places)
  return windows.reduceRight((n, { size, stride }) => (n - 1) * stride + size, output)
}
