/** Activations: functions of each number alone, and softmax over the last axis. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkNumber, checkOneOf } from '../../core/check.js'
import type { Tf } from '../../engine/tf.js'
import { layer } from './layer.js'
import type { Layer, LayerOptions } from './layer.js'
import type { LayerOf } from './literal-shapes.js'

export const activationNames = [
  'linear',
  'relu',
  'leakyRelu',
  'elu',
  'selu',
  'gelu',
  'silu',
  'sigmoid',
  'tanh',
  'softplus',
  'softsign',
  'softmax',
] as const
export type ActivationName = (typeof activationNames)[number]

export function activate(tf: Tf, name: ActivationName, x: Tensor): Tensor {
  switch (name) {
    case 'linear':
      return x
    case 'relu':
      return tf.relu(x)
    case 'leakyRelu':
      return tf.leakyRelu(x, 0.2)
    case 'elu':
      return tf.elu(x)
    case 'selu':
      return tf.selu(x)
    case 'gelu':
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))
    case 'silu':
      return tf.mul(x, tf.sigmoid(x))
    case 'sigmoid':
      return tf.sigmoid(x)
    case 'tanh':
      return tf.tanh(x)
    case 'softplus':
      return tf.softplus(x)
    case 'softsign':
      return tf.div(x, tf.add(tf.abs(x), 1))
    case 'softmax':
      return tf.softmax(x)
    default:
      return name satisfies never
  }
}

/** Whether a greater number never gives a smaller result. */
export function isMonotone(name: ActivationName): boolean {
  return name !== 'softmax' && name !== 'gelu' && name !== 'silu'
}

/**
 * Applies an activation: `x: [batch, ...] -> [batch, ...]`.
 *
 * @throws ShardbookError `argument` for an unknown name.
 * @example
 * ```ts
 * nn.activation('relu')
 * ```
 */
export function activation(
  name: ActivationName | ({ readonly activation: ActivationName } & LayerOptions),
): LayerOf<'activation', 'any', 'same'> {
  const options = typeof name === 'string' ? { activation: name } : name
  checkOneOf('nn.activation', 'activation', options.activation, activationNames)
  return layer('activation', options, {
    infer: (input) => ({ output: input, weights: [] }),
    apply: ({ tf }, x) => activate(tf, options.activation, x),
    window: { size: [1, 1], strides: [1, 1] },
  })
}

export interface LeakyReluOptions extends LayerOptions {
  /** Factor of negative numbers. Default 0.3. */
  readonly negativeSlope?: number
}

/**
 * `x` where it is positive, else `negativeSlope * x`: `x: [batch, ...] -> [batch, ...]`.
 *
 * @throws ShardbookError `argument` for a negative slope below zero.
 * @example
 * ```ts
 * nn.leakyRelu({ negativeSlope: 0.1 })
 * ```
 */
export function leakyRelu(options: LeakyReluOptions = {}): LayerOf<'leakyRelu', 'any', 'same'> {
  const { negativeSlope = 0.3 } = options
  checkNumber('nn.leakyRelu', 'negativeSlope', negativeSlope, 0)
  return layer('leakyRelu', options, {
    infer: (input) => ({ output: input, weights: [] }),
    apply: ({ tf }, x) => tf.leakyRelu(x, negativeSlope),
  })
}

/**
 * `x` where it is positive, else `alpha * x` with a trained alpha for each number of a sample, zero at the start:
 * `x: [batch, ...] -> [batch, ...]`.
 *
 * @example
 * ```ts
 * nn.prelu()
 * ```
 */
export function prelu(options: LayerOptions = {}): Layer {
  return layer('prelu', options, {
    infer: (input) => ({ output: input, weights: [{ name: 'alpha', shape: input, initial: { kind: 'zeros' } }] }),
    apply: ({ tf }, x, [alpha]) => tf.sub(tf.relu(x), tf.mul(alpha!, tf.relu(tf.neg(x)))),
  })
}

export interface RescaleOptions extends LayerOptions {
  readonly scale: number
  readonly offset?: number
}

/**
 * `scale * x + offset`, as float32: `x: [batch, ...] -> [batch, ...]`.
 *
 * @throws ShardbookError `argument` when scale or offset are not finite.
 * @example
 * ```ts
 * nn.rescale({ scale: 1 / 255 }) // bytes to [0, 1]
 * ```
 */
export function rescale(options: RescaleOptions): LayerOf<'rescale', 'any', 'same'> {
  const { scale, offset = 0 } = options
  checkNumber('nn.rescale', 'scale', scale)
  checkNumber('nn.rescale', 'offset', offset)
  return layer('rescale', options, {
    infer: (input) => ({ output: input, weights: [] }),
    apply: ({ tf }, x) => {
      const scaled = tf.mul(tf.cast(x, 'float32'), scale)
      return offset === 0 ? scaled : tf.add(scaled, offset)
    },
  })
}
