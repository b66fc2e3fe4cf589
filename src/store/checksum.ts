/** Checksums: of what is in memory, and of files in one pass without holding their bytes. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { ioError } from './io-error.js'

/** A pinned digest. */
export type Pin = `sha256:${string}`

/** The SHA-256 of bytes or of text as lower-case hex. */
export function digest(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** The SHA-256 of a file as lower-case hex. @throws when the file cannot be read. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  } catch (cause) {
    throw ioError('sha256', 'read', path, cause)
  }
  return hash.digest('hex')
}

/** Whether a file's digest is the pinned one. */
export async function matchesPin(path: string, pin: Pin): Promise<boolean> {
  return `sha256:${await sha256(path)}` === pin.toLowerCase()
}
