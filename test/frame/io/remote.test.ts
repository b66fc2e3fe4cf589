import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { displaySymbol } from '../../../src/core/display.js'
import { col, frame, openFeed, read } from '../../../src/frame/index.js'
import { missing } from '../../needs.js'
import { startFiles, type FileServer } from '../../store/file-server.js'
import { startS3, type S3Server } from '../../store/s3-server.js'

const rows = 41_000
const table = frame({
  n: Float64Array.from({ length: rows }, (_, i) => i),
  noise: Float64Array.from({ length: rows }, (_, i) => Math.sin(i * i)),
  text: Array.from({ length: rows }, (_, i) => `row number ${(i * 7919) % rows}`),
})
let folder: string
let parquet: Uint8Array
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remote-'))
  await table.write.parquet(join(folder, 'table.parquet'), { rowGroupRows: 10_240, compression: 'none' })
  parquet = new Uint8Array(await readFile(join(folder, 'table.parquet')))
})
afterAll(async () => rm(folder, { recursive: true }))

describe('frames over HTTP', () => {
  let server: FileServer
  beforeEach(async () => {
    server = await startFiles()
    server.files.set('/t.parquet', parquet)
  })
  afterEach(async () => server.close())

  /** Bytes that were asked for by ranges, but for those of one byte, which only look. */
  const fetchedBytes = (): number =>
    server.requests.reduce((sum, line) => {
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(line) ?? []
      const length = from === undefined ? 0 : Number(to) - Number(from) + 1
      return length > 1 ? sum + length : sum
    }, 0)

  test('gives the rows of a Parquet file, fetching its footer and the columns that are read', async () => {
    const df = await read.parquet(`${server.base}/t.parquet`)
    expect(df.schema.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['n', false],
      ['noise', false],
      ['text', false],
    ])
    expect(await df.count()).toBe(rows)
    const footer = fetchedBytes()
    expect(footer).toBeLessThanOrEqual(2 ** 16)
    expect(
      await df
        .filter(col('n').ge(rows - 2))
        .select('n')
        .toRows(),
    ).toEqual([{ n: rows - 2 }, { n: rows - 1 }])
    expect(fetchedBytes() - footer).toBeGreaterThan(0)
    expect(fetchedBytes() - footer).toBeLessThan(parquet.length / 3)
    expect(await df.agg({ n: col('n').sum(), noise: col('noise').max(), t: col('text').max() }).toRows()).toEqual(
      await table.agg({ n: col('n').sum(), noise: col('noise').max(), t: col('text').max() }).toRows(),
    )
    const all = fetchedBytes()
    expect(all).toBeLessThan(parquet.length + 2 ** 17)
    expect((await df.toRows()).length).toBe(rows)
    expect(fetchedBytes()).toBe(all)
  })

  test('feeds rows of remote files, fetching the columns that are fed', async () => {
    const df = await read.parquet(`${server.base}/t.parquet`)
    await df.count()
    const before = fetchedBytes()
    let next = 0
    for await (const { columns } of df.batches({ rows: 1000, columns: ['n'] })) {
      for (const value of columns['n']!.values) expect(value).toBe(next++)
    }
    expect(next).toBe(rows)
    expect(fetchedBytes() - before).toBeLessThan(parquet.length / 2)
    const feed = await openFeed(await df.withColumns({ n: col('n').mul(2) }).source(['noise', 'n']), {
      slices: 2,
      slice: 1,
    })
    for await (const { index, columns } of feed.batches({ rows: 4096, seed: 1 })) {
      expect(columns['n']!.values).toEqual(Float64Array.from(index, (i) => 2 * i))
      expect(columns['noise']!.values).toEqual(Float64Array.from(index, (i) => Math.sin(i * i)))
    }
    await feed.close()
  })

  test('shows the first rows of a remote file, and no more of it', async () => {
    const df = await read.parquet(`${server.base}/t.parquet`)
    await df.count()
    const before = fetchedBytes()
    const { 'text/plain': text } = (await df[displaySymbol]()) as { 'text/plain': string }
    expect(text).toContain('41,000 rows × 3 columns, the first 10')
    expect(fetchedBytes() - before).toBeLessThan(parquet.length / 2)
  })

  test('computes windows over all rows, also where few are wanted', async () => {
    const df = await read.parquet(`${server.base}/t.parquet`)
    const most = df.withColumns({ most: col('n').max().over() })
    expect(await most.select('n', 'most').slice(0, 2).toRows()).toEqual([
      { n: 0, most: rows - 1 },
      { n: 1, most: rows - 1 },
    ])
  })

  test('gives the first rows without fetching the row groups behind them', async () => {
    const df = await read.parquet(`${server.base}/t.parquet`)
    const [first, , third] = await df.slice(10_239, 3).toRows()
    expect([first!['n'], third!['n']]).toEqual([10_239, 10_241])
    expect(fetchedBytes()).toBeLessThan(parquet.length * 0.6)
    expect((await df.sort(col('n').desc()).limit(1).toRows())[0]!['n']).toBe(rows - 1)
  })

  test('fetches only the row groups in which a filter may find rows', async () => {
    const id = Array.from({ length: rows }, (_, i) => i)
    const day = id.map((i) => new Date(Date.UTC(2020, 0, 1) + i * 60_000))
    const sorted = frame({
      id: Int32Array.from(id),
      n: Float64Array.from(id),
      at: day,
      key: id.map((i) => `k${100_000 + i}`),
    })
    await sorted.write.parquet(join(folder, 'sorted.parquet'), { rowGroupRows: 4096, compression: 'none' })
    server.files.set('/s.parquet', new Uint8Array(await readFile(join(folder, 'sorted.parquet'))))
    const local = await read.parquet(join(folder, 'sorted.parquet'))
    const filters = [
      [col('id').ge(20_000).and(col('id').lt(20_010)), 2],
      [col('id').eq(5), 1],
      [col('id').gt(rows), 0],
      [col('n').lt(100), 1],
      [col('n').eq(-0), 1],
      [col('n').gt(40_990), 11],
      [col('at').lt(day[10]!), 1],
      [col('key').gt(`k${100_000 + rows - 2}`), 1],
      [col('id').lt(10).or(col('id').gt(40_990)), 11],
      [col('id').ge(20_000).and(col('id').lt(20_010)).and(col('n').mul(2).gt(40_010)), 2],
    ] as const
    for (const [i, [predicate, groups]] of filters.entries()) {
      server.files.set(`/s${i}.parquet`, server.files.get('/s.parquet')!)
      const df = await read.parquet(`${server.base}/s${i}.parquet`)
      await df.count()
      const before = fetchedBytes()
      const found = await df.filter(predicate).select('id', 'n', 'at', 'key').toRows()
      expect(found).toEqual(await local.filter(predicate).select('id', 'n', 'at', 'key').toRows())
      const fraction = (fetchedBytes() - before) / server.files.get('/s.parquet')!.length
      expect(fraction).toBeLessThanOrEqual((groups + 0.5) / 10)
      // What was not fetched then is fetched when it is asked for.
      expect(await df.agg({ n: col('n').sum(), key: col('key').max() }).toRows()).toEqual(
        await local.agg({ n: col('n').sum(), key: col('key').max() }).toRows(),
      )
    }
    // NaN is above all numbers, and in no statistics; of several files those without a match are left out.
    for (const [name, values] of Object.entries({ a: [1, NaN, 2], b: [5, 6], c: [0, 9] })) {
      await frame({ n: Float64Array.from(values) }).write.parquet(join(folder, `${name}.parquet`))
      server.files.set(`/${name}.parquet`, new Uint8Array(await readFile(join(folder, `${name}.parquet`))))
    }
    const three = await read.parquet(['a', 'b', 'c'].map((name) => `${server.base}/${name}.parquet`))
    expect(await three.filter(col('n').gt(9)).toRows()).toEqual([{ n: NaN }])
    expect(await three.filter(col('n').lt(2)).toRows()).toEqual([{ n: 1 }, { n: 0 }])
    expect(await three.filter(col('n').lt(-2)).toRows()).toEqual([])
  })

  test('joins and filters across files, on columns that are only compared', async () => {
    const df = await read.parquet(`${server.base}/t.parquet`)
    server.files.set('/u.parquet', parquet)
    const other = (await read.parquet(`${server.base}/u.parquet`)).select('text', 'noise')
    const joined = df.filter(col('noise').gt(0.9).and(col('n').lt(100))).select('n', 'text')
    const here = table.filter(col('noise').gt(0.9).and(col('n').lt(100))).select('n', 'text')
    expect(await joined.join(other, { on: 'text' }).toRows()).toEqual(
      await here.join(table.select('text', 'noise'), { on: 'text' }).toRows(),
    )
  })

  test('reads servers without ranges, and CSV and NDJSON', async () => {
    server.ranges = false
    server.files.set('/a.csv', Buffer.from('x,y\n1,a\n2,b\n'))
    server.files.set('/a.ndjson', Buffer.from('{"x":1}\n'))
    expect(await (await read.csv(`${server.base}/a.csv`)).toRows()).toEqual([
      { x: 1, y: 'a' },
      { x: 2, y: 'b' },
    ])
    expect(await (await read.ndjson(`${server.base}/a.ndjson`)).toRows()).toEqual([{ x: 1 }])
    expect(await (await read.parquet(`${server.base}/t.parquet`)).count()).toBe(rows)
  })

  test('names the address in errors: missing, truncated, malformed, changed', async () => {
    const at = (name: string): string => `${server.base}/${name}`
    await expect(read.csv(at('none.csv'))).rejects.toThrow(
      /read\.csv: cannot read http.*none\.csv\. There is no such object/,
    )
    server.files.set('/cut.parquet', parquet.subarray(0, 9000))
    await expect(read.parquet(at('cut.parquet'))).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        /a Parquet file at http.*cut\.parquet, got a file that does not end as one.*truncated/,
      ) as string,
    })
    server.files.set('/ragged.csv', Buffer.from('a,b\n1,2\n3\n'))
    await expect(read.csv(at('ragged.csv'))).rejects.toThrow(/line 3 of http.*ragged\.csv: expected 2 columns, got 1/)
    const df = await read.parquet(at('t.parquet'))
    server.intercept = (request) => {
      // The file changes between the look at it and its bytes.
      if (request.headers.range !== 'bytes=0-0') server.files.set('/t.parquet', parquet.slice())
      return false
    }
    await expect(df.toRows()).rejects.toThrow(/not to change while it is read/)
  })

  test('writes to an address that takes files', async () => {
    await table.limit(2).write.csv(`${server.base}/out.csv`)
    expect(await (await read.csv(`${server.base}/out.csv`)).count()).toBe(2)
  })
})

