/**
 * Batches of a slice. The engine reads the next window while the rows of this one are handed out; each is copied once, into
 * arrays that all windows share. Tensors by reference are read row by row when a batch is made. A slice that fits into one
 * window is read once and kept.
 */
import { checkInteger } from '../core/check.js'
import { sizeOf } from '../core/dtype.js'
import { fold, keyOf } from '../core/random.js'
import { rowBytes, type FedColumn, type Window, type Windows } from './engine/duckdb/window.js'
import type { FeedBatch, FeedColumn, FeedOptions } from './feed.js'
import { orderOf, type Order, type WindowOrder } from './order.js'
import type { RowRange } from './plan.js'
import { allocateStored, openGatherer, type Gatherer, type StoredValues } from './tensor/store.js'

/** What a window may hold. More than `maxShuffledRows` fall out of the processor's cache when they are picked at random. */
const maxShuffledRows = 2 ** 18
const windowBytes = { shuffled: 64 * 2 ** 20, ordered: 32 * 2 ** 20 }

/** A window in memory. */
interface Held {
  readonly order: WindowOrder
  readonly values: readonly StoredValues[]
  readonly ordinals: Int32Array
  /** It will be handed out again: batches are copies. */
  readonly kept: boolean
}

export class SliceReader {
  readonly #windows: Windows
  readonly #fed: readonly FedColumn[]
  readonly #range: RowRange
  readonly #slice: number
  readonly #gatherers: readonly (Gatherer | undefined)[]
  /** All rows of the slice, where they fit into one window. */
  #whole: Promise<readonly StoredValues[]> | undefined

  constructor(windows: Windows, fed: readonly FedColumn[], range: RowRange, slice: number) {
    this.#windows = windows
    this.#fed = fed
    this.#range = range
    this.#slice = slice
    this.#gatherers = fed.map(({ column: { type }, held }) =>
      held === 'reference' && type.kind === 'tensor' ? openGatherer(windows.stores, type) : undefined,
    )
  }

  async *batches({
    rows: batchRows,
    seed,
    epoch = 0,
    skip = 0,
    every = 1,
  }: FeedOptions): AsyncGenerator<FeedBatch, void, undefined> {
    checkInteger('batches', 'rows', batchRows, 1)
    checkInteger('batches', 'epoch', epoch, 0)
    checkInteger('batches', 'skip', skip, 0)
    checkInteger('batches', 'every', every, 1)
    const key = seed === undefined ? undefined : fold(fold(keyOf(seed), epoch), this.#slice)
    const width = rowBytes(this.#fed)
    const heldRows =
      key === undefined ? windowBytes.ordered / width : Math.min(windowBytes.shuffled / width, maxShuffledRows)
    const order = orderOf(this.#range, batchRows, heldRows, key)
    const cut = this.#cutter(Math.min(batchRows, order.windowRows))
    const skipped = skip * batchRows
    const first = Math.floor(skipped / order.windowRows)
    let from = skipped - first * order.windowRows
    for await (const held of order.count > 1 ? this.#stream(order, first) : this.#single(order, first)) {
      const positions = held.order.permutation()
      for (; from < held.order.rows; from += every * batchRows) {
        yield cut(held, positions, from, Math.min(batchRows, held.order.rows - from))
      }
      from -= order.windowRows
    }
  }

  /** Ends what is being read. */
  async close(): Promise<void> {
    await this.#windows.close()
    for (const gatherer of this.#gatherers) gatherer?.close()
  }

  async *#single(order: Order, first: number): AsyncGenerator<Held, void, undefined> {
    if (order.count <= first) return
    const window = order.window(0)
    this.#whole ??= this.#windows.read(window.ranges).then((read) => {
      const values = this.#allocate(window.rows)
      read.take(values)
      return values
    })
    const values = await this.#whole.catch((cause: unknown) => {
      this.#whole = undefined
      throw cause
    })
    yield { order: window, values, ordinals: ordinalsOf(window), kept: true }
  }

  async *#stream(order: Order, first: number): AsyncGenerator<Held, void, undefined> {
    const buffers = this.#allocate(order.windowRows)
    const start = (at: number): Promise<Window> | undefined => {
      if (at >= order.count) return undefined
      const reading = this.#windows.read(order.window(at).ranges)
      reading.catch(() => {}) // it is reported when its turn comes
      return reading
    }
    let next = start(first)
    try {
      for (let at = first; next !== undefined; at++) {
        const read = await next
        next = undefined
        read.take(buffers)
        next = start(at + 1)
        const window = order.window(at)
        yield { order: window, values: buffers, ordinals: ordinalsOf(window), kept: false }
      }
    } finally {
      await next?.then(
        (read) => read.drop(),
        () => {},
      )
    }
  }

  #allocate(rows: number): readonly StoredValues[] {
    return this.#fed.map(({ dtype, shape, held }) => {
      return held === 'reference' ? new Float64Array(rows) : allocateStored(dtype, rows * sizeOf(shape))
    })
  }

  /** Makes batches out of windows, in buffers that all batches share; rows in order need none. */
  #cutter(capacity: number) {
    const index = new Int32Array(capacity)
    const refs = new Float64Array(capacity)
    const buffers = this.#fed.map(({ dtype, shape }) => allocateStored(dtype, capacity * sizeOf(shape)))
    return (held: Held, positions: Uint32Array | undefined, from: number, rows: number): FeedBatch => {
      pick(held.ordinals, positions, from, rows, 1, index)
      const columns: Record<string, FeedColumn> = {}
      this.#fed.forEach(({ column: { name }, dtype, shape }, c) => {
        const width = sizeOf(shape)
        const source = held.values[c]!
        const gatherer = this.#gatherers[c]
        let values = buffers[c]!.subarray(0, rows * width)
        if (gatherer !== undefined) {
          pick(source, positions, from, rows, 1, refs)
          gatherer.gather(refs, 0, rows, values)
        } else if (positions === undefined && !held.kept) {
          values = source.subarray(from * width, (from + rows) * width)
        } else {
          pick(source, positions, from, rows, width, values)
        }
        columns[name] = { dtype, shape, values }
      })
      return { rows, index: index.subarray(0, rows), columns }
    }
  }
}

/** The position in the source of each row of a window. */
function ordinalsOf({ ranges, rows }: WindowOrder): Int32Array {
  const ordinals = new Int32Array(rows)
  let at = 0
  for (const { from, to } of ranges) for (let row = from; row < to; row++) ordinals[at++] = row
  return ordinals
}

/** Copies rows at positions `[from, from + rows)` of an order. */
function pick(
  source: StoredValues,
  positions: Uint32Array | undefined,
  from: number,
  rows: number,
  width: number,
  out: StoredValues,
): void {
  if (positions === undefined) {
    out.set(source.subarray(from * width, (from + rows) * width))
  } else if (width === 1) {
    for (let i = 0; i < rows; i++) out[i] = source[positions[from + i]!]!
  } else {
    for (let i = 0; i < rows; i++) {
      const at = positions[from + i]! * width
      out.set(source.subarray(at, at + width), i * width)
    }
  }
}
