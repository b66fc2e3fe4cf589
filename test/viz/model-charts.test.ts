import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quantile } from '../../src/viz/quantile.js'
import * as viz from '../../src/viz/index.js'

const image = { shape: [2, 2], values: [0, 1, 1, 0] }
const sized = (chart: viz.Chart): number => JSON.stringify(chart.spec).length

describe('viz.roc and viz.precisionRecall', () => {
  // Figures of scikit-learn's documentation for this input.
  const known = { actual: [0, 0, 1, 1], score: [0.1, 0.4, 0.35, 0.8] }

  it('say the area and the average precision', () => {
    expect(viz.roc(known).text).toContain('AUC 0.750')
    expect(viz.precisionRecall(known).text).toContain('average precision 0.833')
  })

  it('have the area that counts pairs in the right order, ties by half', () => {
    const samples = fc.array(fc.record({ hit: fc.boolean(), score: fc.integer({ min: 0, max: 5 }) }), { minLength: 2 })
    fc.assert(
      fc.property(samples, (list) => {
        const [hits, misses] = [list.filter((own) => own.hit), list.filter((own) => !own.hit)]
        fc.pre(hits.length > 0 && misses.length > 0)
        const won = hits.flatMap((a) => misses.map((b) => (a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0)))
        const area = won.reduce((sum: number, own) => sum + own, 0) / won.length
        const { text } = viz.roc({ actual: list.map((own) => own.hit), score: list.map((own) => own.score) })
        expect(Number(/AUC ([\d.]+)/.exec(text)![1])).toBeCloseTo(area, 2)
      }),
    )
  })

  it('take rows with a probability a class, and the class that is named', () => {
    const rows = [
      { label: 2, probability: [0.1, 0.2, 0.7] },
      { label: 0, probability: [0.8, 0.1, 0.1] },
      { label: 1, probability: [0.3, 0.4, 0.3] },
    ]
    expect(viz.roc(rows, { positive: 2 }).text).toContain('AUC 1.000')
    const cells = rows.map((row) => ({
      ...row,
      probability: { shape: [3], dtype: 'float32', values: row.probability },
    }))
    expect(viz.roc(cells, { positive: 2 }).text).toContain('AUC 1.000')
    expect(() => viz.roc(rows)).toThrow('viz.roc: expected two classes, got 3. Name the one')
    expect(() => viz.roc(rows, { positive: 7 })).toThrow('expected positive to be one of the classes 0, 1, 2, got 7.')
  })

  it('draw a hundred thousand samples with a few hundred points', () => {
    const n = 100_000
    const score = Float64Array.from({ length: n }, (_, i) => ((i * 7919) % n) / n)
    const actual = Array.from(score, (value, i) => (value + ((i * 31) % 100) / 100 > 1 ? 1 : 0))
    expect(sized(viz.roc({ actual, score }))).toBeLessThan(25_000)
    expect(sized(viz.precisionRecall({ actual, score }))).toBeLessThan(25_000)
  })

  it('say when there is no curve', () => {
    expect(viz.roc({ actual: [1, 1], score: [0.5, 0.6] }).text).toContain('only samples of 1: no curve')
    expect(viz.roc({ actual: [1, 0], score: [NaN, Infinity] }).text).toContain('no data · 2 samples without a score')
  })

  it.each([
    [undefined, 'expected rows, a frame or { actual, score } of one length, got undefined.'],
    [{ actual: [1], score: [] }, 'of one length'],
    [[{ label: 1, score: 2 }], 'expected one of the columns label, score, got "probability".'],
  ])('raise for %j', (value, message) => {
    expect(() => viz.roc(value as never)).toThrow(message)
  })
})

describe('viz.calibration', () => {
  it('says how far probabilities are from what happens', () => {
    const { text } = viz.calibration({ actual: [1, 0, 1, 0], score: [0.75, 0.75, 0.25, 0.25] }, { bins: 4 })
    expect(text).toContain('ECE 0.250 · Brier 0.313')
  })

  it('takes probabilities only', () => {
    expect(() => viz.calibration({ actual: [1], score: [3.2] })).toThrow('expected probabilities in [0, 1], got 3.2.')
  })
})

