import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { col, frame, read } from '../../src/frame/index.js'

let folder: string
const put = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-'))
})
afterAll(async () => rm(folder, { recursive: true }))

/** An IDX file of bytes. */
function idx(shape: readonly number[], values: ArrayLike<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.set([0, 0, 8, shape.length])
  shape.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis))
  return Buffer.concat([header, Uint8Array.from(values)])
}

describe('read.csv', () => {
  test('infers separator, types and which columns hold nulls', async () => {
    const df = await read.csv(await put('a.csv', 'n;name;when;ok\n1;"a;b";2020-01-02;true\n;c;2020-01-03;false\n'))
    expect(df.schema.map(({ name, type, nullable }) => [name, type.kind, nullable])).toEqual([
      ['n', 'number', true],
      ['name', 'string', false],
      ['when', 'date', false],
      ['ok', 'boolean', false],
    ])
    expect(await df.toRows()).toEqual([
      { n: 1, name: 'a;b', when: new Date('2020-01-02'), ok: true },
      { n: null, name: 'c', when: new Date('2020-01-03'), ok: false },
    ])
    expect(df[Symbol.for('shardbook.type') as never]).toBeTypeOf('function')
  })

  test('honours a given schema exactly: columns, order, types, nulls', async () => {
    const path = await put('b.csv', 'id,score,name\n1,2,x\n2,NA,y\n')
    const df = await read.csv(path, { schema: { name: 'string', score: 'number?', id: 'bigint' }, nulls: ['NA'] })
    expect(await df.toRows()).toEqual([
      { name: 'x', score: 2, id: 1n },
      { name: 'y', score: null, id: 2n },
    ])
    const strict = await read.csv(path, { schema: { score: 'number' }, nulls: ['NA'] })
    await expect(strict.toRows()).rejects.toThrow(
      /read\.csv: expected no null in column 'score' of .*b\.csv.*'number\?'/,
    )
    await expect(read.csv(path, { schema: { scor: 'number' } })).rejects.toThrow(
      /no column 'scor'\. Did you mean 'score'\?/,
    )
  })

  test('reads files without a header, with another quote, and text with line breaks', async () => {
    const path = await put('c.csv', "1|'a\nb'\n2|c\n")
    const df = await read.csv(path, { header: false, separator: '|', quote: "'" })
    expect(await df.toRows()).toEqual([
      { column0: 1, column1: 'a\nb' },
      { column0: 2, column1: 'c' },
    ])
  })

  test('names the line of a ragged row', async () => {
    const path = await put('ragged.csv', 'a,b,c\n1,2,3\n4,5\n6,7,8\n')
    await expect(read.csv(path)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(/line 3 of .*ragged\.csv: expected 3 columns, got 2 \(4,5\)/) as string,
    })
  })

  test('names the line of a quote that is not closed', async () => {
    const path = await put('quote.csv', 'a,b\n"x,1\ny,2\n')
    await expect(read.csv(path).then((df) => df.toRows())).rejects.toThrow(
      /line 2 of .*quote\.csv: expected a closing quote for the value that begins here, got none \("x,1\)/,
    )
  })

  test('names line, column and value where a type changes after the part that was looked at', async () => {
    const path = await put('late.csv', `a,b\n${'1,x\n'.repeat(30_000)}foo,x\n`)
    await expect(read.csv(path).then((df) => df.agg({ sum: col('a').sum() }).toRows())).rejects.toThrow(
      /line 30002 of .*late\.csv: expected number in column 'a'.*got "foo"/,
    )
  })

  test('refuses duplicate names, an empty file, a missing one, a folder', async () => {
    await expect(put('dup.csv', 'a,b,a\n1,2,3\n').then((path) => read.csv(path))).rejects.toThrow(
      /distinct column names, got 'a' twice/,
    )
    await expect(put('empty.csv', '').then((path) => read.csv(path))).rejects.toThrow(
      /expected rows in .*got an empty file/,
    )
    await expect(read.csv(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'io' })
    await mkdir(join(folder, 'bare'))
    await expect(read.csv(join(folder, 'bare'))).rejects.toThrow(/expected a file at .*got a folder without any/)
  })

  test('survives names that are odd in SQL and differ only in case', async () => {
    const df = await read.csv(await put('odd.csv', `"a""b","it's",A,"select *"\n1,2,3,4\n`))
    expect(await df.filter(col("it's").eq(2)).toRows()).toEqual([{ 'a"b': 1, "it's": 2, A: 3, 'select *': 4 }])
    const rows = [{ a: 1, A: 2, '': 3, 'é"': '\0' }]
    expect(
      await frame(rows)
        .filter(col('A').eq(2).and(col('é"').eq('\0')))
        .toRows(),
    ).toEqual(rows)
  })
})

