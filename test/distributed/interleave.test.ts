import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { interleave } from '../../src/distributed/interleave.js'

test('rows that were dealt out to ranks come back in their order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), fc.nat(3), (ranks, rows, width) => {
      const source = Array.from({ length: rows }, (_, row) => Array.from({ length: width }, (__, i) => row * 10 + i))
      const shards = Array.from({ length: ranks }, (_, rank) => {
        const own = source.filter((__, row) => row % ranks === rank)
        const outputs = [
          { shape: [own.length, width], dtype: 'float32' as const, values: Float32Array.from(own.flat()) },
        ]
        return { rows: own.length, outputs: own.length === 0 ? [] : outputs }
      })
      expect(interleave(shards)).toEqual([
        { shape: [rows, width], dtype: 'float32', values: Float32Array.from(source.flat()) },
      ])
    }),
  )
})
