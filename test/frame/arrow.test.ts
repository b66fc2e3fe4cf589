import * as fc from 'fast-check'
import { tableFromIPC, tableToIPC } from 'apache-arrow'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { col, frame, read } from '../../src/frame/index.js'

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 3 })
const rowsOf = fc.array(
  fc.record({
    x: orNull(fc.double()),
    s: orNull(fc.string({ unit: 'grapheme', maxLength: 5 })),
    b: orNull(fc.boolean()),
    k: orNull(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    at: orNull(fc.date({ noInvalidDate: true, min: new Date(-1e12), max: new Date(4e12) })),
  }),
  { maxLength: 20 },
)
const schema = { x: 'number?', s: 'string?', b: 'boolean?', k: 'bigint?', at: 'timestamp?' } as const

describe('Arrow', () => {
  test('round-trips values of every plain type, nulls included, through IPC', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, async (rows) => {
        const table = await frame(rows, { schema }).toArrow()
        const back = await read.arrow(tableFromIPC(tableToIPC(table)))
        expect(await back.toRows()).toEqual(rows)
      }),
      { numRuns: 30 },
    )
  })

  test('frame() says who takes an Arrow table', async () => {
    const table = await frame([{ a: 1 }]).toArrow()
    expect(() => frame(table as unknown as { a: number[] })).toThrow(
      'frame: expected rows or columns, got an Arrow table. A frame of it is `await read.arrow(table)`.',
    )
  })

  test('writes tensors as the fixed-shape-tensor extension and reads them again, in the rows of the frame', async () => {
    const images = frame({
      id: Int32Array.from({ length: 5000 }, (_, i) => i),
      image: {
        shape: [5000, 2, 3] as const,
        dtype: 'float32',
        values: Float32Array.from({ length: 30000 }, (_, i) => i / 2),
      },
    })
    const table = await images.filter(col('id').mod(2).eq(1)).sort(col('id').desc()).toArrow()
    const field = table.schema.fields[1]!
    expect(field.metadata.get('ARROW:extension:name')).toBe('arrow.fixed_shape_tensor')
    expect(JSON.parse(field.metadata.get('ARROW:extension:metadata')!)).toEqual({ shape: [2, 3] })
    expect(table.numRows).toBe(2500)
    const back = await read.arrow(table)
    expect(back.schema[1]!.type).toEqual({ kind: 'tensor', dtype: 'float32', shape: [2, 3], held: 'reference' })
    const rows = (await back.toRows()) as { id: number; image: { values: Float32Array } }[]
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 2500 }, (_, i) => 4999 - 2 * i))
    expect(rows.every(({ id, image }) => image.values.every((value, i) => value === (id * 6 + i) / 2))).toBe(true)
  })

  test('writes files and says what is wrong with one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'frame-'))
    try {
      const path = join(folder, 'a.arrow')
      await frame({ a: [1, 2], s: ['x', 'y'] }).write.arrow(path)
      expect(await (await read.arrow(path)).toRows()).toEqual([
        { a: 1, s: 'x' },
        { a: 2, s: 'y' },
      ])
      await expect(read.arrow(join(folder, 'b.arrow'))).rejects.toThrow(
        /read\.arrow: cannot read .*b\.arrow.*no such file/,
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('read.arrow of files in batches', () => {
  test('finds nulls and levels of categoricals wherever they are, and tensors of every batch', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'batches-'))
    try {
      const part = (sizes: readonly string[], first: number) =>
        frame({
          id: Int32Array.from(sizes, (_, i) => first + i),
          last: sizes.map((_, i) => (first + i === 4 ? null : first + i)),
          size: sizes,
          t: {
            shape: [sizes.length, 2] as const,
            dtype: 'uint8',
            values: new Uint8Array(2 * sizes.length).fill(first),
          },
        }).withColumns({ size: col('size').cast({ categorical: ['S', 'M', 'L'] }) })
      const tables = [await part(['M', 'S'], 0).toArrow(), await part(['S', 'L', 'L'], 2).toArrow()]
      // Each batch of a stream may have a dictionary of its own.
      const path = join(folder, 'two.arrows')
      await writeFile(path, tableToIPC(tables[0]!.concat(tables[1]!), 'stream'))
      const df = await read.arrow(path)
      expect(df.schema.map(({ type, nullable }) => [type.kind, nullable])).toEqual([
        ['number', false],
        ['number', true],
        ['categorical', false],
        ['tensor', false],
      ])
      const rows = (await df.toRows()) as {
        id: number
        last: number | null
        size: string
        t: { values: Uint8Array }
      }[]
      expect(rows.map(({ id, last, size, t }) => [id, last, size, ...t.values])).toEqual([
        [0, 0, 'M', 0, 0],
        [1, 1, 'S', 0, 0],
        [2, 2, 'S', 2, 2],
        [3, 3, 'L', 2, 2],
        [4, null, 'L', 2, 2],
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('read.arrow of compressed files', () => {
  test.each(['lz4', 'zstd'])('takes what pyarrow wrote with %s', async (compression) => {
    const rows = await (await read.arrow(join(import.meta.dirname, `fixtures/${compression}.feather`))).toRows()
    expect(rows).toEqual(
      Array.from({ length: 200 }, (_, i) => ({
        id: i,
        x: i % 7 === 0 ? null : i / 4,
        text: `word ${i % 10} über`,
      })),
    )
  })
})

describe('write.arrow', () => {
  test('makes files and streams that read.arrow takes, of no row too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'arrow-'))
    const df = frame({
      x: Float64Array.from({ length: 10_000 }, (_, i) => i / 2),
      s: Array.from({ length: 10_000 }, (_, i) => (i % 3 === 0 ? null : `é ${i}`)),
      t: {
        shape: [10_000, 2] as const,
        dtype: 'uint8',
        values: Uint8Array.from({ length: 20_000 }, (_, i) => i % 256),
      },
    })
    for (const format of ['file', 'stream'] as const) {
      const path = join(folder, `a.${format}`)
      await df.write.arrow(path, { format })
      expect(await (await read.arrow(path)).toRows()).toEqual(await df.toRows())
      await df.limit(0).write.arrow(path, { format })
      const none = await read.arrow(path)
      expect([none.columns, await none.count()]).toEqual([['x', 's', 't'], 0])
    }
    await writeFile(join(folder, 'twice.arrow'), 'ARROW1 no more')
    await expect(read.arrow(join(folder, 'twice.arrow'))).rejects.toThrow(
      /expected an Arrow IPC file at .*twice\.arrow/,
    )
    await rm(folder, { recursive: true })
  })
})
