/**
 * The feed: how rows of a frame reach a training, as plain data that travels to workers.
 *
 * The rows of a source are dealt out to `slices` slices by their ordinal (`ordinal % slices`), which does not depend on
 * the number of workers. A worker opens the slices that it owns and reads nothing else.
 */
import type { StoredDType } from '../core/dtype.js'
import type { Plan } from './plan.js'

/** A frame as data, with the columns that are read from it. */
export interface FrameSource {
  readonly plan: Plan
  readonly columns: readonly string[]
}

/** Rows of numeric and tensor columns as typed arrays, ready for tensors. */
export interface FeedBatch {
  readonly rows: number
  /** Ordinal of each row in the source. */
  readonly index: Int32Array
  readonly columns: Readonly<Record<string, FeedColumn>>
}

export interface FeedColumn {
  readonly dtype: StoredDType
  /** Shape of one row's value: `[]` for a number, `[28, 28, 1]` for an image. */
  readonly shape: readonly number[]
  /** Row-major, `rows * sizeOf(shape)` elements; valid until the next batch is asked for. */
  readonly values: Uint8Array | Int32Array | Float32Array | Float64Array
}

/** One slice of a source, opened: a worker opens it once and reads it anew for each epoch. */
export interface Feed {
  /** Rows of this slice. */
  readonly rows: number
  /** Rows of the whole source. */
  readonly totalRows: number
  batches(options: FeedOptions): AsyncIterable<FeedBatch>
  close(): Promise<void>
}

export interface FeedOptions {
  /** Rows a batch; the last one of an epoch may be shorter. */
  readonly rows: number
  /** Shuffles with this seed, differently for each epoch and slice; source order without. */
  readonly seed?: number
  /** From 0. */
  readonly epoch?: number
  /** Batches to leave out at the beginning (to resume within an epoch). */
  readonly skip?: number
}
