/**
 * Batches of a slice. The engine reads ahead while rows are handed out, which are copied once, into arrays that all windows
 * share: a stream of the whole slice in its own order, or else the next window of a shuffle. Tensors by reference are read row
 * by row when a batch is made. A slice that fits into one window is read once and kept. Numbers are looked at until all rows
 * were found finite once.
 */
import { setImmediate } from 'node:timers/promises'
import { checkInteger } from '../core/check.js'
import { numberArrays, sizeOf } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import { fold, keyOf } from '../core/random.js'
import { rowBytes, type FedColumn, type RowReader, type Windows } from './engine/duckdb/window.js'
import type { FeedBatch, FeedColumn, FeedOptions } from './feed.js'
import { orderOf, type Order, type WindowOrder } from './order.js'
import type { RowRange } from './plan.js'
import { allocateStored, openGatherer, type Gatherer, type StoredValues } from './tensor/store.js'

/** What a window may hold. More than `maxShuffledRows` fall out of the processor's cache when they are picked at random. */
const maxShuffledRows = 4 * 122_880
const windowBytes = { shuffled: 64 * 2 ** 20, ordered: 32 * 2 ** 20 }

/** How often a stream lets the event loop run that never has to wait. */
const turnMs = 10

/** A window in memory. */
interface Held {
  readonly order: WindowOrder
  readonly values: readonly StoredValues[]
  /** It will be handed out again: batches are copies. */
  readonly kept: boolean
}

/** Rows in the order in which they are handed out. */
interface Ordered extends Pick<Held, 'values' | 'kept'> {
  /** The position in the source of each row; made when first asked for. */
  readonly ordinals: () => Int32Array
}

export class SliceReader {
  readonly #windows: Windows
  readonly #fed: readonly FedColumn[]
  readonly #range: RowRange
  readonly #slice: number
  readonly #gatherers: readonly (Gatherer | undefined)[]
  /** All rows of the slice, where they fit into one window. */
  #whole: Promise<readonly StoredValues[]> | undefined
  /** Whether a pass over the whole slice has found every number finite that is to be. */
  #isFinite = false

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
    into,
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
    const arrange = this.#arranger(order.windowRows)
    const cut = this.#cutter(Math.min(batchRows, order.windowRows), into)
    const skipped = skip * batchRows
    const first = Math.floor(skipped / order.windowRows)
    let from = skipped - first * order.windowRows
    let cutRows = 0
    for await (const held of this.#windowsOf(order, first, key !== undefined)) {
      const ordered = arrange(held)
      for (; from < held.order.rows; from += every * batchRows) {
        const batch = cut(ordered, from, Math.min(batchRows, held.order.rows - from))
        cutRows += batch.rows
        this.#isFinite ||= cutRows === this.#range.to - this.#range.from
        yield batch
      }
      from -= order.windowRows
    }
  }

  /** Ends what is being read. */
  async close(): Promise<void> {
    await this.#windows.close()
    for (const gatherer of this.#gatherers) gatherer?.close()
  }

  #windowsOf(order: Order, first: number, isShuffled: boolean): AsyncGenerator<Held, void, undefined> {
    if (order.count === 1) return this.#single(order, first)
    return isShuffled ? this.#shuffled(order, first) : this.#stream(order, first)
  }

  async *#single(order: Order, first: number): AsyncGenerator<Held, void, undefined> {
    if (order.count <= first) return
    const window = order.window(0)
    this.#whole ??= this.#windows.read(window.ranges).then(async (read) => {
      const values = this.#allocate(window.rows)
      await takeAll(read, values, window.rows)
      return values
    })
    const values = await this.#whole.catch((cause: unknown) => {
      this.#whole = undefined
      throw cause
    })
    yield { order: window, values, kept: true }
  }

  async *#stream(order: Order, first: number): AsyncGenerator<Held, void, undefined> {
    if (order.count <= first) return
    const buffers = this.#allocate(order.windowRows)
    const rows = await this.#windows.stream({ from: order.window(first).ranges[0]!.from, to: this.#range.to })
    let turnedMs = performance.now()
    try {
      for (let at = first; at < order.count; at++) {
        if (performance.now() - turnedMs > turnMs) {
          await setImmediate()
          turnedMs = performance.now()
        }
        const window = order.window(at)
        rows.take(buffers, window.rows)
        yield { order: window, values: buffers, kept: false }
      }
    } finally {
      await rows.close()
    }
  }

  async *#shuffled(order: Order, first: number): AsyncGenerator<Held, void, undefined> {
    const buffers = this.#allocate(order.windowRows)
    const start = (at: number): Promise<RowReader> | undefined => {
      if (at >= order.count) return undefined
      const reading = this.#windows.read(order.window(at).ranges)
      reading.catch(() => {}) // it is reported when its turn comes
      return reading
    }
    let next = start(first)
    try {
      for (let at = first; next !== undefined; at++) {
        const read: RowReader = await next
        // The engine works on the next window while this one is copied.
        next = start(at + 1)
        const window = order.window(at)
        await takeAll(read, buffers, window.rows)
        yield { order: window, values: buffers, kept: false }
      }
    } finally {
      await next?.then(
        (read) => read.close(),
        () => {},
      )
    }
  }

  #allocate(rows: number): readonly StoredValues[] {
    return this.#fed.map(({ dtype, shape, held }) => {
      return held === 'reference' ? new Float64Array(rows) : allocateStored(dtype, rows * sizeOf(shape))
    })
  }

  /**
   * Puts the rows of windows into their order, in arrays that all windows share. A column at a time, whole: picked for each
   * batch, rows of all columns would drive each other out of the processor's cache.
   */
  #arranger(windowRows: number): (held: Held) => Ordered {
    let arrays: readonly StoredValues[] | undefined
    return ({ order, values, kept }) => {
      const positions = order.permutation()
      const ordinals = once(() => {
        const inOrder = ordinalsOf(order)
        return positions === undefined ? inOrder : pick(inOrder, positions, 1, new Int32Array(order.rows))
      })
      if (positions === undefined) return { values, kept, ordinals }
      const targets = (arrays ??= this.#allocate(windowRows))
      this.#fed.forEach(({ held, shape }, c) => {
        pick(values[c]!, positions, held === 'reference' ? 1 : sizeOf(shape), targets[c]!)
      })
      return { values: targets, kept: false, ordinals }
    }
  }

  /** Makes batches out of windows; what is copied goes where it is wanted, or into buffers that all batches share. */
  #cutter(capacity: number, into: FeedOptions['into']) {
    const buffers: StoredValues[] = []
    return ({ values, ordinals, kept }: Ordered, from: number, rows: number): FeedBatch => {
      const index = (): Int32Array => ordinals().subarray(from, from + rows)
      const columns: Record<string, FeedColumn> = {}
      const wanted = into?.()
      this.#fed.forEach(({ column: { name }, dtype, shape, finite }, c) => {
        const width = sizeOf(shape)
        const gatherer = this.#gatherers[c]
        const target = (): StoredValues => {
          const given = wanted?.[name]
          const array =
            given instanceof numberArrays[dtype] ? given : (buffers[c] ??= allocateStored(dtype, capacity * width))
          return array.subarray(0, rows * width)
        }
        let own: StoredValues
        if (gatherer === undefined) {
          own = values[c]!.subarray(from * width, (from + rows) * width)
          // Who holds a batch may write into it: what is handed out again is copied.
          if (kept) {
            const copy = target()
            copy.set(own)
            own = copy
          }
        } else gatherer.gather(values[c] as Float64Array, from, rows, (own = target()))
        if (finite && !this.#isFinite) checkFinite(name, own, index)
        columns[name] = { dtype, shape, values: own }
      })
      return {
        rows,
        columns,
        get index() {
          return index()
        },
      }
    }
  }
}

