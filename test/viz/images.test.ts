import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as viz from '../../src/viz/index.js'
import { encodePng } from '../../src/viz/png.js'
import { columnsFor, grid } from '../../src/viz/grid.js'
import { pixelsOf } from './pixels.js'

/** The one picture in a grid's specification. */
function pictureOf(spec: object): ReturnType<typeof pixelsOf> {
  const [, base64] = /data:image\/png;base64,([^"]+)/.exec(JSON.stringify(spec))!
  return pixelsOf(Buffer.from(base64!, 'base64'))
}

const image = (values: readonly number[], height: number, width: number, channels = 1) => ({
  height,
  width,
  channels,
  values,
})

describe('encodePng', () => {
  it('is what a decoder reads back', () => {
    const rasters = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })).chain(([width, height]) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        rgba: fc
          .array(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.constantFrom(0, 255)), {
            minLength: width * height,
            maxLength: width * height,
          })
          .map((pixels) => Uint8Array.from(pixels.flat())),
      }),
    )
    fc.assert(
      fc.property(rasters, (raster) => {
        const pixels = pixelsOf(encodePng(raster))
        expect([pixels.width, pixels.height]).toEqual([raster.width, raster.height])
        for (let i = 0; i < raster.width * raster.height; i++) {
          const [red, green, blue, alpha] = raster.rgba.subarray(4 * i)
          const [x, y] = [i % raster.width, Math.floor(i / raster.width)]
          // Of what is not there the colour does not matter.
          expect([...pixels.at(x, y), pixels.alphaAt(x, y)]).toEqual(
            alpha === 0 ? [0, 0, 0, 0] : [red, green, blue, 255],
          )
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('grid', () => {
  it('enlarges pixel by pixel, in whole factors, two pixels a unit', () => {
    const spec = grid([{ image: image([0, 1, 1, 0], 2, 2) }], { columns: 1, width: 100, cell: 10 })
    const picture = pictureOf(spec)
    expect([picture.width, picture.height]).toEqual([20, 20])
    expect([picture.at(0, 0), picture.at(9, 9), picture.at(10, 0), picture.at(19, 19)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [255, 255, 255],
      [0, 0, 0],
    ])
  })

  it('makes large images smaller by their mean', () => {
    const checks = Array.from({ length: 64 * 64 }, (_, i) => (i + Math.floor(i / 64)) % 2)
    const picture = pictureOf(grid([{ image: image(checks, 64, 64) }], { columns: 1, width: 100, cell: 16 }))
    expect(picture.at(5, 7)).toEqual([128, 128, 128])
  })

  it('draws three channels as red, green and blue, and what is not finite in grey', () => {
    const spec = grid([{ image: image([1, 0, 0, 0, 0, NaN], 1, 2, 3), range: [0, 1] }], {
      columns: 1,
      width: 40,
      cell: 20,
    })
    const picture = pictureOf(spec)
    expect(picture.at(0, 0)).toEqual([255, 0, 0])
    expect(picture.at(39, 0)[2]).toBe(221)
  })

  it('never is wider than it may be', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 1, max: 40 }),
        (count, columns, side) => {
          const cells = Array.from({ length: count }, () => ({ image: image(Array(side * side).fill(0), side, side) }))
          expect(grid(cells, { columns, width: 680 })['width']).toBeLessThanOrEqual(680)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('prefers rows of equal length', () => {
    expect([1, 7, 16, 32, 24, 13].map((count) => columnsFor(count, 8))).toEqual([1, 7, 8, 8, 8, 8])
    expect(columnsFor(12, 8)).toBe(6)
  })
})

describe('viz.featureMaps', () => {
  it('spans one scale over a layer', () => {
    const picture = pictureOf(viz.featureMaps({ shape: [1, 1, 2], values: [0, 4] }).spec)
    expect(picture.at(0, 60)).toEqual([0, 0, 4])
    expect(picture.at(picture.width - 1, 60)).toEqual([252, 253, 191])
  })

  it('counts silent channels, and says what is not shown', () => {
    const values = Float32Array.from({ length: 2 * 2 * 70 }, (_, i) => (i % 70 === 3 ? 0 : 1))
    expect(viz.featureMaps({ layer: 'c', shape: [1, 2, 2, 70], values }).text).toBe(
      'Feature maps of c\nc: 70 channels of 2 × 2 · first 64 shown · values from 0 to 1 · 1 silent',
    )
    expect(viz.featureMaps({ shape: [2, 1, 1, 1], values: [1, 2] }).text).toContain('first of 2 inputs')
  })

  it('shows an input that is an image, and none that is a vector', () => {
    const maps = { shape: [1, 2, 2, 1], values: [1, 2, 3, 4] }
    expect(viz.featureMaps({ ...maps, input: { shape: [1, 3], values: [1, 2, 3] } }).spec).not.toHaveProperty('hconcat')
    expect(viz.featureMaps({ ...maps, input: maps }).spec).toHaveProperty('hconcat')
  })

  it.each([
    [
      { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
      'of shape [h, w, c] or [n, h, w, c], got [2, 3]. This layer puts out vectors',
    ],
    [{ shape: [2, 2, 2], values: [1] }, 'to hold 8 values for its shape [2, 2, 2], got 1.'],
    [[], 'expected the activations of a layer, got an empty list.'],
    [undefined, 'expected the activations of a layer to be { shape, values }, got undefined.'],
    [{ shape: [0, 2, 1], values: [] }, 'to hold 0 values for its shape [0, 2, 1]'],
  ])('raises for %j', (value, message) => {
    expect(() => viz.featureMaps(value as never)).toThrow(message)
  })

  it('raises for columns that are none', () => {
    expect(() => viz.featureMaps({ shape: [1, 1, 1], values: [0] }, { columns: 0 })).toThrow('expected columns')
  })
})

describe('viz.filters', () => {
  it('takes a kernel of four dimensions only', () => {
    expect(() => viz.filters({ shape: [3, 3, 1], values: Array(9).fill(0) })).toThrow(
      'expected a kernel of shape [height, width, inputs, outputs], got [3, 3, 1].',
    )
  })

  it('shows negative weights in blue, positive ones in red', () => {
    const picture = pictureOf(viz.filters({ shape: [1, 2, 1, 1], values: [-1, 1] }).spec)
    const [left, right] = [picture.at(0, picture.height - 1), picture.at(picture.width - 1, picture.height - 1)]
    expect(left[2]).toBeGreaterThan(left[0])
    expect(right[0]).toBeGreaterThan(right[2])
  })
})

describe('viz.reconstructions', () => {
  it('says the mean squared error of all images, those not shown included', () => {
    const { text } = viz.reconstructions({
      input: Array(12).fill(0),
      output: Array(12).fill(0.5),
      shape: [2, 2],
      rows: 1,
    })
    expect(text).toContain('mean squared error 0.25 over 3 images')
  })

  it('takes batches as a model gives them', () => {
    const batch = { shape: [2, 2, 2, 1], values: Float32Array.of(0, 1, 1, 0, 0, 1, 1, 0) }
    expect(viz.reconstructions({ input: batch, output: batch }).text).toContain('error 0 over 2 images')
  })

  it.each([
    [
      { input: [1, 2, 3, 4], output: [1, 2, 3, 4] },
      'expected images of shape [h, w] or [h, w, c], got []. Pass the shape',
    ],
    [
      { input: [1, 2, 3], output: [1, 2, 3], shape: [2, 2] },
      'expected input to hold whole images of shape [2, 2], got 3 values.',
    ],
    [
      { input: [1, 2, 3, 4], output: [], shape: [2, 2] },
      'expected as many outputs as inputs, of one size, got 1 of 2 x 2 x 1 and none.',
    ],
    [{ input: [1], output: [1], shape: [1, 1], rows: 0 }, 'expected rows to be an integer >= 1, got 0.'],
  ])('raises for %j', (value, message) => {
    expect(() => viz.reconstructions(value)).toThrow(message)
  })
})

describe('viz.images', () => {
  it('marks the wrong ones', () => {
    const made = viz.images({ shape: [2, 1, 1, 1], values: [0, 1] }, { labels: [3, 4], predictions: [3, 5] })
    expect(made.text).toBe('Images\n2 images of 1 × 1 · 1 wrong: prediction (label) in red')
    expect(JSON.stringify(made.spec)).toContain('"5 (4)"')
  })

  it('takes the columns of a frame', async () => {
    const frame = {
      toRows: async () => [{ image: { shape: [1, 1, 1], values: [200] }, label: 7, prediction: 9 }],
    }
    expect((await viz.images(frame).ready()).text).toContain('1 wrong')
  })

  it('raises for labels of another number, or columns that hold no images', async () => {
    const one = { shape: [1, 1], values: [0] }
    expect(() => viz.images([one], { labels: [1, 2] })).toThrow('viz.images: expected 1 labels, one an image, got 2.')
    expect(() => viz.images(7 as never)).toThrow('viz.images: expected the images to be { shape, values }, got 7.')
    const frame = { toRows: async () => [{ picture: 1 }] }
    await expect(viz.images(frame).ready()).rejects.toThrow(
      'expected column image of row 0 to be { shape, values }, got undefined.',
    )
  })
})
