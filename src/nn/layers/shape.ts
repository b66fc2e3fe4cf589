/** Layers that move numbers about and change none. */
import { checkInteger } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { sizeOf } from '../../core/dtype.js'
import { checkImage, checkSequence, layer, pairOf, showShape } from './layer.js'
import type { Layer, LayerOptions, Pair, Shape } from './layer.js'
import type { LayerOf } from './literal-shapes.js'
/**
 * One axis out of all: `x: [batch, ...] -> [batch, product]`.
 *
 * @example
 * ```ts
 * nn.flatten()
 * ```
 */
export function flatten(options: LayerOptions = {}): LayerOf<'flatten', 'any', 'flat'> {
  return layer('flatten', options, {
    infer: (input) => ({ output: [sizeOf(input)], weights: [] }),
    apply: ({ tf }, x) => tf.reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))]),
  })
}

export interface ReshapeOptions<To extends Shape = Shape> extends LayerOptions {
  readonly shape: To
}

/**
 * The same numbers in another shape: `x: [batch, ...] -> [batch, ...shape]`.
 *
 * @throws ShardbookError `argument` when the sizes differ.
 * @example
 * ```ts
 * nn.reshape({ shape: [7, 7, 16] })
 * ```
 */
export function reshape<const To extends Shape>(
  options: ReshapeOptions<To>,
): LayerOf<'reshape', 'any', readonly ['reshaped', To]> {
  const shape = [...options.shape]
  return layer('reshape', options, {
    infer: (input) => {
      if (sizeOf(input) === sizeOf(shape)) return { output: shape, weights: [] }
      throw new ShardbookError(
        'argument',
        `nn.reshape: expected samples of ${sizeOf(shape)} numbers for ${showShape(shape)}, got ${showShape(input)}.`,
      )
    },
    apply: ({ tf }, x) => tf.reshape(x, [x.shape[0], ...shape]),
  })
}

export interface UpSamplingOptions extends LayerOptions {
  /** Default 2. */
  readonly size?: Pair
}

/**
 * Repeats rows and columns: `x: [batch, h, w, c] -> [batch, h * size, w * size, c]`.
 *
 * @throws ShardbookError `argument` when samples are not images.
 * @example
 * ```ts
 * nn.upSampling2d({ size: 2 })
 * ```
 */
export function upSampling2d(options: UpSamplingOptions = {}): Layer {
  const [down, right] = pairOf('upSampling2d', 'size', options.size ?? 2)
  return layer('upSampling2d', options, {
    infer: (input) => {
      checkImage('upSampling2d', input)
      return { output: [input[0] * down, input[1] * right, input[2]], weights: [] }
    },
    // Copies side by side on a flat axis: two kernels that every engine has, gradients included.
    apply: ({ tf }, x) => {
      const [rows, height, width, channels] = x.shape as [number, number, number, number]
      const places = tf.reshape(x, [rows * height * width, channels])
      const lines = tf.reshape(
        tf.concat(
          Array.from({ length: right }, () => places),
          1,
        ),
        [rows * height, width * right * channels],
      )
      return tf.reshape(
        tf.concat(
          Array.from({ length: down }, () => lines),
          1,
        ),
        [rows, height * down, width * right, channels],
      )
    },
  })
}

export interface UpSampling1dOptions extends LayerOptions {
  /** Default 2. */
  readonly size?: number
}

/**
 * Repeats steps: `x: [batch, steps, c] -> [batch, steps * size, c]`.
 *
 * @throws ShardbookError `argument` for a size below one, and when samples are not sequences.
 * @example
 * ```ts
 * nn.upSampling1d({ size: 2 })
 * ```
 */
export function upSampling1d(options: UpSampling1dOptions = {}): Layer {
  const { size = 2 } = options
  checkInteger('nn.upSampling1d', 'size', size, 1)
  return layer('upSampling1d', options, {
    infer: (input) => {
      checkSequence('upSampling1d', input)
      return { output: [input[0] * size, input[1]], weights: [] }
    },
    apply: ({ tf }, x) => {
      const [rows, steps, channels] = x.shape as [number, number, number]
      const copies = Array.from({ length: size }, () => x)
      return tf.reshape(tf.concat(copies, 2), [rows, steps * size, channels])
    },
  })
}
