/** Joins the shards of a block in the order of ranks, which is that of the source. */
import { allocate, sizeOf, type TensorData } from '../core/dtype.js'
import type { Shard } from './messages.js'

export function joinShards(shards: readonly Shard[]): TensorData[] {
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0)
  return (shards[0]?.outputs ?? []).map((first, output) => {
    const shape = first.shape.slice(1)
    const values = allocate(first.dtype, rows * sizeOf(shape))
    let at = 0
    for (const shard of shards) {
      if (shard.rows === 0) continue
      values.set(shard.outputs[output]!.values, at * sizeOf(shape))
      at += shard.rows
    }
    return { shape: [rows, ...shape], dtype: first.dtype, values }
  })
}
