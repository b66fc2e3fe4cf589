import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as viz from '../../src/viz/index.js'
import { inOrder } from '../../src/viz/table.js'

const valuesOf = (chart: viz.Chart): readonly Readonly<Record<string, number | string>>[] =>
  (chart.spec['data'] as { values: Readonly<Record<string, number | string>>[] }).values

describe('tables', () => {
  it('are rows or columns', () => {
    const rows = [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ]
    const columns = { a: [1, 3], b: Float64Array.of(2, 4) }
    expect(viz.line(columns, { x: 'a', y: 'b' }).spec).toEqual(viz.line(rows, { x: 'a', y: 'b' }).spec)
  })

  it('have columns known by type and at run time', () => {
    // @ts-expect-error a misspelt column
    expect(() => viz.scatter([{ height: 1, weight: 2 }], { x: 'hieght', y: 'weight' })).toThrow(
      'viz.scatter: expected one of the columns height, weight, got "hieght". Did you mean "height"?',
    )
    // @ts-expect-error a misspelt column
    expect(() => viz.histogram({ age: [1, 2] }, { x: 'aeg' })).toThrow('Did you mean "age"?')
  })

  it.each([
    [7, 'viz.bar: expected rows, columns or a frame, got 7.'],
    [[1, 2], 'viz.bar: expected rows to be objects, got 1.'],
    [{ x: [1, 2], y: [1] }, 'viz.bar: expected columns of one length'],
    [{}, 'viz.bar: expected columns of one length'],
  ])('raise for %j', (table, message) => {
    expect(() => viz.bar(table as never, { x: 'x' } as never)).toThrow(message)
  })

  it('may have dots, dates, bigints and gaps', () => {
    const made = viz.line(
      [
        { 'a.b': new Date(0), 'c[0]': 1n },
        { 'a.b': new Date(9), 'c[0]': null },
      ],
      { x: 'a.b', y: 'c[0]' },
    )
    expect(valuesOf(made)).toEqual([{ x: 0, y: 1 }])
    expect(made.spec['encoding']).toMatchObject({ x: { type: 'temporal', title: 'a.b' } })
    expect(made.text).toContain('1 points without a number left out')
  })

  it('order categories as people do', () => {
    expect(['b', '10', 'a', '9', '-1'].toSorted(inOrder)).toEqual(['-1', '9', '10', 'a', 'b'])
  })
})

describe('viz.line and viz.scatter', () => {
  it('send what a screen can show of a million points', () => {
    const columns = { x: Float64Array.from({ length: 1e6 }, (_, i) => i), y: new Float64Array(1e6).fill(1) }
    const [line, scatter] = [viz.line(columns, { x: 'x', y: 'y' }), viz.scatter(columns, { x: 'x', y: 'y' })]
    expect(JSON.stringify(line.spec).length).toBeLessThan(30_000)
    expect(JSON.stringify(scatter.spec).length).toBeLessThan(120_000)
    expect(line.text).toMatch(/1,000,000 points, drawn with \d{3} *$/m)
    expect(scatter.text).toContain('4,000 of 1,000,000 points')
  })

  it('say that there is no data', () => {
    expect(viz.scatter({ x: [NaN], y: [1] }, { x: 'x', y: 'y' }).text).toContain(
      'no data · 1 points without a number left out',
    )
  })
})

describe('viz.histogram', () => {
  it('counts every finite value once, in bins that hold them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 60 }),
        (list, bins) => {
          const counted = valuesOf(viz.histogram({ v: [...list, NaN, Infinity] }, { x: 'v', bins }))
          expect(counted.reduce((sum, bin) => sum + Number(bin['y']), 0)).toBe(list.length)
          expect(counted.length).toBeLessThanOrEqual(2 * bins + 2)
          const slack = 1e-6 * Math.max(1, ...list.map(Math.abs))
          expect(Number(counted[0]!['x'])).toBeLessThanOrEqual(Math.min(...list) + slack)
          expect(Number(counted.at(-1)!['x2'])).toBeGreaterThanOrEqual(Math.max(...list) - slack)
        },
      ),
    )
  })

  it('has a bin for values that are all equal, or hardly not', () => {
    for (const list of [[0], [5, 5], [0, -5e-324], [1e20, 1e20], [1, 1 + 2 ** -52], [-1e308, 1e308]]) {
      const counted = valuesOf(viz.histogram({ v: list }, { x: 'v' }))
      expect(counted.reduce((sum, bin) => sum + Number(bin['y']), 0)).toBe(list.length)
      expect(counted.every((bin) => typeof bin['x'] === 'number' && Number.isFinite(bin['x']))).toBe(true)
    }
  })

  it('raises for bins that are none', () => {
    expect(() => viz.histogram({ v: [1] }, { x: 'v', bins: 0 })).toThrow(
      'expected bins to be an integer in [1, 200], got 0.',
    )
  })
})

