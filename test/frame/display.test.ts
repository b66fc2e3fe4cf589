import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { col, frame, read, type Frame } from '../../src/frame/index.js'

const people = frame([
  { name: 'Ada', age: 36, city: 'London' },
  { name: 'Alan', age: 41, city: 'London' },
  { name: 'Grace', age: null, city: 'New York' },
])

describe('how a frame looks', () => {
  const shown = async (df: Frame<never> | object): Promise<Record<string, string>> =>
    (df as { [key: symbol]: () => Promise<Record<string, string>> })[Symbol.for('Jupyter.display')]!()

  test('as a table with types and shape, in HTML and text', async () => {
    const bundle = await shown(people)
    expect(bundle['text/plain']!.split('\n')).toEqual([
      'name        age  city',
      'string  number?  string',
      '──────  ───────  ────────',
      'Ada          36  London',
      'Alan         41  London',
      'Grace      null  New York',
      '3 rows × 3 columns',
    ])
    expect(bundle['text/html']).toContain('<th style="text-align:right">age<br>')
  })

  test('escapes what it shows, and draws images', async () => {
    const values = Uint8Array.from({ length: 64 }, (_, i) => i)
    const { 'text/html': html } = await shown(
      frame({ s: ['<b>&"'], image: { shape: [1, 8, 8], dtype: 'uint8', values } }),
    )
    expect(html).toContain('&lt;b&gt;&amp;&quot;')
    expect(html).toMatch(/<img [^>]*src="data:image\/png;base64,iVBOR/)
  })

  test('says how many rows there are where that costs nothing', async () => {
    const many = frame({ x: new Float64Array(5000) })
    expect((await shown(many))['text/plain']).toContain('5,000 rows × 1 column, the first 5 and the last 5')
    expect((await shown(many.filter(col('x').eq(0))))['text/plain']).toContain('first 10 rows × 1 column')
  })

  test('shows both ends and a sample from all over a file, and says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shardbook-'))
    const n = 20_000
    const x = Int32Array.from({ length: n }, (_, i) => i)
    await frame({ x, even: Array.from(x, (i) => i % 2 === 0) }).write.parquet(join(folder, 'x.parquet'))
    const df = (await read.parquet(join(folder, 'x.parquet'))).withColumns({ double: col('x').mul(2) })
    const bundle = await shown(df)
    const ids = bundle['text/plain']!.split('\n').map((line) => line.trim().split(/\s+/)[0])
    expect(ids.slice(3, 14)).toEqual(['0', '1', '2', '3', '4', '⋮', '19995', '19996', '19997', '19998', '19999'])
    expect(bundle['text/html']).toContain('histograms of 1,000 sampled rows')
    // The sample is from all over: bars over the whole range.
    const [, least, most] = /<title>(\d+) to (\d+)<\/title>/.exec(bundle['text/html']!)!
    expect([Number(least) < n / 4, Number(most) > (3 * n) / 4]).toEqual([true, true])
    const filtered = await shown(df.filter(col('x').ge(100)))
    expect(filtered['text/html']).toContain('first 10 rows × 3 columns; histograms of the first 1,000 rows')
    await rm(folder, { recursive: true })
  })

  test('asks a function of the user’s for no more rows than are shown', async () => {
    let calls = 0
    const squares = frame({ x: Float64Array.from({ length: 5000 }, (_, i) => i) }).map(
      ({ x }) => {
        calls++
        return { square: x ** 2 }
      },
      { schema: { square: 'number' } },
    )
    expect((await shown(squares))['text/plain']).toContain('first 10 rows × 1 column')
    expect(calls).toBe(11)
  })

  test('tells values and nulls of a column in a histogram’s title', async () => {
    const { 'text/html': html } = await shown(people)
    expect(html).toContain('<title>36 to 41, 1 null</title>')
    expect(html).toContain('<title>2 distinct; London: 2, New York: 1</title>')
  })

  test('as rows for tools', async () => {
    const { 'application/vnd.dataresource+json': resource } = await shown(
      frame({ n: [1n, null], at: [new Date(0), new Date(1)], x: [Number.NaN, 0.5] }),
    )
    expect(JSON.parse(JSON.stringify(resource))).toEqual({
      schema: {
        fields: [
          { name: 'n', type: 'integer' },
          { name: 'at', type: 'datetime' },
          { name: 'x', type: 'number' },
        ],
      },
      data: [
        { n: 1, at: '1970-01-01T00:00:00.000Z', x: 'NaN' },
        { n: null, at: '1970-01-01T00:00:00.001Z', x: 0.5 },
      ],
    })
  })

  test('as rows for tools, nested ones too', async () => {
    const { 'application/vnd.dataresource+json': resource } = await shown(
      frame([
        { ids: [1n, 2n], place: { x: 0.5, y: Number.POSITIVE_INFINITY }, v: { size: 9, indices: [3], values: [1] } },
      ]),
    )
    expect(JSON.parse(JSON.stringify(resource))).toEqual({
      schema: {
        fields: [
          { name: 'ids', type: 'array' },
          { name: 'place', type: 'object' },
          { name: 'v', type: 'object' },
        ],
      },
      data: [{ ids: [1, 2], place: { x: 0.5, y: 'Infinity' }, v: { size: 9, indices: [3], values: [1] } }],
    })
  })

  test('tells its own type', () => {
    const df = frame({
      'a b': [1, null],
      t: { shape: [2, 3] as const, dtype: 'uint8', values: new Uint8Array(6) },
      at: [new Date(0), new Date(1)],
    })
    const type = (df as unknown as { [key: symbol]: () => string })[Symbol.for('shardbook.type')]!()
    expect(type).toBe(
      `import('shardbook').Frame<{ "a b": number | null; t: import('shardbook').Tensor<[3]>; at: Date }>`,
    )
  })

  test('describes its columns', async () => {
    const rows = await (await people.describe()).toRows()
    expect(rows[1]).toEqual({
      column: 'age',
      type: 'number?',
      count: 2,
      nulls: 1,
      mean: 38.5,
      std: Math.sqrt(12.5),
      min: '36',
      max: '41',
    })
    expect(rows[2]).toMatchObject({ column: 'city', min: 'London', max: 'New York', mean: null })
  })

  test('explains its plan', async () => {
    const text = await people
      .filter((c) => c.age.gt(40))
      .select('name')
      .explain()
    expect(text).toContain('project name\n  filter col("age").gt(40)\n    scan memory [name, age, city]')
    expect(text).toContain('WHERE')
  })
})
