/** Convolutions over images, channels last. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import { checkInteger, checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { activate, activationNames, isMonotone } from './activation.js'
import type { ActivationName } from './activation.js'
import { checkDilation, convolve, spanned } from './dilation.js'
import { initializerNames } from './initializer.js'
import type { InitializerName } from './initializer.js'
import { checkImage, layer, pairOf, paddings, showShape, windowed } from './layer.js'
import type { LayerContext, LayerOptions, Padding, Pair } from './layer.js'
import type { Image, LayerOf } from './literal-shapes.js'

export interface Conv2dOptions extends LayerOptions {
  readonly filters: number
  readonly kernelSize: Pair
  readonly strides?: Pair
  readonly padding?: Padding
  readonly activation?: ActivationName
  readonly useBias?: boolean
  readonly kernelInitializer?: InitializerName
}

export interface DilatedConv2dOptions extends Conv2dOptions {
  /** How far apart the places are that the kernel looks at; above 1 only without strides. Default 1: side by side. */
  readonly dilationRate?: Pair
}

/**
 * `activation(x * K + b)`: `x: [batch, h, w, in] -> [batch, h', w', filters]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not images or are smaller than the kernel.
 * @example
 * ```ts
 * nn.conv2d({ filters: 32, kernelSize: 3, activation: 'relu' })
 * ```
 */
export function conv2d<const Filters extends number>(
  options: DilatedConv2dOptions & { readonly filters: Filters },
): LayerOf<'conv2d', Image, readonly [number, number, Filters]> {
  const { activation, padding, kernel, strides } = checkOptions('conv2d', options)
  const rates = pairOf('conv2d', 'dilationRate', options.dilationRate ?? 1)
  checkDilation('conv2d', rates, strides)
  const window = [spanned(kernel[0], rates[0]), spanned(kernel[1], rates[1])] as const
  const linear = ({ tf }: LayerContext, x: Tensor, [weights]: readonly Tensor[]): Tensor =>
    convolve(tf, x as Tensor4D, weights as Tensor4D, { strides, padding, rates })
  const finish = finisher(activation)
  return layer('conv2d', options, {
    infer: (input) => {
      checkImage('conv2d', input)
      const [height, width, channels] = input
      const output = [
        windowed(height, window[0], strides[0], padding),
        windowed(width, window[1], strides[1], padding),
        options.filters,
      ]
      checkOutput('conv2d', input, output, window)
      return { output, weights: weightsOf(options, [...kernel, channels, options.filters], channels) }
    },
    apply: (context, x, weights) => finish(context, linear(context, x, weights), weights),
    ...(isMonotone(activation) ? { halves: { linear, finish } } : {}),
    ...(padding === 'valid' ? { window: { size: window, strides } } : {}),
  })
}

/**
 * The transpose of a convolution, which widens: `x: [batch, h, w, in] -> [batch, h', w', filters]`, with `h' = h * stride`
 * (`same`) or `h * stride + max(kernel - stride, 0)` (`valid`).
 *
 * @throws ShardbookError `argument` for options out of range, and when samples are not images.
 * @example
 * ```ts
 * nn.conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, padding: 'same', activation: 'sigmoid' })
 * ```
 */
export function conv2dTranspose<const Filters extends number>(
  options: Conv2dOptions & { readonly filters: Filters },
): LayerOf<'conv2dTranspose', Image, readonly [number, number, Filters]> {
  const { activation, padding, kernel, strides } = checkOptions('conv2dTranspose', options)
  const widened = (size: number, axis: 0 | 1): number =>
    size * strides[axis] + (padding === 'same' ? 0 : Math.max(kernel[axis] - strides[axis], 0))
  const finish = finisher(activation)
  return layer('conv2dTranspose', options, {
    infer: (input) => {
      checkImage('conv2dTranspose', input)
      const [height, width, channels] = input
      return {
        output: [widened(height, 0), widened(width, 1), options.filters],
        weights: weightsOf(options, [...kernel, options.filters, channels], channels),
      }
    },
    apply: (context, x, weights) => {
      const [rows, height, width] = x.shape as [number, number, number]
      const output = [rows, widened(height, 0), widened(width, 1), options.filters] as [number, number, number, number]
      const kernelTensor = weights[0]! as Tensor4D
      return finish(
        context,
        context.tf.conv2dTranspose(x as Tensor4D, kernelTensor, output, [...strides], padding),
        weights,
      )
    },
  })
}

function checkOptions(kind: string, options: Conv2dOptions) {
  const { activation = 'linear', padding = 'valid', kernelInitializer = 'glorotUniform' } = options
  checkInteger(`nn.${kind}`, 'filters', options.filters, 1)
  checkOneOf(`nn.${kind}`, 'activation', activation, activationNames)
  checkOneOf(`nn.${kind}`, 'padding', padding, paddings)
  checkOneOf(`nn.${kind}`, 'kernelInitializer', kernelInitializer, initializerNames)
  const kernel = pairOf(kind, 'kernelSize', options.kernelSize)
  return { activation, padding, kernel, strides: pairOf(kind, 'strides', options.strides ?? 1) }
}

function weightsOf(options: Conv2dOptions, kernelShape: readonly number[], channels: number) {
  const { filters, useBias = true, kernelInitializer = 'glorotUniform' } = options
  const places = kernelShape[0]! * kernelShape[1]!
  const initial = { kind: kernelInitializer, fanIn: places * channels, fanOut: places * filters }
  return [
    { name: 'kernel', shape: kernelShape, initial },
    ...(useBias ? [{ name: 'bias', shape: [filters], initial: { kind: 'zeros' } } as const] : []),
  ]
}

function finisher(activation: ActivationName) {
  return ({ tf }: LayerContext, x: Tensor, [, bias]: readonly Tensor[]): Tensor =>
    activate(tf, activation, bias === undefined ? x : tf.add(x, bias))
}

function checkOutput(kind: string, input: readonly number[], output: readonly number[], window: Pair): void {
  if (output.every((n) => n >= 1)) return
  throw new ShardbookError(
    'argument',
    `nn.${kind}: expected samples at least as large as the window ${JSON.stringify(window)}, got ${showShape(input)}.`,
    { hint: "padding: 'same' keeps the size." },
  )
}
