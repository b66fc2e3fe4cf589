/**
 * A drawn chart as a PDF page: lines stay lines at any size, text is the outlines of its letters.
 *
 * It reads the SVG that resvg simplifies drawings to: groups, paths of M, L, Q, C and Z, pictures, clips and linear
 * gradients, each with plain attributes. Nothing else occurs in it; what it means is in `render.ts`.
 */
import { rgb } from './colour.js'
import { pdfFile, type PageContent } from './pdf-file.js'

/** Pixels of a picture that the drawing holds, by its data URL. */
export type ReadPixels = (url: string) => { readonly width: number; readonly height: number; readonly rgba: Uint8Array }

type Attributes = Readonly<Record<string, string>>
interface Element {
  readonly name: string
  readonly attributes: Attributes
  readonly children: Element[]
}

const pointsAUnit = 0.75

/** The page of a simplified SVG. */
export function pdfOf(svg: string, title: string, readPixels: ReadPixels): Buffer {
  const root = parse(svg)
  const [width, height] = [Number(root.attributes['width']), Number(root.attributes['height'])]
  const page = new Page(root, readPixels)
  page.draw(root, 1)
  const scale = pointsAUnit
  return pdfFile({
    widthPt: width * scale,
    heightPt: height * scale,
    title,
    // SVG counts from the top, PDF from the bottom.
    operators: `${scale} 0 0 ${-scale} 0 ${height * scale} cm\n${page.operators.join('\n')}`,
    opacities: page.opacities,
    shadings: page.shadings,
    images: page.images,
  })
}

class Page {
  readonly operators: string[] = []
  readonly opacities: number[] = []
  readonly shadings: string[] = []
  readonly images: PageContent['images'][number][] = []
  readonly #named = new Map<string, Element>()
  readonly #readPixels: ReadPixels

  constructor(root: Element, readPixels: ReadPixels) {
    this.#readPixels = readPixels
    const visit = (element: Element): void => {
      const { id } = element.attributes
      if (id !== undefined) this.#named.set(id, element)
      element.children.forEach(visit)
    }
    visit(root)
  }

  draw({ name, attributes, children }: Element, opacity: number): void {
    if (name === 'defs' || attributes['visibility'] === 'hidden') return
    const own = opacity * Number(attributes['opacity'] ?? 1)
    this.#add('q')
    if (attributes['transform'] !== undefined) this.#add(`${matrixOf(attributes['transform'])} cm`)
    this.#clip(attributes['clip-path'])
    if (name === 'path') this.#path(attributes, own)
    if (name === 'image') this.#image(attributes, own)
    for (const child of children) this.draw(child, own)
    this.#add('Q')
  }

