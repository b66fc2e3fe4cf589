/** Puts the rows of a block back into the order of the source: row `j` of rank `r` was row `j * ranks + r`. */
import { allocate, sizeOf, type TensorData } from '../core/dtype.js'
import type { Shard } from './messages.js'

export function interleave(shards: readonly Shard[]): TensorData[] {
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0)
  return (shards[0]?.outputs ?? []).map((first, output) => {
    const shape = first.shape.slice(1)
    const size = sizeOf(shape)
    const values = allocate(first.dtype, rows * size)
    for (const [rank, shard] of shards.entries()) {
      const source = shard.rows === 0 ? first.values : shard.outputs[output]!.values
      for (let j = 0; j < shard.rows; j++) {
        values.set(source.subarray(j * size, (j + 1) * size), (j * shards.length + rank) * size)
      }
    }
    return { shape: [rows, ...shape], dtype: first.dtype, values }
  })
}
