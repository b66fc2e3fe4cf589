/**
 * Batches for programs: the slices that a process owns, read in step and joined into one batch.
 *
 * Every slice gives `rowsPerSlice` rows a step; what a slice lacks at the end of an epoch is filled up with zeros of weight 0.
 * How many steps an epoch has follows from the number of rows and the batch size alone, so that all workers agree.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { allocate, sizeOf } from '../../core/dtype.js'
import type { DType, TensorValues } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { Trace } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { Feed, FeedBatch, FrameSource } from '../../frame/index.js'

export interface ReaderOptions {
  readonly slices: number
  readonly rowsPerSlice: number
  /** The program that takes the batches: its inputs named as the columns say what is delivered. */
  readonly program: Trace
}

/** Where the slices come from, and which of them. */
export interface ReaderContext {
  readonly owned: readonly number[]
  open(source: FrameSource, options: { slices: number; slice: number }): Promise<Feed>
}

/** A batch of the owned slices: tensors of `owned * rowsPerSlice` rows. The reader disposes them. */
export interface Batch {
  readonly columns: readonly Tensor[]
  readonly rowWeight: Tensor
  readonly rowIndex: Tensor
  /** Rows of the global batch, over all workers. */
  readonly globalRows: number
  /** Milliseconds in which the rows were read, and made tensors. */
  readonly times: { readonly read: number; readonly copy: number }
}

/** What one batch is filled into. */
interface Buffers {
  readonly rowWeight: Float32Array
  readonly rowIndex: Int32Array
  readonly columns: readonly TensorValues[]
}

interface ColumnSpec {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

export class BatchReader {
  readonly totalRows: number
  readonly stepsPerEpoch: number
  readonly #tf: Tf
  readonly #feeds: readonly Feed[]
  readonly #owned: readonly number[]
  readonly #options: ReaderOptions
  readonly #columns: readonly ColumnSpec[]
  /** Of an epoch that has ended, for the next. */
  #ring: readonly Buffers[] | undefined

