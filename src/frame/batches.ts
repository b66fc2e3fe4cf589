/** Batches of a whole frame: one slice, or several in rotation, as a pool of workers would see them together. */
import { cancellable } from '../core/cancel.js'
import { checkInteger } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { sizeOf } from '../core/dtype.js'
import type { Feed, FeedBatch, FeedColumn, FeedOptions, ListOptions } from './feed.js'
import { openFeed } from './open-feed.js'
import type { EndOptions } from './frame-ends.js'
import type { Plan } from './plan.js'
import { allocateStored } from './tensor/store.js'
import type { TokenOptions } from './tokens.js'

export interface BatchOptions extends EndOptions {
  readonly rows: number
  /** Default: all columns. */
  readonly columns?: readonly string[]
  /** Default: whether there is a seed. A shuffle goes through a window of 491,520 rows (four row groups) or 64 MiB. */
  readonly shuffle?: boolean
  /** Of the shuffle; default 0. */
  readonly seed?: number
  /** From 0: each epoch is shuffled differently. */
  readonly epoch?: number
  /** Cuts the rows into so many runs, and takes `rows / slices` rows of each for a batch; default 1. */
  readonly slices?: number
  /** Columns of text that come as token ids: `{ text: { length: 32, buckets: 65536 } }`. */
  readonly tokens?: Readonly<Record<string, TokenOptions>>
  /** Columns of lists and sparse vectors that come filled up to one length: `{ features: { length: 32 } }`. */
  readonly lists?: Readonly<Record<string, ListOptions>>
}

export async function* batchesOf(plan: Plan, options: BatchOptions): AsyncGenerator<FeedBatch, void, undefined> {
  const { rows, slices = 1, epoch = 0, shuffle = options.seed !== undefined, seed = 0, tokens, lists, signal } = options
  const columns = options.columns ?? plan.schema.map(({ name }) => name)
  checkInteger('batches', 'rows', rows, 1)
  checkInteger('batches', 'slices', slices, 1)
  if (rows % slices !== 0) {
    throw new ShardbookError('argument', `batches: expected rows to be a multiple of slices (${slices}), got ${rows}.`)
  }
  const feeds: Feed[] = []
  try {
    for (let slice = 0; slice < slices; slice++) {
      const source = { plan, columns, ...(tokens && { tokens }), ...(lists && { lists }) }
      feeds.push(await cancellable('batches', signal, () => openFeed(source, { slices, slice })))
    }
    const each: FeedOptions = { rows: rows / slices, epoch, ...(shuffle && { seed }) }
    for await (const batch of feeds.length === 1 ? feeds[0]!.batches(each) : rotation(feeds, each)) {
      if (signal?.aborted === true) throw new ShardbookError('interrupted', 'batches: it was interrupted.')
      yield batch
    }
  } finally {
    for (const feed of feeds) await feed.close()
  }
}

/** Joins a batch of each feed into one, in order. */
async function* rotation(feeds: readonly Feed[], options: FeedOptions): AsyncGenerator<FeedBatch, void, undefined> {
  const iterators = feeds.map((feed) => feed.batches(options)[Symbol.asyncIterator]())
  const index = new Int32Array(options.rows * feeds.length)
  const buffers = new Map<string, FeedColumn>()
  const bufferOf = (name: string, { dtype, shape }: FeedColumn): FeedColumn => {
    let buffer = buffers.get(name)
    if (buffer === undefined) {
      buffer = { dtype, shape, values: allocateStored(dtype, index.length * sizeOf(shape)) }
      buffers.set(name, buffer)
    }
    return buffer
  }
  try {
    for (;;) {
      let rows = 0
      for (const iterator of iterators) {
        const next = await iterator.next()
        if (next.done === true) continue
        index.set(next.value.index, rows)
        for (const [name, column] of Object.entries(next.value.columns)) {
          bufferOf(name, column).values.set(column.values, rows * sizeOf(column.shape))
        }
        rows += next.value.rows
      }
      if (rows === 0) return
      const columns = [...buffers].map(([name, { dtype, shape, values }]) => {
        return [name, { dtype, shape, values: values.subarray(0, rows * sizeOf(shape)) }] as const
      })
      yield { rows, index: index.subarray(0, rows), columns: Object.fromEntries(columns) }
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.()
  }
}
