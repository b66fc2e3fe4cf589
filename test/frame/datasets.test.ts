import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { col, datasets } from '../../src/frame/index.js'
import { hasData } from '../needs.js'

const data = process.env['SHARDBOOK_DATA']
const cacheBefore = process.env['SHARDBOOK_CACHE']
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datasets-'))
})
afterEach(async () => {
  restore('SHARDBOOK_DATA', data)
  restore('SHARDBOOK_CACHE', cacheBefore)
  await rm(folder, { recursive: true })
})
function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

describe('datasets.glyphs', () => {
  test('draws the same images for the same seed, balanced, in random order', async () => {
    const [one, again, other] = await Promise.all(
      [1, 1, 2].map(async (seed) => (await datasets.glyphs({ rows: 200, seed })).toColumns()),
    )
    expect(one!.image.shape).toEqual([200, 28, 28, 1])
    expect(one).toEqual(again)
    expect(one!.image.values).not.toEqual(other!.image.values)
    const counts = Array.from(
      { length: 10 },
      (_, label) => [...(one!.label as Uint8Array)].filter((each) => each === label).length,
    )
    expect(counts).toEqual(Array.from({ length: 10 }, () => 20))
    expect([...(one!.label as Uint8Array)]).not.toEqual([...(one!.label as Uint8Array)].sort((a, b) => a - b))
  })

  test('draws signs that a nearest neighbour tells apart most of the time, but not always', async () => {
    const { image, label } = await (await datasets.glyphs({ rows: 600, seed: 3 })).toColumns()
    const at = (row: number): Uint8Array => image.values.subarray(row * 784, (row + 1) * 784) as Uint8Array
    let right = 0
    for (let row = 500; row < 600; row++) {
      const own = at(row)
      let best = { distance: Infinity, label: -1 }
      for (let other = 0; other < 500; other++) {
        const theirs = at(other)
        let distance = 0
        for (let i = 0; i < 784; i++) distance += (own[i]! - theirs[i]!) ** 2
        if (distance < best.distance) best = { distance, label: label[other]! }
      }
      if (best.label === label[row]) right++
    }
    expect(right).toBeGreaterThan(50)
    expect(right).toBeLessThan(100)
  })

  test('refuses a size that is none', async () => {
    await expect(datasets.glyphs({ rows: 0 })).rejects.toThrow(/datasets\.glyphs: expected rows to be an integer in/)
  })
})

describe('datasets.mnist', () => {
  test.skipIf(!hasData('mnist'))('reads the test images from SHARDBOOK_DATA (skipped where they are not)', async () => {
    const digits = await datasets.mnist({ split: 'test' })
    expect(await digits.count()).toBe(10_000)
    const labels = await digits.groupBy('label').agg({ n: col.count() }).toRows()
    expect(labels.map(({ n }) => n)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    const [first] = await digits.limit(1).toRows()
    expect(first).toMatchObject({ label: 7, image: { shape: [28, 28, 1], dtype: 'uint8' } })
    expect([...first!.image.values].reduce((a, b) => a + b, 0)).toBe(18_454)
    const [train, test_] = digits.randomSplit([0.9, 0.1], { seed: 7 })
    expect([await train.count(), await test_.count()]).toEqual([9000, 1000])
  })

  test.skipIf(!hasData('mnist'))('finds files in the cache', async () => {
    await mkdir(join(folder, 'datasets'), { recursive: true })
    await cp(join(data!, 'mnist'), join(folder, 'datasets/mnist'), { recursive: true })
    delete process.env['SHARDBOOK_DATA']
    process.env['SHARDBOOK_CACHE'] = folder
    expect(await (await datasets.mnist({ split: 'test' })).count()).toBe(10_000)
  })

  test('refuses an unknown split', async () => {
    await expect(datasets.mnist({ split: 'tets' as 'test' })).rejects.toThrow(
      /split to be one of "train", "test", "all", got "tets"\. Did you mean "test"\?/,
    )
  })
})

describe('datasets.smsSpam', () => {
  test.skipIf(!hasData('sms-spam'))('reads the messages (skipped where they are not)', async () => {
    const counts = await (await datasets.smsSpam()).groupBy('label').agg({ n: col.count() }).toRows()
    expect(counts).toEqual([
      { label: 'ham', n: 4827 },
      { label: 'spam', n: 747 },
    ])
  })

  test('says where to put the file when it is nowhere', async () => {
    process.env['SHARDBOOK_DATA'] = folder
    process.env['SHARDBOOK_CACHE'] = folder
    await expect(datasets.smsSpam()).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringContaining(`a folder 'sms-spam'`) as string,
    })
  })
})
