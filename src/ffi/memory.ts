/** Copies between JavaScript and foreign memory. Copies only: a view of foreign memory outlives what it shows. */
import { openLibrary, systemLibrary } from './library.js'

export interface Memory {
  /** Copies bytes to a foreign address. */
  write(address: number, bytes: Uint8Array): void
  /** Copies bytes from a foreign address. */
  read(address: number, bytes: Uint8Array): void
}

export async function openMemory(): Promise<Memory> {
  const { memcpy: write } = await openLibrary(systemLibrary, { memcpy: ['pointer', 'pointer', 'bytes', 'size'] })
  const { memcpy: read } = await openLibrary(systemLibrary, { memcpy: ['pointer', 'bytes', 'pointer', 'size'] })
  return {
    write(address, bytes) {
      if (bytes.length > 0) write(address, bytes, bytes.length)
    },
    read(address, bytes) {
      if (bytes.length > 0) read(bytes, address, bytes.length)
    },
  }
}
