/**
 * The footer of a Parquet file with its first row groups only, so that a reader of the first rows touches nothing else.
 *
 * A footer is `FileMetaData` in Thrift's compact protocol. Row groups and their number of rows are cut; every other byte is
 * copied as it is.
 * Reference: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import { ShardbookError } from '../../core/errors.js'

/** Fields of `FileMetaData`, and of `RowGroup`. */
const fields = { numRows: 3, rowGroups: 4, rowsOfGroup: 3 }

/** The metadata of a file's first `count` row groups. */
export function firstRowGroups(metadata: Uint8Array, count: number): Uint8Array {
  const input = new CompactReader(metadata)
  const out: Uint8Array[] = []
  let rows = 0n
  let rowsAt: { from: number; to: number } | undefined
  let groupsAt: { from: number; to: number; kept: Uint8Array[] } | undefined
  input.struct((id, type) => {
    if (id === fields.numRows) {
      const from = input.at
      input.skip(type)
      rowsAt = { from, to: input.at }
    } else if (id === fields.rowGroups) {
      const from = input.at
      const kept: Uint8Array[] = []
      input.list((_, i) => {
        const start = input.at
        let own = 0n
        input.struct((inner, innerType) => {
          if (inner === fields.rowsOfGroup) own = input.integer()
          else input.skip(innerType)
        })
        if (i >= count) return
        rows += own
        kept.push(metadata.subarray(start, input.at))
      })
      groupsAt = { from, to: input.at, kept }
    } else input.skip(type)
  })
  if (rowsAt === undefined || groupsAt === undefined || groupsAt.from < rowsAt.to) {
    throw new ShardbookError('data', 'read.parquet: expected a footer with rows and row groups, got another one.')
  }
  const { kept } = groupsAt
  out.push(metadata.subarray(0, rowsAt.from), varint(rows << 1n), metadata.subarray(rowsAt.to, groupsAt.from))
  out.push(
    kept.length < 15 ? Uint8Array.of((kept.length << 4) | 12) : Uint8Array.of(0xfc, ...varint(BigInt(kept.length))),
  )
  out.push(...kept, metadata.subarray(groupsAt.to))
  return new Uint8Array(Buffer.concat(out))
}

/** A base-128 integer, lowest bits first. */
function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128)
  return Uint8Array.of(...bytes, Number(value))
}

/** Walks over values in Thrift's compact protocol. */
class CompactReader {
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Calls `field` at each value of a struct; it must read or skip it. */
  struct(field: (id: number, type: number) => void): void {
    for (let id = 0; ;) {
      const header = this.#byte()
      if (header === 0) return
      id = header >> 4 === 0 ? Number(this.integer()) : id + (header >> 4)
      field(id, header & 15)
    }
  }

  /** Calls `item` at each value of a list; it must read or skip it. */
  list(item: (type: number, index: number) => void): void {
    const header = this.#byte()
    const length = header >> 4 === 15 ? Number(this.#unsigned()) : header >> 4
    for (let i = 0; i < length; i++) item(header & 15, i)
  }

  /** A zigzag integer. */
  integer(): bigint {
    const value = this.#unsigned()
    return (value >> 1n) ^ -(value & 1n)
  }

  skip(type: number, inList = false): void {
    switch (type) {
      case 1:
      case 2:
        // In a struct the type is the value.
        if (inList) this.at += 1
        return
      case 3:
        this.at += 1
        return
      case 4:
      case 5:
      case 6:
        this.#unsigned()
        return
      case 7:
        this.at += 8
        return
      case 8: {
        const length = Number(this.#unsigned())
        this.at += length
        return
      }
      case 9:
      case 10:
        this.list((inner) => this.skip(inner, true))
        return
      case 12:
        this.struct((_, inner) => this.skip(inner))
        return
      default:
        throw new ShardbookError('data', `read.parquet: expected a value in the footer, got type ${type}.`)
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.at++]
    if (byte === undefined)
      throw new ShardbookError('data', 'read.parquet: expected a whole footer, got its beginning.')
    return byte
  }

  #unsigned(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
}
