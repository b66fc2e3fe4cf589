/** Class labels of a frame, by one aggregation. */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { col } from '../../frame/index.js'
import type { AnyFrame, Frame } from '../../frame/index.js'

/** More classes than this is a column of something else. */
const mostClasses = 100_000

/**
 * Rows of a frame, the number of classes, one more than the greatest label, and the rows of each.
 *
 * @throws ShardbookError `data` unless all labels are integers from 0 on and at least `least` different ones.
 */
export async function countClasses(
  caller: string,
  frame: AnyFrame,
  labelCol: string,
  least: number,
): Promise<{ classes: number; rows: number; sizes: readonly number[] }> {
  // A name that the label has not.
  const total = `rows of ${labelCol}`
  const counted = (frame as Frame).groupBy(labelCol).agg({ [total]: col.count() })
  let greatest = -1
  let different = 0
  let rows = 0
  const counts = new Map<number, number>()
  for (const row of await counted.toRows()) {
    const { [labelCol]: label, [total]: n } = row as Readonly<Record<string, unknown>>
    const value = typeof label === 'boolean' ? Number(label) : label
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= mostClasses) {
      throw new ShardbookError(
        'data',
        `${caller}: expected '${labelCol}' to hold class numbers 0, 1, 2, ..., got ${show(label)} in ${Number(n)} rows.`,
        { hint: label === null ? 'Drop those rows: frame.dropNulls.' : 'Give each class a number first.' },
      )
    }
    greatest = Math.max(greatest, value)
    rows += Number(n)
    counts.set(value, (counts.get(value) ?? 0) + Number(n))
    different++
  }
  if (rows === 0) throw new ShardbookError('data', `${caller}: expected rows to train on, got an empty frame.`)
  if (different < least) {
    throw new ShardbookError(
      'data',
      `${caller}: expected at least two classes in '${labelCol}', got ${greatest} in all ${rows} rows.`,
    )
  }
  const sizes = Array.from({ length: greatest + 1 }, (_, label) => counts.get(label) ?? 0)
  return { classes: sizes.length, rows, sizes }
}
