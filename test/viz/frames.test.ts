/** Charts of frames: the engine answers what rows in memory would, and little of it travels. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frame, type Frame } from '../../src/frame/index.js'
import * as viz from '../../src/viz/index.js'

interface Row {
  readonly name: string | null
  readonly group: 'a' | 'b' | 'c'
  readonly n: number | null
  readonly m: number | null
  readonly when: Date | null
}

const rowsOf = fc.array(
  fc.record({
    name: fc.option(fc.constantFrom('x', 'y z', "o'clock", 'other', 'ä', ''), { nil: null }),
    group: fc.constantFrom('a' as const, 'b' as const, 'c' as const),
    n: fc.option(fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(NaN), fc.constant(Infinity)), { nil: null }),
    m: fc.option(fc.integer({ min: 0, max: 9 }), { nil: null }),
    when: fc.option(
      fc.integer({ min: 0, max: 3000 }).map((hours) => new Date(hours * 3_600_000 + 1.6e12)),
      { nil: null },
    ),
  }),
  { minLength: 1, maxLength: 60 },
)
const schema = { name: 'string?', group: 'string', n: 'number?', m: 'number?', when: 'timestamp?' } as const

type Make = (table: readonly Row[] | Frame<Row>) => viz.Chart
const charts: Readonly<Record<string, Make>> = {
  'bars that count': (table) => viz.bar(table, { x: 'name', color: 'group' }),
  'bars that add up': (table) => viz.bar(table, { x: 'group', y: 'n' }),
  'bars of a mean': (table) => viz.bar(table, { x: 'm', y: { mean: 'n' } }),
  'bars of months': (table) => viz.bar(table, { x: { time: 'when', unit: 'month' }, y: { std: 'n' } }),
  'bars of bins': (table) => viz.bar(table, { x: { bin: 'n', bins: 5 }, y: { median: 'm' } }),
  histogram: (table) => viz.histogram(table, { x: 'n', color: 'group' }),
  'histogram of times': (table) => viz.histogram(table, { x: 'when' }),
  line: (table) => viz.line(table, { x: 'm', y: 'n', color: 'name' }),
  'lines of several columns': (table) => viz.line(table, { x: 'when', y: ['n', 'm'] }),
  'line of weeks': (table) => viz.line(table, { x: { time: 'when', unit: 'week' }, y: { max: 'n' }, color: 'group' }),
  'line of bins': (table) => viz.line(table, { x: { bin: 'n' }, y: { sum: 'm' } }),
  scatter: (table) => viz.scatter(table, { x: 'n', y: 'm', color: 'name' }),
  'scatter of squares': (table) => viz.scatter(table, { x: 'n', y: 'm', density: 10 }),
  heatmap: (table) => viz.heatmap(table, { x: 'name', y: { time: 'when', unit: 'quarter' }, color: { min: 'n' } }),
  'heatmap of bins': (table) => viz.heatmap(table, { x: { bin: 'n' }, y: 'group' }),
  box: (table) => viz.box(table, { x: 'group', y: 'n' }),
  'box of all': (table) => viz.box(table, { y: 'm' }),
  correlation: (table) => viz.correlation(table),
  'class balance': (table) => viz.classBalance(table, { label: 'name', split: 'group' }),
}

/** Rounded, for sums of floats depend on their order. */
const plain = (value: unknown): unknown => {
  if (typeof value === 'number') return Number(value.toPrecision(5)) + 0
  if (typeof value === 'string')
    return value.replaceAll(/-?\d+\.\d{3,}/g, (text) => String(Number(Number(text).toPrecision(3))))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, plain(own)]))
}

describe.each(Object.entries(charts))('%s', (_, make) => {
  it('are the same of a frame as of its rows', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, async (more) => {
        // Rows in memory have the types of their values, so that each column needs one.
        const rows: Row[] = [{ name: 'x', group: 'a', n: 1, m: 1, when: new Date(1.6e12) }, ...more]
        const made = await make(frame([...rows], { schema }) as unknown as Frame<Row>).ready()
        expect(plain(made.spec)).toEqual(plain(make(rows).spec))
      }),
      { numRuns: 25, seed: 11 },
    )
  })

  it('can be of a frame without rows', async () => {
    const empty = frame([] as Row[], { schema }) as unknown as Frame<Row>
    const made = await make(empty).ready()
    expect(made.text).toMatch(/no data|3 columns|2 columns/)
    expect((await made.png({ scale: 1 })).length).toBeGreaterThan(100)
  })
})