describe('viz.bar', () => {
  it('counts rows, adds values up, or takes their mean', () => {
    const rows = [
      { k: 'a', v: 1 },
      { k: 'b', v: 2 },
      { k: 'a', v: 4 },
    ]
    const heights = (chart: viz.Chart): unknown => valuesOf(chart).map((row) => [row['x'], row['y']])
    expect(heights(viz.bar(rows, { x: 'k' }))).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    expect(heights(viz.bar(rows, { x: 'k', y: 'v' }))).toEqual([
      ['a', 5],
      ['b', 2],
    ])
    expect(heights(viz.bar(rows, { x: 'k', y: 'v', aggregate: 'mean' }))).toEqual([
      ['a', 2.5],
      ['b', 2],
    ])
  })

  it('keeps the greatest of many categories, and the sum', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({ name: `n${i}`, v: i }))
    const made = viz.bar(rows, { x: 'name', y: 'v' })
    const values = valuesOf(made)
    expect(values).toHaveLength(30)
    expect(values[0]).toEqual({ x: 'n4999', y: 4999 })
    expect(values.at(-1)!['x']).toBe('other')
    expect(made.text).toContain("29 greatest of 5,000 categories, the rest as 'other'")
  })

  it('orders numbers', () => {
    expect(valuesOf(viz.bar({ k: [10, 9, 10] }, { x: 'k' })).map((row) => row['x'])).toEqual(['9', '10'])
  })
})

describe('viz.confusion', () => {
  it('counts every sample once, and the right ones', () => {
    const classes = fc.constantFrom('a', 'b', 'c')
    fc.assert(
      fc.property(fc.array(fc.tuple(classes, classes), { minLength: 1 }), (pairs) => {
        const made = viz.confusion({ actual: pairs.map(([a]) => a), predicted: pairs.map(([, p]) => p) })
        expect(valuesOf(made).reduce((sum, cell) => sum + Number(cell['n']), 0)).toBe(pairs.length)
        const right = pairs.filter(([a, p]) => a === p).length
        expect(made.text).toContain(`accuracy ${((100 * right) / pairs.length).toFixed(1)} %`)
      }),
    )
  })

  it('takes rows and frames by their columns', async () => {
    const rows = [{ label: 1, prediction: 2, other: 1 }]
    expect(viz.confusion(rows).text).toContain('accuracy 0.0 %')
    const frame = { toRows: async () => rows }
    expect((await viz.confusion(frame, { predictionCol: 'other' }).ready()).text).toContain('accuracy 100.0 %')
  })

  it('names the most frequent error', () => {
    expect(viz.confusion({ actual: [4, 4, 9], predicted: [9, 9, 9] }).text).toContain('most often: 4 taken for 9 (2)')
  })

  it.each([
    [{ actual: [1, 2], predicted: [1] }, 'expected as many predictions as actual classes (2), got 1.'],
    [{ actual: [1], predicted: [2], labels: [1] }, 'expected classes among the labels, got "2".'],
    [{ actual: [1] }, 'viz.confusion: expected rows, a frame or { actual, predicted }, got { actual }.'],
    [undefined, 'viz.confusion: expected rows, a frame or { actual, predicted }, got undefined.'],
    [
      { actual: Array.from({ length: 61 }, (_, i) => i), predicted: Array(61).fill(0) },
      'expected at most 60 classes, got 61.',
    ],
    [[{ label: 1 }], 'viz.confusion: expected one of the columns label, got "prediction".'],
  ])('raises for %j', (value, message) => {
    expect(() => viz.confusion(value as never)).toThrow(message)
  })
})

describe('viz.latent', () => {
  it.each([
    [[[1]], {}, 'expected points of 2 or more coordinates'],
    [{ shape: [4], values: [1, 2, 3, 4] }, {}, 'expected points of shape [n, d], got [4].'],
    [[[1, 2]], { labels: ['a', 'b'] }, 'expected 1 labels, one a point, got 2.'],
  ])('raises for %j with %j', (points, options, message) => {
    expect(() => viz.latent(points as never, options)).toThrow(message)
  })

  it('says that there are more dimensions than two', () => {
    expect(viz.latent({ shape: [1, 3], values: [1, 2, 3] }).text).toContain('first 2 of 3 dimensions')
  })
})
