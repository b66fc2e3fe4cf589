/** What functions give, on values where it could be otherwise. */
import { describe, expect, test } from 'vitest'
import { col, frame, list, lit, struct, when, type Frame } from '../../src/frame/index.js'
import { typeText } from '../../src/frame/schema-spec.js'

/** The first row of a frame. */
const only = async <S>(made: Frame<S>) => (await made.toRows())[0]

describe('text', () => {
  test('counts in characters from 0, and from the end below 0', async () => {
    expect(
      await only(
        frame({ s: ['héllo wörld'] }).select((c) => ({
          from: c.s.substring(1, 4),
          last: c.s.substring(-3),
          none: c.s.substring(4, 2),
          beyond: c.s.substring(-99, 99),
          at: c.s.indexOf('w'),
          missing: c.s.indexOf('z'),
          padded: c.s.padStart(13, '*'),
          uncut: c.s.padEnd(3),
          words: c.s.split(' '),
          twice: c.s.substring(0, 1).repeat(2),
        })),
      ),
    ).toEqual({
      from: 'éll',
      last: 'rld',
      none: '',
      beyond: 'héllo wörld',
      at: 6,
      missing: -1,
      padded: '**héllo wörld',
      uncut: 'héllo wörld',
      words: ['héllo', 'wörld'],
      twice: 'hh',
    })
  })

  test('takes regular expressions with their flags', async () => {
    const df = frame({ s: ['ab12', 'x'] })
    expect(
      await df
        .select((c) => ({
          has: c.s.matches(/B\d/i),
          digits: c.s.extract(/([a-z]+)(\d+)/, 2),
          hidden: c.s.replaceMatches(/[a-z]/g, '_'),
        }))
        .toRows(),
    ).toEqual([
      { has: true, digits: '12', hidden: '__12' },
      { has: false, digits: null, hidden: '_' },
    ])
    expect(() => df.filter((c) => c.s.matches(/a/y))).toThrow(
      /matches: expected a pattern with the flags g, i, m, s or u/,
    )
  })
})

test('dates: parts, units, text', async () => {
  expect(
    await only(
      frame({ at: [new Date('2024-01-31T10:20:30.456Z')] }).select((c) => ({
        quarter: c.at.quarter(),
        week: c.at.week(),
        weekday: c.at.weekday(),
        ordinal: c.at.dayOfYear(),
        clock: list(c.at.hour(), c.at.minute(), c.at.second(), c.at.millisecond()),
        month: c.at.truncate('month'),
        later: c.at.plus(1, 'month'),
        days: c.at.since(new Date('2024-01-30T10:20:30.456Z'), 'day'),
        text: c.at.format('%d.%m.%Y'),
        back: c.at.format('%d.%m.%Y').toTimestamp('%d.%m.%Y'),
      })),
    ),
  ).toEqual({
    quarter: 1,
    week: 5,
    weekday: 3,
    ordinal: 31,
    clock: [10, 20, 30, 456],
    month: new Date('2024-01-01'),
    later: new Date('2024-02-29T10:20:30.456Z'),
    days: 1,
    text: '31.01.2024',
    back: new Date('2024-01-31'),
  })
  expect(() => frame({ at: [new Date(0)] }).select((c) => ({ x: c.at.truncate('days' as never) }))).toThrow(
    /truncate: expected unit to be one of .* Did you mean "day"\?/,
  )
})

test('lists and structs: elements, sums, order, fields; nulls in them', async () => {
  const df = frame([
    { l: [3, null, 1], o: { p: 1, q: 'z' } },
    { l: [], o: { p: 2, q: null } },
  ])
  expect(
    await df
      .select((c) => ({
        n: c.l.list.length(),
        last: c.l.list.get(-1),
        beyond: c.l.list.get(5),
        has: c.l.list.contains(3),
        sum: c.l.list.sum(),
        mean: c.l.list.mean(),
        sorted: c.l.list.sort(),
        unique: c.l.list.unique(),
        tail: c.l.list.slice(1),
        text: c.l.cast({ list: 'string' }).list.join('-'),
        q: c.o.field('q'),
        made: struct({ p: c.o.field('p'), twice: list(c.o.field('p'), 5) }),
      }))
      .toRows(),
  ).toEqual([
    {
      n: 3,
      last: 1,
      beyond: null,
      has: true,
      sum: 4,
      mean: 2,
      sorted: [1, 3, null],
      unique: [1, 3],
      tail: [null, 1],
      text: '3.0-1.0',
      q: 'z',
      made: { p: 1, twice: [1, 5] },
    },
    {
      n: 0,
      last: null,
      beyond: null,
      has: false,
      sum: null,
      mean: null,
      sorted: [],
      unique: [],
      tail: [],
      text: '',
      q: null,
      made: { p: 2, twice: [2, 5] },
    },
  ])
  const loose = df as unknown as Frame
  expect(() => loose.select({ x: col('o').field('r') })).toThrow(/there is no field 'r' .* Fields: p, q\./)
  expect(() => loose.select({ x: col('l').list.join(',') })).toThrow(/listJoin expected string, got number/)
})

