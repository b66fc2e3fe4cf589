/** Categories and numbers, by looking them up, as row functions. */
import { ShardbookError } from '../../../../core/errors.js'
import type { NumberRows, RowFunction, SparseRows, StringRows } from '../../../../frame/row-function.js'
import { byteIndex } from './text.js'

/** What to do with a value that is not known: an error, no row, or a value of its own. */
export type InvalidPolicy = 'error' | 'skip' | 'keep'

/** The position of a text among labels. */
export const labelIndex = {
  kind: 'labelIndex',
  make: (payload: { labels: readonly string[]; invalid: InvalidPolicy; where: string }): RowFunction => {
    const { labels, invalid, where } = payload
    const index = byteIndex(labels)
    return ([input], rows) => {
      const { bytes, starts, ends, valid } = input as StringRows
      const values = new Float64Array(rows)
      const isKnown = new Uint8Array(rows).fill(1)
      for (let row = 0; row < rows; row++) {
        const isNull = valid !== null && valid[row] === 0
        const at = isNull ? -1 : index.find(bytes, starts[row]!, ends[row]!)
        values[row] = at < 0 ? labels.length : at
        if (at >= 0) continue
        if (invalid === 'error') {
          const text = new TextDecoder().decode(bytes.subarray(starts[row], ends[row]))
          throw unseen(where, isNull ? 'null' : JSON.stringify(text), 'one of the labels that were learnt')
        }
        if (invalid === 'skip') isKnown[row] = 0
      }
      return { kind: 'numbers', values, valid: isKnown.includes(0) ? isKnown : null }
    }
  },
}

/** The label at a position. */
export const labelAt = {
  kind: 'labelAt',
  make: ({ labels, where }: { labels: readonly string[]; where: string }): RowFunction => {
    const texts = labels.map((label) => new TextEncoder().encode(label))
    const lengths = texts.map((text) => text.length)
    const bytes = new Uint8Array(lengths.reduce((a, b) => a + b, 0))
    const firsts = lengths.map((_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0))
    texts.forEach((text, i) => bytes.set(text, firsts[i]))
    return ([input], rows) => {
      const { values, valid } = input as NumberRows
      const [starts, ends] = [new Uint32Array(rows), new Uint32Array(rows)]
      for (let row = 0; row < rows; row++) {
        if (valid !== null && valid[row] === 0) continue
        const start = firsts[values[row]!]
        if (start === undefined) throw unseen(where, String(values[row]), `a position in ${labels.length} labels`)
        starts[row] = start
        ends[row] = start + lengths[values[row]!]!
      }
      return { kind: 'strings', bytes, starts, ends, valid }
    }
  },
}

/** A sparse vector with a 1 at the category's position, if that is within `size`. */
export const oneHot = {
  kind: 'oneHot',
  make: (payload: { categories: number; size: number; keep: boolean; where: string }): RowFunction => {
    const { categories, size, keep, where } = payload
    return ([input], rows) => {
      const { values: category, valid } = input as NumberRows
      const [starts, ends] = [new Uint32Array(rows), new Uint32Array(rows)]
      const indices = new Int32Array(rows)
      let count = 0
      for (let row = 0; row < rows; row++) {
        let at = category[row]!
        const isNull = valid !== null && valid[row] === 0
        if (isNull || !Number.isInteger(at) || at < 0 || at >= categories) {
          if (!keep) throw unseen(where, isNull ? 'null' : String(at), `a category below ${categories}`)
          at = categories
        }
        starts[row] = count
        if (at < size) indices[count++] = at
        ends[row] = count
      }
      const values = new Float32Array(rows).fill(1)
      return { kind: 'sparse', size, starts, ends, indices, values, valid: null } satisfies SparseRows
    }
  },
}

/** The number of the bucket `[splits[i], splits[i + 1])` that a number is in; the last one holds its end too. */
export const bucket = {
  kind: 'bucket',
  make: (payload: { splits: Float64Array; invalid: InvalidPolicy; where: string }): RowFunction => {
    const { splits, invalid, where } = payload
    const last = splits.length - 1
    return ([input], rows) => {
      const { values: x, valid } = input as NumberRows
      const values = new Float64Array(rows)
      const isKnown = new Uint8Array(rows).fill(1)
      for (let row = 0; row < rows; row++) {
        const isNull = valid !== null && valid[row] === 0
        const value = isNull ? NaN : x[row]!
        if (Number.isNaN(value)) {
          if (invalid === 'error') throw unseen(where, isNull ? 'null' : 'NaN', 'a number')
          if (invalid === 'skip') isKnown[row] = 0
          values[row] = last
          continue
        }
        if (value < splits[0]! || value > splits[last]!) {
          throw unseen(where, String(value), `a number within [${splits[0]}, ${splits[last]}]`, outer)
        }
        let [low, high] = [0, last]
        while (high - low > 1) {
          const middle = (low + high) >> 1
          if (splits[middle]! <= value) low = middle
          else high = middle
        }
        values[row] = low
      }
      return { kind: 'numbers', values, valid: isKnown.includes(0) ? isKnown : null }
    }
  },
}

const policies = "handleInvalid: 'skip' leaves such rows out, 'keep' gives them a value of their own."
const outer = 'Let the splits begin with -Infinity and end with Infinity.'

function unseen(where: string, got: string, expected: string, hint = policies): ShardbookError {
  return new ShardbookError('data', `${where}: expected ${expected}, got ${got}.`, { hint })
}
