/** Row functions get the rows that a query has, whatever it did to them before, and their results go on through it. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extend, reference } from '../../src/frame/build.js'
import { frame, Frame, provideRowFunction } from '../../src/frame/index.js'
import type { ExprNode } from '../../src/frame/expr/node.js'
import { openFeed } from '../../src/frame/open-feed.js'
import type { ListRows, NumberRows, StringRows, TensorRows } from '../../src/frame/row-function.js'
import type { ColumnType } from '../../src/frame/schema.js'
import * as ml from '../../src/nn/ml/index.js'

const number: ColumnType = { kind: 'number', storage: 'float64' }
const apply = (
  rows: Frame<never> | Frame,
  fn: string,
  args: readonly (string | ExprNode)[],
  type: ColumnType = number,
) => Frame.fromPlan(extend('test', rows.plan, [{ name: 'out', expr: call(fn, args, type) }]))
const payload = {}
const call = (fn: string, args: readonly (string | ExprNode)[], type: ColumnType = number): ExprNode => ({
  kind: 'apply',
  fn,
  payload,
  args: args.map((arg) => (typeof arg === 'string' ? reference(arg) : arg)),
  gives: { type, nullable: true },
})
const outOf = async (rows: Frame) => (await rows.toRows()).map((row) => row['out'])

provideRowFunction('test.length', () => ([input], rows) => {
  const { starts, ends, valid } = input as StringRows | ListRows
  return { kind: 'numbers', values: Float64Array.from({ length: rows }, (_, i) => ends[i]! - starts[i]!), valid }
})
provideRowFunction('test.sum', () => ([input], rows) => {
  const { values, width, valid } = input as TensorRows
  const sums = new Float64Array(rows)
  for (let i = 0; i < rows * width; i++) sums[Math.floor(i / width)]! += values[i]!
  return { kind: 'numbers', values: sums, valid }
})
provideRowFunction('test.add', () => ([a, b], rows) => {
  const [x, y] = [a as NumberRows, b as NumberRows]
  return {
    kind: 'numbers',
    values: Float64Array.from({ length: rows }, (_, i) => x.values[i]! + y.values[i]!),
    valid: x.valid,
  }
})

describe('row functions', () => {
  test('see texts and lists of every length and null, after filters, sorts and splits', async () => {
    const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '🙂', 'word', '-'), maxLength: 8 }), {
      maxLength: 5,
    })
    const cells = fc.array(fc.option(words, { nil: null }), { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(cells, async (list) => {
        const rows = frame(
          list.map((x, id) => ({ x, id, text: x === null ? null : x.join(' ') })),
          { schema: { x: { list: 'string', nullable: true }, id: 'number', text: 'string?' } },
        )
        const kept = rows.filter((c) => c.id.mod(3).ne(1)).sort((c) => c.id.desc())
        const expected = list
          .map((x, id) => ({ x, id }))
          .filter(({ id }) => id % 3 !== 1)
          .toReversed()
        expect(await outOf(apply(kept as never, 'test.length', ['x']))).toEqual(
          expected.map(({ x }) => x?.length ?? null),
        )
        expect(await outOf(apply(kept as never, 'test.length', ['text']))).toEqual(
          expected.map(({ x }) => (x === null ? null : new TextEncoder().encode(x.join(' ')).length)),
        )
        const split = kept.withColumns((c) => ({ parts: c.text.split(' ') }))
        expect(await outOf(apply(split as never, 'test.length', ['parts']))).toEqual(
          expected.map(({ x }) => (x === null ? null : x.join(' ').split(' ').length)),
        )
        // What comes out of one is what went in.
        const stop = new ml.StopWordsRemover({ inputCol: 'x', outputCol: 'out', stopWords: ['none'] })
        expect(await outOf(stop.transform(kept as never) as unknown as Frame)).toEqual(expected.map(({ x }) => x))
      }),
      { numRuns: 25 },
    )
  })

  test('see tensors by reference of several stores as values', async () => {
    const of = (from: number) =>
      frame({
        t: { shape: [3, 2] as const, dtype: 'int32', values: Int32Array.from({ length: 6 }, (_, i) => from + i) },
      })
    const rows = of(0)
      .concat(of(100) as never)
      .concat(of(1000) as never)
    expect(await outOf(apply(rows as never, 'test.sum', ['t']))).toEqual([1, 5, 9, 201, 205, 209, 2001, 2005, 2009])
  })

  test('within row functions give what they give one by one, and feed a training', async () => {
    const rows = frame({ a: ['x', 'yy', 'zzz'], b: [10, 20, 30] })
    const nested = apply(rows as never, 'test.add', [call('test.length', ['a']), call('test.add', ['b', 'b'])])
    expect(await outOf(nested)).toEqual([21, 42, 63])
    expect(await nested.toSql()).toMatch(/shardbook_apply_\d+\((?!.*shardbook_apply)/)
    const numbers = Frame.fromPlan(extend('test', nested.dropNulls('out').plan, []))
    const feed = await openFeed(await numbers.source(['out']), { slices: 1, slice: 0 })
    for await (const { columns } of feed.batches({ rows: 3 })) expect([...columns['out']!.values]).toEqual([21, 42, 63])
    await feed.close()
  })

  test('more rows than one vector come in order', async () => {
    const rows = frame({ a: Array.from({ length: 10_000 }, (_, i) => 'x'.repeat(i % 40)) }).cache()
    const found = await outOf(apply(rows as never, 'test.length', ['a']))
    expect(found).toEqual(Array.from({ length: 10_000 }, (_, i) => i % 40))
  })

  test('an unknown one, and a column of a type that none takes, are errors when the plan is built or run', async () => {
    const rows = frame([{ a: { b: 1 } }])
    expect(() => apply(rows as never, 'test.length', ['a'])).toThrow(
      /test\.length expected numbers, text, lists or vectors/,
    )
    await expect(outOf(apply(frame({ a: ['x'] }) as never, 'test.nothing', ['a']))).rejects.toThrow(
      /expected a row function 'test\.nothing'/,
    )
  })
})
