/**
 * The signatures of a SavedModel, out of a serialised `MetaGraphDef` (`tensorflow/core/protobuf/meta_graph.proto`): the few
 * fields that we need of the protocol-buffer wire format.
 */

export interface SignatureTensor {
  /** `node:index` in the graph. */
  readonly name: string
  /** `TF_DataType` */
  readonly dtype: number
  /** `null` for sizes that differ from call to call. */
  readonly shape: readonly (number | null)[]
}

export interface Signature {
  readonly inputs: Readonly<Record<string, SignatureTensor>>
  readonly outputs: Readonly<Record<string, SignatureTensor>>
}

type Field = readonly [number: number, value: Uint8Array | bigint]

/** The signatures by name. */
export function readSignatures(metaGraph: Uint8Array): Record<string, Signature> {
  return Object.fromEntries(
    entries(metaGraph, 5).map(([name, signature]) => [
      name,
      { inputs: tensorsOf(signature, 1), outputs: tensorsOf(signature, 2) },
    ]),
  )
}

function tensorsOf(signature: Uint8Array, field: number): Record<string, SignatureTensor> {
  return Object.fromEntries(
    entries(signature, field).map(([name, info]) => {
      const parts = fieldsOf(info)
      const shape = bytesOf(parts, 3)
      return [
        name,
        {
          name: text(bytesOf(parts, 1)),
          dtype: Number(parts.find(([number]) => number === 2)?.[1] ?? 0),
          shape: all(fieldsOf(shape), 2).map(sizeOf),
        },
      ]
    }),
  )
}

/** A size of -1 is unknown; one of 0 is left out on the wire. */
function sizeOf(dimension: Uint8Array): number | null {
  const size = fieldsOf(dimension).find(([number]) => number === 1)?.[1] ?? 0n
  const value = Number(BigInt.asIntN(64, size as bigint))
  return value < 0 ? null : value
}

/** A map is a list of messages: field 1 the key, 2 the value. */
function entries(message: Uint8Array, field: number): [key: string, value: Uint8Array][] {
  return all(fieldsOf(message), field).map((entry) => {
    const parts = fieldsOf(entry)
    return [text(bytesOf(parts, 1)), bytesOf(parts, 2)]
  })
}

function all(fields: readonly Field[], number: number): Uint8Array[] {
  return fields.flatMap(([n, value]) => (n === number && value instanceof Uint8Array ? [value] : []))
}

function bytesOf(fields: readonly Field[], number: number): Uint8Array {
  return all(fields, number)[0] ?? new Uint8Array()
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >> 3
    const wireType = tag & 7
    if (wireType === 0) fields.push([number, varint()])
    else {
      const length = wireType === 2 ? Number(varint()) : wireType === 1 ? 8 : 4
      fields.push([number, bytes.subarray(at, at + length)])
      at += length
    }
  }
  return fields
}