describe('read.idx', () => {
  test('reads files of equal length as columns, plain and gzipped', async () => {
    const image = await put('images.gz', gzipSync(idx([3, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])))
    const label = await put('labels', idx([3], [7, 8, 9]))
    const df = await read.idx({ image, label }, { shapes: { image: [2, 2, 1] } })
    expect(await df.sort(col('label').desc()).limit(1).toRows()).toEqual([
      { image: { shape: [2, 2, 1], dtype: 'uint8', values: Uint8Array.of(8, 9, 10, 11) }, label: 9 },
    ])
    expect(await (await read.idx(label)).toColumns()).toEqual({ value: Uint8Array.of(7, 8, 9) })
  })

  test('says expected and actual bytes of a truncated file', async () => {
    const path = await put('short', idx([3, 2, 2], [1, 2, 3]))
    await expect(read.idx(path)).rejects.toThrow(
      /expected 12 bytes of values \(3 x 2 x 2 uint8\) in .*short, got 3\. The file is truncated/,
    )
    const cut = gzipSync(
      idx(
        [2000],
        Array.from({ length: 2000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255),
      ),
    ).subarray(0, 300)
    const broken = await put('cut.gz', cut)
    await expect(read.idx({ image: broken }).then((df) => df.toRows())).rejects.toThrow(
      /whole gzip file at .*cut\.gz.*truncated/s,
    )
  })

  test('refuses a wrong magic number, files of different length, a missing file', async () => {
    await expect(put('text', 'hello world').then((path) => read.idx(path))).rejects.toThrow(
      /IDX magic number such as 00 00 08 03, got 68 65 6c 6c/,
    )
    const [three, two] = [await put('three', idx([3], [1, 2, 3])), await put('two', idx([2], [1, 2]))]
    await expect(read.idx({ three, two })).rejects.toThrow(
      /files of equal length, got 3 rows in .*three and 2 in .*two/,
    )
    await expect(read.idx(join(folder, 'no'))).rejects.toThrow(/read\.idx: cannot read .*no such file/)
  })
})

describe('write and read.parquet', () => {
  test('round-trips types, nulls and tensors', async () => {
    const df = frame({
      x: [1.5, null, Number.NaN],
      k: [1n, 2n ** 62n, null],
      s: ['é', '', null],
      at: [new Date(0), null, new Date('2024-02-29T12:34:56.789Z')],
      b: [true, false, null],
      t: { shape: [3, 2, 2] as const, dtype: 'uint8', values: Uint8Array.from({ length: 12 }, (_, i) => i) },
    })
    const path = join(folder, 'all.parquet')
    await df.sort(col('s').desc()).write.parquet(path)
    const back = await read.parquet(path)
    expect(await back.toRows()).toEqual(await df.sort(col('s').desc()).toRows())
    expect(back.schema.map(({ name, type, nullable }) => [name, type.kind, nullable])).toEqual(
      df.schema.map(({ name, type, nullable }) => [name, type.kind, nullable]),
    )
    const [first] = await back.filter(col('s').eq('é')).toRows()
    expect((first!['t'] as { values: Uint8Array }).values).toEqual(Uint8Array.of(0, 1, 2, 3))
  })

  test('leaves the old file when writing fails', async () => {
    const path = join(folder, 'kept.csv')
    await frame({ a: [1] }).write.csv(path)
    const failing = frame({ a: ['1', 'x'] }).select({ a: col('a').cast('number') })
    await expect(failing.write.csv(path)).rejects.toThrow(/expected a number in column 'a', got 'x'/)
    expect(await readFile(path, 'utf8')).toBe('a\n1.0\n')
    expect((await readdir(folder)).filter((name) => name.startsWith('kept'))).toEqual(['kept.csv'])
  })

  test('refuses a broken file and tensors in CSV', async () => {
    const path = await put('bad.parquet', 'PAR1xxxxxxPAR1')
    await expect(read.parquet(path)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(path) as string,
    })
    await frame({ x: Float64Array.from({ length: 5000 }, (_, i) => i) }).write.parquet(join(folder, 'whole.parquet'))
    const cut = join(folder, 'cut.parquet')
    await writeFile(cut, (await readFile(join(folder, 'whole.parquet'))).subarray(0, 3000))
    await expect(read.parquet(cut)).rejects.toThrow(
      /expected a Parquet file at .*cut\.parquet, got a file that does not end as one\. It is truncated/,
    )
    const tensors = frame({ t: { shape: [1, 2], dtype: 'uint8', values: new Uint8Array(2) } })
    await expect(tensors.write.csv(join(folder, 't.csv'))).rejects.toThrow(
      /plain columns, got 't' of type tensor \[2\] uint8/,
    )
  })
})

describe('bad rows of CSV', () => {
  test('are left out, or collected with file, line, column and reason', async () => {
    const path = await put('bad-rows.csv', `a,b\n1,2\n3\nx,4\n5,6,7\n8,9\n`)
    const schema = { a: 'number', b: 'number' } as const
    const kept = [
      { a: 1, b: 2 },
      { a: 8, b: 9 },
    ]
    await expect(read.csv(path, { schema }).then((df) => df.toRows())).rejects.toThrow(
      /line 3 of .*expected 2 columns, got 1/,
    )
    expect(await (await read.csv(path, { schema, badRows: 'skip' })).toRows()).toEqual(kept)
    const df = await read.csv(path, { schema, badRows: 'collect' })
    expect(await df.toRows()).toEqual(kept)
    expect(await df.badRows.toRows()).toEqual([
      { file: path, line: 3, column: 'b', reason: 'expected 2 columns, got 1', text: '3' },
      {
        file: path,
        line: 4,
        column: 'a',
        reason: expect.stringMatching(/expected number in column 'a'.*got "x"/) as string,
        text: 'x,4',
      },
      { file: path, line: 5, column: null, reason: 'expected 2 columns, got 3', text: '5,6,7' },
    ])
    const clean = await read.csv(await put('clean.csv', 'a\n1\n'), { badRows: 'collect' })
    expect(await clean.badRows.count()).toBe(0)
    await expect(read.csv(path, { badRows: 'hide' as never })).rejects.toThrow(
      /badRows to be one of "error", "skip", "collect"/,
    )
  })
})
