/**
 * The only door to Vega and resvg: a specification becomes SVG, SVG becomes PNG or PDF, without a browser.
 *
 * Both load at first use. The bundled font is the only one that is looked at, so that every machine draws the same,
 * unless a text has characters that it lacks: then the system's fonts help out.
 */
import type { Item } from 'vega'
import { ShardbookError } from '../core/errors.js'
import { type Fonts, loadFonts } from './font.js'
import type { Spec } from './json.js'
import { pdfOf } from './pdf.js'
import { encodeIndexed } from './png.js'
import { fontFamily } from './theme.js'

/** Compiles and draws a Vega-Lite specification. `warn` hears what Vega-Lite and Vega find odd about it. */
export async function renderSvg(spec: Spec, warn: (message: string) => void = () => {}): Promise<string> {
  const { vega, vegaLite } = await (renderer ??= loadRenderer())
  const logger = vega.logger(vega.Warn)
  logger.warn = (...parts: readonly unknown[]) => {
    const message = parts.map(String).join(' ')
    // A still picture has no pointer: selections look for one in vain.
    if (message !== 'Can not resolve event source: window') warn(message)
    return logger
  }
  // Vega writes into the data that it is given; the specification is frozen.
  const own = JSON.parse(JSON.stringify(spec)) as import('vega-lite').TopLevelSpec
  let view: import('vega').View | undefined
  try {
    view = new vega.View(vega.parse(vegaLite.compile(own, { logger }).spec), { renderer: 'none', logger })
    return await view.toSVG()
  } catch (cause) {
    throw new ShardbookError(
      'argument',
      'chart: expected a specification that Vega can draw, got one that it cannot.',
      {
        hint: cause instanceof Error ? cause.message : String(cause),
        cause,
      },
    )
  } finally {
    view?.finalize()
  }
}

/** Draws an SVG at `scale` pixels a unit. */
export async function renderPng(svg: string, scale: number): Promise<Uint8Array> {
  const drawn = (await parsed(svg, scale)).render()
  return encodeIndexed(drawn.pixels, drawn.width, drawn.height) ?? drawn.asPng()
}

/** An SVG as a PDF page. */
export async function renderPdf(svg: string, title: string): Promise<Buffer> {
  const { resvg } = await (renderer ??= loadRenderer())
  const simplified = (await parsed(svg, 1)).toString()
  return pdfOf(simplified, title, (url) => {
    const png = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
    const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" href="${url}"/></svg>`
    const { pixels } = new resvg.Resvg(picture, { imageRendering: 1, font: { loadSystemFonts: false } }).render()
    return { width, height, rgba: pixels }
  })
}

async function parsed(svg: string, scale: number): Promise<import('@resvg/resvg-js').Resvg> {
  const { resvg, fonts } = await (renderer ??= loadRenderer())
  return new resvg.Resvg(svg, {
    font: {
      loadSystemFonts: needsOtherFonts(svg, fonts),
      fontFiles: [...fonts.files],
      defaultFontFamily: 'Inter',
      sansSerifFamily: 'Inter',
    },
    fitTo: { mode: 'zoom', value: scale },
  })
}

interface Renderer {
  readonly vega: typeof import('vega')
  readonly vegaLite: typeof import('vega-lite')
  readonly resvg: typeof import('@resvg/resvg-js')
  readonly fonts: Fonts
}

let renderer: Promise<Renderer> | undefined

async function loadRenderer(): Promise<Renderer> {
  const [vega, vegaLite, resvg, fonts] = await Promise.all([
    import('vega'),
    import('vega-lite'),
    import('@resvg/resvg-js'),
    loadFonts(),
  ])
  measureOwnFont(vega, fonts)
  return { vega, vegaLite, resvg: 'Resvg' in resvg ? resvg : (resvg as { default: typeof resvg }).default, fonts }
}

interface TextMetrics {
  width: (this: void, item: Item, text: unknown) => number
}

/** Teaches Vega how wide texts in our font are; texts in other fonts are measured as before. */
function measureOwnFont(vega: object, fonts: Fonts): void {
  const { textMetrics } = vega as { textMetrics: TextMetrics }
  const before = textMetrics.width
  textMetrics.width = (item, text) => {
    const style = item as Item & { font?: string; fontSize?: number; fontWeight?: string | number; limit?: number }
    if (style.font !== fontFamily) return before(item, text)
    const sizePx = style.fontSize ?? 11
    const weight = style.fontWeight === 'bold' ? 700 : Number(style.fontWeight ?? 400)
    const content = String(text ?? '').trim()
    const width = (weight >= 500 ? fonts.bold : fonts.regular).measure(content, sizePx) ?? 0.8 * content.length * sizePx
    return style.limit !== undefined && style.limit > 0 ? Math.min(width, style.limit) : width
  }
}

function needsOtherFonts(svg: string, fonts: Fonts): boolean {
  if (/^[\x20-\x7e\s]*$/.test(svg)) return false
  const texts = svg.match(/>[^<>]+</g) ?? []
  return texts.some((text) => fonts.regular.measure(text.slice(1, -1).replaceAll(/\s/g, ' '), 1) === undefined)
}
