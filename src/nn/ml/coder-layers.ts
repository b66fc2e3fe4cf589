/** The layers of encoders and decoders, dense or convolutional: the decoder mirrors the encoder. */
import { show } from '../../core/check.js'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { ActivationName } from '../layers/activation.js'
import { conv2d, conv2dTranspose } from '../layers/convolution.js'
import { dense } from '../layers/dense.js'
import { showShape } from '../layers/layer.js'
import type { Layer, Shape } from '../layers/layer.js'
import { cropping2d } from '../layers/padding.js'
import { flatten, reshape } from '../layers/shape.js'

export interface CoderOptions {
  /**
   * Sizes of the encoder's layers, the last being the size of the code; the decoder mirrors them: units, or with
   * `convolutional` filters, each at half the width and height of the one before. Default [128, 32], convolutional [16, 32, 32].
   */
  readonly layers?: readonly number[]
  /** Whether the network is convolutional; the column then holds images. Default false. */
  readonly convolutional?: boolean
}

export function sizesOf({ layers, convolutional = false }: CoderOptions): readonly number[] {
  return layers ?? (convolutional ? [16, 32, 32] : [128, 32])
}

/** @throws ShardbookError `argument` unless layers are sizes */
export function checkCoderOptions(caller: string, options: CoderOptions): void {
  const sizes: unknown = sizesOf(options)
  const isSizes = Array.isArray(sizes) && sizes.length > 0 && sizes.every((n) => Number.isInteger(n) && n >= 1)
  if (isSizes) return
  throw new ShardbookError(
    'argument',
    `${caller}: expected layers to be sizes, the last that of the code, got ${show(sizes)}.`,
    { hint: 'For example [100, 50].' },
  )
}

/** @throws ShardbookError `column` for a convolutional network over samples that are no images */
export function checkCoded(caller: string, name: string, shape: Shape, { convolutional = false }: CoderOptions): void {
  if (!convolutional || shape.length === 2 || shape.length === 3) return
  throw new ShardbookError(
    'column',
    `${caller}: expected '${name}' to hold images [height, width, channels], got tensors ${showShape(shape)}.`,
    { hint: 'Leave out convolutional: true for vectors.' },
  )
}

/** From the sample to `heads` codes side by side: `[...shape] -> [heads * code]`. */
export function encoderLayers(shape: Shape, options: CoderOptions, heads: number): Layer[] {
  const sizes = sizesOf(options)
  const before = sizes.slice(0, -1)
  const code = dense({ units: heads * sizes.at(-1)!, name: 'code' })
  if (!options.convolutional) {
    const hidden = before.map((units, i) => dense({ units, activation: 'relu', name: `encoder${i + 1}` }))
    return [flatten({ name: 'flatten' }), ...hidden, code]
  }
  return [
    ...(shape.length === 2 ? [reshape({ shape: [...shape, 1], name: 'channel' })] : []),
    ...before.map((filters, i) =>
      conv2d({
        filters,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        activation: 'relu',
        kernelInitializer: 'heUniform',
        name: `encoder${i + 1}`,
      }),
    ),
    flatten({ name: 'flatten' }),
    code,
  ]
}

/** From a code to the sample: `[code] -> [...shape]`. */
export function decoderLayers(shape: Shape, options: CoderOptions, activation: ActivationName): Layer[] {
  const before = sizesOf(options).slice(0, -1).toReversed()
  if (!options.convolutional) {
    const hidden = before.map((units, i) => dense({ units, activation: 'relu', name: `decoder${i + 1}` }))
    return [...hidden, dense({ units: sizeOf(shape), activation, name: 'output' }), reshape({ shape, name: 'shape' })]
  }
  return imageLayers({ shape, filters: before, activation, name: 'decoder', inner: [] })
}

export interface ImageLayersOptions {
  readonly shape: Shape
  /** Of the layers before the last one, each at half the size of the next. */
  readonly filters: readonly number[]
  readonly activation: ActivationName
  readonly name: string
  /** Layers behind each of those, made anew for each. */
  readonly inner: readonly (() => Layer)[]
}

/** From a vector to an image: `[code] -> [...shape]`, twice as wide and high with each layer. */
export function imageLayers({ shape, filters, activation, name, inner }: ImageLayersOptions): Layer[] {
  const [height, width, channels = 1] = shape as [number, number, number?]
  const halved = (size: number): number => filters.reduce((n) => Math.ceil(n / 2), size)
  const [low, narrow] = [halved(height), halved(width)]
  const first = filters[0] ?? channels
  const scale = 2 ** filters.length
  const [bottom, right] = [low * scale - height, narrow * scale - width]
  return [
    dense({ units: low * narrow * first, name: `${name}0`, kernelInitializer: 'heUniform' }),
    reshape({ shape: [low, narrow, first], name: `${name}Shape` }),
    ...filters.flatMap((_, i) => [
      ...inner.map((make) => make()),
      conv2dTranspose({
        filters: filters[i + 1] ?? filters.at(-1)!,
        kernelSize: 4,
        strides: 2,
        padding: 'same',
        ...(inner.length === 0 ? { activation: 'relu' as const } : {}),
        name: `${name}${i + 1}`,
      }),
    ]),
    ...inner.map((make) => make()),
    ...(bottom > 0 || right > 0
      ? [
          cropping2d({
            size: [
              [0, bottom],
              [0, right],
            ],
            name: 'crop',
          }),
        ]
      : []),
    conv2d({ filters: channels, kernelSize: 3, padding: 'same', activation, name: 'output' }),
    ...(shape.length === 2 ? [reshape({ shape, name: 'shape' })] : []),
  ]
}
