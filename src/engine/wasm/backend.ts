/** What `tfjs-backend-wasm`'s backend lacks: reading complex numbers, and an error where memory is short. */
import { createRequire } from 'node:module'
import { ShardbookError } from '../../core/errors.js'
import { describe } from '../errors.js'
import { runningKernel } from '../guard-kernels.js'
import { tfCore } from '../tf.js'

interface Backend {
  readonly wasm: { readonly HEAPU8: Uint8Array }
  readonly dataIdMap: { get(id: object): { memoryOffset: number; dtype: string; shape: number[] } }
  move: (this: Backend, id: object, values: unknown, shape: number[], dtype: string, refCount: number) => void
  readSync: (this: Backend, id: object, start?: number, end?: number) => unknown
}

/** Addresses of WebAssembly have 32 bits. */
const addressableBytes = 2 ** 32

/** Completes the backend's class; once a process. Its version. */
export function completeBackend(): string {
  const { BackendWasm, version_wasm } = createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm') as {
    BackendWasm: { readonly prototype: Backend }
    version_wasm: string
  }
  const { prototype } = BackendWasm
  const { move, readSync } = prototype
  const { sizeFromShape, bytesPerElement } = tfCore().util

  prototype.move = function (id, values, shape, dtype, refCount) {
    const sizeBytes = dtype === 'string' ? 0 : sizeFromShape(shape) * bytesPerElement(dtype as 'float32')
    const fail = (cause?: unknown): never => {
      throw new ShardbookError(
        'engine',
        `${runningKernel() ?? 'tensor'}: expected memory for ${describe({ dtype, shape })} (${sizeBytes} bytes), got none.`,
        { hint: 'Use smaller batches, dispose tensors, or use the native engine.', cause },
      )
    }
    if (sizeBytes >= addressableBytes) fail()
    move.call(this, id, values, shape, dtype, refCount)
    if (sizeBytes > 0 && this.dataIdMap.get(id).memoryOffset === 0) fail()
  }

  prototype.readSync = function (id, start, end) {
    const { memoryOffset, dtype, shape } = this.dataIdMap.get(id)
    if (dtype !== 'complex64') return readSync.call(this, id, start, end)
    return new Float32Array(this.wasm.HEAPU8.slice(memoryOffset, memoryOffset + sizeFromShape(shape) * 8).buffer)
  }
  return version_wasm
}
