import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinShards } from '../../src/distributed/join-shards.js'

test('batches that were dealt out to ranks come back in their order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), fc.nat(3), (ranks, rows, width) => {
      const source = Array.from({ length: rows }, (_, row) => Array.from({ length: width }, (__, i) => row * 10 + i))
      const batch = Math.ceil(rows / ranks)
      const shards = Array.from({ length: ranks }, (_, rank) => {
        const own = source.slice(rank * batch, (rank + 1) * batch)
        const outputs = [
          { shape: [own.length, width], dtype: 'float32' as const, values: Float32Array.from(own.flat()) },
        ]
        return { rows: own.length, outputs: own.length === 0 ? [] : outputs }
      })
      expect(joinShards(shards)).toEqual([
        { shape: [rows, width], dtype: 'float32', values: Float32Array.from(source.flat()) },
      ])
    }),
  )
})
