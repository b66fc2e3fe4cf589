import { Resvg } from '@resvg/resvg-js'
import { describe, expect, it } from 'vitest'
import { loadFonts, parseFont } from '../../src/viz/font.js'

describe('the bundled font', () => {
  const texts = ['validation accuracy 0.981', 'Epoch 3 of 5 · step 210', 'WWWiii', 'Größe, Ελληνικά, Привет']

  it.each(texts)('is as wide as it is drawn: %s', async (text) => {
    const fonts = await loadFonts()
    for (const [font, weight] of [
      [fonts.regular, 400],
      [fonts.bold, 600],
    ] as const) {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="100"><text x="0" y="50" font-family="Inter" font-weight="${weight}" font-size="40">${text}</text></svg>`
      const drawn = new Resvg(svg, { font: { loadSystemFonts: false, fontFiles: [...fonts.files] } }).getBBox()
      const measured = font.measure(text, 40)!
      expect(Math.abs(measured - drawn!.width) / measured).toBeLessThan(0.03)
    }
  })

  it('does not know characters that it lacks', async () => {
    expect((await loadFonts()).regular.measure('数', 12)).toBeUndefined()
  })

  it('raises for a file that is no font', () => {
    expect(() => parseFont(Buffer.alloc(64))).toThrow('font: expected a table head')
  })
})
