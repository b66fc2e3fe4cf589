/** Layers that act while training only. Their numbers follow from the step's key and the sample: equal for any number of workers. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkNumber } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { dropout as drop } from '../../engine/index.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerOptions } from './layer.js'
import type { LayerOf } from './literal-shapes.js'

export interface DropoutOptions extends LayerOptions {
  /** Share of the numbers that become zero; the others are divided by `1 - rate`. */
  readonly rate: number
}

/**
 * Sets a random share of the numbers to zero while training (Srivastava and others, 2014): `x: [batch, ...] -> [batch, ...]`.
 *
 * @throws ShardbookError `argument` for a rate outside [0, 1).
 * @example
 * ```ts
 * nn.dropout({ rate: 0.5 })
 * ```
 */
export function dropout(options: DropoutOptions): LayerOf<'dropout', 'any', 'same'> {
  const { rate } = options
  checkNumber('nn.dropout', 'rate', rate, 0, 1 - 2 ** -20)
  return layer('dropout', options, {
    infer: (input) => ({ output: input, weights: [] }),
    apply: ({ tf, random }, x) => (random === undefined || rate === 0 ? x : drop(tf, random, x, rate)),
  })
}

/**
 * Sets whole channels of a sample to zero while training, one draw for all places (Tompson and others, 2015):
 * `x: [batch, ..., channels] -> [batch, ..., channels]`.
 *
 * @throws ShardbookError `argument` for a rate outside [0, 1), and when samples have no places.
 * @example
 * ```ts
 * nn.spatialDropout({ rate: 0.2 })
 * ```
 */
export function spatialDropout(options: DropoutOptions): Layer {
  const { rate } = options
  checkNumber('nn.spatialDropout', 'rate', rate, 0, 1 - 2 ** -20)
  return layer('spatialDropout', options, {
    infer: (input) => {
      if (input.length >= 2) return { output: input, weights: [] }
      throw new ShardbookError(
        'argument',
        `nn.spatialDropout: expected samples of shape [..., channels] with places, got ${showShape(input)}.`,
        { hint: 'nn.dropout takes vectors.' },
      )
    },
    apply: ({ tf, random }, x) => {
      if (random === undefined || rate === 0) return x
      const shape = x.shape.map((size, axis) => (axis === 0 || axis === x.rank - 1 ? size : 1))
      return tf.mul(x, drop(tf, random, tf.fill(shape, 1), rate))
    },
  })
}

export interface GaussianNoiseOptions extends LayerOptions {
  readonly deviation: number
}

/**
 * Adds normal noise while training: `x: [batch, ...] -> [batch, ...]`.
 *
 * @throws ShardbookError `argument` for a negative deviation.
 * @example
 * ```ts
 * nn.gaussianNoise({ deviation: 0.1 })
 * ```
 */
export function gaussianNoise(options: GaussianNoiseOptions): Layer {
  const { deviation } = options
  checkNumber('nn.gaussianNoise', 'deviation', deviation, 0)
  return layer('gaussianNoise', options, {
    infer: (input) => ({ output: input, weights: [] }),
    apply: ({ tf, random }, x) => (random === undefined ? x : tf.add(x, tf.mul(random.normal(x.shape), deviation))),
  })
}

/**
 * A draw from a normal distribution while training, its mean else (Kingma and Welling, 2014): `x: [batch, 2 n] -> [batch, n]`, the
 * means first, then the logarithms of the variances. The draw is `mean + deviation * noise`, so gradients reach both.
 *
 * @throws ShardbookError `argument` when samples are not vectors of an even length.
 * @example
 * ```ts
 * nn.gaussianSample()
 * ```
 */
export function gaussianSample(options: LayerOptions = {}): Layer {
  return layer('gaussianSample', options, {
    infer: (input) => {
      if (input.length === 1 && input[0]! % 2 === 0) return { output: [input[0]! / 2], weights: [] }
      throw new ShardbookError(
        'argument',
        `nn.gaussianSample: expected samples of shape [2 n], means and logarithms of variances, got ${showShape(input)}.`,
      )
    },
    apply: ({ tf, random }, x) => {
      const [mean, logVariance] = tf.split(x, 2, 1) as [Tensor, Tensor]
      if (random === undefined) return mean
      return tf.add(mean, tf.mul(tf.exp(tf.mul(logVariance, 0.5)), random.normal(mean.shape)))
    },
  })
}
