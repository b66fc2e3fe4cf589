/** Layers that widen samples with zeros or take parts of them. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerContext, LayerOptions, Shape } from './layer.js'
import { checkPlaces } from './window.js'

/** How much at the beginning and at the end; one number for both. */
type Edge = number | readonly [number, number]

export interface Edges1dOptions extends LayerOptions {
  /** Default 1. */
  readonly size?: Edge
}

export interface Edges2dOptions extends LayerOptions {
  /** One number for all edges, or `[rows, columns]`, each one number or `[before, after]`. Default 1. */
  readonly size?: number | readonly [Edge, Edge]
}

/**
 * Steps of zeros before and after: `x: [batch, steps, c] -> [batch, steps + 2 * size, c]`.
 *
 * @throws ShardbookError `argument` for a size that is no whole number, and when samples are not sequences.
 * @example
 * ```ts
 * nn.zeroPadding1d({ size: [2, 0] })
 * ```
 */
export function zeroPadding1d(options: Edges1dOptions = {}): Layer {
  return edges('zeroPadding1d', options, [options.size ?? 1], 1)
}

/**
 * Zeros around images: `x: [batch, h, w, c] -> [batch, h + 2 * size, w + 2 * size, c]`.
 *
 * @throws ShardbookError `argument` for sizes that are no whole numbers, and when samples are not images.
 * @example
 * ```ts
 * nn.zeroPadding2d({ size: [1, [0, 2]] })
 * ```
 */
export function zeroPadding2d(options: Edges2dOptions = {}): Layer {
  return edges('zeroPadding2d', options, bothAxes(options.size), 1)
}

/**
 * Leaves out the first and last steps: `x: [batch, steps, c] -> [batch, steps - 2 * size, c]`.
 *
 * @throws ShardbookError `argument` for a size that is no whole number, and when samples are not sequences or nothing is left.
 * @example
 * ```ts
 * nn.cropping1d({ size: 1 })
 * ```
 */
export function cropping1d(options: Edges1dOptions = {}): Layer {
  return edges('cropping1d', options, [options.size ?? 1], -1)
}

/**
 * Leaves out the edges of images: `x: [batch, h, w, c] -> [batch, h - 2 * size, w - 2 * size, c]`.
 *
 * @throws ShardbookError `argument` for sizes that are no whole numbers, and when samples are not images or nothing is left.
 * @example
 * ```ts
 * nn.cropping2d({ size: 2 })
 * ```
 */
export function cropping2d(options: Edges2dOptions = {}): Layer {
  return edges('cropping2d', options, bothAxes(options.size), -1)
}

export interface SliceOptions extends LayerOptions {
  /** First position along a sample's first axis. */
  readonly start: number
  /** How many positions. */
  readonly size: number
}

/**
 * A part of each sample along its first axis: `x: [batch, n, ...] -> [batch, size, ...]`.
 *
 * @throws ShardbookError `argument` for positions out of range.
 * @example
 * ```ts
 * nn.slice({ start: 0, size: 10 })
 * ```
 */
export function slice(options: SliceOptions): Layer {
  const { start, size } = options
  checkInteger('nn.slice', 'start', start, 0)
  checkInteger('nn.slice', 'size', size, 1)
  return layer('slice', options, {
    infer: (input) => {
      if (start + size <= input[0]!) return { output: [size, ...input.slice(1)], weights: [] }
      throw new ShardbookError(
        'argument',
        `nn.slice: expected samples of at least ${start + size} along the first axis, got ${showShape(input)}.`,
      )
    },
    apply: ({ tf }, x) =>
      tf.slice(
        x,
        x.shape.map((_, axis) => (axis === 1 ? start : 0)),
        [x.shape[0], size, ...x.shape.slice(2)],
      ),
  })
}

function bothAxes(size: Edges2dOptions['size'] = 1): readonly Edge[] {
  return typeof size === 'number' ? [size, size] : size
}

function edges(kind: string, options: LayerOptions, given: readonly Edge[], sign: 1 | -1): Layer {
  const sizes = given.map((edge) => (typeof edge === 'number' ? [edge, edge] : edge))
  for (const edge of sizes) for (const amount of edge) checkInteger(`nn.${kind}`, 'size', amount, 0)
  const resized = (shape: Shape): number[] =>
    shape.map((n, axis) => n + sign * (sizes[axis]?.[0] ?? 0) + sign * (sizes[axis]?.[1] ?? 0))
  return layer(kind, options, {
    infer: (input) => {
      checkPlaces(kind, input, sizes.length)
      const output = resized(input)
      if (output.every((n) => n >= 1)) return { output, weights: [] }
      throw new ShardbookError(
        'argument',
        `nn.${kind}: expected samples larger than what is left out, got ${showShape(input)}.`,
      )
    },
    apply: ({ tf }: LayerContext, x: Tensor) => {
      if (sign === 1) return tf.pad(x, [[0, 0], ...sizes.map(([a, b]): [number, number] => [a, b]), [0, 0]])
      return tf.slice(x, [0, ...sizes.map(([before]) => before), 0], [x.shape[0], ...resized(x.shape.slice(1))])
    },
  })
}