describe('charts of tables', () => {
  it('keep the greatest of a million categories and say so', { timeout: 300_000 }, () => {
    const names = Array.from({ length: 1_000_000 }, (_, i) => `c${i}`)
    const table = { name: names, value: new Float64Array(names.length).fill(1) }
    const made = [
      viz.box(table, { x: 'name', y: 'value' }),
      viz.classBalance(table, { label: 'name' }),
      viz.heatmap(table, { x: 'name', y: 'name' }),
      viz.bar(table, { x: 'name' }),
    ]
    for (const chart of made) {
      expect(chart.text).toMatch(/\d+ greatest of 1,000,000 categories, the rest as 'other'/)
      expect(sized(chart)).toBeLessThan(40_000)
    }
  })

  it('have quartiles that split the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, part) => {
          const sorted = list.toSorted((a, b) => a - b)
          const value = quantile(sorted, part)
          const place = part * (sorted.length - 1)
          expect(value).toBeGreaterThanOrEqual(sorted[Math.floor(place)]!)
          expect(value).toBeLessThanOrEqual(sorted[Math.ceil(place)]!)
        },
      ),
    )
  })

  it('correlate what is there, and name what cannot be', () => {
    const { text } = viz.correlation({ a: [1, 2, 3, NaN], b: [-2, -4, -6, 9], c: [5, 5, 5, 5] })
    expect(text).toContain('closest: a and b (-1.00) · constant or empty: c')
    expect(() => viz.correlation({ a: ['x'] }, { columns: ['a'] })).toThrow('expected columns of numbers, got "a".')
  })

  it('leave out what has no number, and say so', () => {
    const rows = [
      { rate: 1, loss: 2 },
      { rate: NaN, loss: 3 },
      { rate: 2, loss: Infinity },
    ]
    expect(viz.parallel(rows, { color: 'loss' }).text).toContain('2 trials with a missing value left out')
    expect(viz.crossValidation(rows, { x: 'rate', y: 'loss' }).text).toContain('1 scores without a number left out')
    expect(viz.box(rows, { y: 'rate' }).text).toContain('1 rows without a number left out')
  })

  it('name the best trial by what is better', () => {
    const rows = [
      { depth: 1, score: 0.3 },
      { depth: 2, score: 0.9 },
    ]
    expect(viz.parallel(rows, { color: 'score', better: 'higher' }).text).toContain('best: depth 2, score 0.9')
    expect(viz.crossValidation(rows, { x: 'depth', y: 'score', better: 'lower' }).text).toContain('best: depth 1')
  })
})

describe('viz.graph', () => {
  it('adds up the parameters', () => {
    const rows = [
      { name: 'a', kind: 'input' },
      { name: 'b', kind: 'dense', shape: [null, 3], parameters: 1200 },
    ]
    expect(viz.graph(rows).text).toContain('2 layers · 1,200 parameters')
    expect(viz.graph(rows).text).toContain('b: dense ? × 3, 1,200 parameters')
  })

  it.each([
    [
      [
        { name: 'conv', kind: 'x' },
        { name: 'b', kind: 'x', inputs: ['cnov'] },
      ],
      'got "cnov". Did you mean "conv"?',
    ],
    [
      [
        { name: 'a', kind: 'x' },
        { name: 'a', kind: 'x' },
      ],
      'expected a name for each layer, got "a" twice.',
    ],
    [
      [
        { name: 'a', kind: 'x', inputs: ['b'] },
        { name: 'b', kind: 'x' },
      ],
      'expected no cycle, got one through "a".',
    ],
    [undefined, 'expected layers { name, kind }, got undefined.'],
  ])('raises for %j', (rows, message) => {
    expect(() => viz.graph(rows as never)).toThrow(message)
  })
})

