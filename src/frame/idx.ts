/**
 * IDX, the format of MNIST: a magic number (two zero bytes, element type, number of axes), the axes as big-endian 32-bit
 * integers, then the values row-major, big-endian. Files may be gzipped, which the first two bytes tell.
 * Reference: http://yann.lecun.com/exdb/mnist/
 */
import { open } from 'node:fs/promises'
import { createReadStream, readFileSync } from 'node:fs'
import { createGunzip, gunzipSync } from 'node:zlib'
import { ShardbookError } from '../core/errors.js'
import { sizeOf, type StoredDType } from '../core/dtype.js'
import { ioError } from '../store/io-error.js'

export interface IdxHeader {
  readonly dtype: StoredDType
  /** All axes; the first one counts the rows. */
  readonly shape: readonly number[]
  /** Where the values begin. */
  readonly offset: number
  readonly gzipped: boolean
}

export interface IdxFile extends IdxHeader {
  readonly values: Uint8Array | Int32Array | Float32Array | Float64Array
}

const elementTypes: Readonly<Record<number, { dtype: StoredDType; width: number }>> = {
  0x08: { dtype: 'uint8', width: 1 },
  0x0c: { dtype: 'int32', width: 4 },
  0x0d: { dtype: 'float32', width: 4 },
  0x0e: { dtype: 'float64', width: 8 },
}

/** Reads the header only, and checks the length of a file that is not compressed. @throws `io`, `data` */
export async function readIdxHeader(path: string): Promise<IdxHeader> {
  const { head, sizeBytes, gzipped } = await firstBytes(path)
  const header = parseHeader(path, head, gzipped)
  if (!gzipped) checkLength(path, header, sizeBytes - header.offset)
  return header
}

/** Reads a whole file into memory. @throws `io`, `data` when the file is not IDX, or shorter or longer than it says */
export function readIdxFile(path: string): IdxFile {
  let bytes: Uint8Array
  let gzipped = false
  try {
    bytes = readFileSync(path)
    gzipped = isGzip(bytes)
  } catch (cause) {
    throw ioError('read.idx', 'read', path, cause)
  }
  if (gzipped) {
    try {
      bytes = gunzipSync(bytes)
    } catch (cause) {
      throw truncatedGzip(path, cause)
    }
  }
  const header = parseHeader(path, bytes, gzipped)
  checkLength(path, header, bytes.length - header.offset)
  return { ...header, values: decode(header, bytes) }
}

function decode({ dtype, offset, shape }: IdxHeader, bytes: Uint8Array): IdxFile['values'] {
  if (dtype === 'uint8') return bytes.subarray(offset)
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset)
  const count = sizeOf(shape)
  switch (dtype) {
    case 'int32':
      return Int32Array.from({ length: count }, (_, i) => view.getInt32(i * 4))
    case 'float32':
      return Float32Array.from({ length: count }, (_, i) => view.getFloat32(i * 4))
    case 'float64':
      return Float64Array.from({ length: count }, (_, i) => view.getFloat64(i * 8))
    default:
      return dtype satisfies never
  }
}

function parseHeader(path: string, bytes: Uint8Array, gzipped: boolean): IdxHeader {
  const magic = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  const element = elementTypes[bytes[2] ?? -1]
  const axes = bytes[3] ?? 0
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || element === undefined || axes === 0) {
    throw new ShardbookError(
      'data',
      `read.idx: expected ${path} to begin with an IDX magic number such as 00 00 08 03, got ${magic || 'an empty file'}.`,
      { hint: 'Is it an IDX file (or a gzipped one) of type uint8, int32, float32 or float64?' },
    )
  }
  const offset = 4 + 4 * axes
  if (bytes.length < offset) {
    throw new ShardbookError(
      'data',
      `read.idx: expected a header of ${offset} bytes in ${path}, got ${bytes.length} bytes.`,
      {
        hint: 'The file is truncated.',
      },
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis))
  return { dtype: element.dtype, shape, offset, gzipped }
}

function checkLength(path: string, header: IdxHeader, actualBytes: number): void {
  const expectedBytes = sizeOf(header.shape) * { uint8: 1, int32: 4, float32: 4, float64: 8 }[header.dtype]
  if (actualBytes === expectedBytes) return
  throw new ShardbookError(
    'data',
    `read.idx: expected ${expectedBytes} bytes of values (${header.shape.join(' x ')} ${header.dtype}) in ${path}, got ${actualBytes}.`,
    { hint: actualBytes < expectedBytes ? 'The file is truncated: get it again.' : 'The file is longer than it says.' },
  )
}

async function firstBytes(path: string): Promise<{ head: Uint8Array; sizeBytes: number; gzipped: boolean }> {
  const raw = new Uint8Array(64)
  let sizeBytes = 0
  try {
    const file = await open(path, 'r')
    try {
      sizeBytes = (await file.stat()).size
      const { bytesRead } = await file.read(raw, 0, raw.length, 0)
      if (!isGzip(raw)) return { head: raw.subarray(0, bytesRead), sizeBytes, gzipped: false }
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw ioError('read.idx', 'read', path, cause)
  }
  const stream = createReadStream(path).pipe(createGunzip())
  const parts: Uint8Array[] = []
  let held = 0
  try {
    for await (const part of stream) {
      parts.push(part as Uint8Array)
      held += (part as Uint8Array).length
      if (held >= raw.length) break
    }
  } catch (cause) {
    throw truncatedGzip(path, cause)
  }
  return { head: new Uint8Array(Buffer.concat(parts)), sizeBytes, gzipped: true }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

function truncatedGzip(path: string, cause: unknown): ShardbookError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ShardbookError('data', `read.idx: expected a whole gzip file at ${path}, got a broken one (${why}).`, {
    hint: 'The file is truncated or damaged: get it again.',
    cause,
  })
}
