import { inflateSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeIndexed } from '../../src/viz/png.js'

/** The pixels of a file with a palette, as red, green and blue. */
function pixelsOf(png: Buffer, width: number): number[] {
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at)
    chunks.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length))
    at += length + 12
  }
  const palette = chunks.get('PLTE')!
  const rows = inflateSync(chunks.get('IDAT')!)
  return [...rows].flatMap((place, i) => (i % (width + 1) === 0 ? [] : [...palette.subarray(3 * place, 3 * place + 3)]))
}
const channels = (colours: readonly number[], alpha = 255): number[] =>
  colours.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255, ...(alpha < 0 ? [] : [alpha])])

describe('a PNG file with a palette', () => {
  it('has every pixel of a picture of few colours', () => {
    const colour = fc.integer({ min: 0, max: 0xffffff })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(colour, { minLength: 9, maxLength: 90 }), (width, list) => {
        const height = Math.floor(list.length / width)
        const colours = list.slice(0, width * height)
        const png = encodeIndexed(Uint8Array.from(channels(colours)), width, height)!
        expect(pixelsOf(png, width)).toEqual(channels(colours, -1))
      }),
    )
  })

  it('has rare colours as frequent ones that are hardly different', () => {
    const greys = Array.from({ length: 256 }, (_, i) => i * 0x010101)
    const colours = [...greys, ...greys, 0x7f7f7e]
    const png = encodeIndexed(Uint8Array.from(channels(colours)), colours.length, 1)!
    const drawn = pixelsOf(png, colours.length)
    const change = drawn.map((value, i) => Math.abs(value - channels(colours, -1)[i]!))
    expect(Math.max(...change)).toBeLessThanOrEqual(10)
    expect(png.length).toBeLessThan(400)
  })

  it('is not made of photographs, nor of what is transparent', () => {
    const many = Array.from({ length: 5000 }, (_, i) => (60_013 * i) % 0x1000000)
    expect(encodeIndexed(Uint8Array.from(channels(many)), 5000, 1)).toBeUndefined()
    expect(encodeIndexed(Uint8Array.from(channels(many.slice(0, 300))), 300, 1)).toBeUndefined()
    expect(encodeIndexed(Uint8Array.from(channels([0], 0)), 1, 1)).toBeUndefined()
  })
})
