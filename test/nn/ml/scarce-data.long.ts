/** What augmentation, distillation and quantisation bring on real images. Nothing is chosen by the rows that are reported on. */
import { beforeAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { hasData, missing } from '../../needs.js'
import { accuraciesOf500, accuracy, augment, digits } from './scarce-data.js'

describe.skipIf(!hasData('mnist') || missing('native') !== undefined)('with MNIST from SHARDBOOK_DATA', () => {
  beforeAll(async () => {
    await openEngine('native')
  })

  test('500 images teach at least 2 points more when they are augmented, mean of 3 seeds', async () => {
    const runs = []
    for (const seed of [1, 2, 3]) runs.push(await accuraciesOf500(seed, 30))
    const mean = runs.reduce((sum, { plain, augmented }) => sum + (augmented - plain) / 3, 0)
    console.log(runs, mean)
    expect(mean).toBeGreaterThanOrEqual(0.02)
  })

  test('a tree that learns from a CNN beats one that learns from the labels', async () => {
    const { pool, test: held } = await digits()
    const train = pool.sample({ rows: 1500, seed: 1 }).cache()
    const model = await new ml.CNNClassifier({ inputCol: 'image', maxIter: 20, batchSize: 64, seed: 1, augment }).fit(
      train,
    )
    const tree = new ml.DecisionTreeClassifier({ featuresCol: 'image', maxDepth: 12 })
    const own = await accuracy.evaluate((await tree.fit(train)).transform(held))
    const distilled = await ml.distill(model, tree, train, {
      unlabelled: pool.drop('label'),
      on: { frame: held, evaluator: accuracy },
    })
    console.log(own, String(distilled))
    expect(distilled.score!.after).toBeGreaterThan(own)
    expect(distilled.fidelity).toBeGreaterThan(0.75)
  })

  test('a CNN loses at most half a point as int8, and has a seed spread', async () => {
    const { pool, test: held } = await digits()
    const cnn = new ml.CNNClassifier({ inputCol: 'image', maxIter: 5, seed: 1 })
    const model = await cnn.fit(pool)
    const small = await ml.quantise(model, { to: 'int8', on: { frame: held, evaluator: accuracy } })
    console.log(String(small))
    expect(small.loss!).toBeLessThanOrEqual(0.005)
    const spread = await ml.stability(cnn.copy({ maxIter: 2 }), pool, { seeds: [1, 2, 3], evaluator: accuracy })
    console.log(String(spread))
    expect(spread.deviation).toBeGreaterThan(0)
  })
})
