/** Every engine, and every rewrite, gives the rows that the oracle gives, in its order, for random plans on random frames. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { col, frame, type Frame } from '../../../src/frame/index.js'
import { rowsOf } from '../../../src/frame/ends.js'
import { queryChunks } from '../../../src/frame/engine/duckdb/index.js'
import { prepare } from '../../../src/frame/execute.js'
import { cellReader, rowsOfChunk } from '../../../src/frame/chunk.js'
import type { Plan } from '../../../src/frame/plan.js'
import { rewrite, rewrites } from '../../../src/frame/rewrite.js'
import type { Row } from '../../frame/oracle.js'
import { runOracle } from './oracle.js'

type Columns = { id: number; x: number | null; s: string | null; n: number | null; b: boolean | null }
type Table = Frame<Columns>
const schema = { id: 'number', x: 'number?', s: 'string?', n: 'number?', b: 'boolean?' } as const

/** An engine: rows of a plan as it is written. */
type Engine = (plan: Plan) => Promise<readonly object[]>
const engines: Readonly<Record<string, Engine>> = {
  duckdb: async (plan) => {
    const stream = queryChunks(await prepare(plan, { rewrites: false }))
    const rows: object[] = []
    for await (const chunk of stream.chunks) rows.push(...rowsOfChunk(plan.schema, chunk, cellReader(stream)))
    return rows
  },
  'duckdb, rewritten': rowsOf,
}

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 4 })
const rowsIn = fc
  .array(
    fc.record({
      x: orNull(fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, 1, 1.5, 1e300)),
      s: orNull(fc.constantFrom('', 'a', 'A', 'é', '😀', "o'clock", '\0', 'a"b')),
      n: orNull(fc.integer({ min: -3, max: 3 }).map((n) => n + 0)),
      b: orNull(fc.boolean()),
    }),
    { maxLength: 16 },
  )
  .map((rows) => rows.map((row, id) => ({ id, ...row })))

const name = fc.constantFrom('id', 'x', 's', 'n', 'b')
const key = fc.constantFrom('s', 'b', 'n')
const as = (table: unknown): Table => table as Table
const step: fc.Arbitrary<(table: Table) => Table> = fc.oneof(
  fc.constantFrom(-1, 0, 1.5, Number.NaN).map((x) => (t: Table) => t.filter((c) => c.x.gt(x).and(c.n.le(2)))),
  fc.constant((t: Table) => as(t.filter((c) => c.x.isNotNull().or(c.b)))),
  fc.constant((t: Table) => as(t.filter((c) => c.s.isNotNull().and(c.n.isNotNull())))),
  fc.constant((t: Table) => as(t.withColumns((c) => ({ n: c.n.mul(2).sub(c.id), b: c.s.isNull() })))),
  fc.constant((t: Table) => as(t.withColumns((c) => ({ s: c.s.concat('!'), n: c.n.fillNull(7) })))),
  fc.constant((t: Table) => as(t.select({ b: col('b'), n: col('n').add(1), id: col('id'), s: col('s'), x: col('x') }))),
  key.map((by) => (t: Table) => {
    const over = { partitionBy: by, orderBy: [col('n').desc(), 'id'] } as const
    return as(t.withColumns({ x: col('id').sum().over(over), n: col('n').lag().over(over) }))
  }),
  key.map((by) => (t: Table) => {
    return as(
      t.withColumns({
        n: col.rank().over({ orderBy: by }),
        x: col('id')
          .mean()
          .over({ frame: [-1, 1] }),
      }),
    )
  }),
  key.map((by) => (t: Table) => {
    return as(
      t.withColumns({
        n: col.denseRank().over({ orderBy: col(by).desc(), partitionBy: 'b' }),
        s: col('s').first().over({ orderBy: 'id' }),
      }),
    )
  }),
  fc.tuple(name, fc.boolean()).map(
    ([by, down]) =>
      (t: Table) =>
        t.sort(down ? col(by).desc() : col(by).asc()),
  ),
  fc.tuple(fc.nat(5), fc.nat(12)).map(
    ([offset, rows]) =>
      (t: Table) =>
        t.slice(offset, rows),
  ),
  fc.uniqueArray(name, { minLength: 1, maxLength: 2 }).map((on) => (t: Table) => t.distinct(...(on as 'id'[]))),
  fc.constant((t: Table) => t.concat(t.limit(3))),
  fc.constant((t: Table) => t.cache()),
  fc.tuple(key, fc.constantFrom('inner', 'left', 'right', 'full', 'semi', 'anti')).map(([on, how]) => (t: Table) => {
    const wide = t.join(t.limit(4), { on, how }) as unknown as Table
    return wide.select('id', 'x', 's', 'n', 'b').withColumns({ id: col('id').fillNull(-1) })
  }),
  key.map((by) => (t: Table) => {
    const all = { id: col.count(), x: col('id').mean(), s: col('s').min(), n: col('n').sum(), b: col('b').last() }
    const { [by]: _, ...aggregates } = all
    return as(t.groupBy(by).agg(aggregates as typeof all)).select('id', 'x', 's', 'n', 'b')
  }),
)
const plans = fc
  .tuple(rowsIn, fc.array(step, { maxLength: 5 }))
  .map(([rows, steps]) => steps.reduce((table, apply) => apply(table), as(frame(rows, { schema }))).plan)
const none = (): boolean => false

describe.each(Object.entries(engines))('%s', (_, run) => {
  test('gives the rows of the oracle', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        expect(await run(plan)).toEqual(runOracle(plan))
      }),
      { numRuns: 80 },
    )
  })
})

describe.each(Object.entries(rewrites))('the rewrite %s', (_, apply) => {
  test('gives an equal plan, of the same columns', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const after = apply(plan, none)
        expect(after.schema).toEqual(plan.schema)
        expect(runOracle(after)).toEqual(runOracle(plan))
      }),
      { numRuns: 100 },
    )
  })
})

test('rewrites end, and do not change what they gave', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const after = rewrite(plan, none)
      expect(rewrite(after, none)).toBe(after)
    }),
  )
})

test('one row without keys, for no row', async () => {
  const { plan } = frame([], { schema }).agg({ n: col.count(), sum: col('x').sum() })
  const expected: Row[] = [{ n: 0, sum: null }]
  expect(runOracle(plan)).toEqual(expected)
  for (const run of Object.values(engines)) expect(await run(plan)).toEqual(expected)
})
