/** `ImageFeature`: pictures as tensors of one size, ready for a network. */
import { checkInteger, checkOneOf, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { ImageShape } from '../../../frame/io/image.js'
import type { Column, Plan, Tensor } from '../../../frame/index.js'
import { checkNames, computed, FeatureStage, inputColumn, isText, withColumns } from '../column-stage.js'
import type { Col } from '../stage-types.js'
import { picture, type PicturePayload } from './kernels/images.js'

export interface ImageFeatureOptions<Input extends string = string, Output extends string = string> {
  /** Column of paths of pictures, or of tensors of bytes `[height, width]` or `[height, width, channels]`. */
  readonly inputCol: Input
  /** Column of tensors `[height, width, channels]` of float32. */
  readonly outputCol: Output
  readonly height: number
  readonly width: number
  /** 1 grey, 3 colour, 4 colour and opacity. Default 3. */
  readonly channels?: 1 | 3 | 4
  /** Whether a picture of another shape is stretched, or covers the new one and is cropped at both sides. Default `'fill'`. */
  readonly fit?: 'fill' | 'cover'
  /** What a byte is multiplied by first. Default 1/255. */
  readonly scale?: number
  /** Taken off each channel after that. Default 0. */
  readonly mean?: readonly number[]
  /** Each channel is then divided by it. Default 1. */
  readonly std?: readonly number[]
}

const kind = 'ImageFeature'

/**
 * Decodes, turns upright, resizes, crops and normalises pictures: `(byte scale - mean) / std`.
 *
 * @throws ShardbookError `argument` for sizes out of range.
 * @example
 * ```ts
 * const pictures = new ml.ImageFeature({ inputCol: 'path', outputCol: 'image', height: 32, width: 32, fit: 'cover' })
 * const rows = pictures.transform(frame([{ path: 'cat.png' }]))
 * ```
 */
export class ImageFeature<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, string | Tensor>,
  Col<Output, Tensor>
> {
  readonly kind = kind
  readonly options: ImageFeatureOptions<Input, Output>
  readonly #payload: PicturePayload
  readonly #payloads = new Map<string, PicturePayload>()

  constructor(options: ImageFeatureOptions<Input, Output>) {
    super()
    const { height, width, channels = 3, fit = 'fill', scale = 1 / 255 } = options
    checkNames(kind, options, 'inputCol', 'outputCol')
    for (const [name, size] of Object.entries({ height, width })) checkInteger(kind, name, size, 1, 8192)
    checkOneOf(kind, 'fit', fit, ['fill', 'cover'])
    if (![1, 3, 4].includes(channels)) {
      throw new ShardbookError('argument', `${kind}: expected channels to be 1, 3 or 4, got ${show(channels)}.`)
    }
    const [mean, std] = [options.mean ?? [0], options.std ?? [1]].map((values, i) => {
      if (values.length === channels) return values
      if (values.length === 1) return Array.from({ length: channels }, () => values[0]!)
      throw new ShardbookError(
        'argument',
        `${kind}: expected ${i === 0 ? 'mean' : 'std'} to have a number a channel (${channels}), got ${values.length}.`,
      )
    })
    this.options = Object.freeze({ ...options })
    this.#payload = {
      shape: [height, width, channels],
      fit,
      scale: std!.map((each) => scale / each),
      shift: mean!.map((each, c) => -each / std![c]!),
    }
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const what = 'paths of pictures, or tensors of bytes [height, width, channels]'
    const column = inputColumn(
      caller,
      input.schema,
      inputCol,
      what,
      (each) => isText(each) || shapeOf(each) !== undefined,
    )
    const from = shapeOf(column)
    let payload = this.#payload
    if (from !== undefined) {
      payload = this.#payloads.get(from.join()) ?? { ...this.#payload, from }
      this.#payloads.set(from.join(), payload)
    }
    const type = { kind: 'tensor', dtype: 'float32', shape: this.#payload.shape, held: 'inline' } as const
    const { nullable } = column
    return withColumns(caller, input, computed(outputCol, picture, payload, [inputCol], { type, nullable }))
  }
}

function shapeOf({ type }: Column): ImageShape | undefined {
  if (type.kind !== 'tensor') return undefined
  const [height, width, channels = 1] = type.shape
  const isImage = (type.shape.length === 2 || type.shape.length === 3) && [1, 3, 4].includes(channels)
  return isImage ? [height!, width!, channels] : undefined
}
