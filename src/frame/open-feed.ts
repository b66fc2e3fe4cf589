/** Opening a source: where a training's rows begin. */
import { select } from './build.js'
import { prepare } from './execute.js'
import type { Feed, FrameSource } from './feed.js'
import { openSlice } from './slice.js'

/**
 * Opens slice `slice` of a source that is cut into `slices` slices; nothing else of it is read or held.
 * @throws `column` for a column that is unknown, or neither numeric nor a tensor nor text with `tokens`; `data` for a null
 *
 * @example
 * ```ts
 * const feed = await openFeed(await digits.source(['image', 'label']), { slices: 4, slice: 0 })
 * for await (const batch of feed.batches({ rows: 32, seed: 1, epoch: 0 })) console.log(batch.columns.image.values.length)
 * ```
 */
export async function openFeed(source: FrameSource, options: { slices: number; slice: number }): Promise<Feed> {
  const plan = await prepare(select('openFeed', source.plan, source.columns))
  return openSlice({ ...source, plan }, options)
}
