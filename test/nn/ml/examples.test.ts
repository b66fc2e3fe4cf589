/** What users who come from PySpark write first, as they write it: types, columns and results. */
import { expect, test } from 'vitest'
import { datasets, frame } from '../../../src/frame/index.js'
import type { Sparse, Tensor } from '../../../src/frame/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { draw, messages } from './small-data.js'

test('images through a convolutional network', async () => {
  const data = await datasets.glyphs({ rows: 256, seed: 1 })
  const cnn = new ml.CNNClassifier({ inputCol: 'image', outputCol: 'prediction', rawPrediction: false })
  const cnnModel = await cnn.fit(data)
  const predictions = cnnModel.transform(data)
  const accuracy = await new ml.MulticlassClassificationEvaluator({
    labelCol: 'label',
    predictionCol: 'prediction',
    metricName: 'accuracy',
  }).evaluate(predictions)
  expect(predictions.schema.map(({ name }) => name)).toEqual(['image', 'label', 'prediction'])
  const right = (await predictions.toRows()).filter(({ label, prediction }) => label === prediction)
  expect(accuracy).toBeCloseTo(right.length / 256, 10)
  expect(accuracy).toBeGreaterThan(0)
})

test('hashed words through a recurrent network', async () => {
  const words = messages(160, 1)
  const tokens = new ml.Tokenizer({ inputCol: 'text', outputCol: 'words' }).transform(words)
  const counts = new ml.HashingTF({ inputCol: 'words', outputCol: 'counts' }).transform(tokens)
  const text = (await new ml.IDF({ inputCol: 'counts', outputCol: 'features' }).fit(counts)).transform(counts)
  const rnn = new ml.RNNClassifier({ inputCol: 'features', outputCol: 'prediction', maxIter: 10, regParam: 0.01 })
  const rnnModel = await rnn.fit(text)
  const auc = await new ml.BinaryClassificationEvaluator({
    rawPredictionCol: 'rawPrediction',
    predictionCol: 'prediction',
    labelCol: 'label',
    metricName: 'areaUnderROC',
  }).evaluate(rnnModel.transform(text))
  expect(auc).toBeGreaterThan(0.9)
  const [row] = (await text.limit(1).toRows()) as { features: Sparse }[]
  expect(row!.features.size).toBe(262_144)
})

test('assembled vectors through an autoencoder', async () => {
  const numbers = frame(
    Array.from({ length: 512 }, (_, i) => ({ a: draw(1, i), b: draw(2, i), c: draw(1, i) + draw(2, i) })),
  )
  const rows = new ml.VectorAssembler({ inputCols: ['a', 'b', 'c'], outputCol: 'features' }).transform(numbers)
  const autoencoders = new ml.AutoEncoders({
    inputCol: 'features',
    outputCol: 'encoded',
    layers: [100, 50],
    blockSize: 64,
    numBlocks: 8,
  })
  const aeModel = await autoencoders.fit(rows)
  const encoded = aeModel.transform(rows)
  const decoded = aeModel.transform(encoded)
  const [row] = (await encoded.limit(1).toRows()) as { encoded: Tensor }[]
  expect(row!.encoded.shape).toEqual([50])
  const [once, again] = [await decoded.limit(3).toRows(), await aeModel.decode(encoded).limit(3).toRows()]
  expect(once).toEqual(again)
})
