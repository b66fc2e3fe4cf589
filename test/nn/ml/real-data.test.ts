/** Estimators on real data, in a short form: the full trainings are in `real-data.long.ts`. */
import { beforeAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { hasData, missing } from '../../needs.js'
import { accuracyOf, digits, messages, spamScores } from './real-data.js'

describe.skipIf(!hasData('mnist') || !hasData('sms-spam'))('real data, in short', () => {
  beforeAll(async () => {
    await openEngine(missing('native') === undefined ? 'native' : 'wasm')
  })

  test('a recurrent network over words ranks spam above other messages', { timeout: 600_000 }, async () => {
    const { train, test: held } = await messages()
    const rnn = new ml.RNNClassifier({
      inputCol: 'text',
      cell: 'gru',
      units: 16,
      maxLength: 30,
      maxIter: 2,
      batchSize: 32,
    })
    const { areaUnderROC } = await spamScores((await rnn.fit(train)).transform(held))
    expect(areaUnderROC).toBeGreaterThan(0.95)
  })

  test('a CNN reads nine of ten digits after two looks at two thousand', { timeout: 600_000 }, async () => {
    const { train, test: held } = await digits()
    const cnn = new ml.CNNClassifier({ inputCol: 'image', maxIter: 2, batchSize: 32 })
    const model = await cnn.fit(train.limit(2000))
    expect(await accuracyOf(model.transform(held))).toBeGreaterThan(0.88)
  })
})
