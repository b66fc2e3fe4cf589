/**
 * Gradients of the convolution (NHWC) as convolutions: the backend's forward convolution is several times faster than its
 * own `Conv2DBackpropInput`, and it has no `Conv2DBackpropFilter`.
 *
 * With `x: [batch, height, width, in]`, `filter: [rows, columns, in, out]`, `dy: [batch, outHeight, outWidth, out]`:
 * - by the filter: `x` with channels as batch, convolved with `dy` as a filter over the batch; the stride becomes a dilation;
 * - by the input: `dy`, spread by the stride and padded, convolved with the filter turned by 180 degrees.
 */
import type { KernelFunc, Rank, Tensor4D, backend_util } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import { tfCore } from '../tf.js'

type Shape4 = [number, number, number, number]

interface Attributes {
  readonly strides: [number, number] | number
  readonly pad: 'valid' | 'same' | number
  readonly dataFormat: string
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** `x`, `dy` -> `filterShape`. */
export const convBackpropFilter: KernelFunc = ({ inputs, attrs }) => {
  const tf = tfCore()
  const { x, dy } = inputs as { x: Tensor4D; dy: Tensor4D }
  const { filterShape } = attrs as unknown as { filterShape: Shape4 }
  const info = convInfo('Conv2DBackpropFilter', x.shape, filterShape, attrs as unknown as Attributes)
  return tf.tidy(() => {
    const { padInfo, strideHeight, strideWidth } = info
    const [rows, columns] = filterShape
    // The part of the input that some filter tap saw.
    const height = (info.outHeight - 1) * strideHeight + rows
    const width = (info.outWidth - 1) * strideWidth + columns
    const seen = resize(x, padInfo.top, padInfo.left, height, width)
    const byChannel = tf.transpose(seen, [3, 1, 2, 0])
    const overBatch = tf.transpose(dy, [1, 2, 0, 3])
    const dilation: [number, number] = [strideHeight, strideWidth]
    return tf.transpose(tf.conv2d(byChannel, overBatch, 1, 'valid', 'NHWC', dilation), [1, 2, 0, 3])
  })
}

/** `dy`, `filter` -> `inputShape`. */
export const convBackpropInput: KernelFunc = ({ inputs, attrs }) => {
  const tf = tfCore()
  const { dy, filter } = inputs as { dy: Tensor4D; filter: Tensor4D }
  const { inputShape } = attrs as unknown as { inputShape: Shape4 }
  const info = convInfo('Conv2DBackpropInput', inputShape, filter.shape, attrs as unknown as Attributes)
  return tf.tidy(() => {
    const { padInfo, strideHeight, strideWidth, inHeight, inWidth } = info
    const [rows, columns] = filter.shape
    const spread = spreadRows(dy, strideHeight, strideWidth)
    const height = inHeight + rows - 1
    const width = inWidth + columns - 1
    const padded = resize(spread, rows - 1 - padInfo.top, columns - 1 - padInfo.left, height, width)
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2])
    return tf.conv2d(padded, turned, 1, 'valid')
  })
}

function convInfo(
  kernel: string,
  inputShape: Shape4,
  filterShape: Shape4,
  { strides, pad, dataFormat, dimRoundingMode }: Attributes,
): backend_util.Conv2DInfo {
  if (dataFormat !== 'NHWC') {
    throw new ShardbookError('engine', `${kernel}: expected dataFormat NHWC on wasm, got ${dataFormat}.`)
  }
  return tfCore().backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode)
}

/** Shifts an image down and right by `top` and `left` (either may be negative) and cuts or fills it to the given size. */
function resize(x: Tensor4D, top: number, left: number, height: number, width: number): Tensor4D {
  const tf = tfCore()
  const [batch, oldHeight, oldWidth, channels] = x.shape
  const [bottom, right] = [height - oldHeight - top, width - oldWidth - left]
  const edge = (n: number): number => Math.max(0, n)
  const padded = [top, bottom, left, right].some((n) => n > 0)
    ? tf.pad4d(x, [
        [0, 0],
        [edge(top), edge(bottom)],
        [edge(left), edge(right)],
        [0, 0],
      ])
    : x
  if (padded.shape[1] === height && padded.shape[2] === width) return padded
  return tf.slice4d(padded, [0, edge(-top), edge(-left), 0], [batch, height, width, channels])
}

/** Puts `strideHeight - 1` rows and `strideWidth - 1` columns of zeros behind each row and column. */
function spreadRows(dy: Tensor4D, strideHeight: number, strideWidth: number): Tensor4D {
  if (strideHeight === 1 && strideWidth === 1) return dy
  const tf = tfCore()
  const [batch, height, width, channels] = dy.shape
  const rows = tf.pad4d(tf.reshape<Rank.R4>(dy, [batch * height, 1, width, channels]), [
    [0, 0],
    [0, strideHeight - 1],
    [0, 0],
    [0, 0],
  ])
  const columns = tf.pad4d(tf.reshape<Rank.R4>(rows, [batch * height * strideHeight, width, 1, channels]), [
    [0, 0],
    [0, 0],
    [0, strideWidth - 1],
    [0, 0],
  ])
  return tf.reshape(columns, [batch, height * strideHeight, width * strideWidth, channels])
}
