/** Pooling over sequences, images and volumes, channels last. */
import type { Rank, Tensor4D } from '@tensorflow/tfjs-core'
import { checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { checkImage, layer, pairOf, paddings, showShape, windowed } from './layer.js'
import type { Layer, LayerOptions, Padding, Pair } from './layer.js'
import type { Image, LayerOf, Steps, Volume } from './literal-shapes.js'
import { checkPlaces, sizesOf, windowedPlaces } from './window.js'

export interface PoolingOptions extends LayerOptions {
  /** Default 2. */
  readonly poolSize?: Pair
  /** Default: as poolSize. */
  readonly strides?: Pair
  readonly padding?: Padding
}

/**
 * The maximum of each window: `x: [batch, h, w, c] -> [batch, h', w', c]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not images or are smaller than the window.
 * @example
 * ```ts
 * nn.maxPooling2d({ poolSize: 2 })
 * ```
 */
export function maxPooling2d(
  options: PoolingOptions = {},
): LayerOf<'maxPooling2d', Image, readonly [number, number, 'last']> {
  return pooling('maxPooling2d', 'maxPool', options)
}

/**
 * The mean of each window: `x: [batch, h, w, c] -> [batch, h', w', c]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not images or are smaller than the window.
 * @example
 * ```ts
 * nn.averagePooling2d({ poolSize: 2 })
 * ```
 */
export function averagePooling2d(
  options: PoolingOptions = {},
): LayerOf<'averagePooling2d', Image, readonly [number, number, 'last']> {
  return pooling('averagePooling2d', 'avgPool', options)
}

export interface Pooling1dOptions extends LayerOptions {
  /** Default 2. */
  readonly poolSize?: number
  /** Default: as poolSize. */
  readonly strides?: number
  readonly padding?: Padding
}

/**
 * The maximum of each window of steps: `x: [batch, steps, c] -> [batch, steps', c]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences or are shorter than the window.
 * @example
 * ```ts
 * nn.maxPooling1d({ poolSize: 2 })
 * ```
 */
export function maxPooling1d(
  options: Pooling1dOptions = {},
): LayerOf<'maxPooling1d', Steps, readonly [number, 'last']> {
  return pooling1d('maxPooling1d', 'maxPool', options)
}

/**
 * The mean of each window of steps: `x: [batch, steps, c] -> [batch, steps', c]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences or are shorter than the window.
 * @example
 * ```ts
 * nn.averagePooling1d({ poolSize: 2 })
 * ```
 */
export function averagePooling1d(
  options: Pooling1dOptions = {},
): LayerOf<'averagePooling1d', Steps, readonly [number, 'last']> {
  return pooling1d('averagePooling1d', 'avgPool', options)
}

export interface Pooling3dOptions extends LayerOptions {
  /** One number for the three axes, or one each. Default 2. */
  readonly poolSize?: number | readonly [number, number, number]
  /** Default: as poolSize. */
  readonly strides?: number | readonly [number, number, number]
  readonly padding?: Padding
}

/**
 * The maximum of each window of a volume: `x: [batch, d, h, w, c] -> [batch, d', h', w', c]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not volumes or are smaller than the window.
 * @example
 * ```ts
 * nn.maxPooling3d({ poolSize: 2 })
 * ```
 */
export function maxPooling3d(
  options: Pooling3dOptions = {},
): LayerOf<'maxPooling3d', Volume, readonly [number, number, number, 'last']> {
  return pooling3d('maxPooling3d', 'maxPool', options)
}

/**
 * The mean of each window of a volume: `x: [batch, d, h, w, c] -> [batch, d', h', w', c]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not volumes or are smaller than the window.
 * @example
 * ```ts
 * nn.averagePooling3d({ poolSize: [1, 2, 2] })
 * ```
 */
export function averagePooling3d(
  options: Pooling3dOptions = {},
): LayerOf<'averagePooling3d', Volume, readonly [number, number, number, 'last']> {
  return pooling3d('averagePooling3d', 'avgPool', options)
}

/**
 * The maximum over all places: `x: [batch, ..., c] -> [batch, c]`, for sequences, images and volumes.
 *
 * @throws ShardbookError `argument` when samples have no places.
 * @example
 * ```ts
 * nn.globalMaxPooling()
 * ```
 */
export function globalMaxPooling(options: LayerOptions = {}): LayerOf<'globalMaxPooling', 'any', readonly ['last']> {
  return globalPooling('globalMaxPooling', 'max', options)
}

/**
 * The mean over all places: `x: [batch, ..., c] -> [batch, c]`, for sequences, images and volumes.
 *
 * @throws ShardbookError `argument` when samples have no places.
 * @example
 * ```ts
 * nn.globalAveragePooling()
 * ```
 */
export function globalAveragePooling(
  options: LayerOptions = {},
): LayerOf<'globalAveragePooling', 'any', readonly ['last']> {
  return globalPooling('globalAveragePooling', 'mean', options)
}

function globalPooling(kind: string, operation: 'max' | 'mean', options: LayerOptions): Layer {
  return layer(kind, options, {
    infer: (input) => {
      if (input.length >= 2) return { output: input.slice(-1), weights: [] }
      throw new ShardbookError(
        'argument',
        `nn.${kind}: expected samples of shape [..., channels] with places, got ${showShape(input)}.`,
      )
    },
    apply: ({ tf, mask }, x) => {
      const [rows, channels] = [x.shape[0], x.shape.at(-1)!]
      const places = x.shape.slice(1, -1).reduce((a, b) => a * b, 1)
      const flat = tf.reshape(x, [rows, places, channels])
      if (mask === undefined) return tf[operation](flat, 1)
      const counted = tf.reshape(mask, [rows, places, 1])
      if (operation === 'max') return tf.max(tf.add(flat, tf.mul(tf.sub(1, counted), -1e9)), 1)
      return tf.div(tf.sum(tf.mul(flat, counted), 1), tf.maximum(tf.sum(counted, 1), 1))
    },
  })
}

function pooling1d(kind: string, operation: 'maxPool' | 'avgPool', options: Pooling1dOptions): Layer {
  const { padding = 'valid' } = options
  checkOneOf(`nn.${kind}`, 'padding', padding, paddings)
  const size = sizesOf(kind, 'poolSize', options.poolSize ?? 2, 1)
  const strides = sizesOf(kind, 'strides', options.strides ?? size[0]!, 1)
  return layer(kind, options, {
    infer: (input) => {
      checkPlaces(kind, input, 1)
      return { output: [...windowedPlaces(kind, input, size, strides, padding), input[1]!], weights: [] }
    },
    apply: ({ tf }, x) => {
      const [rows, steps, channels] = x.shape as [number, number, number]
      const image = tf.reshape<Rank.R4>(x, [rows, steps, 1, channels])
      const y = tf[operation](image, [size[0]!, 1], [strides[0]!, 1], padding)
      return tf.reshape(y, [rows, y.shape[1], channels])
    },
  })
}

function pooling3d(kind: string, operation: 'maxPool' | 'avgPool', options: Pooling3dOptions): Layer {
  const { padding = 'valid' } = options
  checkOneOf(`nn.${kind}`, 'padding', padding, paddings)
  const size = sizesOf(kind, 'poolSize', options.poolSize ?? 2, 3)
  const strides = sizesOf(kind, 'strides', options.strides ?? size, 3)
  const [[layers, ...area], [step, ...steps]] = [size, strides] as [Three, Three]
  return layer(kind, options, {
    infer: (input) => {
      checkPlaces(kind, input, 3)
      return { output: [...windowedPlaces(kind, input, size, strides, padding), input[3]!], weights: [] }
    },
    // Planes, then along the depth: two-dimensional windows are what every engine is fast in.
    apply: ({ tf }, x) => {
      const [rows, depth, height, width, channels] = x.shape as [number, number, number, number, number]
      const planes = tf.reshape<Rank.R4>(x, [rows * depth, height, width, channels])
      const flat = tf[operation](planes, area, steps, padding)
      const [, down, right] = flat.shape
      const below = tf.reshape<Rank.R4>(flat, [rows, depth, down * right, channels])
      const y = tf[operation](below, [layers, 1], [step, 1], padding)
      return tf.reshape(y, [rows, y.shape[1], down, right, channels])
    },
  })
}

type Three = readonly [number, number, number]

function pooling(kind: string, operation: 'maxPool' | 'avgPool', options: PoolingOptions): Layer {
  const { padding = 'valid' } = options
  checkOneOf(`nn.${kind}`, 'padding', padding, paddings)
  const size = pairOf(kind, 'poolSize', options.poolSize ?? 2)
  const strides = pairOf(kind, 'strides', options.strides ?? size)
  return layer(kind, options, {
    infer: (input) => {
      checkImage(kind, input)
      const [height, width, channels] = input
      const output = [
        windowed(height, size[0], strides[0], padding),
        windowed(width, size[1], strides[1], padding),
        channels,
      ]
      if (output.every((n) => n >= 1)) return { output, weights: [] }
      throw new ShardbookError(
        'argument',
        `nn.${kind}: expected samples at least as large as the window ${showShape(size)}, got ${showShape(input)}.`,
        { hint: "Leave a pooling layer out, or take padding: 'same'." },
      )
    },
    apply: ({ tf }, x) => tf[operation](x as Tensor4D, [...size], [...strides], padding),
    ...(padding === 'valid' ? { window: { size, strides } } : {}),
  })
}