  private constructor(
    tf: Tf,
    source: FrameSource,
    feeds: readonly Feed[],
    owned: readonly number[],
    options: ReaderOptions,
  ) {
    const { program, slices, rowsPerSlice } = options
    this.#tf = tf
    this.#feeds = feeds
    this.#owned = owned
    this.#options = options
    this.totalRows = feeds[0]!.totalRows
    this.stepsPerEpoch = Math.ceil(this.totalRows / (slices * rowsPerSlice))
    this.#columns = source.columns.map((name) => {
      const input = program.inputs.find((candidate) => candidate.name === name && candidate.split)
      if (input === undefined) {
        throw new ShardbookError('internal', `training: expected a program that takes the column "${name}", got none.`)
      }
      const { dtype, shape } = program.values[input.value]!
      return { name, dtype, shape: shape.slice(1) }
    })
  }

  /** Opens the owned slices of a source; a worker that owns none opens one to know the number of rows. */
  static async open(tf: Tf, source: FrameSource, context: ReaderContext, options: ReaderOptions): Promise<BatchReader> {
    const feeds: Feed[] = []
    try {
      for (const slice of context.owned.length === 0 ? [0] : context.owned) {
        feeds.push(await context.open(source, { slices: options.slices, slice }))
      }
      return new BatchReader(tf, source, feeds, context.owned, options)
    } catch (error) {
      await Promise.all(feeds.map((feed) => feed.close()))
      throw error
    }
  }

  /** The batches of an epoch from step `skip` on; shuffled when there is a seed. The last batch's tensors go with the next. */
  async *batches(
    options: { seed?: number; epoch?: number; skip?: number; every?: number } = {},
  ): AsyncGenerator<Batch, void, undefined> {
    const { skip = 0, every = 1 } = options
    const { slices, rowsPerSlice } = this.#options
    const ring = this.#ring ?? this.#newRing()
    this.#ring = undefined
    let turn = 0
    const part = (values: TensorValues, slice: number, shape: readonly number[]): TensorValues => {
      const width = rowsPerSlice * sizeOf(shape)
      return values.subarray(slice * width, (slice + 1) * width)
    }
    const iterators = this.#owned.map((_, i) => {
      const into = (): Record<string, TensorValues> =>
        Object.fromEntries(this.#columns.map(({ name, shape }, at) => [name, part(ring[turn]!.columns[at]!, i, shape)]))
      return this.#feeds[i]!.batches({ rows: rowsPerSlice, ...options, into })[Symbol.asyncIterator]()
    })
    try {
      for (let step = skip; step < this.stepsPerEpoch; step += every) {
        const { rowWeight, rowIndex, columns } = ring[turn]!
        const began = performance.now()
        let read = 0
        for (const [i, iterator] of iterators.entries()) {
          const expected = this.#rowsOf(this.#owned[i]!, step)
          const asked = performance.now()
          const next = expected === 0 ? undefined : await iterator.next()
          read += performance.now() - asked
          const batch = next === undefined || next.done === true ? undefined : next.value
          if ((batch?.rows ?? 0) !== expected) {
            throw new ShardbookError(
              'data',
              `training: expected ${expected} rows of slice ${this.#owned[i]} at step ${step}, got ${batch?.rows ?? 0}.`,
              { hint: 'Did the data change while it was read?' },
            )
          }
          const [from, to, end] = [i * rowsPerSlice, i * rowsPerSlice + expected, (i + 1) * rowsPerSlice]
          rowWeight.fill(1, from, to).fill(0, to, end)
          rowIndex.fill(0, to, end)
          if (batch !== undefined) rowIndex.set(batch.index.subarray(0, expected), from)
          for (const [at, column] of this.#columns.entries()) {
            copyRows(column, part(columns[at]!, i, column.shape), batch)
          }
        }
        const globalRows = Math.min(slices * rowsPerSlice, this.totalRows - step * slices * rowsPerSlice)
        const tensors = this.#tensors(ring[turn]!)
        turn = (turn + 1) % ring.length
        const times = { read, copy: performance.now() - began - read }
        try {
          yield { ...tensors, globalRows, times }
        } finally {
          for (const tensor of [...tensors.columns, tensors.rowWeight, tensors.rowIndex]) tensor.dispose()
        }
      }
    } finally {
      for (const iterator of iterators) await iterator.return?.()
      this.#ring = ring
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#feeds.map((feed) => feed.close()))
  }

  /** Rows of a slice at a step: slices are runs of rows, the first of which may be longer by one. */
  #rowsOf(slice: number, step: number): number {
    const { slices, rowsPerSlice } = this.#options
    const rows = Math.max(0, Math.ceil((this.totalRows - slice) / slices))
    return Math.max(0, Math.min(rowsPerSlice, rows - step * rowsPerSlice))
  }

  /** A step may be under way and another begun while the third is filled; more would only make garbage of megabytes. */
  #newRing(): readonly Buffers[] {
    const size = this.#owned.length * this.#options.rowsPerSlice
    return Array.from({ length: 3 }, () => ({
      rowWeight: new Float32Array(size),
      rowIndex: new Int32Array(size),
      columns: this.#columns.map(({ dtype, shape }) => allocate(dtype, size * sizeOf(shape))),
    }))
  }

  #tensors({ columns, rowWeight, rowIndex }: Buffers): Pick<Batch, 'columns' | 'rowWeight' | 'rowIndex'> {
    const tf = this.#tf
    return {
      columns: this.#columns.map(({ shape, dtype }, i) => tf.tensor(columns[i]!, [rowWeight.length, ...shape], dtype)),
      rowWeight: tf.tensor1d(rowWeight),
      rowIndex: tf.tensor1d(rowIndex, 'int32'),
    }
  }
}

/** Copies a slice's rows into its part of a column's buffer, cast to its type, unless they lie there, and zeros behind them. */
function copyRows(column: ColumnSpec, target: TensorValues, batch: FeedBatch | undefined): void {
  const size = sizeOf(column.shape)
  const filled = (batch?.rows ?? 0) * size
  target.fill(0, filled)
  if (batch === undefined) return
  const source = batch.columns[column.name]
  if (source === undefined || sizeOf(source.shape) !== size) {
    throw new ShardbookError(
      'data',
      `training: expected the column "${column.name}" of shape [${column.shape.join(', ')}], got ${
        source === undefined ? 'none' : `[${source.shape.join(', ')}]`
      }.`,
    )
  }
  const { values } = source
  if (values.buffer !== target.buffer) target.set(values.subarray(0, filled))
}
