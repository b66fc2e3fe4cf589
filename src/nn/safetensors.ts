/**
 * Named arrays of numbers as one block of bytes, in the safetensors format (github.com/huggingface/safetensors): 8 bytes with
 * the length of a JSON header, the header, the numbers, little-endian. The header may carry text beside the arrays.
 */
import { show } from '../core/check.js'
import { sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'

/** An array as it is saved. */
export interface SavedTensor {
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'float64' | 'int32' | 'bool' | 'float16' | 'int8'
  /** Of float16 the bits. */
  readonly values: Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array | Int8Array
}

const codes = { float32: 'F32', float64: 'F64', int32: 'I32', bool: 'BOOL', float16: 'F16', int8: 'I8' } as const
const arrays = {
  F32: Float32Array,
  F64: Float64Array,
  I32: Int32Array,
  BOOL: Uint8Array,
  F16: Uint16Array,
  I8: Int8Array,
} as const
type Code = keyof typeof arrays

interface HeaderEntry {
  readonly dtype: Code
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

const metadataName = '__metadata__'

export function encodeTensors(
  tensors: Readonly<Record<string, SavedTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  let offset = 0
  const header: Record<string, HeaderEntry> = {}
  for (const [name, { dtype, shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: codes[dtype], shape, data_offsets: [offset, offset + values.byteLength] }
    offset += values.byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify({ [metadataName]: metadata, ...header }))
  // Padded with spaces, so that the numbers begin on a multiple of 8.
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20)
  padded.set(json)
  const bytes = new Uint8Array(8 + padded.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded.length), true)
  bytes.set(padded, 8)
  for (const [name, { values }] of Object.entries(tensors)) {
    const own = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    bytes.set(own, 8 + padded.length + header[name]!.data_offsets[0])
  }
  return bytes
}

/**
 * Each array has as many values as its shape says, whatever the header claims.
 *
 * @throws ShardbookError `data` when the bytes are something else, or cut short; `what` says what they were to be.
 */
export function decodeTensors(what: string, bytes: Uint8Array): Record<string, SavedTensor> {
  try {
    const { header, length } = readHeader(bytes)
    const body = bytes.subarray(8 + length)
    return Object.fromEntries(
      Object.entries(header).map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]): [string, SavedTensor] => {
          const width = arrays[dtype].BYTES_PER_ELEMENT
          const whole = [from, ...shape].every((number) => Number.isSafeInteger(number) && number >= 0)
          if (!whole || to - from !== width * sizeOf(shape) || to > body.length) {
            throw new Error(`"${name}" of shape ${show(shape)} does not fit into its bytes`)
          }
          return [name, { dtype: dtypeOf(dtype), shape, values: new arrays[dtype](body.slice(from, to).buffer) }]
        },
      ),
    )
  } catch (cause) {
    throw new ShardbookError('data', `${what}: expected safetensors, got something else.`, {
      hint: `${(cause as Error).message}.`,
      cause,
    })
  }
}

/** The text beside the tensors in bytes that `decodeTensors` takes. */
export function decodeMetadata(bytes: Uint8Array): Readonly<Record<string, string>> {
  return readHeader(bytes).metadata
}

function readHeader(bytes: Uint8Array) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const { [metadataName]: metadata = {}, ...header } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, 8 + length)),
  ) as { [metadataName]?: Readonly<Record<string, string>> } & Record<string, HeaderEntry>
  return { length, metadata, header: header as Readonly<Record<string, HeaderEntry>> }
}

function dtypeOf(code: Code): SavedTensor['dtype'] {
  return ({ F32: 'float32', F64: 'float64', I32: 'int32', BOOL: 'bool', F16: 'float16', I8: 'int8' } as const)[code]
}
