/** Verbs that change the shape of a frame, and those that choose rows by more than a predicate. */
import * as fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { col, frame, Frame, read, type Plan } from '../../src/frame/index.js'

const sales = frame([
  { city: 'Basel', year: 2025, amount: 3 },
  { city: 'Chur', year: 2025, amount: 1 },
  { city: 'Basel', year: 2026, amount: 4 },
])

describe('pivot', () => {
  test('has a column for each value, null where there is no row', async () => {
    const wide = sales.pivot({ index: 'city', on: 'year', values: [2025, 2026], agg: (c) => c.amount.sum() })
    const expected = [
      { city: 'Basel', 2025: 3, 2026: 4 },
      { city: 'Chur', 2025: 1, 2026: null },
    ]
    expect(await wide.toRows()).toEqual(expected)
    expect(await (await sales.pivot({ index: 'city', on: 'year', agg: col('amount').sum() })).toRows()).toEqual(
      expected,
    )
    const counts = sales.pivot({ index: 'city', on: 'year', values: [2026], agg: col.count() })
    expect(await counts.toRows()).toEqual([
      { city: 'Basel', 2026: 1 },
      { city: 'Chur', 2026: 0 },
    ])
    expect(() => sales.pivot({ index: 'city', on: 'year', values: [], agg: col.count() })).toThrow(/at least one value/)
  })

  test('and unpivot undoes it', async () => {
    const wide = sales.pivot({ index: 'city', on: 'year', values: [2025, 2026], agg: (c) => c.amount.sum() })
    const long = wide.unpivot({ index: 'city', on: ['2025', '2026'], variable: 'year', value: 'amount' })
    expect(await long.dropNulls().sort('year', 'city').toRows()).toEqual([
      { city: 'Basel', year: '2025', amount: 3 },
      { city: 'Chur', year: '2025', amount: 1 },
      { city: 'Basel', year: '2026', amount: 4 },
    ])
    expect(() => (sales as unknown as Frame).unpivot({ on: ['city', 'year'] })).toThrow(/values of one type/)
  })
})

test('explode keeps or drops rows without elements, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.array(fc.option(fc.integer({ max: 9 }), { nil: null }), { maxLength: 3 }), { nil: null })),
      async (lists) => {
        const df = frame(
          { id: lists.map((_, id) => id), x: lists },
          { schema: { id: 'number', x: { list: 'number?', nullable: true } } },
        )
        const rows = (empty: readonly null[]) =>
          lists.flatMap((each, id) => (each === null || each.length === 0 ? empty : each).map((x) => ({ id, x })))
        expect(await df.explode('x').toRows()).toEqual(rows([null]))
        expect(await df.explode('x', { empty: 'drop' }).toRows()).toEqual(rows([]))
      },
    ),
    { numRuns: 25 },
  )
})

test('a cross join has all pairs; joinAsOf takes the last row that is not later', async () => {
  const letters = frame([{ a: 1 }, { a: 2 }])
  expect(await letters.join(letters, { how: 'cross' }).toRows()).toEqual([
    { a: 1, a_right: 1 },
    { a: 1, a_right: 2 },
    { a: 2, a_right: 1 },
    { a: 2, a_right: 2 },
  ])
  const quotes = frame([
    { at: 3, symbol: 'X', price: 1 },
    { at: 5, symbol: 'X', price: 2 },
    { at: 1, symbol: 'Y', price: 9 },
  ])
  const trades = frame([
    { at: 5, symbol: 'X' },
    { at: 4, symbol: 'X' },
    { at: 2, symbol: 'X' },
  ])
  expect(await trades.joinAsOf(quotes, { at: 'at', on: 'symbol' }).select('at', 'at_right', 'price').toRows()).toEqual([
    { at: 5, at_right: 5, price: 2 },
    { at: 4, at_right: 3, price: 1 },
    { at: 2, at_right: null, price: null },
  ])
  const theirs = quotes.rename({ at: 'quoted', symbol: 'ticker' })
  const paired = trades.joinAsOf(theirs, { at: { at: 'quoted' }, on: { symbol: 'ticker' } })
  expect(paired.columns).toEqual(['at', 'symbol', 'at_right', 'price'])
  expect(await paired.toRows()).toEqual(await trades.joinAsOf(quotes, { at: 'at', on: 'symbol' }).toRows())
  const mixed = trades.joinAsOf(quotes.rename({ at: 'quoted' }), { at: { at: 'quoted' }, on: ['symbol'], suffix: '_q' })
  expect(await mixed.select('at_q', 'price').toRows()).toEqual([
    { at_q: 5, price: 2 },
    { at_q: 3, price: 1 },
    { at_q: null, price: null },
  ])
  const two = { at: 'quoted', symbol: 'ticker' } as const
  expect(() => trades.joinAsOf(theirs, { at: two })).toThrow('joinAsOf: expected one column in at, got 2.')
  expect(() => trades.joinAsOf(theirs as unknown as Frame, { at: { at: 'quotd' } })).toThrow(
    /joinAsOf \(right\).*'quotd'.*'quoted'/,
  )
})