describe('a frame of a million rows', () => {
  const million = frame.sql<{ x: number; y: number; k: string; big: string; when: Date }>`
    select i / 1000.0 as x, sin(i / 10000.0) + hash(i) % 100 / 1000.0 as y, 'k' || i % 7 as k, 'n' || i as big,
      epoch_ms(i * 60000) as when
    from range(1000000) as rows(i)`

  const sizes: Readonly<Record<string, readonly [(table: Frame<Wide>) => viz.Chart, number, string]>> = {
    histogram: [(table) => viz.histogram(table, { x: 'y', color: 'k' }), 20_000, '1,000,000 values'],
    bar: [(table) => viz.bar(table, { x: 'k', y: { mean: 'y' } }), 5000, 'mean y by k'],
    'line of points': [(table) => viz.line(table, { x: 'x', y: 'y' }), 40_000, '1,000,000 points, drawn with'],
    'line of a statistic': [(table) => viz.line(table, { x: 'x', y: { mean: 'y' } }), 20_000, 'x in bins of 5'],
    'line of months': [
      (table) => viz.line(table, { x: { time: 'when', unit: 'month' }, y: { mean: 'y' }, color: 'k' }),
      20_000,
      'mean y by when (month)',
    ],
    scatter: [(table) => viz.scatter(table, { x: 'x', y: 'y' }), 130_000, '4,000 of 1,000,000 points'],
    'scatter of squares': [
      (table) => viz.scatter(table, { x: 'x', y: 'y', density: true }),
      150_000,
      '1,000,000 points, counted in',
    ],
    heatmap: [(table) => viz.heatmap(table, { x: 'k', y: { bin: 'y' }, color: { count: true } }), 20_000, 'rows from'],
    box: [(table) => viz.box(table, { x: 'k', y: 'y' }), 20_000, '1,000,000 values'],
    'bar of a million categories': [
      (table) => viz.bar(table, { x: 'big', y: 'x' }),
      5000,
      "29 greatest of 1,000,000 categories, the rest as 'other'",
    ],
    'histogram coloured by a million categories': [
      (table) => viz.histogram(table, { x: 'y', color: 'big' }),
      20_000,
      "big: 9 greatest of 1,000,000 categories, the rest as 'other'",
    ],
  }
  interface Wide {
    x: number
    y: number
    k: string
    big: string
    when: Date
  }

  it.each(Object.entries(sizes))(
    'sends little for a %s, and says what it leaves out',
    { timeout: 120_000 },
    async (_, [make, limit, said]) => {
      const made = await make(await million).ready()
      expect(JSON.stringify(made.spec).length).toBeLessThan(limit)
      expect(made.text).toContain(said)
    },
  )

  it('gives the same sample each time', async () => {
    const table = await million
    const [a, b] = [viz.scatter(table, { x: 'x', y: 'y' }), viz.scatter(table, { x: 'x', y: 'y' })]
    expect((await a.ready()).spec).toEqual((await b.ready()).spec)
  })
})

describe('charts that look at every row of a frame', () => {
  it('read the columns that they show, and no other', async () => {
    const rows = [
      { label: 0, probability: 0.2, broken: '1' },
      { label: 1, probability: 0.9, broken: 'no number' },
    ]
    // Whoever reads the column `broken` fails.
    const table = frame(rows).withColumns((c) => ({ broken: c.broken.cast('number') }))
    await expect(table.toRows()).rejects.toThrow('no number')
    expect((await viz.roc(table).ready()).spec).toEqual(viz.roc(rows).spec)
    expect((await viz.atThreshold(table, { threshold: 0.5 }).ready()).text).toContain('accuracy 100.0 %')
    expect(() => viz.roc(table, { scoreCol: 'probabilty' })).toThrow('Did you mean "probability"?')
  })
})

describe('columns of a frame', () => {
  it('are checked when the chart is made', () => {
    const table = frame([{ country: 'CH', price: 3 }])
    // @ts-expect-error a misspelt column
    expect(() => viz.bar(table, { x: 'contry', y: { mean: 'price' } })).toThrow(
      'viz.bar: expected one of the columns country, price, got "contry". Did you mean "country"?',
    )
  })

  it('that hold no numbers are refused where numbers are needed', async () => {
    const table = frame([{ tags: ['a'], price: 3 }])
    // @ts-expect-error lists are no numbers
    await expect(viz.histogram(table, { x: 'tags' }).ready()).rejects.toThrow(
      "viz.histogram: expected column 'tags' to hold numbers, got list.",
    )
  })
})
