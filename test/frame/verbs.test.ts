import { afterEach, describe, expect, test } from 'vitest'
import { hostSymbol, type Host } from '../../src/core/host.js'
import {
  col,
  frame,
  Frame,
  lit,
  provideMapper,
  vector,
  when,
  type FeedBatch,
  type Plan,
} from '../../src/frame/index.js'

const people = frame([
  { name: 'Ada', age: 36, city: 'London' },
  { name: 'Alan', age: 41, city: 'London' },
  { name: 'Grace', age: null, city: 'New York' },
])

describe('errors when a plan is built', () => {
  const loose = people as unknown as Frame
  test('name the nearest column and list the rest', () => {
    expect(() => loose.filter(col('agee').gt(1))).toThrow(
      /filter: there is no column 'agee'\. Did you mean 'age'\? Columns: name, age, city\./,
    )
    expect(() => loose.filter((c) => (c as unknown as { nme: { gt(x: number): never } }).nme.gt(1))).toThrow(
      /Did you mean 'name'\?/,
    )
    expect(() => loose.select('zzz')).toThrow(/there is no column 'zzz'\. Columns: name, age, city\./)
    expect(() => loose.sort('agee')).toThrow(/sort: there is no column/)
  })

  test('name the wrong type and the expression', () => {
    expect(() => loose.withColumns({ x: col('name').add(1) })).toThrow(
      /withColumns: add expected number or bigint, got string \(col\("name"\)\)\. Cast it/,
    )
    expect(() => loose.filter(col('age').add(1) as never)).toThrow(/expected a boolean expression, got number/)
    expect(() => loose.filter(col('age').eq(col('name')))).toThrow(
      /eq expected values of one type, got number\? .* and string/,
    )
    expect(() => loose.filter(col('age').sum() as never)).toThrow(/expected a row expression, got the aggregate/)
    expect(() => loose.groupBy('city').agg({ x: col('age') as never })).toThrow(/expected 'x' to be an aggregate/)
    expect(() => loose.withColumns({ x: 1 as never })).toThrow(
      /expected an expression .* got 1\. Write a constant as lit/,
    )
  })

  test('refuse duplicate names and bad arguments', () => {
    expect(() => loose.rename({ age: 'name' })).toThrow(/distinct column names, got 'name' twice/)
    expect(() => loose.limit(-1)).toThrow(/limit: expected rows to be an integer >= 0, got -1/)
    expect(() => loose.randomSplit([1, 0])).toThrow(/weights > 0, got 0/)
    expect(() => loose.sample(1.5)).toThrow(/fraction/)
    expect(() => frame({ a: [1], b: [1, 2] })).toThrow(/columns of one length, got 1 values in 'a' and 2 in 'b'/)
    expect(() => frame({ a: [1, 'x'] })).toThrow(
      /expected 'a' to hold values of one type \(number\), got "x" \(row 1\)/,
    )
    expect(() => frame([])).toThrow(/at least one row/)
  })
})

