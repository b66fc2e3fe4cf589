/**
 * Tensors as bytes in the safetensors format (github.com/huggingface/safetensors): 8 bytes with the length of a JSON header, the
 * header, the numbers. The header may carry text of ours under names, which other readers leave alone.
 */
import { createHash } from 'node:crypto'
import { sizeOf } from '../core/dtype.js'
import type { DType, TensorData, TensorValues } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'

type StoredType = 'F32' | 'I32' | 'BOOL'

interface HeaderEntry {
  readonly dtype: StoredType
  readonly shape: readonly number[]
  readonly data_offsets: readonly [number, number]
}

const storedTypes = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const satisfies Record<DType, StoredType>
const metadataName = '__metadata__'

/** Tensors by name, and text beside them. */
export interface Tensors {
  readonly tensors: ReadonlyMap<string, TensorData>
  readonly metadata: Readonly<Record<string, string>>
}

export function encodeTensors(
  names: readonly string[],
  tensors: readonly TensorData[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  let offset = 0
  const entries = tensors.map(({ dtype, shape, values }, i): [string, HeaderEntry] => {
    const begin = offset
    offset += values.byteLength
    return [names[i]!, { dtype: storedTypes[dtype], shape, data_offsets: [begin, offset] }]
  })
  const described = metadata === undefined ? entries : [[metadataName, metadata], ...entries]
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(described)))
  // Padded with spaces, so that the numbers begin on a multiple of 8.
  const header = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20)
  header.set(json)
  const bytes = new Uint8Array(8 + header.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
  bytes.set(header, 8)
  for (const [i, { values }] of tensors.entries()) {
    const at = 8 + header.length + entries[i]![1].data_offsets[0]
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
  }
  return bytes
}

/**
 * Reads what `encodeTensors` wrote.
 *
 * @throws ShardbookError `data` with `message` for other bytes.
 */
export function decodeTensors(message: string, bytes: Uint8Array): Tensors {
  try {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    const { [metadataName]: metadata, ...header } = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, 8 + length)),
    ) as Record<string, HeaderEntry> & { [metadataName]?: Record<string, string> }
    const tensors = Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => {
        const { buffer } = bytes.slice(8 + length + begin, 8 + length + end)
        return [name, tensorData(dtype, shape, buffer)] as const
      },
    )
    return { tensors: new Map(tensors), metadata: metadata ?? {} }
  } catch (cause) {
    throw new ShardbookError('data', message, { cause })
  }
}

/** The SHA-256 of bytes as lower-case hex. */
export function digest(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function tensorData(stored: StoredType, shape: readonly number[], buffer: ArrayBuffer): TensorData {
  const views = { F32: Float32Array, I32: Int32Array, BOOL: Uint8Array } as const
  const dtype = (Object.keys(storedTypes) as DType[]).find((name) => storedTypes[name] === stored)
  const values: TensorValues | undefined = dtype === undefined ? undefined : new views[stored](buffer)
  if (dtype !== undefined && values?.length === sizeOf(shape)) return { dtype, shape, values }
  throw new ShardbookError('data', `safetensors: expected ${sizeOf(shape)} numbers of a known type, got ${stored}.`)
}
