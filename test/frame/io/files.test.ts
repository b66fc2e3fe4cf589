import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { col, frame, read } from '../../../src/frame/index.js'

let folder: string
const put = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  return path
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-'))
})
afterAll(async () => rm(folder, { recursive: true }))

describe('several files', () => {
  test('a glob, a folder and a list are one frame, in the order of names', async () => {
    await put('many/b.csv', 'x,y\n2,b\n')
    await put('many/a.csv', 'x,y\n1,a\n')
    await put('many/deep/c.tsv', 'x\ty\n3.5\tc\n')
    const expected = [
      { x: 1, y: 'a' },
      { x: 2, y: 'b' },
    ]
    expect(await (await read.csv(join(folder, 'many/*.csv'))).toRows()).toEqual(expected)
    const listed = await read.csv([join(folder, 'many/b.csv'), join(folder, 'many/a.csv')])
    expect(await listed.toRows()).toEqual(expected.toReversed())
    const all = await read.csv(join(folder, 'many'))
    expect(await all.toRows()).toEqual([...expected, { x: 3.5, y: 'c' }])
    await expect(read.csv(join(folder, 'many/*.txt'))).rejects.toThrow(/expected a file at .*, got no match/)
  })

  test('names with characters of globs mean themselves', async () => {
    const path = await put('odd/a[1]*?.csv', 'x\n1\n')
    expect(await (await read.csv(path)).toRows()).toEqual([{ x: 1 }])
  })

  test('columns in another order are the same columns', async () => {
    await put('order/1.csv', 'x,y\n1,a\n')
    await put('order/2.csv', 'y,x\nb,2\n')
    expect(await (await read.csv(join(folder, 'order/*.csv'))).toRows()).toEqual([
      { x: 1, y: 'a' },
      { x: 2, y: 'b' },
    ])
  })

  test('files that differ are refused by name of file and column, or united', async () => {
    await put('drift/1.csv', 'x,y\n1,a\n')
    await put('drift/2.csv', 'x,z\n2,true\n')
    const glob = join(folder, 'drift/*.csv')
    await expect(read.csv(glob)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        /columns of .*1\.csv in every file, got no column 'y' in .*2\.csv\. .*unionByName/,
      ) as string,
    })
    const both = await read.csv(glob, { unionByName: true })
    expect(await both.toRows()).toEqual([
      { x: 1, y: 'a', z: null },
      { x: 2, y: null, z: true },
    ])
    const given = await read.csv(glob, { unionByName: true, schema: { z: 'boolean?', x: 'number' } })
    expect(await given.toRows()).toEqual([
      { z: null, x: 1 },
      { z: true, x: 2 },
    ])
  })

  test('a type that differs in one file is refused by name, in every format', async () => {
    await frame({ x: [1] }).write.parquet(join(folder, 'types/1.parquet'))
    await frame({ x: ['one'] }).write.parquet(join(folder, 'types/2.parquet'))
    await expect(read.parquet(join(folder, 'types'))).rejects.toThrow(
      /expected 'x' to be number, as in .*1\.parquet, got string in .*2\.parquet/,
    )
    await put('kinds/1.csv', 'x\n1\n')
    await put('kinds/2.csv', 'x\none\n')
    await expect(read.csv(join(folder, 'kinds'))).rejects.toThrow(
      /expected number in column 'x', .*got string in .*2\.csv/,
    )
    await put('kinds/1.ndjson', '{"x":1}\n')
    await put('kinds/2.ndjson', '{"x":"one"}\n')
    await expect(read.ndjson(join(folder, 'kinds'))).rejects.toThrow(
      /expected number in column 'x', .*got string in .*2\.ndjson/,
    )
  })

  test('numbers of different width in Parquet files are read as the wider one', async () => {
    await frame({ x: new Int32Array([1]) }).write.parquet(join(folder, 'wide/1.parquet'))
    await frame({ x: [2.5] }).write.parquet(join(folder, 'wide/2.parquet'))
    expect(await (await read.parquet(join(folder, 'wide'))).toRows()).toEqual([{ x: 1 }, { x: 2.5 }])
  })

  test('folders named key=value are columns, in every format, and filters find them', async () => {
    for (const [year, place] of [
      [2023, 'Ulm'],
      [2024, 'Bad%20Urach'],
    ]) {
      await put(`hive/year=${year}/place=${place}/a.csv`, `x\n${year}\n`)
      await put(`hive/year=${year}/place=${place}/a.ndjson`, `{"x":${year}}\n`)
      await frame({ x: [Number(year)] }).write.parquet(join(folder, `hive/year=${year}/place=${place}/a.parquet`))
    }
    for (const reader of [read.csv, read.ndjson, read.parquet] as const) {
      const df = await reader(join(folder, 'hive'))
      expect(await df.toRows()).toEqual([
        { x: 2023, year: 2023, place: 'Ulm' },
        { x: 2024, year: 2024, place: 'Bad Urach' },
      ])
      expect(await df.filter(col('year').eq(2024)).select('x').toRows()).toEqual([{ x: 2024 }])
    }
    await put('half/a.csv', 'x\n1\n')
    await put('half/year=1/b.csv', 'x\n1\n')
    await expect(read.csv(join(folder, 'half'))).rejects.toThrow(/in folders of no key, .*got .*year=1\/b\.csv/)
  })
})

