import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { col, frame, Frame, type Plan } from '../../src/frame/index.js'
import * as oracle from './oracle.js'
import { compare, type Row, type Value } from './oracle.js'

type Columns = { id: number; x: number | null; s: string | null; n: number | null; b: boolean | null }
type Table = Frame<Columns>
const names = ['id', 'x', 's', 'n', 'b'] as const

const schema = { id: 'number', x: 'number?', s: 'string?', n: 'number?', b: 'boolean?' } as const
const value = {
  x: fc.oneof(
    fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, 1, 1.5),
    fc.double({ noNaN: true }).map((x) => x + 0),
  ),
  s: fc.oneof(
    fc.constantFrom('', 'a', 'A', 'é', '😀', "o'clock", '\0', 'a"b'),
    fc.string({ unit: 'grapheme', maxLength: 4 }),
  ),
  n: fc.integer({ min: -4, max: 4 }).map((n) => n + 0),
}
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 4 })
const rowsOf = fc
  .array(fc.record({ x: orNull(value.x), s: orNull(value.s), n: orNull(value.n), b: orNull(fc.boolean()) }), {
    maxLength: 30,
  })
  .map((rows) => rows.map((row, id) => ({ id, ...row })))

/** A verb twice: on a frame and on rows. */
interface Step {
  readonly text: string
  onFrame(table: Table): Table
  onRows(rows: readonly Row[]): Row[]
}
const nameOf = fc.constantFrom(...names)
const nullable = (a: Value, b: Value, result: (order: number) => boolean): boolean | null =>
  a === null || b === null ? null : result(compare(a, b))

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constantFrom('gt', 'le', 'eq', 'ne'), value.x).map(([op, x]): Step => {
    const holds = {
      gt: (o: number) => o > 0,
      le: (o: number) => o <= 0,
      eq: (o: number) => o === 0,
      ne: (o: number) => o !== 0,
    }[op as 'gt']
    return {
      text: `filter x ${op} ${x}`,
      onFrame: (table) => table.filter((c) => c.x[op as 'gt'](x)),
      onRows: (rows) => oracle.filter(rows, (row) => nullable(row['x']!, x, holds)),
    }
  }),
  value.s.map((s): Step => ({
    text: `filter s >= ${JSON.stringify(s)} or b`,
    onFrame: (table) => table.filter(col('s').ge(s).or(col('b'))),
    onRows: (rows) => oracle.filter(rows, (row) => row['b'] === true || nullable(row['s']!, s, (o) => o >= 0)),
  })),
  fc.constant<Step>({
    text: 'n = n * 2 - id, b = s is null',
    onFrame: (table) => table.withColumns((c) => ({ n: c.n.mul(2).sub(c.id), b: c.s.isNull() })) as unknown as Table,
    onRows: (rows) =>
      oracle.withColumn(
        oracle.withColumn(rows, 'n', (row) => (row['n'] === null ? null : Number(row['n']) * 2 - Number(row['id']))),
        'b',
        (row) => row['s'] === null,
      ),
  }),
  fc.constant<Step>({
    text: 's = s + "!", x = fill x by 7',
    onFrame: (table) => table.withColumns({ s: col('s').concat('!'), x: col('x').fillNull(7) }) as unknown as Table,
    onRows: (rows) =>
      oracle.withColumn(
        oracle.withColumn(rows, 's', (row) => (row['s'] === null ? null : `${String(row['s'])}!`)),
        'x',
        (row) => row['x'] ?? 7,
      ),
  }),
  fc.array(fc.record({ name: nameOf, descending: fc.boolean() }), { minLength: 1, maxLength: 2 }).map((keys): Step => ({
    text: `sort ${JSON.stringify(keys)}`,
    onFrame: (table) =>
      table.sort(...keys.map(({ name, descending }) => (descending ? col(name).desc() : col(name).asc()))),
    onRows: (rows) => oracle.sort(rows, keys),
  })),
  fc.tuple(fc.nat(10), fc.nat(20)).map(([offset, rows]): Step => ({
    text: `slice ${offset} ${rows}`,
    onFrame: (table) => table.slice(offset, rows),
    onRows: (all) => all.slice(offset, offset + rows),
  })),
  fc.uniqueArray(nameOf, { minLength: 1, maxLength: 3 }).map((on): Step => ({
    text: `distinct ${on.join()}`,
    onFrame: (table) => table.distinct(...on),
    onRows: (rows) => oracle.distinct(rows, on),
  })),
  fc.constant<Step>({
    text: 'concat with its own non-null rows',
    onFrame: (table) => table.concat(table.dropNulls('x', 's')),
    onRows: (rows) => [...rows, ...oracle.filter(rows, (row) => row['x'] !== null && row['s'] !== null)],
  }),
)

