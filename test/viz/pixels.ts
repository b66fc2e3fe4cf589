/** Pixels of a PNG file, decoded by resvg: what the tests look at. */
import { Resvg } from '@resvg/resvg-js'

export interface Pixels {
  readonly width: number
  readonly height: number
  /** Red, green and blue at a place. */
  at(x: number, y: number): readonly [number, number, number]
  /** 0 where the ground shows through, 255 where nothing does. */
  alphaAt(x: number, y: number): number
  /** Number of different colours. */
  readonly colours: number
}

export function pixelsOf(png: Uint8Array): Pixels {
  const header = Buffer.from(png)
  const [width, height] = [header.readUInt32BE(16), header.readUInt32BE(20)]
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" href="data:image/png;base64,${header.toString('base64')}"/></svg>`
  const { pixels } = new Resvg(svg, { font: { loadSystemFonts: false }, imageRendering: 1 }).render()
  const found = new Set<number>()
  for (let i = 0; i < pixels.length; i += 4) found.add(pixels.readUInt32BE(i))
  return {
    width,
    height,
    colours: found.size,
    at: (x, y) => {
      const i = 4 * (y * width + x)
      return [pixels[i]!, pixels[i + 1]!, pixels[i + 2]!]
    },
    alphaAt: (x, y) => pixels[4 * (y * width + x) + 3]!,
  }
}
