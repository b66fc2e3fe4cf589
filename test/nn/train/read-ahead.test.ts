/** What happens while a worker waits for the others. */
import { expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import type { Feed } from '../../../src/frame/feed.js'
import { openFeed } from '../../../src/frame/index.js'
import { until } from '../../distributed/processes.js'
import { loneLoop, makeJob } from './fixture.js'

test('a worker reads the next batch while its step waits for the sums of all', async () => {
  const [steps, slices] = [4, 4]
  const engine = await openEngine('wasm')
  const job = await makeJob(engine, { rows: 64, batchRows: 16, slices, epochs: 1 })
  let read = 0
  const counted = (feed: Feed): Feed => ({
    rows: feed.rows,
    totalRows: feed.totalRows,
    close: async () => feed.close(),
    async *batches(options) {
      for await (const batch of feed.batches(options)) {
        read++
        yield batch
      }
    },
  })
  const loop = await loneLoop(engine, job, {
    workers: 2,
    open: async (source, options) => counted(await openFeed(source, options)),
    // The sums of a step come when the rows of the next are there, and would not come before.
    reduce: async (step) => until(() => read >= slices * Math.min(step + 2, steps)),
  })
  expect(await loop.run()).toBe('done')
  expect(loop.step).toBe(steps)
  await loop.dispose()
})
