/**
 * The order in which a slice's rows are fed, as windows: lists of runs of rows that are in memory together.
 *
 * Without a key the order is that of the source. With one, a slice that fits into a window is permuted as a whole; a longer one
 * is cut into blocks, the blocks are permuted, every four of them make a window, and a window's rows are permuted. Order and
 * windows follow from the numbers given here alone, so that any batch of any epoch can be found again.
 */
import { fold, permutation, type Key } from '../core/random.js'
import type { RowRange } from './plan.js'

/** Blocks of a window. */
const blocks = 4

/** Rows that are copied at once while a source streams in its own order: few enough to stay in the processor's cache. */
const streamedRows = 8192

export interface WindowOrder {
  /** Runs of rows, by their position in the source. */
  readonly ranges: readonly RowRange[]
  readonly rows: number
  /** Position within the window of each row in turn; absent: as they lie. */
  permutation(): Uint32Array | undefined
}

export interface Order {
  /** Rows of every window but the last: a multiple of the batch's rows, so that no batch lies in two. */
  readonly windowRows: number
  readonly count: number
  window(at: number): WindowOrder
}

/** Rows of slice `slice` among `slices` of a source: runs that differ in length by one row at most. */
export function sliceRange(totalRows: number, slices: number, slice: number): RowRange {
  const from = (i: number): number => i * Math.floor(totalRows / slices) + Math.min(i, totalRows % slices)
  return { from: from(slice), to: from(slice + 1) }
}

/** The order of a slice's rows for batches of `batchRows`, when about `heldRows` fit into memory. */
export function orderOf(slice: RowRange, batchRows: number, heldRows: number, key: Key | undefined): Order {
  const total = slice.to - slice.from
  /** About so many rows, in batches that are whole. */
  const wholeBatches = (rows: number): number => Math.max(1, Math.floor(rows / batchRows)) * batchRows
  if (total <= heldRows || key === undefined) {
    const windowRows = total <= heldRows ? Math.max(total, 1) : wholeBatches(Math.min(heldRows, streamedRows))
    return {
      windowRows,
      count: Math.ceil(total / windowRows),
      window(at) {
        const from = slice.from + at * windowRows
        const to = Math.min(from + windowRows, slice.to)
        return {
          ranges: [{ from, to }],
          rows: to - from,
          permutation: () => (key === undefined ? undefined : permutation(key, to - from)),
        }
      },
    }
  }
  const blockRows = wholeBatches(heldRows / blocks)
  const whole = Math.floor(total / blockRows)
  // What does not fill a block comes last, so that only the last window is short.
  const blockOrder = [...permutation(fold(key, 0), whole), ...(total > whole * blockRows ? [whole] : [])]
  return {
    windowRows: blocks * blockRows,
    count: Math.ceil(blockOrder.length / blocks),
    window(at) {
      const ranges = blockOrder.slice(at * blocks, (at + 1) * blocks).map((block) => {
        const from = slice.from + block * blockRows
        return { from, to: Math.min(from + blockRows, slice.to) }
      })
      const rows = ranges.reduce((sum, { from, to }) => sum + to - from, 0)
      return { ranges, rows, permutation: () => permutation(fold(key, at + 1), rows) }
    },
  }
}