  #path(attributes: Attributes, opacity: number): void {
    const { d = '', fill = '#000000', stroke = 'none' } = attributes
    const outline = outlineOf(d)
    const evenOdd = attributes['fill-rule'] === 'evenodd' ? '*' : ''
    const gradient = this.#referred(fill)
    if (gradient !== undefined) {
      this.#add(`q ${outline.operators} W${evenOdd} n`)
      this.#opacity(opacity * Number(attributes['fill-opacity'] ?? 1))
      this.#add(`${this.#shade(gradient, outline.box)} Q`)
    } else if (fill !== 'none') {
      this.#opacity(opacity * Number(attributes['fill-opacity'] ?? 1))
      this.#add(`${colourOf(fill)} rg ${outline.operators} f${evenOdd}`)
    }
    if (stroke === 'none') return
    this.#opacity(opacity * Number(attributes['stroke-opacity'] ?? 1))
    const cap = { butt: 0, round: 1, square: 2 }[attributes['stroke-linecap'] ?? 'butt'] ?? 0
    const join = { miter: 0, round: 1, bevel: 2 }[attributes['stroke-linejoin'] ?? 'miter'] ?? 0
    const dashes = (attributes['stroke-dasharray'] ?? '').replaceAll(',', ' ')
    const look = [
      `${colourOf(stroke)} RG`,
      `${attributes['stroke-width'] ?? 1} w ${cap} J ${join} j`,
      `${attributes['stroke-miterlimit'] ?? 4} M`,
      `[${dashes}] ${attributes['stroke-dashoffset'] ?? 0} d`,
    ]
    this.#add(`${look.join(' ')} ${outline.operators} S`)
  }

  #image(attributes: Attributes, opacity: number): void {
    const picture = this.#readPixels(attributes['xlink:href'] ?? attributes['href'] ?? '')
    const [x = 0, y = 0] = [attributes['x'], attributes['y']].map((value) => Number(value ?? 0))
    const width = Number(attributes['width'] ?? picture.width)
    const height = Number(attributes['height'] ?? picture.height)
    this.#opacity(opacity)
    // A picture fills the unit square, from the bottom up.
    this.#add(`q ${width} 0 0 ${-height} ${x} ${y + height} cm /I${this.images.push(picture) - 1} Do Q`)
  }

  #clip(reference: string | undefined): void {
    const clip = this.#referred(reference)
    const outlines = (clip?.children ?? []).filter(({ name }) => name === 'path')
    if (outlines.length === 0) return
    this.#add(`${outlines.map(({ attributes }) => outlineOf(attributes['d'] ?? '').operators).join(' ')} W n`)
  }

  #opacity(opacity: number): void {
    const rounded = Math.round(opacity * 1000) / 1000
    const known = this.opacities.indexOf(rounded)
    this.#add(`/G${known >= 0 ? known : this.opacities.push(rounded) - 1} gs`)
  }

  /** A gradient as a shading over the box of what it fills. */
  #shade(gradient: Element, [left, top, right, bottom]: Box): string {
    const at = (name: string, otherwise: number): number => Number(gradient.attributes[name] ?? otherwise)
    const inBox = gradient.attributes['gradientUnits'] !== 'userSpaceOnUse'
    const place = (x: number, y: number): string =>
      inBox ? `${left + x * (right - left)} ${top + y * (bottom - top)}` : `${x} ${y}`
    const stops = gradient.children.map(({ attributes }) => ({
      offset: Number(attributes['offset'] ?? 0),
      colour: colourOf(attributes['stop-color'] ?? '#000000'),
    }))
    const parts = stops.slice(1).map(({ colour }, i) => {
      return `<< /FunctionType 2 /Domain [0 1] /C0 [${stops[i]!.colour}] /C1 [${colour}] /N 1 >>`
    })
    const bounds = stops.slice(1, -1).map(({ offset }) => offset)
    const function3 = `<< /FunctionType 3 /Domain [0 1] /Functions [${parts.join(' ')}] /Bounds [${bounds.join(' ')}] /Encode [${parts.map(() => '0 1').join(' ')}] >>`
    const coords = `${place(at('x1', 0), at('y1', 0))} ${place(at('x2', 1), at('y2', 0))}`
    const shading = `<< /ShadingType 2 /ColorSpace /DeviceRGB /Coords [${coords}] /Function ${function3} /Extend [true true] >>`
    return `/S${this.shadings.push(shading) - 1} sh`
  }

  #referred(reference: string | undefined): Element | undefined {
    const id = /^url\(#(.*)\)$/.exec(reference ?? '')?.[1]
    return id === undefined ? undefined : this.#named.get(id)
  }

  #add(operator: string): void {
    this.operators.push(operator)
  }
}

type Box = readonly [left: number, top: number, right: number, bottom: number]

/** A path's outline as operators, and the box around its points. */
function outlineOf(d: string): { readonly operators: string; readonly box: Box } {
  const tokens = d.match(/[A-Za-z]|-?[\d.]+(?:e-?\d+)?/g) ?? []
  const operators: string[] = []
  const [xs, ys]: [number[], number[]] = [[], []]
  let [cx, cy, i] = [0, 0, 0]
  const next = (): number => Number(tokens[i++])
  const point = (): readonly [number, number] => {
    const [x, y] = [next(), next()]
    xs.push(x)
    ys.push(y)
    return [x, y]
  }
  while (i < tokens.length) {
    const command = tokens[i++]!
    if (command === 'Z') operators.push('h')
    else if (command === 'M' || command === 'L') {
      ;[cx, cy] = point()
      operators.push(`${cx} ${cy} ${command.toLowerCase()}`)
    } else if (command === 'Q') {
      // PDF has cubic curves only.
      const [[qx, qy], [x, y]] = [point(), point()]
      const control = (from: number, by: number): number => from + (2 / 3) * (by - from)
      operators.push(`${control(cx, qx)} ${control(cy, qy)} ${control(x, qx)} ${control(y, qy)} ${x} ${y} c`)
      ;[cx, cy] = [x, y]
    } else if (command === 'C') {
      const [a, b, end] = [point(), point(), point()]
      operators.push(`${[...a, ...b, ...end].join(' ')} c`)
      ;[cx, cy] = end
    }
  }
  return { operators: operators.join(' '), box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] }
}

function matrixOf(transform: string): string {
  return /^matrix\((.*)\)$/.exec(transform)?.[1]?.replaceAll(',', ' ') ?? '1 0 0 1 0 0'
}

function colourOf(hex: string): string {
  return rgb(hex)
    .map((channel) => Math.round((channel / 255) * 1000) / 1000)
    .join(' ')
}

function parse(svg: string): Element {
  const root: Element = { name: '', attributes: {}, children: [] }
  const open = [root]
  for (const [, closing, name, inside, alone] of svg.matchAll(/<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/g)) {
    if (closing === '/') {
      open.pop()
      continue
    }
    const found = [...inside!.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!])
    const element: Element = { name: name!, attributes: Object.fromEntries(found) as Attributes, children: [] }
    open.at(-1)!.children.push(element)
    if (alone !== '/') open.push(element)
  }
  return root.children[0] ?? root
}
