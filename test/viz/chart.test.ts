import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { displaySymbol } from '../../src/core/display.js'
import * as viz from '../../src/viz/index.js'
import { pixelsOf } from './pixels.js'

const rows = [
  { x: 1, y: 2 },
  { x: 2, y: 5 },
]
const chart = (): viz.Chart => viz.line(rows, { x: 'x', y: 'y', title: 'A <line> & more' })

describe('a chart in a notebook', () => {
  it('is a Vega-Lite 5 bundle with a picture and words', async () => {
    const bundle = await chart()[displaySymbol]()
    expect(Object.keys(bundle)).toEqual(['application/vnd.vegalite.v5+json', 'text/plain', 'image/png'])
    expect(bundle['application/vnd.vegalite.v5+json']).toMatchObject({
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      data: {
        values: [
          { x: 1, y: 2 },
          { x: 2, y: 5 },
        ],
      },
    })
    expect(bundle['text/plain']).toBe('A <line> & more\n2 points')
    expect(pixelsOf(Buffer.from(String(bundle['image/png']), 'base64')).width).toBeGreaterThan(1200)
  })

  it('leaves out the picture when asked to', async () => {
    expect(await chart().bundle({ png: false })).not.toHaveProperty('image/png')
  })

  it('draws bigger at a greater scale, and refuses a scale that is none', async () => {
    const [one, three] = [await chart().png({ scale: 1 }), await chart().png({ scale: 3 })].map(pixelsOf)
    expect(Math.abs(three!.width - 3 * one!.width)).toBeLessThanOrEqual(3)
    await expect(chart().png({ scale: 0 })).rejects.toThrow(
      'Chart.png: expected scale to be a finite number in [0.1, 10], got 0.',
    )
  })

  it('sets its text in the bundled font', async () => {
    expect(await chart().svg()).toContain('font-family="Inter, \'Helvetica Neue\', Arial, sans-serif"')
  })
})

describe('a chart of a frame', () => {
  const frame = (): { reads: number; toRows(): Promise<typeof rows> } => ({
    reads: 0,
    async toRows() {
      this.reads++
      return rows
    },
  })

  it('reads it once, when it is first needed', async () => {
    const source = frame()
    const made = viz.scatter(source, { x: 'x', y: 'y' })
    expect(source.reads).toBe(0)
    expect(() => made.spec).toThrow('expected a chart whose data is there')
    await Promise.all([made.ready(), made.bundle({ png: false })])
    expect(source.reads).toBe(1)
    expect(made.spec).toEqual(viz.scatter(rows, { x: 'x', y: 'y' }).spec)
  })

  it('reads it again after it could not be read', async () => {
    const source = { broken: true, toRows: async () => (source.broken ? Promise.reject(new Error('gone')) : rows) }
    const made = viz.vegaLite({ mark: 'point' }, source)
    await expect(made.ready()).rejects.toThrow('gone')
    source.broken = false
    expect((await made.ready()).text).toBe('Chart · 2 rows')
  })
})

describe('Chart.save', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'viz-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('writes what the name ends in, and nothing beside it', async () => {
    const made = chart()
    for (const name of ['c.svg', 'c.PNG', 'c.json', 'c.html', 'c.pdf']) await made.save(join(folder, name))
    expect(readdirSync(folder).toSorted()).toEqual(['c.PNG', 'c.html', 'c.json', 'c.pdf', 'c.svg'])
    expect(readFileSync(join(folder, 'c.svg'), 'utf8')).toBe(await made.svg())
    expect(pixelsOf(readFileSync(join(folder, 'c.PNG'))).colours).toBeGreaterThan(20)
    expect(JSON.parse(readFileSync(join(folder, 'c.json'), 'utf8'))).toEqual(made.spec)
  })

  it('writes a page that asks the network for nothing and escapes what it shows', async () => {
    await chart().save(join(folder, 'c.html'))
    const page = readFileSync(join(folder, 'c.html'), 'utf8')
    expect(page).not.toMatch(/<script[^>]+src=|<link|@import/)
    expect(page.match(/<script>/g)).toHaveLength(3)
    expect(page.match(/<\/script>/g)).toHaveLength(3)
    expect(page).toContain('<title>A &lt;line&gt; &amp; more</title>')
    expect(page).not.toContain('A <line>')
  })

  it('raises for another ending', async () => {
    await expect(chart().save(join(folder, 'c.pgn'))).rejects.toThrow('Did you mean ".png"?')
  })

  it('raises where nothing can be written, and leaves nothing', async () => {
    await expect(chart().save(join(folder, 'no', 'c.json'))).rejects.toThrow('Chart.save: expected to write')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('viz.vegaLite', () => {
  it('keeps the own config over the theme', () => {
    const made = viz.vegaLite({ mark: 'point', config: { background: 'black' } }, rows)
    expect(made.spec['config']).toMatchObject({ background: 'black', padding: 10 })
  })

  it('takes dates, bigints and typed arrays, and leaves the rows as they were', () => {
    const row = { day: new Date(5), n: 7n, list: Float32Array.of(1, 2), nothing: undefined, bad: NaN }
    const made = viz.vegaLite({ mark: 'point' }, [row])
    expect(made.spec['data']).toEqual({ values: [{ day: 5, n: 7, list: [1, 2], bad: null }] })
    expect(Object.isFrozen(row)).toBe(false)
  })

  it('raises for what is no specification, and says what Vega says of a bad one', async () => {
    expect(() => viz.vegaLite('bar' as never)).toThrow('viz.vegaLite: expected a specification, got "bar".')
    await expect(viz.vegaLite({ mark: 'no such mark' }).svg()).rejects.toThrow(
      'expected a specification that Vega can draw',
    )
  })
})
