/** Variational autoencoders: what they learn, what they draw, and that a step is one job like any other. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { clusters } from './clusters.js'
import { onEngines } from '../on-engines.js'
import { bars } from '../train/fixture.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardbook-generative-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

onEngines('VariationalAutoEncoder', (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })

  test.each([false, true])(
    'convolutional %s: learns to code, to draw and to go between, and is the same when loaded',
    async (convolutional) => {
      const images = bars(240)
      const layers = convolutional ? [8, 4] : [32, 4]
      const vae = new ml.VariationalAutoEncoder({
        inputCol: 'image',
        outputCol: 'code',
        layers,
        convolutional,
        maxIter: 12,
        blockSize: 8,
        numBlocks: 2,
        stepSize: 0.01,
      })
      const training = vae.fit(images, { validation: bars(60, 2) })
      const model = await training
      const [first, last] = [training.history[0]!, training.history.at(-1)!]
      expect(last['validationReconstruction']).toBeLessThan(0.95 * first['validationReconstruction']!)
      expect(last.loss).toBeCloseTo(last['reconstruction']! + last['divergence']!, 3)

      const drawn = await model.sample(20, { seed: 3 })
      const rows = await drawn.toRows()
      expect(rows[0]!.image).toMatchObject({ shape: [8, 8, 1], dtype: 'uint8' })
      expect(rows[0]!.code.shape).toEqual([4])
      expect(await (await model.sample(20, { seed: 3 })).toRows()).toEqual(rows)
      expect((await (await model.sample(20, { seed: 4 })).toRows())[0]!.code).not.toEqual(rows[0]!.code)

      // The ends of a way are the two rows, coded and decoded.
      const pair = bars(2, 5)
      const way = await (await model.interpolate(pair, { steps: 5 })).toRows()
      const codes = await model.encode(pair).toRows()
      expect(way).toHaveLength(5)
      expect([...way[0]!.code.values]).toEqual([...codes[0]!.code.values])
      expect([...way[4]!.code.values]).toEqual([...codes[1]!.code.values])
      await expect(model.interpolate(bars(1))).rejects.toThrow(/at least two rows/)

      await model.save(join(folder, `vae-${name}-${convolutional}`))
      const again = await ml.load(join(folder, `vae-${name}-${convolutional}`), 'VariationalAutoEncoderModel')
      expect(await (await again.sample(20, { seed: 3 })).toRows()).toEqual(rows)
      expect(await again.transform(pair).toRows()).toEqual(await model.transform(pair).toRows())
      expect(await again.decode(again.encode(pair)).count()).toBe(2)
    },
  )

  test('a higher beta draws the codes nearer to the normal distribution', async () => {
    const divergence = async (beta: number): Promise<number> => {
      const training = new ml.VariationalAutoEncoder({
        inputCol: 'point',
        layers: [16, 2],
        beta,
        maxIter: 10,
        blockSize: 8,
        numBlocks: 2,
        stepSize: 0.01,
      }).fit(clusters(160, 1))
      await training
      return training.history.at(-1)!['divergence']! / beta
    }
    expect(await divergence(4)).toBeLessThan(0.7 * (await divergence(0.25)))
  })
})
