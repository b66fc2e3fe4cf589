import { describe, expect, test } from 'vitest'
import { keyOf, uniform } from '../../../../src/core/random.js'
import { openEngine } from '../../../../src/engine/index.js'
import { col, frame } from '../../../../src/frame/index.js'
import type { Frame } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'

/** 60 rows of class 0, 12 of class 1 and 3 of class 2, with numbers and small images. */
function unequal() {
  const label = Int32Array.from({ length: 75 }, (_, i) => (i < 60 ? 0 : i < 72 ? 1 : 2))
  const draw = (i: number): number => uniform(keyOf(1), i)
  return frame({
    label,
    id: Int32Array.from(label.keys()),
    x: Float64Array.from(label, (own, i) => own * 10 + draw(i)),
    n: Int32Array.from(label, (own, i) => own * 100 + Math.floor(20 * draw(100 + i))),
    image: {
      shape: [75, 2, 2, 1] as const,
      dtype: 'uint8',
      values: Uint8Array.from(
        { length: 300 },
        (_, i) => 80 * label[Math.floor(i / 4)]! + Math.floor(40 * draw(200 + i)),
      ),
    },
  })
}

async function sizes(rows: Frame<never>): Promise<number[]> {
  const counted = (rows as unknown as Frame).groupBy('label').agg({ n: col.count() })
  return ((await counted.toRows()) as { n: number }[]).map(({ n }) => n)
}

