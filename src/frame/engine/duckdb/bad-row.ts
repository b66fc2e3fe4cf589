/** What is wrong with a row on its way into a feed: who copies it knows the row's place in what is copied, who reads it the row. */
import { ShardbookError } from '../../../core/errors.js'
import type { RowRange } from '../../plan.js'

export class BadRow extends Error {
  /** The row, counted from the first of those that were asked for. */
  readonly offset: number
  readonly hint: string | undefined

  /** `what` reads `expected X, got Y`. */
  constructor(what: string, offset: number, hint?: string) {
    super(what)
    this.offset = offset
    this.hint = hint
  }

  /** The user's error; without ranges it is not known which row it is. */
  explain(ranges: readonly RowRange[] = [], taken = 0): ShardbookError {
    const row = rowAt(ranges, taken + this.offset)
    const place = row === undefined ? '' : ` in row ${row}, counted from 0`
    const hint = this.hint === undefined ? {} : { hint: this.hint }
    return new ShardbookError('data', `openFeed: ${this.message}${place}.`, { ...hint, cause: this })
  }
}

/** The row of the source at a position in the ranges, which follow each other. */
function rowAt(ranges: readonly RowRange[], position: number): number | undefined {
  let left = position
  for (const { from, to } of ranges) {
    if (left < to - from) return from + left
    left -= to - from
  }
  return undefined
}
