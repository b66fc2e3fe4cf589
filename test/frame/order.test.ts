import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { permutation } from '../../src/core/random.js'
import { orderOf, sliceRange } from '../../src/frame/order.js'

const numbers = fc.record({
  total: fc.integer({ min: 0, max: 3000 }),
  slices: fc.integer({ min: 1, max: 7 }),
  batch: fc.integer({ min: 1, max: 70 }),
  held: fc.integer({ min: 1, max: 500 }),
  key: fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { nil: undefined }),
})

/** Positions in the source, in the order in which an order feeds them. */
function fed(order: ReturnType<typeof orderOf>): number[] {
  return Array.from({ length: order.count }, (_, at) => {
    const window = order.window(at)
    const source = window.ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (__, i) => from + i))
    expect(source.length).toBe(window.rows)
    const positions = window.permutation()
    return positions === undefined ? source : [...positions].map((position) => source[position]!)
  }).flat()
}

describe('the order of a slice', () => {
  test('has every row of the source once over all slices, whose lengths differ by one at most', () => {
    fc.assert(
      fc.property(numbers, ({ total, slices, batch, held, key }) => {
        const ranges = Array.from({ length: slices }, (_, slice) => sliceRange(total, slices, slice))
        const lengths = ranges.map(({ from, to }) => to - from)
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1)
        const all = ranges.flatMap((range) => fed(orderOf(range, batch, held, key)))
        const sorted = all.toSorted((a, b) => a - b)
        expect(sorted).toEqual(Array.from({ length: total }, (_, i) => i))
        expect(key === undefined ? all : sorted).toEqual(sorted)
      }),
    )
  })

  test('has windows of whole batches that hold no more than asked for, but a batch at least', () => {
    fc.assert(
      fc.property(numbers, ({ total, batch, held, key }) => {
        const order = orderOf({ from: 0, to: total }, batch, held, key)
        for (let at = 0; at < order.count; at++) {
          const { rows } = order.window(at)
          expect(rows).toBeLessThanOrEqual(Math.max(held, 4 * batch))
          expect(rows === order.windowRows || at === order.count - 1).toBe(true)
        }
        expect(order.count <= 1 || order.windowRows % batch === 0).toBe(true)
      }),
    )
  })

  test('is a permutation of the whole slice where that fits into memory', () => {
    fc.assert(
      fc.property(numbers, ({ total, slices, batch, key }) => {
        const slice = sliceRange(total, slices, 0)
        const rows = slice.to - slice.from
        const expected = key === undefined ? Array.from({ length: rows }, (_, i) => i) : [...permutation(key, rows)]
        expect(fed(orderOf(slice, batch, total, key))).toEqual(expected)
      }),
    )
  })

  test('mixes rows from far apart, differently for each key', () => {
    const first = (key: number): number[] => fed(orderOf({ from: 0, to: 10_000 }, 10, 400, key)).slice(0, 100)
    expect(Math.max(...first(1)) - Math.min(...first(1))).toBeGreaterThan(2000)
    expect(first(1)).toEqual(first(1))
    expect(first(1)).not.toEqual(first(2))
  })
})
