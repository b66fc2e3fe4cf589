/** MNIST for tests of what is learnt: its 10,000 test images cut into parts, of which the last is never chosen by. */
import { datasets } from '../../../src/frame/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import * as nn from '../../../src/nn/index.js'

export const accuracy = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })

/** Images to learn from, and others to report on. */
export async function digits() {
  const all = await datasets.mnist({ split: 'test' })
  const [pool, test] = all.randomSplit([0.6, 0.4], { seed: 11, stratify: 'label' })
  return { pool: pool.cache(), test: test.cache() }
}

/** Turns, sizes and places as hands vary them: chosen on rows of the pool. */
export const augment = [
  nn.randomRotation({ degrees: 12 }),
  nn.randomZoom({ range: 0.12 }),
  nn.randomTranslation({ height: 0.08 }),
]

/** Accuracies on the test rows of a network that saw 500 images, without augmentation and with it. */
export async function accuraciesOf500(seed: number, epochs: number): Promise<{ plain: number; augmented: number }> {
  const { pool, test } = await digits()
  const train = pool.sample({ rows: 500, seed }).cache()
  const cnn = new ml.CNNClassifier({ inputCol: 'image', maxIter: epochs, batchSize: 64, seed })
  const score = async (estimator: typeof cnn): Promise<number> =>
    accuracy.evaluate((await estimator.fit(train)).transform(test))
  return { plain: await score(cnn), augmented: await score(cnn.copy({ augment })) }
}
