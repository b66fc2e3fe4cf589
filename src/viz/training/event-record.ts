/**
 * One TensorBoard event as bytes: a TFRecord around a protocol buffer.
 *
 * Fields of `Event`: 1 wall_time (double), 2 step (int64), 3 file_version (string), 5 summary; of `Summary`: 1 value, of
 * which 1 tag (string), 2 simple_value (float). CRC-32C is that of RFC 3720.
 */
export interface Scalar {
  readonly tag: string
  readonly value: number
}

export interface EventContent {
  /** Since 1970. */
  readonly seconds: number
  readonly step?: number
  readonly version?: string
  readonly scalars?: readonly Scalar[]
}

/** The event as a record of a file. */
export function eventRecord({ seconds, step, version, scalars = [] }: EventContent): Buffer {
  const time = Buffer.alloc(8)
  time.writeDoubleLE(seconds)
  const values = scalars.map(({ tag, value }) => {
    const number = Buffer.alloc(4)
    number.writeFloatLE(value)
    return field(1, 2, Buffer.concat([field(1, 2, Buffer.from(tag)), field(2, 5, number)]))
  })
  return record(
    Buffer.concat([
      field(1, 1, time),
      ...(step === undefined ? [] : [field(2, 0, varint(step))]),
      ...(version === undefined ? [] : [field(3, 2, Buffer.from(version))]),
      ...(values.length === 0 ? [] : [field(5, 2, Buffer.concat(values))]),
    ]),
  )
}

/** A field of a protocol buffer; one of wire type 2 has its length in front. */
function field(number: number, wireType: 0 | 1 | 2 | 5, content: Buffer): Buffer {
  const key = varint(8 * number + wireType)
  return wireType === 2 ? Buffer.concat([key, varint(content.length), content]) : Buffer.concat([key, content])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, rest])
}

function record(data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeBigUInt64LE(BigInt(data.length))
  head.writeUInt32LE(masked(head.subarray(0, 8)), 8)
  const tail = Buffer.alloc(4)
  tail.writeUInt32LE(masked(data))
  return Buffer.concat([head, data, tail])
}

/** The checksum as TFRecord stores it: turned and moved, as a checksum of checksums is weak. */
function masked(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 255]!
  crc = (crc ^ 0xffffffff) >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1))
  return crc
})
