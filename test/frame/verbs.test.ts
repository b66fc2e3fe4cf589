import { afterEach, describe, expect, test } from 'vitest'
import { type Host, hostSymbol, terminalHost } from '../../src/core/host.js'
import { col, frame, Frame, lit, vector, when } from '../../src/frame/index.js'

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
    expect(() => loose.sample({ fraction: 1.5 })).toThrow(/fraction/)
    expect(() => frame({ a: [1], b: [1, 2] })).toThrow(/columns of one length, got 1 values in 'a' and 2 in 'b'/)
    expect(() => frame({ a: [1, 'x'] })).toThrow(/expected number in 'a' \(row 1\), got "x"/)
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
        sign: when(c.n.lt(0)).then('-').otherwise('+'),
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

describe('interrupts', () => {
  afterEach(() => void delete (globalThis as { [hostSymbol]?: Host })[hostSymbol])
  test('end a running query with a clear error', async () => {
    const listeners = new Set<() => void>()
    const quiet = {
      ...terminalHost(),
      publish: () => {},
      update: () => {},
    }
    ;(globalThis as { [hostSymbol]?: Host })[hostSymbol] = {
      ...quiet,
      onInterrupt: (listener) => (listeners.add(listener), () => void listeners.delete(listener)),
    }
    const numbers = frame({ x: Float64Array.from({ length: 40_000 }, (_, i) => i), one: new Float64Array(40_000) })
    const pairs = numbers.join(numbers, { on: 'one' })
    const slow = pairs.agg({ most: col('x').mul(col('x_right')).max() }).toRows()
    const timer = setInterval(() => listeners.forEach((listener) => listener()), 50)
    await expect(slow).rejects.toMatchObject({ code: 'interrupted' })
    clearInterval(timer)
    expect(listeners.size).toBe(0)
    expect(await people.count()).toBe(3)
  })
})

test('numbers that are written out are numbers, alone and in branches', async () => {
  const ages = frame({ age: Int32Array.from([3, 40]) })
  const rows = await ages
    .withColumns({
      three: lit(3),
      adult: when(col('age').gt(18)).then(1).otherwise(0),
      own: when(col('age').gt(18)).then(col('age')).otherwise(0),
    })
    .toRows()
  expect(rows).toEqual([
    { age: 3, three: 3, adult: 0, own: 0 },
    { age: 40, three: 3, adult: 1, own: 40 },
  ])
})
