/** Layers that change the light of images, or hide a part of them, while training. Pixels lie in [0, 1]. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkNumber } from '../../core/check.js'
import type { Random } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import { checkImage, layer } from '../layers/layer.js'
import type { Layer, LayerOptions } from '../layers/layer.js'
import { placesOf } from './resample.js'

export interface RandomContrastOptions extends LayerOptions {
  /** Distances from the mean are multiplied by a number between `1 - range` and `1 + range`. */
  readonly range: number
}

export interface RandomBrightnessOptions extends LayerOptions {
  /** A number between `-range` and `range` is added. */
  readonly range: number
}

export interface RandomErasingOptions extends LayerOptions {
  /** Share of the samples that lose a part. Default 0.5. */
  readonly probability?: number
  /** Least and greatest share of the image that is lost. Default [0.02, 0.33]. */
  readonly area?: readonly [number, number]
  /** What stands there then. Default 0. */
  readonly value?: number
}

/**
 * Brings the pixels of a sample nearer to their mean, or farther from it, while training, and keeps them in [0, 1]:
 * `x: [batch, height, width, channels]`, same shape.
 *
 * @throws ShardbookError `argument` for a range outside [0, 1], and when samples are not images.
 * @example
 * ```ts
 * nn.randomContrast({ range: 0.3 })
 * ```
 */
export function randomContrast(options: RandomContrastOptions): Layer {
  const { range } = options
  checkNumber('nn.randomContrast', 'range', range, 0, 1)
  return changing('randomContrast', options, (tf, random, x) => {
    const mean = tf.mean(x, [1, 2], true)
    const factor = spread(tf, random, x, 1, range)
    return tf.clipByValue(tf.add(tf.mul(tf.sub(x, mean), factor), mean), 0, 1)
  })
}

/**
 * Makes samples lighter or darker while training, and keeps pixels in [0, 1]: `x: [batch, height, width, channels]`, same shape.
 *
 * @throws ShardbookError `argument` for a range outside [0, 1], and when samples are not images.
 * @example
 * ```ts
 * nn.randomBrightness({ range: 0.2 })
 * ```
 */
export function randomBrightness(options: RandomBrightnessOptions): Layer {
  const { range } = options
  checkNumber('nn.randomBrightness', 'range', range, 0, 1)
  return changing('randomBrightness', options, (tf, random, x) =>
    tf.clipByValue(tf.add(x, spread(tf, random, x, 0, range)), 0, 1),
  )
}

/**
 * Hides a random rectangle of some samples while training, its sides up to 3.3 to 1 (Zhong and others, 2020):
 * `x: [batch, height, width, channels]`, same shape.
 *
 * @throws ShardbookError `argument` for shares outside [0, 1], and when samples are not images.
 * @example
 * ```ts
 * nn.randomErasing({ probability: 0.5 })
 * ```
 */
export function randomErasing(options: RandomErasingOptions = {}): Layer {
  const { probability = 0.5, area = [0.02, 0.33], value = 0 } = options
  const caller = 'nn.randomErasing'
  checkNumber(caller, 'probability', probability, 0, 1)
  checkNumber(caller, 'area[0]', area[0], 0, 1)
  checkNumber(caller, 'area[1]', area[1], area[0], 1)
  checkNumber(caller, 'value', value, 0, 1)
  return changing('randomErasing', options, (tf, random, x) => {
    const draw = (): Tensor => random.uniform([x.shape[0], 1, 1])
    const acts = tf.less(draw(), probability)
    const size = tf.add(tf.mul(draw(), area[1] - area[0]), area[0])
    const ratio = tf.exp(tf.mul(tf.sub(tf.mul(draw(), 2), 1), Math.log(3.3)))
    const sides = { height: tf.sqrt(tf.mul(size, ratio)), width: tf.sqrt(tf.div(size, ratio)) }
    const hidden = tf.logicalAnd(acts, rectangle(tf, x, sides, draw(), draw()))
    const kept = tf.expandDims(tf.sub(1, tf.cast(hidden, 'float32')), 3)
    return tf.add(tf.mul(x, kept), tf.mul(value, tf.sub(1, kept)))
  })
}

/**
 * Where a rectangle lies in each sample: booleans `[batch, height, width]`. Sides are shares of the image's, cut to it; `y` and
 * `x` in [0, 1) say where it lies, wholly inside.
 */
export function rectangle(
  tf: Tf,
  image: Tensor,
  sides: { readonly height: Tensor; readonly width: Tensor },
  y: Tensor,
  x: Tensor,
): Tensor {
  const [, height, width] = image.shape as [number, number, number, number]
  const [down, right] = placesOf(tf, height, width)
  const within = (place: Tensor, size: number, side: Tensor, at: Tensor): Tensor => {
    const length = tf.mul(tf.minimum(side, 1), size)
    const begin = tf.mul(at, tf.sub(size, length))
    const middle = tf.add(place, size / 2)
    return tf.logicalAnd(tf.greaterEqual(middle, begin), tf.less(middle, tf.add(begin, length)))
  }
  return tf.logicalAnd(within(down, height, sides.height, y), within(right, width, sides.width, x))
}

function changing(kind: string, options: LayerOptions, change: (tf: Tf, random: Random, x: Tensor) => Tensor): Layer {
  return layer(kind, options, {
    infer: (input) => {
      checkImage(kind, input)
      return { output: input, weights: [] }
    },
    apply: ({ tf, random }, x) => (random === undefined ? x : change(tf, random, x)),
  })
}

/** A uniform number around `middle` for each sample: `[batch, 1, 1, 1]`. */
function spread(tf: Tf, random: Random, x: Tensor, middle: number, range: number): Tensor {
  return tf.add(tf.mul(random.uniform([x.shape[0], 1, 1, 1]), 2 * range), middle - range)
}
