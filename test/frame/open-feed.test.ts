import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { col, frame, openFeed, read as readFile, type FrameSource } from '../../src/frame/index.js'
import { temporaryDir } from '../../src/store/index.js'

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
    await expect(read(await people.source(['age']), 1, 0, { rows: 1 })).rejects.toThrow(
      "openFeed: expected no null in 'age', got one in row 1, counted from 0. Drop or fill them first",
    )
    const n = 1_200_000
    const age = Array.from({ length: n }, (_, i) => (i === 1_100_001 ? null : 1))
    const many = await frame({ age }).source(['age'])
    const feed = await openFeed(many, { slices: 2, slice: 1 })
    for (const options of [{ rows: 1000 }, { rows: 1000, seed: 1 }]) {
      const drained = async (): Promise<void> => {
        for await (const { rows: count } of feed.batches(options)) expect(count).toBe(1000)
      }
      await expect(drained()).rejects.toThrow(/no null in 'age', got one in row 1100001,/)
    }
    await feed.close()
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

  test('feeds categoricals as the places of their levels', async () => {
    const shirts = frame([{ size: 'L' }, { size: 'S' }, { size: 'L' }], {
      schema: { size: { categorical: ['S', 'M', 'L'] } },
    })
    const seen: number[] = []
    for await (const { columns } of shirts.batches({ rows: 2 })) seen.push(...columns['size']!.values)
    expect(seen).toEqual([2, 0, 2])
  })

  test('shuffles and resumes a slice of several windows', async () => {
    const n = 700_000
    const source = await frame({ id: Int32Array.from({ length: n }, (_, i) => i) }).source(['id'])
    const feed = await openFeed(source, { slices: 1, slice: 0 })
    const order = async (skip: number, seed?: number): Promise<number[]> => {
      const seen: number[] = []
      for await (const { columns, index } of feed.batches({ rows: 1000, skip, ...(seed !== undefined && { seed }) })) {
        expect(index).toEqual(columns['id']!.values)
        seen.push(...index)
      }
      return seen
    }
    const shuffled = await order(0, 5)
    const sorted = Int32Array.from(shuffled).sort()
    expect(sorted.length).toBe(n)
    expect(sorted.every((id, i) => id === i)).toBe(true)
    expect(shuffled.slice(0, 1000).some((id) => id > n / 2)).toBe(true)
    expect(await order(523, 5)).toEqual(shuffled.slice(523_000))
    expect(await order(699)).toEqual(Array.from({ length: 1000 }, (_, i) => 699_000 + i))
    await feed.close()
  })

  test('streams a slice that does not fit into a window: whole, in parts, left early, cancelled', async () => {
    const n = 4_500_000
    const df = frame({ id: Float64Array.from({ length: n }, (_, i) => i) })
    const feed = await openFeed(await df.source(['id']), { slices: 1, slice: 0 })
    const firstsOf = async (options: { rows: number; skip?: number; every?: number }): Promise<number[]> => {
      const firsts: number[] = []
      for await (const { columns, index, rows: count } of feed.batches(options)) {
        const { values } = columns['id']!
        expect([values.length, index.length]).toEqual([count, count])
        expect(values.every((value, i) => value === index[0]! + i && value === index[i])).toBe(true)
        firsts.push(index[0]!)
      }
      return firsts
    }
    expect(await firstsOf({ rows: 7777 })).toEqual(Array.from({ length: Math.ceil(n / 7777) }, (_, i) => i * 7777))
    expect(await firstsOf({ rows: 1000, skip: 4440, every: 7 })).toEqual(
      Array.from({ length: 9 }, (_, i) => 4_440_000 + 7000 * i),
    )
    for await (const { index } of feed.batches({ rows: 32 })) if (index[0]! > 10_000) break
    expect((await firstsOf({ rows: n })).length).toBe(1)
    const sending = async (): Promise<void> => {
      for await (const { columns } of feed.batches({ rows: 8192 })) {
        const { buffer } = columns['id']!.values
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
      }
    }
    await expect(sending()).rejects.toThrow("batches: expected the last batch's 'id' to be here, got it transferred.")
    await feed.close()
    const controller = new AbortController()
    const cancelled = async (): Promise<void> => {
      for await (const { index } of df.batches({ rows: 1000, signal: controller.signal })) {
        if (index[0] === 50_000) controller.abort()
      }
    }
    await expect(cancelled()).rejects.toMatchObject({ code: 'interrupted' })
  })

  test('reads its own rows of several files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shardbook-'))
    const ids = (from: number, n: number) => frame({ id: Float64Array.from({ length: n }, (_, i) => from + i) })
    await ids(0, 30).write.parquet(join(folder, 'a.parquet'))
    await ids(30, 50).write.parquet(join(folder, 'b.parquet'))
    const whole = await readFile.parquet(join(folder, '*.parquet'))
    const doubled = whole.select('id').withColumns({ id: col('id').mul(2) })
    const seen: number[] = []
    for (let slice = 0; slice < 3; slice++) {
      const feed = await openFeed(await doubled.source(['id']), { slices: 3, slice })
      for await (const { columns } of feed.batches({ rows: 7 })) seen.push(...columns['id']!.values)
      await feed.close()
    }
    expect(seen).toEqual(Array.from({ length: 80 }, (_, i) => 2 * i))
    await rm(folder, { recursive: true })
  })

  test('reads its own rows of partitioned folders, with names that look like globs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shardbook-[a]*-'))
    const n = 60
    const id = Int32Array.from({ length: n }, (_, i) => i)
    await frame({ id, part: Int32Array.from(id, (i) => Math.floor(i / 20)) }).write.parquet(join(folder, 'parts'), {
      partitionBy: ['part'],
    })
    const parts = await readFile.parquet(join(folder, 'parts'))
    const seen: (readonly [id: number, part: number])[] = []
    for (let slice = 0; slice < 4; slice++) {
      const feed = await openFeed(travelled(await parts.source(['part', 'id'])), { slices: 4, slice })
      for await (const { columns } of feed.batches({ rows: 7 })) {
        columns['id']!.values.forEach((each, i) => seen.push([each, columns['part']!.values[i]!]))
      }
      await feed.close()
    }
    expect(seen).toEqual(Array.from(id, (i) => [i, Math.floor(i / 20)]))
    await rm(folder, { recursive: true })
  })

  test('takes from slices in rotation', async () => {
    const source = await rows(50).source(['image', 'id'])
    const slices = [0, 1, 2].map((slice) => read(source, 3, slice, { rows: 4, seed: 9 }))
    const expected = (await Promise.all(slices)).map(({ seen }) => seen.map(({ id }) => id))
    const seen: number[] = []
    for await (const { columns } of rows(50).batches({ rows: 12, slices: 3, seed: 9 })) {
      seen.push(...columns['id']!.values)
    }
    const steps = Array.from({ length: 5 }, (_, step) => expected.map((ids) => ids.slice(step * 4, step * 4 + 4)))
    expect(seen).toEqual(steps.flat(2))
  })

  test('leaves the event loop free, and no file behind', async () => {
    const files = async () => (await readdir(temporaryDir())).length
    const df = frame({ x: Float64Array.from({ length: 500_000 }, (_, i) => i) })
    await df.source(['x'])
    const before = await files()
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    let sum = 0
    for await (const { columns } of df.filter(col('x').ge(250_000)).batches({ rows: 10_000 })) {
      sum += columns['x']!.values[0]!
    }
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
    expect(sum).toBe(25 * 250_000 + (10_000 * 24 * 25) / 2)
    expect(await files()).toBe(before)
  })
})
