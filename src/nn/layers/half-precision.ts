/**
 * Mixed precision: what a layer multiplies, its samples and kernels, is rounded to half precision, and so are the gradients on
 * their way back; sums, losses, weights and their updates stay in single precision. The numbers of a training are then those that
 * hardware with such products gives. Processors have none, so that it takes longer there: it tells whether a network bears it.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Tf } from '../../engine/tf.js'
import type { Layer, LayerContext } from './layer.js'

export const precisions = ['float32', 'bfloat16', 'float16'] as const
export type Precision = (typeof precisions)[number]
export type HalfPrecision = Exclude<Precision, 'float32'>

/** Layers that multiply samples by kernels; those of tokens and of sparse entries have samples that are positions. */
const multiplying = new Set([
  'conv1d',
  'conv2d',
  'conv2dTranspose',
  'conv3d',
  'crossAttention',
  'dense',
  'depthwiseConv2d',
  'elman',
  'gru',
  'lstm',
  'multiHeadAttention',
  'separableConv2d',
  'simpleRnn',
])

/** What a layer is applied to in the precision of the context. */
export function factors(
  { tf, precision }: LayerContext,
  layer: Layer,
  x: Tensor,
  weights: readonly Tensor[],
): { readonly x: Tensor; readonly weights: readonly Tensor[] } {
  const { sparseSize, layer: inner } = layer.options as { readonly sparseSize?: number; readonly layer?: Layer }
  if (precision === undefined || !multiplying.has((inner ?? layer).kind)) return { x, weights }
  const round = (tensor: Tensor): Tensor => rounded(tf, precision, tensor)
  return {
    x: sparseSize === undefined ? round(x) : x,
    weights: weights.map((weight) => (weight.rank > 1 ? round(weight) : weight)),
  }
}

/** x in the nearest numbers of that precision, and its gradient too. */
export function rounded(tf: Tf, precision: HalfPrecision, x: Tensor): Tensor {
  const round = precision === 'bfloat16' ? toBfloat16 : toFloat16
  return tf.customGrad((given) => ({
    value: round(tf, given as Tensor),
    gradFunc: (dy: Tensor | Tensor[]) => round(tf, dy as Tensor),
  }))(x)
}

/** Keeps the leading bits (Dekker, 1971): what is left of `x` once it stands beside a number so many times as large. */
function leading(tf: Tf, x: Tensor, dropped: number): Tensor {
  const large = tf.mul(x, 2 ** dropped + 1)
  return tf.sub(large, tf.sub(large, x))
}

/** 8 of 24 bits. The range stays, but for numbers above 2^110, of which none is in a training that goes well. */
function toBfloat16(tf: Tf, x: Tensor): Tensor {
  return leading(tf, x, 16)
}

/** 11 of 24 bits; above 65504 there is infinity, below 2^-14 the steps stay 2^-24 wide. */
function toFloat16(tf: Tf, x: Tensor): Tensor {
  // The steps of single precision are 2^-24 wide beside this number.
  const beside = 0.75
  const small = tf.sub(tf.add(x, beside), beside)
  const near = tf.where(tf.less(tf.abs(x), 2 ** -14), small, leading(tf, x, 13))
  const infinite = tf.mul(tf.sign(x), Infinity)
  return tf.where(tf.greaterEqual(tf.abs(x), 65520), infinite, near)
}
