/**
 * Pictures as tensors: decoded, turned upright, stretched to one size, with one number of channels. Decoding is synchronous
 * and happens when a batch is made, so that a folder of pictures costs the memory of a batch.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ShardbookError } from '../../core/errors.js'
import { ioError } from '../../store/io-error.js'

/** Rows, columns, channels: 1 grey, 3 colour, 4 colour and opacity. */
export type ImageShape = readonly [height: number, width: number, channels: number]

type Vendor = typeof import('@napi-rs/image')
let vendor: Vendor | undefined

/** The vendor's module, loaded at first use; `import()` would make all reading of tensors asynchronous. */
function load(): Vendor {
  return (vendor ??= createRequire(import.meta.url)('@napi-rs/image') as Vendor)
}

/** Height and width of a picture, upright. @throws `io`, `data` */
export function imageSize(path: string): { height: number; width: number } {
  return decoding(path, (bytes) => {
    const { height, width, orientation = 1 } = new (load().Transformer)(bytes).metadataSync(true)
    return orientation >= 5 ? { height: width, width: height } : { height, width }
  })
}

/** How a picture of another shape comes to its own: stretched, or covering it and cropped at both sides. */
export type ImageFit = 'fill' | 'cover'

/** Writes a picture's values, row-major, to `into`. @throws `io`, `data` */
export function readImage(
  path: string,
  [height, width, channels]: ImageShape,
  into: Uint8Array,
  fit: ImageFit = 'fill',
): void {
  decoding(path, (bytes) => {
    const { Transformer, ResizeFilterType, ResizeFit } = load()
    const picture = new Transformer(bytes)
    const { colorType, ...size } = picture.metadataSync(true)
    const own = size.orientation ?? 1
    if (own > 1) picture.rotate()
    const upright = own >= 5 ? [size.width, size.height] : [size.height, size.width]
    if (upright[0] !== height || upright[1] !== width) {
      picture.resize({
        height,
        width,
        filter: ResizeFilterType.Triangle,
        fit: fit === 'fill' ? ResizeFit.Fill : ResizeFit.Cover,
      })
    }
    spread(toBytes(picture.rawPixelsSync(), colorType), channelsOf(colorType), channels, into)
  })
}

function decoding<T>(path: string, work: (bytes: Uint8Array) => T): T {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw ioError('read.images', 'read', path, cause)
  }
  try {
    return work(bytes)
  } catch (cause) {
    if (cause instanceof ShardbookError) throw cause
    const why = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '')
    throw new ShardbookError('data', `read.images: expected a picture at ${path}, got another file (${why}).`, {
      hint: 'It is truncated, or of a format that is not known: JPEG, PNG, WebP, AVIF, TIFF, GIF, BMP are.',
      cause,
    })
  }
}

/** Channels of the vendor's colour types, which come in fours: grey, grey with opacity, colour, colour with opacity. */
function channelsOf(colorType: number): number {
  return colorType >= 8 ? colorType - 5 : (colorType % 4) + 1
}

/** Values of 16 bits or of floating point in [0, 1] as bytes. */
function toBytes(pixels: Buffer, colorType: number): Uint8Array {
  if (colorType < 4) return pixels
  if (colorType < 8) return Uint8Array.from({ length: pixels.length / 2 }, (_, i) => pixels.readUInt16LE(i * 2) >> 8)
  return Uint8Array.from({ length: pixels.length / 4 }, (_, i) => {
    return Math.round(Math.min(1, Math.max(0, pixels.readFloatLE(i * 4))) * 255)
  })
}

/** From a number of channels to another one; opacity is dropped or full. */
function spread(from: Uint8Array, own: number, wanted: number, into: Uint8Array): void {
  if (own === wanted) {
    into.set(from.subarray(0, into.length))
    return
  }
  const count = into.length / wanted
  for (let i = 0; i < count; i++) {
    const at = i * own
    const [red, green, blue] = own <= 2 ? [from[at]!, from[at]!, from[at]!] : [from[at]!, from[at + 1]!, from[at + 2]!]
    if (wanted === 1) into[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue)
    else {
      into.set([red, green, blue], i * wanted)
      if (wanted === 4) into[i * 4 + 3] = own % 2 === 0 ? from[at + own - 1]! : 255
    }
  }
}
