/** Convolutions over other than images, and those that keep channels apart; channels last. */
import type { Rank, Tensor, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core'
import { checkInteger, checkOneOf } from '../../core/check.js'
import { activate, activationNames } from './activation.js'
import type { ActivationName } from './activation.js'
import { checkDilation, convolve, spanned } from './dilation.js'
import { initializerNames } from './initializer.js'
import type { InitializerName } from './initializer.js'
import { layer, paddings, windowed } from './layer.js'
import type { Layer, LayerContext, LayerOptions, Padding, Pair, Shape, WeightSpec } from './layer.js'
import type { LayerOf, Steps, Volume } from './literal-shapes.js'
import { checkPlaces, sizesOf, windowedPlaces } from './window.js'

interface ConvolutionOptions extends LayerOptions {
  readonly padding?: Padding
  readonly activation?: ActivationName
  readonly useBias?: boolean
  readonly kernelInitializer?: InitializerName
}

export interface Conv1dOptions extends Omit<ConvolutionOptions, 'padding'> {
  readonly filters: number
  readonly kernelSize: number
  readonly strides?: number
  /** `'causal'` pads the beginning only: no output sees a later step. Default `'valid'`. */
  readonly padding?: Padding | 'causal'
  /** How far apart the steps are that the kernel looks at; above 1 only without strides. Default 1: side by side. */
  readonly dilationRate?: number
}

/**
 * A convolution over steps: `x: [batch, steps, in] -> [batch, steps', filters]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not sequences or are shorter than the kernel.
 * @example
 * ```ts
 * nn.conv1d({ filters: 32, kernelSize: 5, activation: 'relu' })
 * ```
 */
export function conv1d<const Filters extends number>(
  options: Conv1dOptions & { readonly filters: Filters },
): LayerOf<'conv1d', Steps, readonly [number, Filters]> {
  const { filters, padding: given = 'valid', ...others } = options
  checkInteger('nn.conv1d', 'filters', filters, 1)
  checkOneOf('nn.conv1d', 'padding', given, [...paddings, 'causal'])
  const causal = given === 'causal'
  const padding = causal ? 'valid' : given
  const { window, strides, finish, biased, initial } = checkOptions('conv1d', others, options, 1)
  const [size, stride] = [window[0]!, strides[0]!]
  const [rate] = sizesOf('conv1d', 'dilationRate', options.dilationRate ?? 1, 1) as [number]
  checkDilation('conv1d', [rate], strides)
  const span = spanned(size, rate)
  const before = causal ? span - 1 : 0
  return layer('conv1d', options, {
    infer: (input) => {
      checkPlaces('conv1d', input, 1)
      const [steps, channels] = input as [number, number]
      const output = windowedPlaces('conv1d', [steps + before, channels], [span], strides, padding)
      const weights = biased([kernelSpec([size, channels, filters], initial, size * channels, size * filters)], filters)
      return { output: [...output, filters], weights }
    },
    // As images of one column: two-dimensional convolutions are what every engine is fast in.
    apply: (context, x, [kernel, bias]) => {
      const { tf } = context
      const [rows, steps, channels] = x.shape as [number, number, number]
      const padded =
        before === 0
          ? x
          : tf.pad(x, [
              [0, 0],
              [before, 0],
              [0, 0],
            ])
      const image = tf.reshape<Rank.R4>(padded, [rows, steps + before, 1, channels])
      const filter = tf.reshape<Rank.R4>(kernel!, [size, 1, channels, filters])
      const y = convolve(tf, image, filter, { strides: [stride, 1], padding, rates: [rate, 1] })
      return finish(context, tf.reshape(y, [rows, y.shape[1], filters]), bias)
    },
  })
}

export interface Conv3dOptions extends ConvolutionOptions {
  readonly filters: number
  /** One number for the three axes, or one each. */
  readonly kernelSize: number | readonly [number, number, number]
  readonly strides?: number | readonly [number, number, number]
}

/**
 * A convolution over volumes: `x: [batch, d, h, w, in] -> [batch, d', h', w', filters]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not volumes or are smaller than the kernel.
 * @example
 * ```ts
 * nn.conv3d({ filters: 8, kernelSize: 3, padding: 'same' })
 * ```
 */
export function conv3d<const Filters extends number>(
  options: Conv3dOptions & { readonly filters: Filters },
): LayerOf<'conv3d', Volume, readonly [number, number, number, Filters]> {
  const { filters } = options
  checkInteger('nn.conv3d', 'filters', filters, 1)
  const { window, strides, padding, finish, biased, initial } = checkOptions('conv3d', options, options, 3)
  return layer('conv3d', options, {
    infer: (input) => {
      checkPlaces('conv3d', input, 3)
      const [channels, places] = [input[3]!, product(window)]
      const kernel = kernelSpec([...window, channels, filters], initial, places * channels, places * filters)
      return {
        output: [...windowedPlaces('conv3d', input, window, strides, padding), filters],
        weights: biased([kernel], filters),
      }
    },
    apply: (context, x, [kernel, bias]) => {
      const y = convolve3d(context, x as Tensor5D, kernel as Tensor5D, strides as [number, number, number], padding)
      return finish(context, y, bias)
    },
  })
}

/**
 * A convolution over volumes as a sum of convolutions over images, one a layer of the kernel: every engine has their gradients
 * (tfjs-backend-wasm 4.22 has that of volumes wrong).
 */
function convolve3d(
  { tf }: LayerContext,
  x: Tensor5D,
  kernel: Tensor5D,
  [stride, ...strides]: readonly [number, number, number],
  padding: Padding,
): Tensor {
  const [rows, depth, height, width, channels] = x.shape
  const [layers, ...rest] = kernel.shape
  const planes = windowed(depth, layers, stride, padding)
  // Each layer of the kernel takes every stride-th plane: the first of as many that lie one below the other.
  const before = padding === 'same' ? Math.floor(Math.max((planes - 1) * stride + layers - depth, 0) / 2) : 0
  const after = Math.max(layers - 1 + planes * stride - before - depth, 0)
  const none: [number, number] = [0, 0]
  const padded = tf.pad(x, [none, [before, after], none, none, none])
  const parts = Array.from({ length: layers }, (_, at) => {
    const taken = tf.slice(padded, [0, at, 0, 0, 0], [rows, planes * stride, height, width, channels])
    const below = tf.reshape<Rank.R4>(taken, [rows * planes, stride * height, width, channels])
    const filter = tf.reshape<Rank.R4>(tf.slice(kernel, at, 1), rest)
    return tf.conv2d(tf.slice(below, 0, [rows * planes, height, width, channels]), filter, strides, padding)
  })
  const sum = tf.addN(parts)
  return tf.reshape(sum, [rows, planes, ...sum.shape.slice(1)])
}

export interface DepthwiseConv2dOptions extends ConvolutionOptions {
  readonly kernelSize: Pair
  readonly strides?: number
  /** Filters for each channel. Default 1. */
  readonly depthMultiplier?: number
}

/**
 * A convolution of each channel alone: `x: [batch, h, w, in] -> [batch, h', w', in * depthMultiplier]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not images or are smaller than the kernel.
 * @example
 * ```ts
 * nn.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 })
 * ```
 */
export function depthwiseConv2d(options: DepthwiseConv2dOptions): Layer {
  const rule = depthwise('depthwiseConv2d', options)
  const { finish, biased } = checkOptions('depthwiseConv2d', options, options, 2)
  return layer('depthwiseConv2d', options, {
    infer: (input) => {
      const { output, kernel } = rule.infer(input)
      return { output, weights: biased([{ ...kernel, name: 'kernel' }], output[2]!) }
    },
    apply: (context, x, [kernel, bias]) => finish(context, rule.apply(context, x, kernel!), bias),
  })
}

export interface SeparableConv2dOptions extends DepthwiseConv2dOptions {
  readonly filters: number
}

/**
 * A convolution of each channel alone, then one of all channels place by place (Chollet, 2017):
 * `x: [batch, h, w, in] -> [batch, h', w', filters]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not images or are smaller than the kernel.
 * @example
 * ```ts
 * nn.separableConv2d({ filters: 32, kernelSize: 3, activation: 'relu' })
 * ```
 */
export function separableConv2d(options: SeparableConv2dOptions): Layer {
  const { filters } = options
  checkInteger('nn.separableConv2d', 'filters', filters, 1)
  const rule = depthwise('separableConv2d', options)
  const { finish, biased, initial } = checkOptions('separableConv2d', options, options, 2)
  return layer('separableConv2d', options, {
    infer: (input) => {
      const { output, kernel } = rule.infer(input)
      const [height, width, channels] = output as [number, number, number]
      const pointwise = kernelSpec([1, 1, channels, filters], initial, channels, filters)
      return {
        output: [height, width, filters],
        weights: biased([kernel, { ...pointwise, name: 'pointwiseKernel' }], filters),
      }
    },
    apply: (context, x, [kernel, pointwise, bias]) => {
      const y = rule.apply(context, x, kernel!)
      return finish(context, context.tf.conv2d(y, pointwise as Tensor4D, 1, 'valid'), bias)
    },
  })
}

function depthwise(kind: string, options: DepthwiseConv2dOptions) {
  const { depthMultiplier = 1, strides: stride = 1 } = options
  checkInteger(`nn.${kind}`, 'depthMultiplier', depthMultiplier, 1)
  checkInteger(`nn.${kind}`, 'strides', stride, 1)
  const { window, strides, padding, initial } = checkOptions(kind, options, options, 2)
  return {
    infer: (input: Shape) => {
      checkPlaces(kind, input, 2)
      const [channels, places] = [input[2]!, product(window)]
      const kernel = kernelSpec(
        [...window, channels, depthMultiplier],
        initial,
        places * channels,
        places * depthMultiplier,
      )
      return {
        output: [...windowedPlaces(kind, input, window, strides, padding), channels * depthMultiplier],
        kernel: { ...kernel, name: 'depthwiseKernel' },
      }
    },
    apply: ({ tf }: LayerContext, x: Tensor, kernel: Tensor): Tensor4D =>
      tf.depthwiseConv2d(x as Tensor4D, kernel as Tensor4D, stride, padding),
  }
}

interface Windows {
  readonly kernelSize: number | readonly number[]
  readonly strides?: number | readonly number[]
}

function checkOptions(kind: string, options: ConvolutionOptions, { kernelSize, strides = 1 }: Windows, axes: number) {
  const { activation = 'linear', padding = 'valid', kernelInitializer = 'glorotUniform', useBias = true } = options
  checkOneOf(`nn.${kind}`, 'activation', activation, activationNames)
  checkOneOf(`nn.${kind}`, 'padding', padding, paddings)
  checkOneOf(`nn.${kind}`, 'kernelInitializer', kernelInitializer, initializerNames)
  const bias = (size: number): WeightSpec[] =>
    useBias ? [{ name: 'bias', shape: [size], initial: { kind: 'zeros' } }] : []
  return {
    window: sizesOf(kind, 'kernelSize', kernelSize, axes),
    strides: sizesOf(kind, 'strides', strides, axes),
    padding,
    initial: kernelInitializer,
    biased: (kernels: readonly WeightSpec[], size: number): WeightSpec[] => [...kernels, ...bias(size)],
    finish: ({ tf }: LayerContext, x: Tensor, added: Tensor | undefined): Tensor =>
      activate(tf, activation, added === undefined ? x : tf.add(x, added)),
  }
}

function kernelSpec(shape: Shape, kind: InitializerName, fanIn: number, fanOut: number): WeightSpec {
  return { name: 'kernel', shape, initial: { kind, fanIn, fanOut } }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1)
}