describe.skipIf(missing('s3') !== undefined)('frames over S3', () => {
  let server: S3Server
  beforeAll(async () => {
    server = await startS3()
  })
  afterAll(async () => server?.close())
  beforeEach(() => {
    for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value)
  })
  afterEach(() => void vi.unstubAllEnvs())

  test('writes and reads Parquet, partitioned too, by key, by folder and by glob', async () => {
    const at = (key: string): string => `s3://${server.bucket}/${key}`
    await table.write.parquet(at('one.parquet'))
    expect(await (await read.parquet(at('one.parquet'))).agg({ n: col('n').max() }).toRows()).toEqual([{ n: rows - 1 }])
    const years = frame({ year: [2023, 2024, 2024], x: [1, 2, 3] })
    await years.write.parquet(at('years'), { partitionBy: ['year'] })
    const back = await read.parquet(at('years/'))
    expect(await back.select('year', 'x').toRows()).toEqual(await years.toRows())
    const some = await read.parquet(at('years/year=2024/*.parquet'))
    expect(await some.select('x').toRows()).toEqual([{ x: 2 }, { x: 3 }])
    await years.write.arrow(at('years.arrow'))
    expect(await (await read.arrow(at('years.arrow'))).count()).toBe(3)
  })

  test('says which key is missing and that credentials are bad', async () => {
    await expect(read.parquet(`s3://${server.bucket}/none.parquet`)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(
        /read\.parquet: cannot read s3:\/\/things\/none\.parquet\. There is no such object/,
      ) as string,
    })
    await expect(read.parquet(`s3://${server.bucket}/no/*.parquet`)).rejects.toThrow(/got no match/)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong')
    await expect(read.csv(`s3://${server.bucket}/a.csv`)).rejects.toThrow(
      /^read\.csv: .*refused \(HTTP 403.*AWS_SECRET_ACCESS_KEY/,
    )
  })
})
