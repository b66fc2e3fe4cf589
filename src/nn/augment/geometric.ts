/**
 * Layers that move the pixels of images while training, so that few images teach as much as many: each sample is moved in
 * another way at each step. Their numbers follow from the step's key and the sample, whatever slices and workers.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger, checkNumber, checkOneOf } from '../../core/check.js'
import type { Random } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import { checkImage, layer } from '../layers/layer.js'
import type { Layer, LayerOptions, Shape } from '../layers/layer.js'
import { type AffineMap, type Fill, fills, resample } from './resample.js'

export interface RandomFlipOptions extends LayerOptions {
  /** Left and right, above and below, or each by itself. Default `'horizontal'`. */
  readonly mode?: 'horizontal' | 'vertical' | 'both'
}

export interface FillOptions extends LayerOptions {
  /** What comes in from beyond the image. Default `'zeros'`. */
  readonly fill?: Fill
}

export interface RandomRotationOptions extends FillOptions {
  /** The greatest turn in either direction, in degrees. */
  readonly degrees: number
}

export interface RandomZoomOptions extends FillOptions {
  /** Sizes lie between `1 - range` and `1 + range` of the image's. */
  readonly range: number
}

export interface RandomTranslationOptions extends FillOptions {
  /** The greatest shift in either direction, as a share of the height. Default 0.1. */
  readonly height?: number
  /** As a share of the width. Default: as `height`. */
  readonly width?: number
}

export interface RandomCropOptions extends FillOptions {
  /** Pixels that the image gets on every side before a part of its own size is cut out. */
  readonly padding: number
}

/**
 * Mirrors a random half of the samples while training: `x: [batch, height, width, channels]`, same shape.
 *
 * @throws ShardbookError `argument` for another mode, and when samples are not images.
 * @example
 * ```ts
 * nn.randomFlip({ mode: 'horizontal' })
 * ```
 */
export function randomFlip(options: RandomFlipOptions = {}): Layer {
  const { mode = 'horizontal' } = options
  checkOneOf('nn.randomFlip', 'mode', mode, ['horizontal', 'vertical', 'both'])
  return moving('randomFlip', options, (tf, draw) => {
    const sign = (): Tensor => tf.sub(1, tf.mul(2, tf.cast(tf.greaterEqual(draw(), 0.5), 'float32')))
    return { yy: mode === 'horizontal' ? 1 : sign(), xx: mode === 'vertical' ? 1 : sign() }
  })
}

/**
 * Turns every sample by a random angle while training: `x: [batch, height, width, channels]`, same shape.
 *
 * @throws ShardbookError `argument` for degrees outside [0, 180], and when samples are not images.
 * @example
 * ```ts
 * nn.randomRotation({ degrees: 10 })
 * ```
 */
export function randomRotation(options: RandomRotationOptions): Layer {
  checkNumber('nn.randomRotation', 'degrees', options.degrees, 0, 180)
  const limit = (options.degrees * Math.PI) / 180
  return moving('randomRotation', options, (tf, draw) => {
    const angle = between(tf, draw(), -limit, limit)
    const [cos, sin] = [tf.cos(angle), tf.sin(angle)]
    return { yy: cos, yx: sin, xy: tf.neg(sin), xx: cos }
  })
}

/**
 * Enlarges or shrinks every sample around its centre while training: `x: [batch, height, width, channels]`, same shape.
 *
 * @throws ShardbookError `argument` for a range outside [0, 1), and when samples are not images.
 * @example
 * ```ts
 * nn.randomZoom({ range: 0.1 })
 * ```
 */
export function randomZoom(options: RandomZoomOptions): Layer {
  const { range } = options
  checkNumber('nn.randomZoom', 'range', range, 0, 1 - 2 ** -20)
  return moving('randomZoom', options, (tf, draw) => {
    const scale = tf.reciprocal(between(tf, draw(), 1 - range, 1 + range))
    return { yy: scale, xx: scale }
  })
}

/**
 * Shifts every sample while training: `x: [batch, height, width, channels]`, same shape.
 *
 * @throws ShardbookError `argument` for shares outside [0, 1], and when samples are not images.
 * @example
 * ```ts
 * nn.randomTranslation({ height: 0.1, width: 0.1 })
 * ```
 */
export function randomTranslation(options: RandomTranslationOptions = {}): Layer {
  const { height = 0.1, width = height } = options
  checkNumber('nn.randomTranslation', 'height', height, 0, 1)
  checkNumber('nn.randomTranslation', 'width', width, 0, 1)
  return moving('randomTranslation', options, (tf, draw, [rows, columns]) => ({
    dy: between(tf, draw(), -height * rows!, height * rows!),
    dx: between(tf, draw(), -width * columns!, width * columns!),
  }))
}

/**
 * Pads every sample and cuts a part of its size out at a random place while training, by whole pixels:
 * `x: [batch, height, width, channels]`, same shape.
 *
 * @throws ShardbookError `argument` unless padding is a positive whole number, and when samples are not images.
 * @example
 * ```ts
 * nn.randomCrop({ padding: 2 })
 * ```
 */
export function randomCrop(options: RandomCropOptions): Layer {
  const { padding } = options
  checkInteger('nn.randomCrop', 'padding', padding, 1)
  return moving('randomCrop', options, (tf, draw) => {
    const shift = (): Tensor => tf.floor(between(tf, draw(), -padding, padding + 1))
    return { dy: shift(), dx: shift() }
  })
}

/** A layer of images that reads every sample by a map of its own while training. `draw` gives uniform numbers [batch, 1, 1]. */
function moving(
  kind: string,
  options: FillOptions,
  map: (tf: Tf, draw: () => Tensor, sample: Shape) => AffineMap,
): Layer {
  const { fill = 'zeros' } = options
  checkOneOf(`nn.${kind}`, 'fill', fill, fills)
  return layer(kind, options, {
    infer: (input) => {
      checkImage(kind, input)
      return { output: input, weights: [] }
    },
    apply: ({ tf, random }, x) =>
      random === undefined
        ? x
        : resample(
            tf,
            x,
            map(tf, () => drawOne(random, x), x.shape.slice(1)),
            fill,
          ),
  })
}

/** A uniform number for each sample: `[batch, 1, 1]`. */
function drawOne(random: Random, x: Tensor): Tensor {
  return random.uniform([x.shape[0], 1, 1])
}

/** Uniform numbers in [0, 1) brought to [low, high). */
function between(tf: Tf, uniform: Tensor, low: number, high: number): Tensor {
  return tf.add(tf.mul(uniform, high - low), low)
}