async function takeAll(read: RowReader, values: readonly StoredValues[], rows: number): Promise<void> {
  try {
    read.take(values, rows)
  } finally {
    await read.close()
  }
}

/** @throws ShardbookError `data` for NaN and infinite numbers, with the row's position in the source */
function checkFinite(name: string, values: StoredValues, index: () => Int32Array): void {
  if (values instanceof Uint8Array || values instanceof Int32Array) return
  if (allFinite(values)) return
  const at = values.findIndex((value) => !Number.isFinite(value))
  const ordinals = index()
  const row = ordinals[Math.floor((at * ordinals.length) / values.length)]!
  throw new ShardbookError(
    'data',
    `openFeed: expected finite numbers in '${name}', got ${values[at]} in row ${row}, counted from 0.`,
    { hint: 'Drop such rows, or put numbers in their place.' },
  )
}

/** In four sums, which do not wait for each other: a number is finite when its product with zero is zero. */
function allFinite(values: Float32Array | Float64Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0]
  let at = 0
  for (; at + 3 < values.length; at += 4) {
    a += values[at]! * 0
    b += values[at + 1]! * 0
    c += values[at + 2]! * 0
    d += values[at + 3]! * 0
  }
  for (; at < values.length; at++) a += values[at]! * 0
  return a + b + c + d === 0
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

/** The position in the source of each row of a window. */
function ordinalsOf({ ranges, rows }: WindowOrder): Int32Array {
  const ordinals = new Int32Array(rows)
  let at = 0
  for (const { from, to } of ranges) for (let row = from; row < to; row++) ordinals[at++] = row
  return ordinals
}

/** Copies the row at each position to the next row of `out`. */
function pick<T extends StoredValues>(source: StoredValues, positions: Uint32Array, width: number, out: T): T {
  if (width === 1) {
    for (let i = 0; i < positions.length; i++) out[i] = source[positions[i]!]!
    return out
  }
  for (let i = 0; i < positions.length; i++) {
    const at = positions[i]! * width
    out.set(source.subarray(at, at + width), i * width)
  }
  return out
}
