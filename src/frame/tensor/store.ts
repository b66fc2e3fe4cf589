/**
 * Tensor stores: where the values of tensor columns lie, and how rows are gathered from them.
 *
 * In a plan's result a tensor is one number, its reference: `store * 2^40 + row`, where `store` is the position in the
 * list of stores that comes with the result. The sum stays below 2^53, so a reference survives as a JavaScript number.
 * Values are copied only here. An opened store is shared by everything in the process and closed with its last user.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { ShardbookError } from '../../core/errors.js'
import type { StoredDType } from '../../core/dtype.js'
import { ioError } from '../../store/io-error.js'
import { readIdxFile } from '../idx.js'
import { readImage, type ImageShape } from '../io/image.js'
import type { TensorStore } from '../plan.js'
import { tensorBytes, type TensorType } from '../schema.js'

export type StoredValues = Uint8Array | Int32Array | Float32Array | Float64Array

/** References of one store are this far from those of the next. */
export const storeStride = 2 ** 40

/** An array of `length` elements of a stored dtype. */
export function allocateStored(dtype: StoredDType, length: number): StoredValues {
  switch (dtype) {
    case 'uint8':
      return new Uint8Array(length)
    case 'int32':
      return new Int32Array(length)
    case 'float32':
      return new Float32Array(length)
    case 'float64':
      return new Float64Array(length)
    default:
      return dtype satisfies never
  }
}

const buffers = new Map<string, StoredValues>()
let counter = 0

/** Keeps values in this process as a store. It lives until `dropBuffer`. */
export function addBuffer(values: StoredValues): TensorStore & { kind: 'memory' } {
  const id = `buffer-${++counter}`
  buffers.set(id, values)
  return { kind: 'memory', id }
}

export function dropBuffer(id: string): void {
  buffers.delete(id)
}

/** The values of a store of this process. */
export function bufferOf(id: string): StoredValues {
  const values = buffers.get(id)
  if (values !== undefined) return values
  throw new ShardbookError('state', `frame: the in-memory column ${id} is not in this process.`, {
    hint: 'Send a portable plan: frame.source(…) makes one.',
  })
}

/** Copies rows of stores into a typed array. */
export interface Gatherer {
  /** Writes the tensors of `refs[from .. from + count)` to `out`, from its beginning. A reference below 0 (null) gives zeros. */
  gather(refs: Float64Array, from: number, count: number, out: StoredValues): void
  close(): void
}

/** Opens the stores that a column's references point into. */
export function openGatherer(stores: readonly TensorStore[], type: TensorType): Gatherer {
  const rowBytes = tensorBytes(type)
  const opened = new Map<number, Reader>()
  const readerOf = (index: number): Reader => {
    let reader = opened.get(index)
    if (reader === undefined) {
      const store = stores[index]
      if (store === undefined)
        throw new ShardbookError('internal', `gather: expected store ${index} of ${stores.length}.`)
      opened.set(index, (reader = share(store)))
    }
    return reader
  }
  return {
    gather(refs, from, count, out) {
      const target = new Uint8Array(out.buffer, out.byteOffset, count * rowBytes)
      for (let i = 0; i < count;) {
        const ref = refs[from + i]!
        if (ref < 0) {
          target.fill(0, i * rowBytes, (i + 1) * rowBytes)
          i++
          continue
        }
        // Neighbours in the store are copied at once.
        let run = 1
        while (i + run < count && refs[from + i + run] === ref + run) run++
        const store = Math.floor(ref / storeStride)
        readerOf(store).read(
          ref - store * storeStride,
          run,
          rowBytes,
          target.subarray(i * rowBytes, (i + run) * rowBytes),
        )
        i += run
      }
    },
    close() {
      for (const reader of opened.values()) release(reader)
      opened.clear()
    },
  }
}

interface Reader {
  readonly key: string
  users: number
  read(row: number, count: number, rowBytes: number, into: Uint8Array): void
  close(): void
}

const shared = new Map<string, Reader>()

function share(store: TensorStore): Reader {
  const key = JSON.stringify(store)
  let reader = shared.get(key)
  if (reader === undefined) shared.set(key, (reader = openReader(key, store)))
  reader.users++
  return reader
}

function release(reader: Reader): void {
  if (--reader.users > 0) return
  shared.delete(reader.key)
  reader.close()
}

function openReader(key: string, store: TensorStore): Reader {
  switch (store.kind) {
    case 'memory':
      return bytesReader(key, bufferOf(store.id))
    case 'idx':
      return bytesReader(key, decodedIdx(store.path))
    case 'images':
      return imageReader(key, store.files, store.shape)
    case 'raw':
      return fileReader(key, store.path)
    default:
      return store satisfies never
  }
}

const decoded = new Map<string, WeakRef<StoredValues>>()

/** The values of an IDX file. They are big-endian and mostly gzipped, so they are held decoded while anyone uses them. */
function decodedIdx(path: string): StoredValues {
  const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 }
  const key = `${path} ${mtimeMs} ${size}`
  let values = decoded.get(key)?.deref()
  if (values === undefined) decoded.set(key, new WeakRef((values = readIdxFile(path).values)))
  return values
}

function imageReader(key: string, files: readonly string[], shape: ImageShape): Reader {
  return {
    key,
    users: 0,
    read(row, count, rowBytes, into) {
      for (let i = 0; i < count; i++) readImage(files[row + i]!, shape, into.subarray(i * rowBytes, (i + 1) * rowBytes))
    },
    close: () => {},
  }
}

function bytesReader(key: string, values: StoredValues): Reader {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return {
    key,
    users: 0,
    read(row, count, rowBytes, into) {
      checkRange(key, row, count, rowBytes, bytes.length)
      into.set(bytes.subarray(row * rowBytes, (row + count) * rowBytes))
    },
    close: () => {},
  }
}

/** Files up to this size are read once: a call of the system for each row of a shuffled batch takes longer than a short step. */
const heldBytes = 64 * 2 ** 20

function fileReader(key: string, path: string): Reader {
  let descriptor: number
  let sizeBytes: number
  try {
    sizeBytes = statSync(path).size
    if (sizeBytes <= heldBytes) return bytesReader(key, readFileSync(path))
    descriptor = openSync(path, 'r')
  } catch (cause) {
    throw ioError('gather', 'read', path, cause)
  }
  return {
    key,
    users: 0,
    read(row, count, rowBytes, into) {
      checkRange(key, row, count, rowBytes, sizeBytes)
      let filled = 0
      while (filled < into.length) {
        const bytesRead = readSync(descriptor, into, filled, into.length - filled, row * rowBytes + filled)
        if (bytesRead === 0) throw new ShardbookError('data', `gather: ${path} ended early.`)
        filled += bytesRead
      }
    },
    close: () => closeSync(descriptor),
  }
}

function checkRange(key: string, row: number, count: number, rowBytes: number, sizeBytes: number): void {
  if ((row + count) * rowBytes <= sizeBytes) return
  throw new ShardbookError(
    'data',
    `gather: expected row ${row + count - 1} of ${key}, got ${Math.floor(sizeBytes / rowBytes)} rows.`,
  )
}
