import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { col, frame, Frame, type Plan } from '../../src/frame/index.js'

const numbers = (n: number) =>
  frame({ x: Float64Array.from({ length: n }, (_, i) => i), s: Array.from({ length: n }, (_, i) => `row ${i}`) })
const plus = { y: 'number', text: 'string?' } as const

let module: string
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'map-'))
  const path = join(folder, 'functions.mjs')
  await writeFile(
    path,
    `import { isMainThread } from 'node:worker_threads'
     export const square = async ({ x }) => {
       if (x === 5000) throw new Error('five thousand')
       return { y: x * x, main: isMainThread }
     }
     export const evens = ({ columns }) => ({ y: columns.x.filter((x) => x % 2 === 0) })`,
  )
  module = pathToFileURL(path).href
})
afterAll(async () => rm(folder, { recursive: true }))

describe('map', () => {
  test('gives the rows of a function, in order, once for several ends', async () => {
    let calls = 0
    const df = numbers(5000).map(
      (row, i) => {
        calls++
        return { y: row.x + i, text: i % 2 === 0 ? row.s.toUpperCase() : null }
      },
      { schema: plus },
    )
    expect(df.columns).toEqual(['y', 'text'])
    expect(calls).toBe(0)
    const rows = await df.filter(col('y').ge(9990)).toRows()
    expect(rows[0]).toEqual({ y: 9990, text: null })
    expect(rows.length).toBe(5)
    expect(await df.agg({ sum: col('y').sum() }).toRows()).toEqual([{ sum: 5000 * 4999 }])
    expect(calls).toBe(5000)
    expect(await df.explain()).toContain('map function-')
  })

  test('calls it for no more rows than the first ones that are wanted', async () => {
    let calls = 0
    const df = numbers(50_000).map((row) => ({ y: (calls++, row.x), text: null }), { schema: plus })
    expect(await df.limit(3).select('y').toRows()).toEqual([{ y: 0 }, { y: 1 }, { y: 2 }])
    expect(calls).toBe(3)
  })

  test('waits for asynchronous functions, a few at a time, and keeps the order', async () => {
    let [now, most] = [0, 0]
    const df = numbers(100).map(
      async (row) => {
        most = Math.max(most, ++now)
        for (let i = 0; i < (row.x * 7) % 5; i++) await new Promise((resolve) => setImmediate(resolve))
        now--
        return { y: row.x, text: row.s }
      },
      { schema: plus, concurrency: 3 },
    )
    expect((await df.toRows()).map(({ y }) => y)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(most).toBe(3)
  })

  test('names the row at which the function throws, and keeps its error; the frame can be tried again', async () => {
    let broken = true
    const cause = new TypeError('no such thing')
    const df = numbers(6000).map(
      (row) => {
        if (broken && row.x === 4321) throw cause
        return { y: row.x, text: row.s }
      },
      { schema: plus },
    )
    await expect(df.toRows()).rejects.toMatchObject({
      code: 'data',
      message: 'map: the function failed at row 4321: no such thing',
      cause,
    })
    broken = false
    expect(await df.count()).toBe(6000)
  })

  test('refuses results that are not what the schema says', async () => {
    const df = numbers(3)
    const wrong = df.map(() => ({ y: 'one', text: null }) as never, { schema: plus })
    await expect(wrong.toRows()).rejects.toThrow(/map: the function's result for rows 0 to 2: expected .*'y'.*/)
    await expect(df.map(() => ({ y: null }) as never, { schema: plus }).toRows()).rejects.toThrow(
      /expected no null in 'y'/,
    )
    await expect(df.map(() => 3 as never, { schema: plus }).toRows()).rejects.toThrow(
      /expected the function to give an object at row 0, got 3/,
    )
    expect(() => df.map('square' as never, { schema: plus })).toThrow(
      /expected a function or \{ module, export \}, got "square"/,
    )
    expect(() => df.map(() => ({ y: 1, text: null }), { schema: plus, concurrency: 0 })).toThrow(/concurrency/)
  })

  test('can be cancelled while the function waits', async () => {
    const controller = new AbortController()
    const df = numbers(10).map(
      () => {
        controller.abort()
        return new Promise<never>(() => {})
      },
      { schema: plus },
    )
    await expect(df.toRows({ signal: controller.signal })).rejects.toMatchObject({ code: 'interrupted' })
  })

  test('travels as data once it is computed', async () => {
    const source = await numbers(10)
      .map((row) => ({ y: row.x * 2, text: null }), { schema: plus })
      .source(['y'])
    const there = Frame.fromPlan<{ y: number }>(JSON.parse(JSON.stringify(source.plan)) as Plan)
    expect((await there.toRows()).map(({ y }) => y)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
  })
})

describe('mapBatches with a function', () => {
  test('takes columns and gives columns, of any number of rows, tensors too', async () => {
    const df = numbers(5000).mapBatches(
      ({ rows, columns }, firstRow) => ({
        kept: columns.x.filter((x) => x % 100 === 0),
        pair: {
          shape: [Math.ceil((rows - ((100 - (firstRow % 100)) % 100)) / 100), 2],
          dtype: 'uint8',
          values: new Uint8Array(2 * Math.ceil((rows - ((100 - (firstRow % 100)) % 100)) / 100)).fill(7),
        },
      }),
      { schema: { kept: 'number', pair: { tensor: [2], dtype: 'uint8' } } },
    )
    const rows = await df.toRows()
    expect(rows.map(({ kept }) => kept)).toEqual(Array.from({ length: 50 }, (_, i) => i * 100))
    expect(rows[49]!.pair).toEqual({ shape: [2], dtype: 'uint8', values: Uint8Array.of(7, 7) })
  })

  test('names the rows of a batch that fails', async () => {
    const df = numbers(5000).mapBatches(
      ({ columns }, firstRow) => {
        if (firstRow > 0) throw new Error('no more')
        return { y: columns.x }
      },
      { schema: { y: 'number' } },
    )
    await expect(df.toRows()).rejects.toThrow(/^mapBatches: the function failed at rows 2048 to 4095: no more$/)
  })
})

describe('functions of a module', () => {
  test('run in worker threads, in order', async () => {
    const df = numbers(4096).map({ module, export: 'square', workers: 2 }, { schema: { y: 'number', main: 'boolean' } })
    const rows = await df.toRows()
    expect(rows.every(({ y, main }, i) => y === i * i && !main)).toBe(true)
    const evens = numbers(100).mapBatches({ module, export: 'evens' }, { schema: { y: 'number' } })
    expect(await evens.count()).toBe(50)
  })

  test('name the row that fails, and the export that is not there', async () => {
    const df = numbers(6000).map({ module, export: 'square', workers: 2 }, { schema: { y: 'number', main: 'boolean' } })
    await expect(df.toRows()).rejects.toMatchObject({
      code: 'data',
      message: 'map: the function failed at row 5000: five thousand',
    })
    await expect(
      numbers(1)
        .map({ module, export: 'cube' }, { schema: { y: 'number' } })
        .toRows(),
    ).rejects.toThrow(/to export a function 'cube', got undefined/)
    await expect(
      numbers(1)
        .map({ module: `${module}x`, export: 'cube' }, { schema: { y: 'number' } })
        .toRows(),
    ).rejects.toThrow(/Cannot find module/)
  })
})
