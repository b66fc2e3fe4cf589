/**
 * Lists of a vector into rows of one length. A list entry has 16 bytes, where its values begin and how many there are; the
 * values of a vector's lists lie one behind the other, so they are copied at once.
 */
import { ShardbookError } from '../../../core/errors.js'
import type { ListOptions } from '../../feed.js'
import { BadRow } from './bad-row.js'
import type { CApi } from './c-api.js'
import type { CopyVector, NullCheck } from './window.js'

/** Where the values of each row lie; valid until the next reading. */
interface Lists<T extends ListValues> {
  readonly starts: Float64Array
  readonly lengths: Float64Array
  readonly values: T
}

type ListValues = Int32Array | Float32Array

/** Copies lists, cut or filled up to `length`. */
export function copyList(api: CApi, check: NullCheck, name: string, { length, fill = 0 }: ListOptions): CopyVector {
  const reader = openLists(api, check, name)
  return (vector, from, rows, target, at) => {
    check(vector, from, rows)
    const { starts, lengths, values } = reader.read(vector, from, rows, (count): ListValues =>
      target instanceof Int32Array ? new Int32Array(count) : new Float32Array(count),
    )
    for (let row = 0; row < rows; row++) {
      const out = (at + row) * length
      const begin = starts[row]!
      const kept = Math.min(lengths[row]!, length)
      target.set(values.subarray(begin, begin + kept), out)
      target.fill(fill, out + kept, out + length)
    }
  }
}

/** Copies sparse vectors: the numbers of their components, then the values, each filled up with zeros. */
export function copySparse(api: CApi, check: NullCheck, name: string, options: ListOptions): CopyVector {
  const { length, components } = options
  const [indices, values] = [openLists(api, check, name), openLists(api, check, name)]
  const numbers = components === undefined ? undefined : new Map(components.map((component, i) => [component, i]))
  return (vector, from, rows, target, at) => {
    check(vector, from, rows)
    const [numbered, weighed] = [0, 1].map((child) => api.duckdb_struct_vector_get_child(vector, child)) as [
      number,
      number,
    ]
    const where = indices.read(numbered, from, rows, (count) => new Int32Array(count))
    const what = values.read(weighed, from, rows, (count) => new Float32Array(count))
    for (let row = 0; row < rows; row++) {
      const out = (at + row) * 2 * length
      target.fill(0, out, out + 2 * length)
      let kept = 0
      for (let i = 0; i < where.lengths[row]!; i++) {
        const component = where.values[where.starts[row]! + i]!
        const number = numbers === undefined ? component : numbers.get(component)
        if (number === undefined) continue
        if (kept === length) {
          const most = `at most ${length} components in '${name}'`
          throw new BadRow(`expected sparse vectors with ${most}, got one with more`, row)
        }
        target[out + kept] = number
        target[out + length + kept] = what.values[what.starts[row]! + i]!
        kept++
      }
    }
  }
}

function openLists(api: CApi, check: NullCheck, name: string) {
  let entries = new BigUint64Array(0)
  let [starts, lengths] = [new Float64Array(0), new Float64Array(0)]
  return {
    read<T extends ListValues>(vector: number, from: number, rows: number, allocate: (count: number) => T): Lists<T> {
      if (starts.length < rows) {
        entries = new BigUint64Array(rows * 2)
        ;[starts, lengths] = [new Float64Array(rows), new Float64Array(rows)]
      }
      api.memory.read(api.duckdb_vector_get_data(vector) + from * 16, new Uint8Array(entries.buffer, 0, rows * 16))
      for (let row = 0; row < rows; row++) {
        starts[row] = Number(entries[row * 2])
        lengths[row] = Number(entries[row * 2 + 1])
      }
      const child = api.duckdb_list_vector_get_child(vector)
      const size = api.duckdb_list_vector_get_size(vector)
      try {
        check(child, 0, size)
      } catch (cause) {
        // What it counts are elements, of all rows of the vector.
        throw cause instanceof BadRow ? cause.explain() : cause
      }
      const values = allocate(size)
      api.memory.read(api.duckdb_vector_get_data(child), new Uint8Array(values.buffer))
      if (lengths.some((count, row) => row < rows && starts[row]! + count > size)) {
        throw new ShardbookError('internal', `openFeed: expected ${size} values in the lists of '${name}', got more.`)
      }
      return { starts, lengths, values }
    },
  }
}
