/** Tensor values on their way into a raw store: a temporary file of rows. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { ioError, temporaryFile } from '../../store/index.js'

export interface TensorWriter {
  readonly path: string
  rows: number
  write(values: Uint8Array): Promise<void>
  close(): Promise<void>
}

export function tensorWriter(): TensorWriter {
  const path = temporaryFile('tensors')
  const stream = createWriteStream(path)
  const failed = new Promise<never>((_, reject) => {
    stream.once('error', (cause) => reject(ioError('frame', 'write', path, cause)))
  })
  failed.catch(() => {})
  return {
    path,
    rows: 0,
    async write(bytes) {
      if (!stream.write(bytes)) await Promise.race([once(stream, 'drain'), failed])
    },
    async close() {
      stream.end()
      await Promise.race([once(stream, 'close'), failed])
    },
  }
}