describe('plans agree with the oracle', () => {
  const steps = fc.array(step, { maxLength: 5 })
  const shown = (taken: readonly Step[]): string => taken.map(({ text }) => text).join(' | ')

  test('for chains of verbs on random frames, in order', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, steps, async (rows, taken) => {
        const table = taken.reduce((f, each) => each.onFrame(f), frame(rows, { schema }) as Table)
        const expected = taken.reduce<Row[]>((r, each) => each.onRows(r), rows)
        expect({ steps: shown(taken), rows: await table.toRows() }).toEqual({ steps: shown(taken), rows: expected })
        expect(await table.count()).toBe(expected.length)
      }),
      { numRuns: 60 },
    )
  })

  test('for groups and their aggregates', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf,
        steps,
        fc.uniqueArray(fc.constantFrom('s', 'b', 'x'), { minLength: 1, maxLength: 2 }),
        async (rows, taken, keys) => {
          const table = taken.reduce((f, each) => each.onFrame(f), frame(rows, { schema }) as Table)
          const grouped = table.groupBy(...(keys as 's'[])).agg({
            rows: col.count(),
            held: col('n').count(),
            sum: col('n').sum(),
            mean: col('n').mean(),
            min: col('n').min(),
            top: col('id').max(),
            kinds: col('n').countDistinct(),
            first: col('n').first(),
            last: col('id').last(),
            range: col('id').max().sub(col('id').min()),
          })
          const numbers = (group: readonly Row[]): number[] => group.flatMap(({ n }) => (n === null ? [] : [Number(n)]))
          const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0)
          const expected = oracle.groupBy(
            taken.reduce<Row[]>((r, each) => each.onRows(r), rows),
            keys,
            (group) => {
              const held = numbers(group)
              const ids = group.map(({ id }) => Number(id))
              return {
                rows: group.length,
                held: held.length,
                sum: held.length === 0 ? null : sum(held),
                mean: held.length === 0 ? null : sum(held) / held.length,
                min: held.length === 0 ? null : Math.min(...held),
                top: Math.max(...ids),
                kinds: new Set(held).size,
                first: group[0]!['n']!,
                last: ids.at(-1)!,
                range: Math.max(...ids) - Math.min(...ids),
              }
            },
          )
          expect(await grouped.toRows()).toEqual(expected)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('for joins, in the order of the left side', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, rowsOf, fc.constantFrom('n', 'x', 's'), async (left, right, on) => {
        const [l, r] = [frame(left, { schema }) as Table, frame(right, { schema }) as Table]
        const others = names.filter((name) => name !== on)
        expect(await l.join(r, { on: on as 'n' }).toRows()).toEqual(oracle.join(left, right, on, others, false))
        expect(await l.join(r, { on: on as 'n', how: 'left' }).toRows()).toEqual(
          oracle.join(left, right, on, others, true),
        )
        const matched = new Set(oracle.join(left, right, on, others, false).map(({ id }) => id))
        expect(await l.join(r, { on: on as 'n', how: 'semi' }).toRows()).toEqual(
          left.filter(({ id }) => matched.has(id)),
        )
        expect(await l.join(r, { on: on as 'n', how: 'anti' }).toRows()).toEqual(
          left.filter(({ id }) => !matched.has(id)),
        )
      }),
      { numRuns: 25 },
    )
  })

  test('for joins on columns of other names, as if the right side had the names of the left', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, rowsOf, fc.constantFrom('n', 'x', 's'), async (left, right, on) => {
        const [l, r] = [frame(left, { schema }) as Table, frame(right, { schema }) as Table]
        const renamed = r.rename({ [on]: 'key' } as { n: 'n' }) as unknown as Table
        for (const how of ['inner', 'left', 'right', 'full', 'semi', 'anti'] as const) {
          const expected = await l.join(r, { on: on as 'n', how }).toRows()
          expect(await l.join(renamed, { on: { [on]: 'key' as 'n' } as { n: 'n' }, how }).toRows()).toEqual(expected)
        }
      }),
      { numRuns: 10 },
    )
    const people = frame([
      { id: 1, boss: 2 },
      { id: 2, boss: 3 },
    ])
    expect(await people.join(people, { on: { boss: 'id' } }).toRows()).toEqual([{ id: 1, boss: 2, boss_right: 3 }])
  })

  test('whether a plan runs here or travels as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, steps, async (rows, taken) => {
        const table = taken.reduce((f, each) => each.onFrame(f), frame(rows, { schema }) as Table)
        const { plan } = await table.source([...names])
        const travelled = Frame.fromPlan<Columns>(JSON.parse(JSON.stringify(plan)) as Plan)
        expect(await travelled.toRows()).toEqual(taken.reduce<Row[]>((r, each) => each.onRows(r), rows))
      }),
      { numRuns: 20 },
    )
  })
})

describe('randomSplit', () => {
  test('gives parts of exact size that cover all rows once, the same for the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(200),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        fc.integer(),
        async (n, weights, seed) => {
          const table = frame(
            Array.from({ length: n }, (_, id) => ({ id })),
            { schema: { id: 'number' } },
          )
          const parts = await Promise.all(table.randomSplit(weights, { seed }).map((part) => part.toRows()))
          const again = await Promise.all(table.randomSplit(weights, { seed }).map((part) => part.toRows()))
          expect(parts).toEqual(again)
          expect(
            parts
              .flat()
              .map(({ id }) => id)
              .sort((a, b) => a - b),
          ).toEqual(Array.from({ length: n }, (_, id) => id))
          const total = weights.reduce((a, b) => a + b, 0)
          parts.forEach((part, i) => {
            expect(Math.abs(part.length - (n * weights[i]!) / total)).toBeLessThanOrEqual(1)
            expect(part).toEqual([...part].sort((a, b) => a.id - b.id))
          })
        },
      ),
      { numRuns: 30 },
    )
  })

  test('splits otherwise for another seed, and evenly over the rows', async () => {
    const table = frame({ id: Int32Array.from({ length: 2000 }, (_, i) => i) })
    const ids = async (seed: number) => [...(await table.randomSplit([0.5, 0.5], { seed })[0].toColumns()).id]
    const [one, two] = [await ids(1), await ids(2)]
    expect(one.length).toBe(1000)
    expect(one).not.toEqual(two)
    const both = one.filter((id) => new Set(two).has(id)).length
    expect(both).toBeGreaterThan(430)
    expect(both).toBeLessThan(570)
    expect(one.filter((id) => id < 1000).length).toBeGreaterThan(450)
    expect(one.filter((id) => id < 1000).length).toBeLessThan(550)
  })
})