describe('expressions', () => {
  test('compute as JavaScript does, with null for null', async () => {
    const rows = await frame({ n: [-2.5, 0, 7, null] })
      .select((c) => ({
        quotient: c.n.div(0),
        rest: c.n.mod(2),
        root: c.n.sqrt(),
        log: c.n.log(),
        floor: c.n.floor(),
        power: c.n.pow(2),
        known: c.n.isNotNull(),
        sign: when(c.n.lt(0), lit('-'), lit('+')),
      }))
      .toRows()
    expect(rows).toEqual([
      {
        quotient: -Infinity,
        rest: -0.5,
        root: Number.NaN,
        log: Number.NaN,
        floor: -3,
        power: 6.25,
        known: true,
        sign: '-',
      },
      { quotient: Number.NaN, rest: 0, root: 0, log: -Infinity, floor: 0, power: 0, known: true, sign: '+' },
      {
        quotient: Infinity,
        rest: 1,
        root: Math.sqrt(7),
        log: Math.log(7),
        floor: 7,
        power: 49,
        known: true,
        sign: '+',
      },
      { quotient: null, rest: null, root: null, log: null, floor: null, power: null, known: false, sign: '+' },
    ])
  })

  test('work on text, dates and 64-bit integers', async () => {
    const [row] = await frame({ s: [' Ünï '], at: [new Date('2024-02-29T23:59:59.999Z')], k: [2n ** 62n] })
      .select((c) => ({
        upper: c.s.trim().upper(),
        length: c.s.length(),
        has: c.s.contains('nï'),
        swapped: c.s.replace('n', 'm').concat('!'),
        year: c.at.year(),
        month: c.at.month(),
        day: c.at.day(),
        later: c.at.gt(new Date('2024-02-29')),
        date: c.at.cast('date'),
        next: c.k.add(1n),
        between: c.k.between(0n, 2n ** 62n),
        one: c.s.isIn([' Ünï ', 'x']),
        none: c.s.isIn([]),
      }))
      .toRows()
    expect(row).toEqual({
      upper: 'ÜNÏ',
      length: 5,
      has: true,
      swapped: ' Ümï !',
      year: 2024,
      month: 2,
      day: 29,
      later: true,
      date: new Date('2024-02-29'),
      next: 2n ** 62n + 1n,
      between: true,
      one: true,
      none: false,
    })
    await expect(
      frame({ k: [2n ** 62n] })
        .select((c) => ({ k: c.k.mul(4n) }))
        .toRows(),
    ).rejects.toMatchObject({ code: 'data' })
  })

  test('vectors put numbers side by side as a tensor column', async () => {
    const df = people.dropNulls().withColumns({ features: vector('age', 'age') })
    expect((await df.toColumns()).features).toEqual({
      shape: [2, 2],
      dtype: 'float32',
      values: Float32Array.of(36, 36, 41, 41),
    })
    await expect(people.withColumns({ v: vector('age') }).toRows()).rejects.toThrow(/vector: a component is null/)
  })
})

describe('tensor columns', () => {
  const images = (n: number, from: number) =>
    frame({
      image: { shape: [n, 2] as const, dtype: 'int32', values: Int32Array.from({ length: n * 2 }, (_, i) => from + i) },
      id: Float64Array.from({ length: n }, (_, i) => from + i),
    })
  test('stay with their rows through sorts, concats, joins and outer joins', async () => {
    const both = images(3, 0).concat(images(2, 100))
    const rows = await both.sort(col('id').desc()).limit(3).toRows()
    expect(rows.map(({ image }) => [...image.values])).toEqual([
      [102, 103],
      [100, 101],
      [4, 5],
    ])
    const joined = await frame({ id: [100, 7] })
      .join(both, { on: 'id', how: 'left' })
      .toRows()
    expect(joined.map(({ image }) => image && [...image.values])).toEqual([[100, 101], null])
  })

  test('may be null in memory', async () => {
    const t = { shape: [2], dtype: 'float32' as const, values: Float32Array.of(1, 2) }
    const df = frame([{ t }, { t: null }])
    expect(df.schema[0]!.nullable).toBe(true)
    expect(await df.toRows()).toEqual([{ t }, { t: null }])
  })
})

