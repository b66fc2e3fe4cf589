/** Where bytes lie: local files now, object stores later. */

export interface Store {
  /** Bytes `[offset, offset + length)` of an object; fewer at its end; the whole object without a range. */
  get(path: string, range?: { offset: number; length: number }): Promise<Uint8Array>
  /** Writes an object whole or not at all. */
  put(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>
  /** Size in bytes, or `undefined` when there is no such object. */
  size(path: string): Promise<number | undefined>
  /** Paths under a prefix, sorted. */
  list(prefix: string): Promise<string[]>
  delete(path: string): Promise<void>
}
