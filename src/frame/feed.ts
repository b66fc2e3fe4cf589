/**
 * The feed: how rows of a frame reach a training, as plain data that travels to workers.
 *
 * The rows of a source are cut into `slices` runs of equal length, give or take one row, whatever the number of workers. A
 * worker opens the slices that it owns and reads nothing else. A slice is read window by window (`order.ts`), so memory does
 * not grow with the data.
 */
import type { StoredDType } from '../core/dtype.js'
import type { Plan } from './plan.js'
import type { StoredValues } from './tensor/store.js'
import type { TokenOptions } from './tokens.js'

/** How columns come that are neither numbers nor tensors, and what is asked of values. */
export interface FeedFields {
  /** Columns of text that come as token ids (int32, `[length]`). */
  readonly tokens?: Readonly<Record<string, TokenOptions>>
  /** Columns of lists of numbers and of sparse vectors, that come filled up to one length. */
  readonly lists?: Readonly<Record<string, ListOptions>>
  /** Columns in which NaN or an infinite number is an error that names its row. */
  readonly finite?: readonly string[]
}

/**
 * A list comes as `[length]`, cut or filled up: int32 or float32. A sparse vector comes as float32 `[2, length]`: which
 * components, then their values, filled up with component 0 of value 0; more than `length` of them are an error.
 */
export interface ListOptions {
  readonly length: number
  /** What a list is filled up with. Default 0. */
  readonly fill?: number
  /** Components of a sparse vector that are kept, rising; they are numbered in this order. Default all. */
  readonly components?: readonly number[]
}

/** A frame as data, with the columns that are read from it. */
export interface FrameSource extends FeedFields {
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
  /** Shuffles with this seed, differently for each epoch and slice, through a bounded window; source order without. */
  readonly seed?: number
  /** From 0. */
  readonly epoch?: number
  /** Batches to leave out at the beginning (to resume within an epoch). */
  readonly skip?: number
  /** Gives every n-th batch of those that are left, beginning with the first; default 1. */
  readonly every?: number
  /**
   * Asked for each batch: arrays that its values go into where they have to be copied anyway and the array is of their dtype,
   * instead of one that all batches share.
   */
  readonly into?: () => Readonly<Record<string, StoredValues>>
}
