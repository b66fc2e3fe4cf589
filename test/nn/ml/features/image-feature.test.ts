import { createRequire } from 'node:module'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { frame, type AnyFrame, type Frame, type Tensor } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'

const { Transformer } = createRequire(import.meta.url)('@napi-rs/image') as typeof import('@napi-rs/image')
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardbook-images-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

const imagesOf = async (rows: AnyFrame): Promise<Tensor[]> =>
  (await (rows as Frame).toRows()).map((row) => (row as unknown as { image: Tensor }).image)

async function write(name: string, width: number, height: number, pixel: (x: number, y: number) => number[]) {
  const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    const at = i >> 2
    return [...pixel(at % width, Math.floor(at / width)), 255][i & 3]!
  })
  const path = join(folder, name)
  await writeFile(path, await Transformer.fromRgbaPixels(rgba, width, height).png())
  return path
}

describe('ImageFeature', () => {
  test('decodes, scales and normalises by channel', async () => {
    const path = await write('plain.png', 2, 1, (x) => (x === 0 ? [255, 0, 51] : [0, 102, 255]))
    const stage = new ml.ImageFeature({
      inputCol: 'path',
      outputCol: 'image',
      height: 1,
      width: 2,
      mean: [0.5, 0.5, 0],
      std: [0.5, 1, 2],
    })
    const [image] = await imagesOf(stage.transform(frame({ path: [path] })))
    expect(image).toMatchObject({ shape: [1, 2, 3], dtype: 'float32' })
    const expected = [1, -0.5, 0.1, -1, -0.1, 0.5]
    image!.values.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
  })

  test('stretches, or covers and crops at both sides', async () => {
    // Black, white, white, black: what is left after the crop is white.
    const path = await write('wide.png', 16, 4, (x) => (x >= 4 && x < 12 ? [255, 255, 255] : [0, 0, 0]))
    const make = (fit: 'fill' | 'cover') =>
      new ml.ImageFeature({ inputCol: 'path', outputCol: 'image', height: 4, width: 4, channels: 1, fit }).transform(
        frame({ path: [path] }),
      )
    const [cropped] = await imagesOf(make('cover'))
    expect(Math.min(...cropped!.values)).toBeGreaterThan(0.99)
    const [stretched] = await imagesOf(make('fill'))
    expect(stretched!.values[0]).toBeLessThan(0.2)
    expect(stretched!.values[1]).toBeGreaterThan(0.8)
  })

  test('takes tensors of bytes, by reference, as it takes files', async () => {
    const ramp = Uint8Array.from({ length: 16 }, (_, i) => i * 16)
    const rows = frame({ pixels: { shape: [1, 4, 4] as const, dtype: 'uint8', values: ramp } })
    const make = (size: number) =>
      new ml.ImageFeature({ inputCol: 'pixels', outputCol: 'image', height: size, width: size, channels: 1, scale: 1 })
    const [same] = await imagesOf(make(4).transform(rows))
    expect([...same!.values]).toEqual([...ramp])
    const [half] = await imagesOf(make(2).transform(rows))
    // The mean of four pixels each.
    expect([...half!.values]).toEqual([40, 72, 168, 200])
    const colour = new ml.ImageFeature({ inputCol: 'pixels', outputCol: 'image', height: 4, width: 4, scale: 1 })
    const [repeated] = await imagesOf(colour.transform(rows))
    expect(repeated!.values.slice(3, 6)).toEqual(Float32Array.of(16, 16, 16))
  })

  test('says which file is no picture, and which column holds none', async () => {
    const path = join(folder, 'text.png')
    await writeFile(path, 'no picture')
    const stage = new ml.ImageFeature({ inputCol: 'path', outputCol: 'image', height: 1, width: 1 })
    await expect(imagesOf(stage.transform(frame({ path: [path] })))).rejects.toThrow(
      /expected a picture at .*text\.png/,
    )
    await expect(imagesOf(stage.transform(frame({ path: [join(folder, 'none.png')] })))).rejects.toMatchObject({
      code: 'io',
    })
    expect(() => stage.transform(frame({ path: [1] }) as never)).toThrow(
      /ImageFeature.transform: expected 'path' to hold paths/,
    )
    expect(() => new ml.ImageFeature({ inputCol: 'a', outputCol: 'b', height: 0, width: 1 })).toThrow(/expected height/)
    expect(() => new ml.ImageFeature({ inputCol: 'a', outputCol: 'b', height: 1, width: 1, mean: [1, 2] })).toThrow(
      /mean to have a number a channel/,
    )
  })
})
