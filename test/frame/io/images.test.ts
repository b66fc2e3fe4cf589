import { Transformer } from '@napi-rs/image'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { col, Frame, read, type Plan } from '../../../src/frame/index.js'
import { startFiles } from '../../store/file-server.js'

let folder: string
/** A picture of one colour with its upper left pixel black. */
function picture(height: number, width: number, [red, green, blue]: readonly [number, number, number]): Transformer {
  const pixels = Uint8Array.from({ length: height * width * 4 }, (_, i) => [red, green, blue, 255][i % 4]!)
  pixels.set([0, 0, 0])
  return Transformer.fromRgbaPixels(pixels, width, height)
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'images-'))
  await mkdir(join(folder, 'red'))
  await mkdir(join(folder, 'teal'))
  await writeFile(join(folder, 'red/a.png'), picture(4, 6, [200, 10, 20]).pngSync())
  await writeFile(join(folder, 'red/b.webp'), picture(8, 12, [200, 10, 20]).webpLosslessSync())
  await writeFile(join(folder, 'teal/c.jpg'), picture(40, 60, [0, 128, 128]).jpegSync(95))
  await writeFile(join(folder, 'teal/notes.txt'), 'not a picture')
})
afterAll(async () => rm(folder, { recursive: true }))

describe('read.images', () => {
  test('gives pictures of one shape with the names of their folders', async () => {
    const df = await read.images(folder)
    const rows = await df.toRows()
    expect(rows.map(({ label, image }) => [label, ...image.shape])).toEqual([
      ['red', 4, 6, 3],
      ['red', 4, 6, 3],
      ['teal', 4, 6, 3],
    ])
    const [exact, , stretched] = rows
    expect(Array.from(exact!.image.values.subarray(0, 6))).toEqual([0, 0, 0, 200, 10, 20])
    const [red, green, blue] = stretched!.image.values.slice(-3)
    expect(red).toBeLessThan(8)
    expect(Math.abs(green! - 128) + Math.abs(blue! - 128)).toBeLessThan(8)
  })

  test('takes size and channels, and feeds batches', async () => {
    const grey = await read.images(folder, { height: 2, width: 2, channels: 1 })
    const [first] = await grey.filter(col('label').eq('red')).toRows()
    expect(first!.image.shape).toEqual([2, 2, 1])
    const luma = Math.round(0.299 * 200 + 0.587 * 10 + 0.114 * 20)
    expect(Math.abs(first!.image.values[3]! - luma)).toBeLessThan(3)
    const opaque = await read.images(join(folder, 'red/*.png'), { channels: 4 })
    expect(Array.from((await opaque.toRows())[0]!.image.values.subarray(0, 8))).toEqual([
      0, 0, 0, 255, 200, 10, 20, 255,
    ])
    for await (const batch of grey.batches({ rows: 3, columns: ['image'] })) {
      expect(batch.columns['image']!.values.length).toBe(3 * 4)
    }
  })

  test('travels as data, and round-trips through Parquet', async () => {
    const df = await read.images(folder)
    const there = Frame.fromPlan<{ label: string }>(
      JSON.parse(JSON.stringify((await df.source(['image'])).plan)) as Plan,
    )
    expect(await there.count()).toBe(3)
    await df.write.parquet(join(folder, 'all.parquet'))
    expect(await (await read.parquet(join(folder, 'all.parquet'))).toRows()).toEqual(await df.toRows())
  })

  test('reads pictures at an address', async () => {
    const server = await startFiles()
    server.files.set('/blue/x.png', picture(3, 3, [0, 0, 255]).pngSync())
    const [row] = await (await read.images(`${server.base}/blue/x.png`)).toRows()
    expect([row!.label, ...row!.image.values.slice(-3)]).toEqual(['blue', 0, 0, 255])
    await server.close()
  })

  test('names the file that is no picture when it is needed, and refuses odd options', async () => {
    await mkdir(join(folder, 'broken/x'), { recursive: true })
    await writeFile(join(folder, 'broken/x/a.png'), picture(2, 2, [1, 2, 3]).pngSync())
    await writeFile(join(folder, 'broken/x/b.png'), 'hello')
    const df = await read.images(join(folder, 'broken'))
    expect(await df.limit(1).toRows()).toHaveLength(1)
    await expect(df.toRows()).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(/expected a picture at .*x\/b\.png, got another file/) as string,
    })
    await expect(read.images(folder, { height: 0 })).rejects.toThrow(
      /expected height to be an integer in \[1, 65535\], got 0/,
    )
    await expect(read.images(join(folder, 'none'))).rejects.toMatchObject({ code: 'io' })
  })
})
