/**
 * The last step of a decoder, a transposed convolution with strides that widens to few channels (`Conv2DBackpropInput`), as a
 * convolution without strides. Its results of one phase of the strides come from the same places through every stride-th weight of
 * the kernel; so all phases are channels of one narrow convolution, which `DepthToSpace` lays side by side. oneDNN's own kernel
 * computes with 16 channels of which it throws away all but one: 1.1 ms of a core for 64 images of 28 x 28, this 0.2.
 *
 * Along an axis with stride s the result at p is the sum over j of dy[floor(p / s) - j] * filter[p % s + j s].
 */
import type { Conv2DBackpropInputAttrs, Rank, Tensor4D } from '@tensorflow/tfjs-core'
import { tfCore } from '../tf.js'
import { attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import { dataTypes } from './c-api.js'

/** Channels that oneDNN computes at once. */
const channelsAtOnce = 16

type Attributes = Conv2DBackpropInputAttrs

/** Registers the kernel in front of the one that is registered, which keeps all other cases. */
export function registerWidening(): void {
  const tf = tfCore()
  const own = tf.getKernel('Conv2DBackpropInput', nativeBackend)
  tf.unregisterKernel('Conv2DBackpropInput', nativeBackend)
  tf.registerKernel({
    ...own,
    kernelFunc: (given) => {
      const { dy, filter } = given.inputs as { dy: Tensor4D; filter: Tensor4D }
      const { inputShape, strides, pad, dataFormat, dimRoundingMode } = given.attrs as unknown as Attributes
      const [down, right] = typeof strides === 'number' ? [strides, strides] : strides
      const phases = down * right * inputShape[3]
      const widens = down > 1 && down === right && phases <= channelsAtOnce && dataFormat === 'NHWC'
      if (!widens || dy.dtype !== 'float32') return own.kernelFunc(given)
      const { padInfo } = tf.backend_util.computeConv2DInfo(inputShape, filter.shape, strides, 1, pad, dimRoundingMode)
      return tf.tidy(() =>
        widen(given.backend as NativeBackend, dy, filter, {
          stride: down,
          before: [padInfo.top, padInfo.left],
          shape: inputShape,
        }),
      )
    },
  })
}

function widen(
  backend: NativeBackend,
  dy: Tensor4D,
  filter: Tensor4D,
  { stride, before, shape }: { stride: number; before: readonly [number, number]; shape: Attributes['inputShape'] },
): Tensor4D {
  const tf = tfCore()
  const taps = [0, 1].map((axis) => Math.ceil(filter.shape[axis]! / stride)) as [number, number]
  const phases = phasesOf(filter, stride, taps)
  /** Places of which all phases are computed; padding after the image can give `dy` more of them than the image has. */
  const places = [0, 1].map((axis) =>
    Math.max(dy.shape[axis + 1]!, Math.ceil((before[axis]! + shape[axis + 1]!) / stride)),
  )
  const edges = [0, 1].flatMap((axis) => [taps[axis]! - 1, places[axis]! - dy.shape[axis + 1]!])
  const { TF_ATTR_INT, TF_ATTR_STRING, TF_ATTR_TYPE } = attributeTypes
  const float = { name: 'T', type: TF_ATTR_TYPE, value: dataTypes.TF_FLOAT }
  const convolution = [
    float,
    { name: 'strides', type: TF_ATTR_INT, value: [1, 1, 1, 1] },
    { name: 'padding', type: TF_ATTR_STRING, value: 'EXPLICIT' },
    { name: 'explicit_paddings', type: TF_ATTR_INT, value: [0, 0, ...edges, 0, 0] },
    { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
    { name: 'dilations', type: TF_ATTR_INT, value: [1, 1, 1, 1] },
  ]
  const apart = backend.executeSingleOutput('Conv2D', convolution, [dy, phases])
  const together = [
    float,
    { name: 'block_size', type: TF_ATTR_INT, value: stride },
    { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
  ]
  const whole = backend.executeSingleOutput('DepthToSpace', together, [apart]) as Tensor4D
  const fits = before.every((edge, axis) => edge === 0 && whole.shape[axis + 1] === shape[axis + 1])
  return fits ? whole : tf.slice(whole, [0, ...before, 0], shape)
}

/** `[height, width, few, filters] -> [taps down, taps right, filters, stride * stride * few]`, the last tap first. */
function phasesOf(filter: Tensor4D, stride: number, [down, right]: readonly [number, number]): Tensor4D {
  const tf = tfCore()
  const [height, width, few, filters] = filter.shape
  const whole = tf.pad(filter, [
    [0, down * stride - height],
    [0, right * stride - width],
    [0, 0],
    [0, 0],
  ])
  const cut = tf.reshape<Rank.R6>(whole, [down, stride, right, stride, few, filters])
  const channels = stride * stride * few
  const phases = tf.reshape<Rank.R4>(tf.transpose(cut, [0, 2, 5, 1, 3, 4]), [down, right, filters, channels])
  return tf.reverse(phases, [0, 1])
}