describe('classes of unequal size', () => {
  test('get weights that make them equal and are 1 on average', async () => {
    const weighted = await ml.balanceWeights(unequal(), { weightCol: 'w' })
    const rows = await weighted.toRows()
    const sum = (label: number): number =>
      rows.filter((row) => row.label === label).reduce((total, { w }) => total + w, 0)
    for (const label of [0, 1, 2]) expect(sum(label)).toBeCloseTo(25, 9)
    expect(rows[74]!.w).toBeCloseTo(75 / 9, 12)
  })

  const estimators = {
    LogisticRegression: (options: object) => new ml.LogisticRegression({ regParam: 0.1, ...options }),
    DecisionTreeClassifier: (options: object) => new ml.DecisionTreeClassifier({ maxDepth: 1, ...options }),
    RandomForestClassifier: (options: object) =>
      new ml.RandomForestClassifier({ numTrees: 3, maxDepth: 1, ...options }),
    MultilayerPerceptronClassifier: (options: object) =>
      new ml.MultilayerPerceptronClassifier({ inputCol: 'features', layers: [2, 3], maxIter: 2, ...options }),
  }
  test.each(Object.entries(estimators))("weigh the same in %s where classWeights are 'balanced'", async (_, make) => {
    await openEngine('wasm')
    const rows = new ml.VectorAssembler({ inputCols: ['x', 'n'], outputCol: 'features' }).transform(unequal())
    const weighted = await ml.balanceWeights(rows, { weightCol: 'w' })
    const scores = async (options: object): Promise<unknown[]> => {
      const model = await make(options).fit(weighted)
      return (model.transform(rows) as unknown as Frame).select('rawPrediction').toRows()
    }
    const balanced = await scores({ classWeights: 'balanced' })
    expect(balanced).toEqual(await scores({ weightCol: 'w' }))
    expect(balanced).not.toEqual(await scores({}))
    expect(await scores({ classWeights: { 2: 30 } })).not.toEqual(await scores({}))
    expect(() => make({ classWeights: 'equal' })).toThrow(/expected classWeights to be 'balanced' or to give classes/)
    expect(() => make({ classWeights: { 1: -1 } })).toThrow(/expected classWeights\[1\]/)
  })

  test('are repeated to the size of the largest, evenly', async () => {
    const even = await ml.oversample(unequal(), { seed: 3 })
    expect(await sizes(even as never)).toEqual([60, 60, 60])
    const copies = new Map<number, number>()
    for (const { id } of await even.filter((c) => c.label.eq(1)).toRows()) copies.set(id, (copies.get(id) ?? 0) + 1)
    expect([...copies.values()]).toEqual(Array<number>(12).fill(5))
    expect(await sizes((await ml.oversample(unequal(), { rows: 7 })) as never)).toEqual([7, 7, 7])
  })

  test('are thinned to the size of the smallest, the same for a seed', async () => {
    const ids = async (seed: number): Promise<number[]> =>
      (await (await ml.undersample(unequal(), { seed })).toRows()).map(({ id }) => id)
    expect(await sizes((await ml.undersample(unequal())) as never)).toEqual([3, 3, 3])
    expect(await ids(1)).toEqual(await ids(1))
    expect(await ids(1)).not.toEqual(await ids(2))
  })

  test('are filled up with rows between rows of their own', async () => {
    const even = await ml.smote(unequal(), { inputCols: ['x', 'n', 'image'], seed: 2 })
    expect(even.columns).toEqual(['label', 'x', 'n', 'image'])
    expect(await sizes(even as never)).toEqual([60, 60, 60])
    const all = await even.toRows()
    const given = await unequal().toRows()
    expect(all.slice(0, 75).map(({ x }) => x)).toEqual(given.map(({ x }) => x))
    for (const { label, x, n, image } of all.slice(75)) {
      const own = given.filter((row) => row.label === label)
      const between = own.some((a) =>
        own.some((b) => {
          const share = (x - a.x) / (b.x - a.x)
          if (a === b || !(share >= 0 && share <= 1)) return false
          const near = (value: number, from: number, to: number): boolean =>
            Math.abs(value - (from + share * (to - from))) <= 0.5 + 1e-9
          return (
            near(n, a.n, b.n) &&
            [...image.values].every((value, i) => near(value, a.image.values[i]!, b.image.values[i]!))
          )
        }),
      )
      expect(between).toBe(true)
    }
    expect(new Set(all.slice(75).map(({ x }) => x)).size).toBe(105)
    const again = await (await ml.smote(unequal(), { inputCols: ['x'], seed: 2 })).toRows()
    expect(again).toEqual(await (await ml.smote(unequal(), { inputCols: ['x'], seed: 2 })).toRows())
  })

  test('keep their nearest neighbours only', async () => {
    // Two clumps of one class: nothing may lie between them.
    const x = Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? i / 10 : 100 + i / 10))
    const rows = frame({
      x: Float64Array.from([...x, ...Array<number>(60).fill(50)]),
      label: Int32Array.from({ length: 80 }, (_, i) => (i < 20 ? 1 : 0)),
    })
    const made = (await (await ml.smote(rows, { inputCols: ['x'], k: 3 })).toRows()).slice(80)
    expect(made).toHaveLength(40)
    for (const row of made) expect(row.x < 1 || row.x > 100).toBe(true)
  })
})

test('mistakes are told', async () => {
  const one = frame({ x: [1, 2], label: [1, 1] })
  await expect(ml.oversample(one)).rejects.toThrow("ml.oversample: expected at least two classes in 'label', got 1.")
  await expect(ml.undersample(frame({ x: [1, 2], label: [1, null] }))).rejects.toThrow(
    'ml.undersample: expected a label in every row, got 1 rows without.',
  )
  const single = frame({ x: [1, 2, 3], s: ['a', 'b', 'c'], label: [0, 0, 1] })
  await expect(ml.smote(single, { inputCols: ['x'] })).rejects.toThrow(
    'ml.smote: expected classes of at least two rows, got one with 1.',
  )
  await expect(ml.smote(single, { inputCols: ['s'] })).rejects.toThrow(
    "ml.smote: expected 's' to hold numbers or tensors to interpolate, got string.",
  )
  await expect(ml.smote(single, { inputCols: ['y' as never] })).rejects.toThrow("there is no column 'y'")
})
