/** Copies between JavaScript and foreign memory. Copies only: a view of foreign memory outlives what it shows. */
import { openLibrary, openStructFunctions, systemLibrary } from './library.js'

export interface Memory {
  /** Copies bytes to a foreign address. */
  write(address: number, bytes: Uint8Array): void
  /** Copies bytes from a foreign address. */
  read(address: number, bytes: Uint8Array): void
  /** Copies bytes from one address to another: for many small copies, since nothing is made for one. */
  copy(from: number, to: number, sizeBytes: number): void
  /** Where an array lies; it stays there as long as something in JavaScript refers to it. */
  addressOf(array: ArrayBufferView): number
}

export async function openMemory(): Promise<Memory> {
  const { memcpy: write } = await openLibrary(systemLibrary, { memcpy: ['pointer', 'pointer', 'bytes', 'size'] })
  const { memcpy: read } = await openLibrary(systemLibrary, { memcpy: ['pointer', 'bytes', 'pointer', 'size'] })
  const { memcpy: copy } = await openLibrary(systemLibrary, { memcpy: ['pointer', 'pointer', 'pointer', 'size'] })
  const structs = await openStructFunctions()
  return {
    copy: (from, to, sizeBytes) => void copy(to, from, sizeBytes),
    addressOf: (array) => structs.addressOf(array),
    write(address, bytes) {
      if (bytes.length > 0) write(address, bytes, bytes.length)
    },
    read(address, bytes) {
      if (bytes.length > 0) read(bytes, address, bytes.length)
    },
  }
}
