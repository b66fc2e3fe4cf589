/** What every chart's readers need, judged by the scenegraph that Vega draws, in every theme. */
import * as vega from 'vega'
import * as vegaLite from 'vega-lite'
import { describe, expect, it } from 'vitest'
import { rgb } from '../../src/viz/colour.js'
import { themeNames } from '../../src/viz/themes.js'
import { type Pixels, pixelsOf } from './pixels.js'
import { samples } from './samples.js'

/** Items and marks of Vega's scenegraph, as far as they are looked at here. */
interface Node {
  readonly marktype?: string
  readonly role?: string
  readonly items?: readonly Node[]
  readonly x?: number
  readonly y?: number
  readonly x2?: number
  readonly y2?: number
  readonly width?: number
  readonly height?: number
  readonly fill?: unknown
  readonly fillOpacity?: number
  readonly opacity?: number
  readonly text?: unknown
  readonly url?: unknown
  readonly bounds?: { readonly x1: number; readonly x2: number; readonly y1: number; readonly y2: number }
}

interface Ground {
  readonly x1: number
  readonly x2: number
  readonly y1: number
  readonly y2: number
  readonly fill: string
}

interface Written {
  readonly text: string
  readonly fill: string
  readonly ground: string
}

describe.each(Object.keys(samples))('%s', (name) => {
  it.each(themeNames)('has text with a contrast of at least 4.5 in the theme %s', async (theme) => {
    const chart = (await samples[name]!().ready()).theme(theme)
    const config = chart.spec['config'] as { readonly background: string }
    const texts = textsOf(await sceneOf(chart.spec), config.background)
    expect(texts.length).toBeGreaterThan(0)
    // What is as the ground is an edge around other text.
    const faint = texts.filter(({ fill, ground }) => fill !== ground && contrast(fill, ground) < 4.5)
    expect(faint).toEqual([])
    expect(texts.some(({ fill, ground }) => fill !== ground)).toBe(true)
  })

  it('names its axes and legends, and itself', async () => {
    const { spec, text } = await samples[name]!().ready()
    const scene = await sceneOf(spec)
    expect(spec['description']).toBe(text)
    expect(text.split('\n')[0]).not.toBe('')
    expect(unnamed(scene, undefined)).toEqual([])
  })
})

async function sceneOf(spec: object): Promise<Node> {
  const own = JSON.parse(JSON.stringify(spec)) as vegaLite.TopLevelSpec
  const view = new vega.View(vega.parse(vegaLite.compile(own).spec), { renderer: 'none' })
  await view.runAsync()
  const { root } = view.scenegraph() as unknown as { readonly root: Node }
  view.finalize()
  return root
}

/** All texts in the order of drawing, each with the fill of what lies under its middle. */
function textsOf(root: Node, background: string): readonly Written[] {
  const grounds: Ground[] = []
  const pictures: Placed[] = []
  const texts: Written[] = []
  const visit = (mark: Node, dx: number, dy: number): void => {
    for (const item of mark.items ?? []) {
      const solid = typeof item.fill === 'string' && item.fill !== 'transparent' && visible(item)
      const [x, y] = [dx + (item.x ?? 0), dy + (item.y ?? 0)]
      if ((mark.marktype === 'rect' || mark.marktype === 'group') && solid) {
        const [x2, y2] = [x + (item.width ?? 0), y + (item.height ?? 0)]
        grounds.push({ x1: x, x2, y1: y, y2, fill: item.fill })
      }
      if (mark.marktype === 'image') pictures.push({ x, y, picture: pictureOf(item.url) })
      if (mark.marktype === 'text' && solid && String(item.text ?? '').trim() !== '') {
        const { x1, x2, y1, y2 } = item.bounds!
        const [cx, cy] = [dx + (x1 + x2) / 2, dy + (y1 + y2) / 2]
        const under = grounds.findLast((own) => cx > own.x1 && cx < own.x2 && cy > own.y1 && cy < own.y2)
        const ground = pictureUnder(pictures, cx, cy) ?? under?.fill ?? background
        texts.push({ text: String(item.text), fill: item.fill, ground })
      }
      if (mark.marktype === 'group') for (const child of item.items ?? []) visit(child, x, y)
    }
  }
  visit(root, 0, 0)
  return texts
}

interface Placed {
  readonly x: number
  readonly y: number
  readonly picture: Pixels
}

function pictureOf(url: unknown): Pixels {
  return pixelsOf(Buffer.from(String(url).replace('data:image/png;base64,', ''), 'base64'))
}

/** The colour of a picture at a place, if there is one that nothing shows through; pictures have two pixels a unit. */
function pictureUnder(pictures: readonly Placed[], cx: number, cy: number): string | undefined {
  for (const { x, y, picture } of pictures.toReversed()) {
    const [column, row] = [Math.floor(2 * (cx - x)), Math.floor(2 * (cy - y))]
    const inside = column >= 0 && row >= 0 && column < picture.width && row < picture.height
    if (inside && picture.alphaAt(column, row) === 255) return `rgb(${picture.at(column, row).join(', ')})`
  }
  return undefined
}

/** Axes whose labels nobody explains, and legends without an entry. */
function unnamed(mark: Node, panel: Node | undefined): readonly string[] {
  return (mark.items ?? []).flatMap((item) => {
    const inside = (item.items ?? []).flatMap((child) => unnamed(child, item))
    if (mark.role === 'legend') return written(item, 'legend-label').length > 0 ? inside : [...inside, 'empty legend']
    const labels = mark.role === 'axis' ? written(item, 'axis-label') : []
    if (labels.length === 0 || written(item, 'axis-title').length > 0) return inside
    // A heading above the panel says as much as a title beside its axis.
    const headed = (panel?.items ?? []).some((own) => headings(own).length > 0)
    return headed ? inside : [...inside, `axis of ${labels.slice(0, 3).join(', ')}`]
  })
}

function headings(mark: Node): readonly Node[] {
  if (mark.role !== 'mark' || mark.marktype !== 'text') return []
  return (mark.items ?? []).filter((item) => (item.y ?? 0) < 0 && String(item.text ?? '') !== '')
}

function written(group: Node, role: string): readonly string[] {
  return (group.items ?? [])
    .flatMap((mark) => [
      ...(mark.role === role ? (mark.items ?? []).filter(visible).map((item) => String(item.text ?? '')) : []),
      ...(mark.items ?? []).flatMap((item) => written(item, role)),
    ])
    .filter((text) => text !== '')
}

function visible({ opacity = 1, fillOpacity = 1 }: Node): boolean {
  return opacity * fillOpacity > 0.5
}

/** Contrast ratio of the Web Content Accessibility Guidelines 2.2. */
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
  return (high! + 0.05) / (low! + 0.05)
}

function luminance(given: string): number {
  const colour = { white: '#ffffff', black: '#000000' }[given] ?? given
  const numbers = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(colour)?.slice(1).map(Number)
  if (numbers === undefined && !/^#[0-9a-f]{6}$/.test(colour)) throw new Error(`expected a colour, got ${colour}`)
  const [red, green, blue] = (numbers ?? rgb(colour)).map((part) =>
    part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  )
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}