test('randomSplit with strata cuts each of them in proportion', async () => {
  const df = frame({
    id: Int32Array.from({ length: 100 }, (_, i) => i),
    rare: Array.from({ length: 100 }, (_, i) => i % 10 === 0),
  })
  const parts = df.randomSplit([0.8, 0.2], { seed: 3, stratify: 'rare' })
  const counts = await Promise.all(parts.map((part) => part.groupBy('rare').agg({ n: col.count() }).toRows()))
  expect(counts).toEqual([
    [
      { rare: false, n: 72 },
      { rare: true, n: 8 },
    ],
    [
      { rare: false, n: 18 },
      { rare: true, n: 2 },
    ],
  ])
})

describe('sparse vectors', () => {
  const v1 = { size: 5, indices: Int32Array.of(1, 4), values: Float32Array.of(0.5, 2) }
  const df = frame([
    { id: 1, v: v1 },
    { id: 2, v: null },
  ])
  test('go through verbs, files and other processes', async () => {
    const rows = [{ v: null }, { v: v1 }]
    const turned = df.sort(col('id').desc()).select('v')
    expect(await turned.toRows()).toEqual(rows)
    expect(await (await read.arrow(await turned.toArrow())).toRows()).toEqual(rows)
    const { plan } = await turned.source(['v'])
    expect(await Frame.fromPlan(JSON.parse(JSON.stringify(plan)) as Plan).toRows()).toEqual(rows)
    expect(await (await frame.sql`select v from ${turned}`).toRows()).toEqual(rows)
  })

  test('are checked', () => {
    expect(() => frame([{ v: { size: 3, indices: [2, 1], values: [1, 1] } }])).toThrow(/rising indices below 3/)
    expect(() => frame([{ v: { size: 3, indices: [3], values: [1] } }])).toThrow(/rising indices below 3/)
  })
})

test('lists, structs and categoricals go through Arrow', async () => {
  const spec = {
    l: { list: 'number?' },
    o: { struct: { at: 'timestamp?', deep: { list: { struct: { k: 'bigint' } } } } },
    c: { categorical: ['b', 'a'], nullable: true },
  } as const
  const rows = [
    { l: [1, null], o: { at: new Date(5), deep: [{ k: 2n }] }, c: 'a' as const },
    { l: [], o: { at: null, deep: [] }, c: null },
  ]
  const df = frame(rows, { schema: spec })
  const back = await read.arrow(await df.toArrow())
  expect(await back.toRows()).toEqual(rows)
  expect(back.schema.map(({ type }) => type)).toEqual(df.schema.map(({ type }) => type))
})

describe('schemas of other libraries', () => {
  const people = frame([
    { name: 'Ada', age: 36 },
    { name: 'Alan', age: -1 },
  ])
  test.each([
    ['zod', z.object({ name: z.string(), age: z.number().min(0) })],
    ['valibot', v.object({ name: v.string(), age: v.pipe(v.number(), v.minValue(0)) })],
  ])('%s: rows are checked when they are needed, with their numbers', async (_, schema) => {
    const checked = people.validate(schema)
    await expect(checked.count()).rejects.toThrow(/validate: row 1 in 'age': .*0/)
    expect(await people.limit(1).validate(schema).toRows()).toEqual([{ name: 'Ada', age: 36 }])
    expect(() => frame([{ name: 'Ada', age: -1 }], { schema })).toThrow(/frame: row 0 in 'age'/)
  })

  test('may change values of rows in memory, not of a frame', async () => {
    const schema = z.object({ n: z.coerce.number() })
    expect(await frame([{ n: '5' }], { schema }).toRows()).toEqual([{ n: 5 }])
    await expect(
      frame([{ n: '5' }])
        .validate(schema)
        .toRows(),
    ).rejects.toThrow(/changes no value, got one that does \(row 0\)/)
  })
})

describe('SQL', () => {
  test('queries frames and values, which stay values', async () => {
    const name = `x' or '1'='1`
    expect(await (await frame.sql`select count(*) as n from ${sales} where city = ${name}`).toRows()).toEqual([
      { n: 0 },
    ])
    const some = await frame.sql<{ city: string; total: number }>`
      select city, sum(amount) as total from ${sales} s where year in (${[2025, 2026]}) group by city order by total desc`
    expect(await some.filter(col('total').gt(1)).toRows()).toEqual([{ city: 'Basel', total: 7 }])
    await expect(frame.sql`select citty from ${sales}`).rejects.toThrow(/frame\.sql: .*citty.* not found/)
    await expect(frame.sql`selec 1`).rejects.toMatchObject({ code: 'argument' })
  })

  test('is what a plan becomes', async () => {
    expect(await sales.limit(1).select('city').toSql()).toMatch(/^SELECT .*"city".* LIMIT 1/)
  })
})

test('cache computes once, whoever reads it', async () => {
  const cached = sales.filter((c) => c.amount.gt(1)).cache()
  expect(await cached.count()).toBe(2)
  const table = /FROM "(shardbook_\d+)"/.exec(await cached.toSql())?.[1]
  expect(await cached.select('city').toSql()).toContain(`"${table}"`)
})

test('windows say what is missing', () => {
  expect(() => sales.select({ r: col.rank().over() })).toThrow(/rank\(\) over rows in an order, got no orderBy/)
  expect(() => sales.filter((c) => c.amount.sum().over().gt(1))).toThrow(/no window here.*Add it as a column first/)
  expect(() => sales.select((c) => ({ x: c.amount.sum().over({ frame: [1, 0] }) }))).toThrow(/frame \[from, to\]/)
})
