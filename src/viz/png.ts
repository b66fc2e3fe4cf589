/**
 * Pixels as a PNG file: a small image travels inside a chart as a data URL.
 *
 * Portable Network Graphics specification (third edition): signature, IHDR, IDAT, IEND; 8 bits a channel of RGB, with alpha
 * where something shows through, or an index a pixel into a palette (PLTE), which takes a third for a drawn chart.
 */
import { deflateSync } from 'node:zlib'

/** Pixels of 8-bit red, green, blue and alpha, row by row. */
export interface Raster {
  readonly width: number
  readonly height: number
  readonly rgba: Uint8Array
}

/** The raster as a `data:` URL. */
export function pngUrl(raster: Raster): string {
  return `data:image/png;base64,${encodePng(raster).toString('base64')}`
}

/** The raster as a PNG file. */
export function encodePng({ width, height, rgba }: Raster): Buffer {
  const opaque = isOpaque(rgba)
  const pixels = opaque ? rgba.filter((_, i) => i % 4 !== 3) : rgba
  const stride = (opaque ? 3 : 4) * width
  const rows = Buffer.alloc(height * (1 + stride))
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(y * stride, (y + 1) * stride)
    // Enlarged pixels repeat whole rows: filter 2 stores the difference to the row above, which is then all zero.
    const above = y === 0 ? undefined : pixels.subarray((y - 1) * stride, y * stride)
    const at = y * (1 + stride)
    if (above !== undefined && Buffer.compare(row, above) === 0) rows[at] = 2
    else rows.set(row, at + 1)
  }
  return file({ width, height, colourType: opaque ? 2 : 6 }, [chunk('IDAT', deflateSync(rows, { level: 7 }))])
}

/** Whether nothing shows through the pixels. */
export function isOpaque(rgba: Uint8Array): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return false
  return true
}

const paletteSize = 256
/** What makes a picture a photograph to us: so many colours, or more than this part of it in colours beyond the palette. */
const [coloursCounted, rarePart] = [4096, 0.005]
/** Change of a channel that is not seen, and of a rare colour. */
const [changeUnseen, changeAllowed] = [10, 64]

/**
 * A drawn picture as a PNG file with a palette. Of more than 256 colours, those of smoothed edges become the nearest
 * frequent ones. `undefined` where that could be seen, as in photographs, and where anything is transparent.
 *
 * @param rgba 8 bits a channel, row by row
 */
export function encodeIndexed(rgba: Uint8Array, width: number, height: number): Buffer | undefined {
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, width * height)
  const counts = countsOf(pixels)
  const sorted = [...counts.keys()].toSorted((a, b) => counts.get(b)! - counts.get(a)!)
  if (sorted.length > coloursCounted || sorted.some((colour) => bytesOf(colour)[3] !== 255)) return undefined
  const palette: Uint8Array[] = []
  const places = new Map<number, number>()
  let rare = 0
  for (const colour of sorted) {
    const own = bytesOf(colour)
    const { place, change } = sorted.length > paletteSize ? nearestOf(palette, own) : { place: 0, change: Infinity }
    const isFull = palette.length === paletteSize
    if (isFull && change > changeUnseen) rare += counts.get(colour)!
    if (isFull && change > changeAllowed) return undefined
    if (isFull || change <= changeUnseen) places.set(colour, place)
    else places.set(colour, palette.push(own) - 1)
  }
  if (rare > rarePart * pixels.length) return undefined
  const rows = Buffer.alloc((width + 1) * height)
  let [last, place] = [-1, 0]
  for (let at = 0; at < pixels.length; at++) {
    if (pixels[at] !== last) {
      last = pixels[at]!
      place = places.get(last)!
    }
    rows[at + Math.floor(at / width) + 1] = place
  }
  const colours = Buffer.concat(palette.map((colour) => colour.subarray(0, 3)))
  return file({ width, height, colourType: 3 }, [
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 6 })),
  ])
}

/** How often each colour occurs. Neighbours are mostly equal: they are counted in runs. */
function countsOf(pixels: Uint32Array): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (let at = 0; at < pixels.length && counts.size <= coloursCounted;) {
    const colour = pixels[at]!
    let end = at + 1
    while (end < pixels.length && pixels[end] === colour) end++
    counts.set(colour, (counts.get(colour) ?? 0) + end - at)
    at = end
  }
  return counts
}

function bytesOf(colour: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(colour).buffer)
}

function nearestOf(palette: readonly Uint8Array[], colour: Uint8Array): { place: number; change: number } {
  let [place, change] = [0, Infinity]
  for (const [i, own] of palette.entries()) {
    const most = Math.max(...[0, 1, 2].map((channel) => Math.abs(own[channel]! - colour[channel]!)))
    if (most < change) [place, change] = [i, most]
  }
  return { place, change }
}

function file(
  { width, height, colourType }: { readonly width: number; readonly height: number; readonly colourType: 2 | 3 | 6 },
  chunks: readonly Buffer[],
): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, colourType, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...chunks,
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  out.set(body, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  return crc
})

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 255]!
  return (crc ^ 0xffffffff) >>> 0
}
