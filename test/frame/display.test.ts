import { describe, expect, test } from 'vitest'
import { col, frame, type Frame } from '../../src/frame/index.js'

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
    expect((await shown(many))['text/plain']).toContain('5,000 rows × 1 column, the first 10')
    expect((await shown(many.filter(col('x').eq(0))))['text/plain']).toContain('first 10 rows × 1 column')
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
