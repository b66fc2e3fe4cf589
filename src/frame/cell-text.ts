/** Values and captions in a line of text. */
import type { Preview } from './preview.js'
import type { Tensor } from './tensor/tensor.js'

/** What is shown, and of how much. */
export function caption({ schema, head, tail, total, more }: Preview): string {
  const columns = `${schema.length} column${schema.length === 1 ? '' : 's'}`
  if (!more) return `${head.length} row${head.length === 1 ? '' : 's'} × ${columns}`
  if (total === undefined) return `first ${head.length} rows × ${columns}`
  const last = tail.length === 0 ? '' : ` and the last ${tail.length}`
  return `${total.toLocaleString('en')} rows × ${columns}, the first ${head.length}${last}`
}

/** Which rows the histograms are of, where it is not all. */
export function sampleCaption({ sample: { rows, from } }: Preview): string {
  const count = rows.length.toLocaleString('en')
  return { all: '', first: `; histograms of the first ${count} rows`, spread: `; histograms of ${count} sampled rows` }[
    from
  ]
}

/** A cell in a line of text. */
export function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return 'null'
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(7)))
  if (cell instanceof Date) return cell.toISOString().replace('T00:00:00.000Z', '').replace('.000Z', 'Z')
  if (isTensor(cell)) {
    const values = [...cell.values.subarray(0, 4)].map((value) => String(Number(value.toPrecision(4))))
    return `[${values.join(', ')}${cell.values.length > 4 ? ', …' : ''}]`
  }
  const plain =
    typeof cell === 'object'
      ? JSON.stringify(cell, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
      : String(cell)
  const oneLine = plain.replaceAll(/\s+/g, ' ')
  return oneLine.length > 60 ? `${oneLine.slice(0, 59)}…` : oneLine
}

export function isTensor(cell: unknown): cell is Tensor {
  return typeof cell === 'object' && cell !== null && 'values' in cell && 'shape' in cell && 'dtype' in cell
}
