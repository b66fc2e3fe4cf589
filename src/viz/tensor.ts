/**
 * Tensors as charts take them: plain data, row-major, whatever made them; and single images cut out of them.
 */
import { show } from '../core/check.js'
import { sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'

/** A tensor as plain data; a `TensorData` is one. */
export interface PlainTensor {
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
}

/** One image, or one channel of one. */
export interface Image {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly values: ArrayLike<number>
}

export function isTensor(value: unknown): value is PlainTensor {
  if (typeof value !== 'object' || value === null) return false
  const { shape, values } = value as Partial<PlainTensor>
  return Array.isArray(shape) && typeof values === 'object' && typeof values?.length === 'number'
}

/** Raises unless `value` is a tensor whose values fill its shape. */
export function checkTensor(caller: string, name: string, value: unknown): asserts value is PlainTensor {
  if (!isTensor(value)) {
    throw new ShardbookError('argument', `${caller}: expected ${name} to be { shape, values }, got ${show(value)}.`)
  }
  const size = sizeOf(value.shape)
  if (value.values.length === size && value.shape.every((n) => Number.isInteger(n) && n > 0)) return
  throw new ShardbookError(
    'argument',
    `${caller}: expected ${name} to hold ${size} values for its shape [${value.shape.join(', ')}], got ${value.values.length}.`,
  )
}

/**
 * The images of a tensor `[h, w]`, `[h, w, c]` or `[n, h, w, c]`.
 *
 * @throws `argument` for another rank
 */
export function imagesOf(caller: string, name: string, value: unknown): readonly Image[] {
  checkTensor(caller, name, value)
  const { shape, values } = value
  if (shape.length < 2 || shape.length > 4) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected ${name} of shape [h, w], [h, w, c] or [n, h, w, c], got [${shape.join(', ')}].`,
    )
  }
  const [height, width, channels = 1] = shape.length === 4 ? shape.slice(1) : shape
  const count = shape.length === 4 ? shape[0]! : 1
  const size = height! * width! * channels
  return Array.from({ length: count }, (_, i) => ({
    height: height!,
    width: width!,
    channels,
    values: part(values, i * size, size),
  }))
}

/** One channel of an image as an image of its own. */
export function channelOf(image: Image, channel: number): Image {
  const { height, width, channels, values } = image
  if (channels === 1) return image
  const own = Float32Array.from({ length: height * width }, (_, i) => values[i * channels + channel]!)
  return { height, width, channels: 1, values: own }
}

/** Least and greatest finite value; `[0, 0]` when there is none. */
export function extent(values: ArrayLike<number>): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!Number.isFinite(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : [0, 0]
}

function part(values: ArrayLike<number>, from: number, length: number): ArrayLike<number> {
  if (from === 0 && values.length === length) return values
  if (ArrayBuffer.isView(values)) return (values as unknown as Float32Array).subarray(from, from + length)
  return Array.from({ length }, (_, i) => values[from + i]!)
}
