/** Where bytes lie: local files, HTTP servers, S3-compatible object stores. */

export interface Store {
  /**
   * Bytes `[offset, offset + length)` of an object; fewer at its end; the whole object without a range.
   * @throws `data` when the object is no longer the `version` that `stat` told
   */
  get(path: string, range?: { offset: number; length: number }, version?: string): Promise<Uint8Array>
  /** Writes an object whole or not at all. */
  put(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>
  /** What is known of an object without reading it, or `undefined` when there is none. */
  stat(path: string): Promise<ObjectInfo | undefined>
  /** Paths under a prefix, sorted. */
  list(prefix: string): Promise<string[]>
  delete(path: string): Promise<void>
}

export interface ObjectInfo {
  readonly sizeBytes: number
  /** Changes when the object does. */
  readonly version: string
}
