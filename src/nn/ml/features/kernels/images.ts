/** Pictures as tensors of one size, as a row function: from files, or from tensors of bytes. */
import type { RowFunction, StringRows, TensorRows } from '../../../../frame/row-function.js'
import { readImage, type ImageFit, type ImageShape } from '../../../../frame/io/image.js'

export interface PicturePayload {
  readonly shape: ImageShape
  readonly fit: ImageFit
  /** Value `v` of a byte becomes `v * scale[c] + shift[c]`. */
  readonly scale: readonly number[]
  readonly shift: readonly number[]
  /** Of tensors that come in. */
  readonly from?: ImageShape
}

export const picture = {
  kind: 'picture',
  make: ({ shape, fit, scale, shift, from }: PicturePayload): RowFunction => {
    const [height, width, channels] = shape
    const size = height * width * channels
    const bytes = new Uint8Array(size)
    return ([input], rows) => {
      const { valid } = input!
      const values = new Float32Array(rows * size)
      for (let row = 0; row < rows; row++) {
        if (valid !== null && valid[row] === 0) continue
        const at = row * size
        let pixels: ArrayLike<number> = bytes
        if (input!.kind === 'strings') {
          const { bytes: text, starts, ends } = input as StringRows
          readImage(new TextDecoder().decode(text.subarray(starts[row], ends[row])), shape, bytes, fit)
        } else {
          const { values: own, width: length } = input as TensorRows
          pixels = resized(own.subarray(row * length, (row + 1) * length), from!, shape, fit)
        }
        for (let i = 0; i < size; i++) values[at + i] = pixels[i]! * scale[i % channels]! + shift[i % channels]!
      }
      return { kind: 'tensors', width: size, values, valid }
    }
  },
}

/** Bilinear, each pixel's centre on the line; `cover` cuts what is over at both sides, `fill` stretches. */
function resized(
  pixels: ArrayLike<number>,
  [height, width, channels]: ImageShape,
  [toHeight, toWidth, toChannels]: ImageShape,
  fit: ImageFit,
): Float64Array {
  const cover = Math.min(height / toHeight, width / toWidth)
  const [stepY, stepX] = fit === 'cover' ? [cover, cover] : [height / toHeight, width / toWidth]
  const [top, left] = [(height - toHeight * stepY) / 2, (width - toWidth * stepX) / 2]
  const out = new Float64Array(toHeight * toWidth * toChannels)
  const own = new Float64Array(channels)
  for (let y = 0; y < toHeight; y++) {
    const [y0, y1, dy] = between(top + (y + 0.5) * stepY - 0.5, height)
    for (let x = 0; x < toWidth; x++) {
      const [x0, x1, dx] = between(left + (x + 0.5) * stepX - 0.5, width)
      for (let c = 0; c < channels; c++) {
        const pixel = (row: number, column: number): number => pixels[(row * width + column) * channels + c]!
        const upper = pixel(y0, x0) * (1 - dx) + pixel(y0, x1) * dx
        const lower = pixel(y1, x0) * (1 - dx) + pixel(y1, x1) * dx
        own[c] = upper * (1 - dy) + lower * dy
      }
      const at = (y * toWidth + x) * toChannels
      for (let c = 0; c < toChannels; c++) out[at + c] = channelOf(own, toChannels, c)
    }
  }
  return out
}

function between(at: number, size: number): [number, number, number] {
  const low = Math.min(size - 1, Math.max(0, Math.floor(at)))
  return [low, Math.min(size - 1, low + 1), Math.min(1, Math.max(0, at - low))]
}

/** Grey from colour by luminance, colour from grey by repeating it; opacity is full where there is none. */
function channelOf(own: Float64Array, wanted: number, c: number): number {
  if (own.length === wanted) return own[c]!
  if (c === 3) return 255
  if (own.length >= 3) return wanted === 1 ? 0.299 * own[0]! + 0.587 * own[1]! + 0.114 * own[2]! : own[c]!
  return own[0]!
}
