/**
 * Features as bins, for trees: each distinct value is one while there are few, else each bin holds about as many rows. Splits
 * lie between bins. Stored by feature, a byte or two a value.
 */
import { ShardbookError } from '../../../core/errors.js'
import { eachComponent } from '../vectors.js'
import type { Matrix } from '../vectors.js'

export interface Bins {
  readonly rows: number
  readonly width: number
  /** The bin of row `r` in feature `j` is `of[j][r]`. */
  readonly of: readonly (Uint8Array | Uint16Array)[]
  /** Least and greatest value of each bin of a feature, by feature. */
  readonly least: readonly Float64Array[]
  readonly most: readonly Float64Array[]
}

/** More would not fit into memory beside the rows themselves. */
const mostValues = 2 ** 30

export function binned(caller: string, { rows, width, vectors }: Matrix, maxBins: number): Bins {
  if (rows * width > mostValues) {
    throw new ShardbookError(
      'data',
      `${caller}: expected at most ${mostValues} values (rows times features), got ${rows} x ${width}.`,
      { hint: 'Use fewer features: numFeatures of HashingTF, vocabSize of CountVectorizer, ml.PCA.' },
    )
  }
  const columns = Array.from({ length: width }, () => new Float64Array(rows))
  for (let row = 0; row < rows; row++) {
    eachComponent(vectors, row, (j, value) => {
      columns[j]![row] = value
    })
  }
  const found = columns.map((column) => binnedColumn(column, maxBins))
  return {
    rows,
    width,
    of: found.map(({ of }) => of),
    least: found.map(({ least }) => least),
    most: found.map(({ most }) => most),
  }
}

function binnedColumn(column: Float64Array, maxBins: number) {
  const sorted = column.slice().sort()
  const rows = sorted.length
  // First positions of distinct values.
  const firsts: number[] = []
  for (let i = 0; i < rows; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) firsts.push(i)
  let starts = firsts
  if (firsts.length > maxBins) {
    starts = [0]
    for (let bin = 1; bin < maxBins; bin++) {
      const wanted = (bin * rows) / maxBins
      const next = firsts[lowerBound(firsts, wanted)]
      if (next !== undefined && next > starts.at(-1)!) starts.push(next)
    }
  }
  const least = Float64Array.from(starts, (at) => sorted[at]!)
  const most = Float64Array.from(starts, (_, bin) => sorted[(starts[bin + 1] ?? rows) - 1]!)
  const of = starts.length <= 256 ? new Uint8Array(rows) : new Uint16Array(rows)
  for (let row = 0; row < rows; row++) {
    let [low, high] = [0, least.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (least[middle]! <= column[row]!) low = middle
      else high = middle
    }
    of[row] = low
  }
  return { of, least, most }
}

/** The first position whose value is not below. */
function lowerBound(values: readonly number[], wanted: number): number {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
