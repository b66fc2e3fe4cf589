/** Activations: functions of each number alone, and softmax over the last axis. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkNumber, checkOneOf } from '../../core/check.js'
import type { Tf } from '../../engine/tf.js'
import { layer } from './layer.js'
import type { Layer, LayerOptions } from './layer.js'

export const activationNames = ['linear', 'relu', 'leakyRelu', 'elu', 'sigmoid', 'tanh', 'softplus', 'softmax'] as const
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
    case 'sigmoid':
      return tf.sigmoid(x)
    case 'tanh':
      return tf.tanh(x)
    case 'softplus':
      return tf.softplus(x)
    case 'softmax':
      return tf.softmax(x)
    default:
      return name satisfies never
  }
}

/** Whether a greater number never gives a smaller result. */
export function isMonotone(name: ActivationName): boolean {
  return name !== 'softmax'
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
export function activation(name: ActivationName | ({ readonly activation: ActivationName } & LayerOptions)): Layer {
  const options = typeof name === 'string' ? { activation: name } : name
  checkOneOf('nn.activation', 'activation', options.activation, activationNames)
  return layer('activation', options, {
    infer: (input) => ({ output: input, weights: [] }),
    apply: ({ tf }, x) => activate(tf, options.activation, x),
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
export function rescale(options: RescaleOptions): Layer {
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
