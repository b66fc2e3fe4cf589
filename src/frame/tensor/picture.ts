/** Image tensors as tiny PNG data URLs: greyscale `[h, w]`, `[h, w, 1]` and colour `[h, w, 3]`. */
import { deflateSync } from 'node:zlib'
import type { Tensor } from './tensor.js'

/** A data URL, or `undefined` for a tensor that is no image of at most 128 x 128. */
export function tensorPicture({ shape, dtype, values }: Tensor): string | undefined {
  const [height = 0, width = 0, channels = 1] = shape
  const isImage = (shape.length === 2 || shape.length === 3) && (channels === 1 || channels === 3)
  if (!isImage || height < 4 || width < 4 || height > 128 || width > 128) return undefined
  // Stored bytes are shown as they are; other values are stretched to their own range.
  let [low, high] = [0, 255]
  if (dtype !== 'uint8') {
    ;[low, high] = [Infinity, -Infinity]
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)]
  }
  const scale = high > low ? 255 / (high - low) : 0
  const stride = width * channels
  const rows = new Uint8Array(height * (stride + 1))
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < stride; x++)
      rows[y * (stride + 1) + 1 + x] = Math.round((values[y * stride + x]! - low) * scale)
  }
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8)
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    section('IHDR', header),
    section('IDAT', deflateSync(rows)),
    section('IEND', new Uint8Array(0)),
  ]
  return `data:image/png;base64,${Buffer.concat(parts).toString('base64')}`
}

function section(name: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length)
  const view = new DataView(out.buffer)
  view.setUint32(0, data.length)
  out.set(new TextEncoder().encode(name), 4)
  out.set(data, 8)
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)))
  return out
}

/** CRC-32 as in PNG (Node 20's zlib has none), bit by bit: pictures are a few hundred bytes. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