test('casts: an error for what cannot be, or null when tried', async () => {
  const df = frame({ s: ['3', 'x'] })
  expect(await df.select((c) => ({ n: c.s.tryCast('number') })).toRows()).toEqual([{ n: 3 }, { n: null }])
  await expect(df.select((c) => ({ n: c.s.cast('number') })).toRows()).rejects.toThrow(
    "frame: expected a number in column 's', got 'x'. tryCast makes null of what has no equal.",
  )
  const at = frame({ at: ['2026-02-30'] })
  await expect(at.select((c) => ({ at: c.at.cast('date') })).toRows()).rejects.toThrow(
    "frame: expected a date in column 'at', got '2026-02-30'.",
  )
  await expect(at.select((c) => ({ at: c.at.cast('boolean') })).toRows()).rejects.toThrow(
    "expected true or false in column 'at', got '2026-02-30'.",
  )
  await expect(at.select((c) => ({ at: c.at.toTimestamp('%d.%m.%Y') })).toRows()).rejects.toThrow(
    "frame: expected a time by the format '%d.%m.%Y', got '2026-02-30'.",
  )
  expect(await only(frame({ n: [3] }).select((c) => ({ s: c.n.cast('string') })))).toEqual({ s: '3' })
})

test('when takes the first condition that holds; a null one does not', async () => {
  const sizes = frame({ n: [3, 2, 1, null] }).select((c) => ({
    size: when(c.n.gt(2)).then('big').when(c.n.gt(1)).then('middle').otherwise('small'),
  }))
  expect((await sizes.toColumns()).size).toEqual(['big', 'middle', 'small', 'small'])
})

test('categoricals have the order of their levels, and no others', async () => {
  const shirts = frame([{ size: 'L' }, { size: 'S' }, { size: null }], {
    schema: { size: { categorical: ['S', 'M', 'L'], nullable: true } },
  })
  expect((await shirts.sort('size').toColumns()).size).toEqual(['S', 'L', null])
  expect(await shirts.filter((c) => c.size.gt('S')).toRows()).toEqual([{ size: 'L' }])
  expect(await shirts.agg((c) => ({ least: c.size.min(), level: c.size.level().max() })).toRows()).toEqual([
    { least: 'S', level: 2 },
  ])
  expect(() => shirts.filter((c) => c.size.eq('XS' as 'S'))).toThrow(/got categorical .* Levels: S, M, L\./)
  expect(() => frame([{ size: 'XS' }], { schema: { size: { categorical: ['S'] } } })).toThrow(
    /expected categorical \(1\) in 'size' \(row 0\), got "XS"\. Levels: S\./,
  )
  await expect(
    frame({ s: ['XS'] })
      .select((c) => ({ s: c.s.cast({ categorical: ['S'] }) }))
      .toRows(),
  ).rejects.toMatchObject({ code: 'data' })
})

test('arithmetic: infinities for division by zero, an error for bigints that overflow', async () => {
  const df = frame({ n: [1, 0], k: [2n ** 62n, 1n] })
  expect((await df.select((c) => ({ q: c.n.div(0) })).toColumns()).q).toEqual(Float64Array.of(Infinity, Number.NaN))
  await expect(df.agg((c) => ({ k: c.k.sum().add(2n ** 62n) })).toRows()).rejects.toThrow(
    'frame: expected a value that its type has room for, got 9223372036854775809.',
  )
  await expect(df.select((c) => ({ k: c.k.add(2n ** 62n) })).toRows()).rejects.toThrow(
    'got an overflow: 4611686018427387904 + 4611686018427387904. Whole numbers have 64 bits',
  )
})

test('a frame tells later code its exact type', () => {
  const df = frame([], {
    schema: {
      l: { list: 'number?' },
      'o p': { struct: { at: 'date' }, nullable: true },
      c: { categorical: ['a', 'b'] },
      v: { sparse: 3 },
    },
  })
  expect(typeText(df.schema)).toBe(
    `import('shardbook').Frame<{ l: (number | null)[]; "o p": { at: Date } | null; c: "a" | "b"; v: import('shardbook').Sparse<3> }>`,
  )
})

test('whole numbers that are written down are numbers as any other, wherever they stand', async () => {
  const df = frame([{ a: 'x' }, { a: 'y' }]).withColumns({
    one: lit(1),
    is: when(col('a').eq('x')).then(1).otherwise(0),
  })
  expect(await df.toRows()).toEqual([
    { a: 'x', one: 1, is: 1 },
    { a: 'y', one: 1, is: 0 },
  ])
  expect(await df.groupBy('is').agg({ n: col.count() }).toRows()).toEqual([
    { is: 0, n: 1 },
    { is: 1, n: 1 },
  ])
})