describe('encodings', () => {
  const text = 'name,n\ncafé,1\n東京,2\n'
  const latin = text.replace('東京', 'Zürich')
  const utf16 = (bom: boolean, big: boolean): Buffer => {
    const bytes = Buffer.from(`${bom ? '\ufeff' : ''}${text}`, 'utf16le')
    return big ? bytes.swap16() : bytes
  }
  const rows = [
    { name: 'café', n: 1 },
    { name: '東京', n: 2 },
  ]

  test('UTF-16 is recognised with and without a mark, either way round, gzipped too', async () => {
    for (const [bom, big] of [
      [true, false],
      [true, true],
      [false, false],
      [false, true],
    ] as const) {
      const path = await put(`utf16-${bom}-${big}.csv`, utf16(bom, big))
      expect(await (await read.csv(path)).toRows()).toEqual(rows)
    }
    const gzipped = await put('utf16.csv.gz', gzipSync(utf16(true, false)))
    expect(await (await read.csv(gzipped)).toRows()).toEqual(rows)
    expect(await (await read.csv(await put('utf8-bom.csv', `\ufeff${text}`))).toRows()).toEqual(rows)
  })

  test('other encodings are given; without, the error names the line', async () => {
    const path = await put('latin.csv', Buffer.from(latin, 'latin1'))
    await expect(read.csv(path)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        /expected UTF-8 text in .*latin\.csv, got other bytes in line 2.*encoding: 'latin1'/,
      ) as string,
    })
    const df = await read.csv(path, { encoding: 'latin1' })
    expect((await df.toRows()).map(({ name }) => name)).toEqual(['café', 'Zürich'])
    await expect(read.csv(path, { encoding: 'klingon' })).rejects.toThrow(/expected a known encoding, got "klingon"/)
    const late = await put(
      'late.csv',
      Buffer.concat([Buffer.from(`a\n${'x\n'.repeat(700_000)}`), Buffer.from('é\n', 'latin1')]),
    )
    await expect(read.csv(late).then((it) => it.toRows())).rejects.toThrow(
      /line 700002 of .*late\.csv: expected UTF-8 text/,
    )
  })
})

describe('read.ndjson', () => {
  test('infers types and nulls, lists and structs included, plain and gzipped', async () => {
    const lines = '{"a":1,"b":"x","d":"2020-01-02"}\n\n{"b":null,"a":2.5,"d":"2020-01-03","l":[1,2],"s":{"p":true}}\n'
    for (const path of [await put('a.ndjson', lines), await put('a.jsonl.gz', gzipSync(lines))]) {
      const df = await read.ndjson(path)
      expect(df.schema.slice(0, 3).map(({ name, type, nullable }) => [name, type.kind, nullable])).toEqual([
        ['a', 'number', false],
        ['b', 'string', true],
        ['d', 'date', false],
      ])
      const [first, second] = await df.toRows()
      expect(first).toEqual({ a: 1, b: 'x', d: new Date('2020-01-02'), l: null, s: null })
      expect(second).toMatchObject({ a: 2.5, b: null, s: { p: true } })
    }
  })

  test('honours a given schema: columns, types, missing keys', async () => {
    const path = await put('given.ndjson', '{"id":9007199254740993,"t":[1,2],"x":1}\n{"id":2,"t":[3,4]}\n')
    const df = await read.ndjson(path, { schema: { x: 'number?', id: 'bigint', t: { tensor: [2], dtype: 'float32' } } })
    expect(await df.toRows()).toEqual([
      { x: 1, id: 9007199254740993n, t: { shape: [2], dtype: 'float32', values: Float32Array.of(1, 2) } },
      { x: null, id: 2n, t: { shape: [2], dtype: 'float32', values: Float32Array.of(3, 4) } },
    ])
    const strict = await read.ndjson(path, { schema: { x: 'number' } })
    await expect(strict.toRows()).rejects.toThrow(/expected no null in column 'x'/)
  })

  test('names the line that is no object, and the one of another type', async () => {
    for (const [i, bad] of ['foo', '{"a":2', '[2]', '{"a":}', '{"a":2}{'].entries()) {
      const path = await put(`bad-${i}.ndjson`, `{"a":1}\n${bad}\n{"a":3}\n`)
      await expect(read.ndjson(path).then((df) => df.toRows())).rejects.toThrow(/line 2 of .*bad-\d\.ndjson/)
    }
    const late = await put('late.ndjson', `${'{"a":1}\n'.repeat(30_000)}{"a":"foo"}\n`)
    await expect(read.ndjson(late)).rejects.toThrow(
      /line 30001 of .*late\.ndjson: expected \w+, as in the lines before, got "foo"/,
    )
    await expect(read.ndjson(await put('none.ndjson', ''))).rejects.toThrow(/got an empty file/)
    await expect(read.ndjson(await put('twice.ndjson', '{"a":1,"a":2}\n'))).rejects.toThrow(
      /line 1 of .*duplicate key "a"/,
    )
  })

  test('gives back any rows that were written', async () => {
    const row = fc.record({
      n: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null }),
      s: fc.option(fc.string({ unit: 'grapheme' }), { nil: null }),
      b: fc.boolean(),
    })
    const schema = { n: 'number?', s: 'string?', b: 'boolean' } as const
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
        const path = join(folder, 'any.ndjson')
        await frame(rows, { schema }).write.ndjson(path)
        expect(await (await read.ndjson(path, { schema })).toRows()).toEqual(rows)
      }),
      { numRuns: 30 },
    )
  })
})
