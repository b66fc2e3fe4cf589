/** Lists and sparse vectors in the feed: filled up to one length, whatever window or slice they come through. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frame, openFeed } from '../../src/frame/index.js'
import type { AnyFrame, FeedFields, FrameSource } from '../../src/frame/index.js'

async function rowsOf(frameOf: AnyFrame, name: string, fields: FeedFields, slices = 1) {
  const source: FrameSource = { ...(await frameOf.source([name])), ...fields }
  const rows: number[][] = []
  let dtype = ''
  for (let slice = 0; slice < slices; slice++) {
    const feed = await openFeed(JSON.parse(JSON.stringify(source)) as FrameSource, { slices, slice })
    for await (const batch of feed.batches({ rows: 7 })) {
      const column = batch.columns[name]!
      const width = column.values.length / batch.rows
      dtype = column.dtype
      for (let i = 0; i < batch.rows; i++) rows.push([...column.values.subarray(i * width, (i + 1) * width)])
    }
    await feed.close()
  }
  return { rows, dtype }
}

const filled = (values: readonly number[], length: number, fill = 0): number[] =>
  Array.from({ length }, (_, i) => values[i] ?? fill)

describe('lists in the feed', () => {
  test('come cut or filled up, in order, through any number of slices', async () => {
    const lists = fc.array(fc.array(fc.integer({ min: -9, max: 2 ** 24 }), { maxLength: 6 }), {
      minLength: 1,
      maxLength: 40,
    })
    await fc.assert(
      fc.asyncProperty(lists, fc.integer({ min: 1, max: 3 }), async (tokens, slices) => {
        const schema = { tokens: { list: 'number' } } as const
        const df = frame(
          tokens.map((list) => ({ tokens: list })),
          { schema },
        )
        const { rows } = await rowsOf(df, 'tokens', { lists: { tokens: { length: 4, fill: -1 } } }, slices)
        expect(rows).toEqual(tokens.map((list) => filled(list, 4, -1)))
      }),
      { numRuns: 20 },
    )
  })

  test('of numbers with fractions come as float32', async () => {
    const df = frame([{ x: [0.5, 1.5] }, { x: [] }, { x: [2, 3, 4] }])
    expect(await rowsOf(df, 'x', { lists: { x: { length: 2 } } })).toEqual({
      rows: [
        [0.5, 1.5],
        [0, 0],
        [2, 3],
      ],
      dtype: 'float32',
    })
  })

  test('are refused without a length, and other columns with one', async () => {
    const df = frame([{ x: [0.5], s: 'a' }])
    await expect(rowsOf(df, 'x', {})).rejects.toThrow(/lists: \{ x: \{ length: 32/)
    await expect(rowsOf(df, 's', { lists: { s: { length: 2 } } })).rejects.toThrow(/expected a sparse vector or a list/)
    await expect(rowsOf(df, 'x', { lists: { x: { length: 0 } } })).rejects.toThrow(/length of 'x'/)
    await expect(rowsOf(df, 'x', { lists: { y: { length: 1 } } })).rejects.toThrow(/no column 'y'/)
  })
})

describe('sparse vectors in the feed', () => {
  const size = 262_144
  const vectors = fc.array(
    fc
      .uniqueArray(fc.integer({ min: 0, max: size - 1 }), { maxLength: 5 })
      .map((found) => found.toSorted((a, b) => a - b)),
    { minLength: 1, maxLength: 30 },
  )
  const sparse = (all: readonly (readonly number[])[]) =>
    frame(all.map((indices, row) => ({ features: { size, indices, values: indices.map((_, i) => row + i + 0.5) } })))

  test('come as components and values, filled up with zeros', async () => {
    await fc.assert(
      fc.asyncProperty(vectors, fc.integer({ min: 1, max: 3 }), async (all, slices) => {
        const { rows } = await rowsOf(sparse(all), 'features', { lists: { features: { length: 5 } } }, slices)
        expect(rows).toEqual(
          all.map((indices, row) => [
            ...filled(indices, 5),
            ...filled(
              indices.map((_, i) => row + i + 0.5),
              5,
            ),
          ]),
        )
      }),
      { numRuns: 20 },
    )
  })

  test('keep the components that are named, numbered in their order', async () => {
    const df = sparse([[3, 70_000, 200_000], [5], [70_000]])
    const lists = { features: { length: 2, components: [70_000, 200_000] } }
    expect((await rowsOf(df, 'features', { lists })).rows).toEqual([
      [0, 1, 1.5, 2.5],
      [0, 0, 0, 0],
      [0, 0, 2.5, 0],
    ])
  })

  test('with more components than asked for are an error', async () => {
    const lists = { features: { length: 2 } }
    await expect(rowsOf(sparse([[1], [1, 2, 3]]), 'features', { lists })).rejects.toThrow(/at most 2 components/)
  })
})

describe('finite columns', () => {
  test('name the first row and the column of NaN and infinite numbers', async () => {
    const values = Float32Array.from({ length: 60 }, (_, i) => (i === 41 ? NaN : i))
    const df = frame({
      v: { shape: [20, 3] as const, dtype: 'float32', values },
      n: Float64Array.from({ length: 20 }, (_, i) => (i === 12 ? -Infinity : i)),
    })
    await expect(rowsOf(df, 'v', { finite: ['v'] }, 2)).rejects.toThrow(/finite numbers in 'v', got NaN in row 13/)
    await expect(rowsOf(df, 'n', { finite: ['n'] })).rejects.toThrow(/'n', got -Infinity in row 12/)
    expect((await rowsOf(df, 'n', {})).rows[12]).toEqual([-Infinity])
  })

  test('are looked at again where only some rows were', async () => {
    const values = Float32Array.from({ length: 20 }, (_, i) => (i === 1 ? NaN : i))
    const df = frame({ v: { shape: [20, 1] as const, dtype: 'float32', values } })
    const feed = await openFeed({ ...(await df.source(['v'])), finite: ['v'] }, { slices: 1, slice: 0 })
    try {
      const rowsRead = async (options: object): Promise<number> => {
        let rows = 0
        for await (const batch of feed.batches({ rows: 4, ...options })) rows += batch.rows
        return rows
      }
      expect(await rowsRead({ skip: 1 })).toBe(16)
      await expect(rowsRead({ seed: 1 })).rejects.toThrow(/got NaN in row 1,/)
    } finally {
      await feed.close()
    }
  })
})

test('values go into the arrays that are given for a batch, if they are of its dtype', async () => {
  const values = Float32Array.from({ length: 12 }, (_, i) => i)
  const df = frame({ v: { shape: [6, 2] as const, dtype: 'float32', values } })
  const feed = await openFeed(await df.source(['v']), { slices: 1, slice: 0 })
  try {
    const read = async (given: Float32Array | Int32Array): Promise<[number, boolean][]> => {
      const seen: [number, boolean][] = []
      for await (const { columns } of feed.batches({ rows: 3, into: () => ({ v: given }) })) {
        seen.push([columns['v']!.values[0]!, columns['v']!.values.buffer === given.buffer])
      }
      return seen
    }
    expect(await read(new Float32Array(6))).toEqual([
      [0, true],
      [6, true],
    ])
    expect(await read(new Int32Array(6))).toEqual([
      [0, false],
      [6, false],
    ])
  } finally {
    await feed.close()
  }
})
