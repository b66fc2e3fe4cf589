/**
 * The two compressions of Arrow IPC (https://arrow.apache.org/docs/format/Columnar.html): LZ4 frames, in which Feather files come
 * unless told otherwise, and Zstandard. Node has the latter from version 22 on only.
 */
import { compressionRegistry, CompressionType } from 'apache-arrow'

/** Lets tables be read that are compressed. */
export async function provideCodecs(): Promise<void> {
  if (compressionRegistry.get(CompressionType.LZ4_FRAME) !== null) return
  const [{ default: lz4 }, { decompress }] = await Promise.all([import('lz4-napi'), import('fzstd')])
  compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => aligned(decompress(data)) })
  compressionRegistry.set(CompressionType.LZ4_FRAME, {
    decode: (data) => aligned(lz4.decompressFrameSync(Buffer.from(data.buffer, data.byteOffset, data.byteLength))),
  })
}

/** Numbers of eight bytes are viewed in place, so they must begin at a multiple of eight. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
}
