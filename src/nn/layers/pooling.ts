/** Pooling over images, channels last. */
import type { Tensor4D } from '@tensorflow/tfjs-core'
import { checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { checkImage, layer, pairOf, paddings, showShape, windowed } from './layer.js'
import type { Layer, LayerOptions, Padding, Pair } from './layer.js'

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
export function maxPooling2d(options: PoolingOptions = {}): Layer {
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
export function averagePooling2d(options: PoolingOptions = {}): Layer {
  return pooling('averagePooling2d', 'avgPool', options)
}

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
  })
}
