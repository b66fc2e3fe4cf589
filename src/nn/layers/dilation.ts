/**
 * Convolutions whose kernels have gaps. TensorFlow.js has no gradient for them; without stride a kernel with gaps of `rate` sees each
 * of the `rate * rate` images that every rate-th row and column make up as a kernel without gaps would. So they are convolved as
 * images of their own, with gradients on every engine (TensorFlow calls that space to batch).
 */
import type { Rank, Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import type { Tf } from '../../engine/tf.js'
import type { Padding } from './layer.js'

/** Places that a kernel of `size` spans. */
export function spanned(size: number, rate: number): number {
  return (size - 1) * rate + 1
}

/** @throws ShardbookError `argument` for gaps together with strides, as in Keras */
export function checkDilation(kind: string, rates: readonly number[], strides: readonly number[]): void {
  if (rates.every((rate) => rate === 1) || strides.every((stride) => stride === 1)) return
  throw new ShardbookError(
    'argument',
    `nn.${kind}: expected strides of 1 with a dilationRate above 1, got ${JSON.stringify(strides)}.`,
  )
}

/** `x: [batch, h, w, in] -> [batch, h', w', filters]`, with strides of 1 where a rate is above. */
export function convolve(
  tf: Tf,
  x: Tensor4D,
  kernel: Tensor4D,
  { strides, padding, rates }: { strides: readonly number[]; padding: Padding; rates: readonly number[] },
): Tensor4D {
  if (rates.every((rate) => rate === 1)) return tf.conv2d(x, kernel, strides as [number, number], padding)
  const [rows, ...size] = x.shape.slice(0, 3) as [number, number, number]
  const lost = rates.map((rate, axis) => spanned(kernel.shape[axis]!, rate) - 1)
  const kept = padding === 'same' ? size : size.map((n, axis) => n - lost[axis]!)
  const edges = rates.map((rate, axis): [number, number] => {
    const before = padding === 'same' ? Math.floor(lost[axis]! / 2) : 0
    const whole = Math.ceil((kept[axis]! + lost[axis]!) / rate) * rate
    return [before, whole - size[axis]! - before]
  })
  const [down, right] = rates as [number, number]
  const apart = columnsApart(tf, rowsApart(tf, tf.pad(x, [[0, 0], ...edges, [0, 0]]), down), right)
  const y = tf.conv2d(apart, kernel, 1, 'valid')
  return tf.slice(
    rowsTogether(tf, columnsTogether(tf, y, right), down),
    [0, 0, 0, 0],
    [rows, ...(kept as [number, number]), y.shape[3]],
  )
}

/** `[n, h * rate, w, c] -> [n * rate, h, w, c]` */
function rowsApart(tf: Tf, x: Tensor4D, rate: number): Tensor4D {
  const [n, height, width, channels] = x.shape
  const h = height / rate
  return swapped(tf, x, [n, h, rate, width * channels], [n * rate, h, width, channels])
}

function rowsTogether(tf: Tf, x: Tensor4D, rate: number): Tensor4D {
  const [images, h, width, channels] = x.shape
  const n = images / rate
  return swapped(tf, x, [n, rate, h, width * channels], [n, h * rate, width, channels])
}

/** `[n, h, w * rate, c] -> [n * rate, h, w, c]` */
function columnsApart(tf: Tf, x: Tensor4D, rate: number): Tensor4D {
  const [n, height, width, channels] = x.shape
  const w = width / rate
  return swapped(tf, x, [n, height * w, rate, channels], [n * rate, height, w, channels])
}

function columnsTogether(tf: Tf, x: Tensor4D, rate: number): Tensor4D {
  const [images, height, w, channels] = x.shape
  const n = images / rate
  return swapped(tf, x, [n, rate, height * w, channels], [n, height, w * rate, channels])
}

/** Seen as `from`, with its middle axes exchanged, seen as `to`. */
function swapped(tf: Tf, x: Tensor, from: [number, number, number, number], to: Tensor4D['shape']): Tensor4D {
  if (from[1] === 1 || from[2] === 1) return tf.reshape<Rank.R4>(x, to)
  return tf.reshape<Rank.R4>(tf.transpose(tf.reshape(x, from), [0, 2, 1, 3]), to)
}
