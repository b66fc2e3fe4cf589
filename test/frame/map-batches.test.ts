import { afterEach, describe, expect, test } from 'vitest'
import { col, frame, Frame, provideMapper, type FeedBatch, type Plan } from '../../src/frame/index.js'

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
