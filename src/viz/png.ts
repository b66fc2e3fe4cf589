/**
 * Pixels as a PNG file: a small image travels inside a chart as a data URL.
 *
 * Portable Network Graphics specification (third edition): signature, IHDR, IDAT, IEND, 8 bits a channel, RGB.
 */
import { deflateSync } from 'node:zlib'

/** Pixels of 8-bit red, green and blue, row by row. */
export interface Raster {
  readonly width: number
  readonly height: number
  readonly rgb: Uint8Array
}

/** The raster as a `data:` URL. */
export function pngUrl(raster: Raster): string {
  return `data:image/png;base64,${encodePng(raster).toString('base64')}`
}

/** The raster as a PNG file. */
export function encodePng({ width, height, rgb }: Raster): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const stride = 3 * width
  const rows = Buffer.alloc(height * (1 + stride))
  for (let y = 0; y < height; y++) {
    const row = rgb.subarray(y * stride, (y + 1) * stride)
    // Enlarged pixels repeat whole rows: filter 2 stores the difference to the row above, which is then all zero.
    const above = y === 0 ? undefined : rgb.subarray((y - 1) * stride, y * stride)
    const at = y * (1 + stride)
    if (above !== undefined && Buffer.compare(row, above) === 0) rows[at] = 2
    else rows.set(row, at + 1)
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
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