describe('charts of the inside of a model', () => {
  it.each([
    [() => viz.attention({ shape: [1, 2, 2, 2], values: Array(8).fill(0) }), 'Cut out one sample of the batch.'],
    [() => viz.attention({ shape: [2, 2], values: [1, 0, 0, 1] }, { queries: ['a'] }), 'expected 2 queries, got 1.'],
    [() => viz.states({ shape: [3], values: [1, 2, 3] }), 'expected activations of shape [steps, units]'],
    [() => viz.distributions([{ layer: 'a' }] as never), 'expected rows { layer, values }, got { layer }.'],
    [
      () =>
        viz.distributions([
          { layer: 'a', values: [1] },
          { layer: 'a', values: [2] },
        ]),
      'several of "a" without',
    ],
    [() => viz.interpolation(image), 'expected the images of shape [n, h, w, c], got [2, 2].'],
    [
      () => viz.runs([{ name: 'a', history: [{ epoch: 1, loss: 1 }] }], { metrics: ['acc'] }),
      'expected one of epoch, loss',
    ],
  ])('raise for bad input', (make, message) => {
    expect(make).toThrow(message)
  })

  it('stay small however large the matrix is', () => {
    const values = Float32Array.from({ length: 512 * 512 }, (_, i) => (i % 512) / 512)
    expect(sized(viz.attention({ shape: [512, 512], values }))).toBeLessThan(60_000)
  })

  it('count zeros and values that are not finite', () => {
    const { text } = viz.distributions([
      { layer: 'a', values: [0, 1, NaN] },
      { layer: 'b', values: [NaN] },
    ])
    expect(text).toContain('a: 0.5 ± 0.5, 50 % zero, 1 not finite')
    expect(text).toContain('b: none of 1 finite')
  })
})

describe('viz.mostWrong and viz.leastSure', () => {
  const rows = [
    { image, label: 1, prediction: 2, probability: 0.6 },
    { image, label: 1, prediction: 1, probability: 0.5 },
    { image, label: 3, prediction: 4, probability: [0.05, 0.95] },
    { image, label: 3, prediction: 4, probability: NaN },
  ]
  const labels = (chart: viz.Chart): string[] =>
    [...JSON.stringify(chart.spec).matchAll(/"label":"([^"]+)"/g)].map(([, label]) => label!)

  it('order by how sure the model was', () => {
    expect(labels(viz.mostWrong(rows))).toEqual(['4 (3) 95 %', '2 (1) 60 %'])
    expect(viz.leastSure(rows).text).toContain('3 of 3 predicted')
    expect(viz.leastSure(rows, { count: 1 }).text).toContain('1 rows without a probability left out')
    expect(labels(viz.leastSure(rows, { count: 1 }))).toEqual(['1 50 %'])
  })

  it('say that nothing is wrong', () => {
    expect(viz.mostWrong(rows.slice(1, 2)).text).toContain('no prediction is wrong')
  })
})

describe('Chart.theme', () => {
  const chart = viz.bar([{ kind: '#0072b2' }], { x: 'kind' })

  it('changes colours, not data, and back again', () => {
    const dark = chart.theme('dark')
    expect(dark.spec['config']).toMatchObject({ background: '#15181e' })
    expect(dark.spec['data']).toEqual(chart.spec['data'])
    expect(dark.theme('light').spec).toEqual(chart.spec)
  })

  it('takes charts of frames not read yet', async () => {
    const frame = { toRows: async () => [{ kind: 'a' }] }
    const dark = viz.bar(frame, { x: 'kind' }).theme('dark')
    expect((await dark.ready()).spec).toEqual(viz.bar(await frame.toRows(), { x: 'kind' }).theme('dark').spec)
  })

  it('raises for another name', () => {
    expect(() => chart.theme('drak' as 'dark')).toThrow('Did you mean "dark"?')
  })
})
