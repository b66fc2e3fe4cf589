/**
 * The file names by which a client and the kernel mean the same cell: both hash its text (MurmurHash2, 32 bits, of its UTF-8
 * bytes). No such files exist.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const hashSeed = 0xc70f6907
export const pathPrefix = join(tmpdir(), `shardbook_${process.pid}`, '/')
export const pathSuffix = '.ts'

/** The file name of the cell with this text. */
export function cellPath(code: string): string {
  return `${pathPrefix}${murmur2(Buffer.from(code), hashSeed)}${pathSuffix}`
}

/** MurmurHash2: https://github.com/aappleby/smhasher/blob/master/src/MurmurHash2.cpp */
export function murmur2(bytes: Buffer, seed: number): number {
  const m = 0x5bd1e995
  let h = seed ^ bytes.length
  let at = 0
  for (; bytes.length - at >= 4; at += 4) {
    let k = Math.imul(bytes.readUInt32LE(at), m)
    k = Math.imul(k ^ (k >>> 24), m)
    h = Math.imul(h, m) ^ k
  }
  if (at < bytes.length) h = Math.imul(h ^ bytes.readUIntLE(at, bytes.length - at), m)
  h = Math.imul(h ^ (h >>> 13), m)
  return (h ^ (h >>> 15)) >>> 0
}
