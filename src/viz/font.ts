/**
 * The font that travels with the package, and how wide a text set in it is.
 *
 * Machines without fonts (containers, mostly) draw the same picture as others. Vega lays out by the width of texts, which
 * without a browser it only guesses; here the widths are read from the font file: `cmap` gives a character's glyph,
 * `hmtx` the glyph's advance (OpenType specification 1.9, chapters cmap, hhea, hmtx). Kerning is left out.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { ShardbookError } from '../core/errors.js'

export interface Font {
  /** Width of a text in pixels; `undefined` when the font lacks one of its characters. */
  measure(text: string, sizePx: number): number | undefined
}

export interface Fonts {
  readonly files: readonly string[]
  readonly regular: Font
  readonly bold: Font
}

/** Reads the two weights of Inter that charts use. */
export async function loadFonts(): Promise<Fonts> {
  const require = createRequire(import.meta.url)
  const files = [
    require.resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'),
    require.resolve('@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf'),
  ]
  const [regular, bold] = await Promise.all(files.map(async (file) => parseFont(await readFile(file))))
  return { files, regular: regular!, bold: bold! }
}

/** Reads the advance widths of a TrueType or OpenType font with a Unicode `cmap` of format 4. */
export function parseFont(file: Buffer): Font {
  const table = (tag: string): Buffer => {
    for (let i = 0, count = file.readUInt16BE(4); i < count; i++) {
      const record = 12 + 16 * i
      if (file.toString('latin1', record, record + 4) === tag) return file.subarray(file.readUInt32BE(record + 8))
    }
    throw new ShardbookError('data', `font: expected a table ${tag}, got a file without it.`)
  }
  const unitsPerEm = table('head').readUInt16BE(18)
  const advances = table('hhea').readUInt16BE(34)
  const hmtx = table('hmtx')
  const glyphs = readGlyphs(table('cmap'))
  const advance = (glyph: number): number => hmtx.readUInt16BE(4 * Math.min(glyph, advances - 1))
  return {
    measure(text, sizePx) {
      let units = 0
      for (const character of text) {
        const glyph = glyphs.get(character.codePointAt(0)!)
        if (glyph === undefined) return undefined
        units += advance(glyph)
      }
      return (units * sizePx) / unitsPerEm
    },
  }
}

function readGlyphs(cmap: Buffer): ReadonlyMap<number, number> {
  const glyphs = new Map<number, number>()
  for (let i = 0, count = cmap.readUInt16BE(2); i < count; i++) {
    const subtable = cmap.subarray(cmap.readUInt32BE(4 + 8 * i + 4))
    if (subtable.readUInt16BE(0) !== 4) continue
    const segments = subtable.readUInt16BE(6) / 2
    for (let segment = 0; segment < segments; segment++) {
      const end = subtable.readUInt16BE(14 + 2 * segment)
      const start = subtable.readUInt16BE(16 + 2 * (segments + segment))
      const delta = subtable.readUInt16BE(16 + 2 * (2 * segments + segment))
      const rangeAt = 16 + 2 * (3 * segments + segment)
      const range = subtable.readUInt16BE(rangeAt)
      for (let code = start; code <= end && code < 0xffff; code++) {
        const found = range === 0 ? code : subtable.readUInt16BE(rangeAt + range + 2 * (code - start))
        if (found !== 0) glyphs.set(code, range === 0 ? (code + delta) & 0xffff : (found + delta) & 0xffff)
      }
    }
    return glyphs
  }
  throw new ShardbookError('data', 'font: expected a character map of format 4, got none.')
}