describe('mapBatches', () => {
  let calls: number[] = []
  afterEach(() => void (calls = []))
  provideMapper('test.square', async (payload) => async (batch: FeedBatch) => {
    calls.push(batch.rows)
    const { values } = batch.columns['x']!
    return {
      square: {
        dtype: 'float64',
        shape: [],
        values: Float64Array.from(values, (x) => x * x + (payload as { plus: number }).plus),
      },
      pair: {
        dtype: 'float32',
        shape: [2],
        values: Float32Array.from({ length: batch.rows * 2 }, (_, i) => values[i >> 1]! * (i % 2 === 0 ? 1 : -1)),
      },
    }
  })
  const adds = [
    { name: 'square', type: { kind: 'number', storage: 'float64' }, nullable: false },
    { name: 'pair', type: { kind: 'tensor', dtype: 'float32', shape: [2], held: 'reference' }, nullable: false },
  ] as const
  const mapped = (n: number) =>
    frame({
      x: Float64Array.from({ length: n }, (_, i) => i),
      s: Array.from({ length: n }, (_, i) => `row ${i}`),
    }).mapBatches<{ square: number; pair: { values: Float32Array } }>({
      reads: ['x'],
      adds,
      kind: 'test.square',
      payload: { plus: 1 },
    })

  test('adds columns lazily, once for several ends, and later verbs go on from there', async () => {
    const df = mapped(1200)
    expect(calls).toEqual([])
    const rows = await df.filter((c) => c.square.gt(1_000_000)).toRows()
    expect(rows.length).toBe(200)
    expect(rows[0]).toMatchObject({ x: 1000, s: 'row 1000', square: 1_000_001 })
    expect([...rows[0]!.pair.values]).toEqual([1000, -1000])
    expect(await df.agg({ most: col('square').max() }).toRows()).toEqual([{ most: 1199 ** 2 + 1 }])
    expect(calls).toEqual([512, 512, 176])
  })

  test('runs over the rows that are wanted only, and not at all for what does not need it', async () => {
    const df = mapped(1200)
    expect(await df.count()).toBe(1200)
    expect((await df.select('s').limit(2).toRows()).length).toBe(2)
    expect(calls).toEqual([])
    expect((await df.limit(3).toRows()).map(({ square }) => square)).toEqual([1, 2, 5])
    expect((await df.filter((c) => c.s.eq('row 7')).toRows()).map(({ square }) => square)).toEqual([50])
    expect(calls).toEqual([3, 1])
  })

  test('travels as data', async () => {
    const source = await mapped(10).source(['square', 'pair'])
    const there = Frame.fromPlan<{ square: number }>(JSON.parse(JSON.stringify(source.plan)) as Plan)
    expect((await there.toRows()).map(({ square }) => square)).toEqual([1, 2, 5, 10, 17, 26, 37, 50, 65, 82])
  })

  test('says which mapper is not known, and is tried again after a failure', async () => {
    const df = frame({ x: [1, 2] }).mapBatches({ reads: ['x'], adds, kind: 'test.late', payload: {} })
    await expect(df.toRows()).rejects.toThrow(/expected a mapper of kind 'test\.late'/)
    provideMapper('test.late', async () => async (batch) => ({
      square: { dtype: 'float64', shape: [], values: new Float64Array(batch.rows) },
      pair: { dtype: 'float32', shape: [2], values: new Float32Array(batch.rows * 2) },
    }))
    expect((await df.toRows()).length).toBe(2)
  })
})

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

describe('interrupts', () => {
  afterEach(() => void delete (globalThis as { [hostSymbol]?: Host })[hostSymbol])
  test('end a running query with a clear error', async () => {
    const listeners = new Set<() => void>()
    const quiet = {
      kind: 'kernel',
      publish: () => {},
      update: () => {},
      prompt: async () => '',
      track: () => {},
    } as const
    ;(globalThis as { [hostSymbol]?: Host })[hostSymbol] = {
      ...quiet,
      onInterrupt: (listener) => (listeners.add(listener), () => void listeners.delete(listener)),
    }
    const numbers = frame({ x: Float64Array.from({ length: 40_000 }, (_, i) => i), one: new Float64Array(40_000) })
    const pairs = numbers.join(numbers, { on: 'one' })
    const slow = pairs.agg({ most: col('x').mul(col('x_right')).max() }).toRows()
    const started = performance.now()
    const timer = setInterval(() => listeners.forEach((listener) => listener()), 50)
    await expect(slow).rejects.toMatchObject({ code: 'interrupted' })
    clearInterval(timer)
    expect(performance.now() - started).toBeLessThan(5000)
    expect(listeners.size).toBe(0)
    expect(await people.count()).toBe(3)
  })
})
