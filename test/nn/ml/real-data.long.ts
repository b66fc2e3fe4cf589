/** The estimators at full length on real data, against what is asked of them. */
import { beforeAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { hasData, missing } from '../../needs.js'
import { accuracyOf, digits, judgeSamples, messages, principalComponentsError, spamScores } from './real-data.js'
import type { Digits } from './real-data.js'

beforeAll(async () => {
  await openEngine(missing('native') === undefined ? 'native' : 'wasm')
})

describe.skipIf(!hasData('mnist'))('MNIST, 9,000 images to learn from', () => {
  let data: { train: Digits; test: Digits }
  beforeAll(async () => {
    data = await digits()
  })

  test('a CNN is right on 98 of 100, as a mean of three seeds', async () => {
    const found: number[] = []
    // Shifts by up to two pixels and twice the epochs: of 1,000 validation rows 0.987 are right, of five epochs without shifts 0.972.
    const options = {
      inputCol: 'image',
      rawPrediction: false,
      maxIter: 10,
      augment: [nn.randomTranslation({ height: 0.07 })],
    } as const
    for (const seed of [1, 2, 3]) {
      const model = await new ml.CNNClassifier({ ...options, seed }).fit(data.train)
      found.push(await accuracyOf(model.transform(data.test)))
    }
    console.log('CNN accuracy', found)
    expect((found[0]! + found[1]! + found[2]!) / 3).toBeGreaterThanOrEqual(0.98)
  })

  test("an autoencoder's code of 32 numbers loses less than that of principal components", async () => {
    const model = await new ml.AutoEncoders({ inputCol: 'image', layers: [256, 32], maxIter: 20 }).fit(data.train)
    const { input, output } = await model.reconstructions(data.test)
    const squares = Array.from(input.values).reduce((sum, x, i) => sum + (output.values[i]! - x) ** 2, 0)
    const [ours, linear] = [squares / 2 / input.shape[0]!, await principalComponentsError(data.train, data.test, 32)]
    console.log('autoencoder', ours, 'principal components', linear)
    expect(ours).toBeLessThan(linear)
  })

  describe('what generative models draw', () => {
    let judge: Awaited<ReturnType<typeof trainJudge>>
    const trainJudge = async () =>
      new ml.CNNClassifier({ inputCol: 'image', probabilityCol: 'p', seed: 4 }).fit(data.train)
    beforeAll(async () => {
      judge = await trainJudge()
    })

    test('by a variational autoencoder: the CNN is confident, all classes are there, no near-copies', async () => {
      // A higher beta holds the codes nearer to the distribution that they are drawn from.
      const options = { inputCol: 'image', layers: [512, 256, 16], beta: 2, maxIter: 30 } as const
      const model = await new ml.VariationalAutoEncoder(options).fit(data.train)
      const found = await judgeSamples(judge, await model.sample(1000, { seed: 1 }), data)
      console.log('VAE', found)
      expect(found.confidence).toBeGreaterThanOrEqual(0.8)
      expect(found.rarest).toBeGreaterThanOrEqual(0.03)
      expect(found.copies).toBe(0)
    })

    test('by an adversarial network: the CNN is confident, all classes are there, no near-copies', async () => {
      const model = await new ml.GAN({ inputCol: 'image', maxIter: 25 }).fit(data.train)
      const found = await judgeSamples(judge, await model.sample(1000, { seed: 1 }), data)
      console.log('GAN', found)
      expect(found.confidence).toBeGreaterThanOrEqual(0.7)
      expect(found.rarest).toBeGreaterThanOrEqual(0.03)
      expect(found.copies).toBe(0)
    })
  })
})

describe.skipIf(!hasData('sms-spam'))('SMS Spam', () => {
  test('a recurrent network over words finds spam', async () => {
    const { train, test: held } = await messages()
    const rnn = new ml.RNNClassifier({ inputCol: 'text', units: 32, bidirectional: true, dropout: 0.2, maxIter: 5 })
    const model = await rnn.fit(train)
    const found = await spamScores(model.transform(held))
    console.log('RNN', found)
    expect(found.f1).toBeGreaterThanOrEqual(0.93)
    expect(found.areaUnderROC).toBeGreaterThanOrEqual(0.985)
  })
})
