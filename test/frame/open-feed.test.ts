import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { col, frame, openFeed, type FrameSource } from '../../src/frame/index.js'

const travelled = (source: FrameSource): FrameSource => JSON.parse(JSON.stringify(source)) as FrameSource

/** Rows 0 .. n - 1 with a 2 x 2 tensor that repeats the row number, and the number itself. */
const rows = (n: number) =>
  frame({
    image: { shape: [n, 2, 2], dtype: 'uint8', values: Uint8Array.from({ length: n * 4 }, (_, i) => i >> 2) },
    id: Int32Array.from({ length: n }, (_, i) => i),
  })

async function read(
  source: FrameSource,
  slices: number,
  slice: number,
  options: { rows: number; seed?: number; epoch?: number; skip?: number },
) {
  const feed = await openFeed(source, { slices, slice })
  const seen: { index: number; id: number; image: number[] }[] = []
  for await (const batch of feed.batches(options)) {
    for (let i = 0; i < batch.rows; i++) {
      const image = batch.columns['image']!.values.subarray(i * 4, i * 4 + 4)
      seen.push({ index: batch.index[i]!, id: batch.columns['id']!.values[i]!, image: [...image] })
    }
  }
  await feed.close()
  expect(seen.length).toBe(Math.max(0, feed.rows - (options.skip ?? 0) * options.rows))
  return { seen, totalRows: feed.totalRows }
}

describe('openFeed', () => {
  test('deals every row of the source to exactly one slice, tensors with their rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          n: fc.integer({ min: 1, max: 200 }),
          slices: fc.integer({ min: 1, max: 5 }),
          batch: fc.integer({ min: 1, max: 64 }),
        }),
        fc.option(fc.integer(), { nil: undefined }),
        async ({ n, slices, batch }, seed) => {
          const source = travelled(await rows(n).source(['image', 'id']))
          const all: number[] = []
          for (let slice = 0; slice < slices; slice++) {
            const options = seed === undefined ? { rows: batch } : { rows: batch, seed }
            const { seen, totalRows } = await read(source, slices, slice, options)
            expect(totalRows).toBe(n)
            for (const { index, id, image } of seen) {
              expect(id).toBe(index)
              expect(image).toEqual([id & 255, id & 255, id & 255, id & 255])
              all.push(index)
            }
            const indices = seen.map(({ index }) => index)
            const first = slice * Math.floor(n / slices) + Math.min(slice, n % slices)
            expect([...indices].sort((a, b) => a - b)).toEqual(indices.map((_, i) => first + i))
            const sorted = [...indices].sort((a, b) => a - b)
            expect(seed === undefined ? indices : sorted).toEqual(sorted)
          }
          expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
        },
      ),
      { numRuns: 25 },
    )
  })

  test('shuffles differently for each epoch and slice, and the same for the same seed', async () => {
    const source = await rows(100).source(['image', 'id'])
    const order = async (slice: number, epoch: number) =>
      (await read(source, 2, slice, { rows: 8, seed: 3, epoch })).seen.map(({ index }) => index - slice * 50)
    expect(await order(0, 0)).toEqual(await order(0, 0))
    expect(await order(0, 0)).not.toEqual(await order(0, 1))
    expect(await order(0, 0)).not.toEqual(await order(1, 0))
  })

  test('skips batches to resume where an epoch was left', async () => {
    const source = await rows(50).source(['image', 'id'])
    const { seen: whole } = await read(source, 1, 0, { rows: 8, seed: 3, epoch: 2 })
    const { seen: rest } = await read(source, 1, 0, { rows: 8, seed: 3, epoch: 2, skip: 4 })
    expect(rest).toEqual(whole.slice(32))
  })

  test('refuses strings and nulls by name', async () => {
    const people = frame([
      { name: 'Ada', age: 36 },
      { name: 'Alan', age: null },
    ])
    await expect(openFeed(await people.source(['name']), { slices: 1, slice: 0 })).rejects.toThrow(
      /numbers or tensors.*'name' of type string/,
    )
    await expect(read(await people.source(['age']), 1, 0, { rows: 1 })).rejects.toThrow(/no null in 'age'/)
    await expect(people.source(['nam' as 'name'])).rejects.toThrow(/Did you mean 'name'/)
  })

  test('feeds what filters and computed columns give', async () => {
    const source = await rows(20)
      .filter(col('id').ge(10))
      .withColumns({ id: col('id').mul(2) })
      .source(['id', 'image'])
    const { seen } = await read(travelled(source), 1, 0, { rows: 4 })
    expect(seen.map(({ id }) => id)).toEqual([20, 22, 24, 26, 28, 30, 32, 34, 36, 38])
    expect(seen.map(({ image }) => image[0])).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  })
})
