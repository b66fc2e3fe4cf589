/** What people pass by mistake, or have on their first try: an honest chart, drawn without a warning, or a clear error. */
import { describe, expect, it } from 'vitest'
import * as viz from '../../src/viz/index.js'
import { renderSvg } from '../../src/viz/render.js'

interface Row {
  readonly x: number
  readonly y: number
  readonly c: string
  readonly t: Date
}
const tables: Readonly<Record<string, readonly Row[]>> = {
  'a single point': [{ x: 3, y: 7, c: 'a', t: new Date(0) }],
  'nothing finite': [
    { x: NaN, y: Infinity, c: 'a', t: new Date(NaN) },
    { x: NaN, y: NaN, c: 'b', t: new Date(NaN) },
  ],
  'numbers far apart': [
    { x: -1e300, y: 1e-300, c: 'a', t: new Date(-8e15) },
    { x: 1e300, y: 1, c: 'a', t: new Date(8e15) },
  ],
  'one value many times': Array.from({ length: 50 }, () => ({ x: 1, y: 1, c: 'a', t: new Date(1e12) })),
  'odd names': [
    { x: 1, y: 2, c: '', t: new Date(0) },
    { x: 2, y: 3, c: '</script>"\'\\', t: new Date(1) },
    { x: 3, y: 3, c: 'ö'.repeat(300), t: new Date(2) },
  ],
}
const charts: Readonly<Record<string, (rows: readonly Row[]) => viz.Chart>> = {
  bar: (rows) => viz.bar(rows, { x: 'c', y: { mean: 'y' }, color: 'c' }),
  'bar of bins': (rows) => viz.bar(rows, { x: { bin: 'x' }, y: { count: true } }),
  histogram: (rows) => viz.histogram(rows, { x: 'x', color: 'c' }),
  line: (rows) => viz.line(rows, { x: 'x', y: 'y', color: 'c' }),
  'line of times': (rows) => viz.line(rows, { x: 't', y: { sum: 'y' } }),
  scatter: (rows) => viz.scatter(rows, { x: 'x', y: 'y', color: 'c' }),
  'scatter of squares': (rows) => viz.scatter(rows, { x: 'x', y: 'y', density: 8 }),
  heatmap: (rows) => viz.heatmap(rows, { x: 'c', y: 'c', color: 'y' }),
  box: (rows) => viz.box(rows, { x: 'c', y: 'y' }),
  linked: (rows) => viz.linked(rows, [{ scatter: { x: 'x', y: 'y' } }, { histogram: 'x' }, { bar: 'c' }]),
  facet: (rows) => viz.facet(rows, 'c', (own) => viz.scatter(own, { x: 'x', y: 'y' })),
  correlation: (rows) => viz.correlation(rows, { columns: ['x', 'y'] }),
  'class balance': (rows) => viz.classBalance(rows, { label: 'c' }),
}

describe.each(Object.entries(tables))('%s', (_, rows) => {
  it.each(Object.entries(charts))('are drawn without a warning by %s', async (__, make) => {
    const warnings: string[] = []
    const made = await make(rows).ready()
    const svg = await renderSvg(made.spec, (message) => warnings.push(message))
    expect(warnings).toEqual([])
    expect(svg).toMatch(/^<svg/)
    expect(svg).not.toMatch(/NaN|undefined/)
  })
})

describe('images', () => {
  it.each([
    [() => viz.images({ shape: [4], values: [1, 2, 3, 4] }), 'of shape [h, w], [h, w, c] or [n, h, w, c], got [4].'],
    [() => viz.featureMaps({ layer: 'dense', shape: [1, 4], values: [1, 2, 3, 4] }), 'This layer puts out vectors'],
    [
      () => viz.saliency({ shape: [1, 2], values: [1, 2] }, { shape: [2, 1, 2, 1], values: [1, 2, 3, 4] }),
      'expected as many maps as images (1), got 2.',
    ],
    [
      () => viz.latent([[1, 2]], { images: { shape: [2, 1, 1, 1], values: [1, 2] } }),
      'expected 1 images, one a point, got 2.',
    ],
    [
      () => viz.latent([[1, 2]], { method: 'tsne' as never }),
      'expected method to be one of "first", "pca", "umap", got "tsne".',
    ],
  ])('of a wrong shape are refused: %s', (make, message) => {
    let said = ''
    try {
      make()
    } catch (error) {
      said = `${(error as Error).message} ${(error as { hint?: string }).hint ?? ''}`
    }
    expect(said).toContain(message)
  })
})
