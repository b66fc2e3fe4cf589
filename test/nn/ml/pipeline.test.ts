import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { displaySymbol } from '../../../src/core/display.js'
import { openEngine } from '../../../src/engine/index.js'
import { datasets, frame, type AnyFrame, type Frame, type Tensor } from '../../../src/frame/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { hasData } from '../../needs.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardbook-pipelines-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

const spark = JSON.parse(readFileSync(new URL('fixtures/features.json', import.meta.url), 'utf8')) as {
  pipeline: { probability: number[][]; prediction: number[] }
  crossValidator: { avgMetrics: number[]; final: number }
}
const training = frame({
  text: ['a b c d e spark', 'b d', 'spark f g h', 'hadoop mapreduce'],
  label: [1, 0, 1, 0],
})
const held = frame({ text: ['spark i j k', 'l m n', 'spark hadoop spark', 'apache hadoop'] })
const tokenizer = new ml.Tokenizer({ inputCol: 'text', outputCol: 'words' })
const hashing = new ml.HashingTF({ inputCol: 'words', outputCol: 'features' })
const logistic = new ml.LogisticRegression({ maxIter: 1000, regParam: 0.001, tol: 1e-10 })
const pipeline = new ml.Pipeline({ stages: [tokenizer, hashing, logistic] })
const rowsOf = async (rows: AnyFrame) => (rows as Frame).toRows()

describe('Pipeline', () => {
  test('layers that do not fit what earlier stages give are found before anything is fitted', async () => {
    const numbers = frame({ a: [1, 2, 3, 4], b: [1, 0, 1, 0], label: [0, 1, 0, 1] })
    const assembler = new ml.VectorAssembler({ inputCols: ['a', 'b'], outputCol: 'features' })
    class Watched extends ml.StandardScaler<'features', 'scaled'> {
      fitted = 0
      protected override async learn(...given: Parameters<ml.StandardScaler<'features', 'scaled'>['learn']>) {
        this.fitted++
        return super.learn(...given)
      }
    }
    const scaler = new Watched({ inputCol: 'features', outputCol: 'scaled' })
    const withLayers = (layers: readonly nn.Layer[] | readonly number[]) =>
      new ml.Pipeline({
        stages: [assembler, scaler, new ml.MultilayerPerceptronClassifier({ inputCol: 'scaled', layers })],
      })
    const message = /Pipeline.fit: stage 3 of 3: MultilayerPerceptronClassifier: /
    for (const [layers, what] of [
      [[nn.lstm({ units: 2 }) as nn.Layer, nn.dense({ units: 2 })], /layer 1 \("lstm1"\) does not fit/],
      [[nn.reshape({ shape: [2, 1] }) as nn.Layer], /expected layers that end in \[classes\], got \[2, 1\]/],
      [[3, 8, 2], /expected layers from 2 features on, got \[3, 8, 2\]/],
    ] as const) {
      const error = await withLayers(layers)
        .fit(numbers as never)
        .then(
          () => undefined,
          (cause: unknown) => cause,
        )
      expect(String(error)).toMatch(message)
      expect(String(error)).toMatch(what)
    }
    expect(scaler.fitted).toBe(0)
  })

  test('gives what Spark’s example gives', async () => {
    const model = await pipeline.fit(training)
    const rows = await model.transform(held).toRows()
    rows.forEach((row, i) => {
      expect(row.prediction).toBe(spark.pipeline.prediction[i])
      const { values } = row.probability
      values.forEach((p, k) => expect(p).toBeCloseTo(spark.pipeline.probability[i]![k]!, 4))
    })
  })

  test('its example of tuning has the same scores for no iteration and for one', async () => {
    const x = [0, 0.4, 0.5, 0.6, 1]
    const features = {
      shape: [50, 1] as const,
      dtype: 'float64' as const,
      values: Float64Array.from({ length: 50 }, (_, i) => x[i % 5]!),
    }
    const rows = frame({ features, label: Array.from({ length: 50 }, (_, i) => [0, 1, 0, 1, 1][i % 5]!) })
    const auc = async (maxIter: number) =>
      new ml.BinaryClassificationEvaluator().evaluate(
        (await new ml.LogisticRegression({ maxIter }).fit(rows)).transform(rows),
      )
    expect(await auc(0)).toBe(spark.crossValidator.avgMetrics[0])
    expect(await auc(1)).toBeCloseTo(spark.crossValidator.final, 12)
    expect(spark.crossValidator.final).toBeCloseTo(0.8333, 4)
  })

  test('checks all stages before it fits any, and names the stage', async () => {
    let fitted = 0
    const counting = new ml.IDF({ inputCol: 'features', outputCol: 'weighted' })
    counting.fit = async () => {
      fitted++
      throw new Error('fitted')
    }
    const odd = new ml.LogisticRegression({ featuresCol: 'weightd' })
    const broken = new ml.Pipeline({ stages: [tokenizer, hashing, counting, odd] as readonly ml.AnyStage[] })
    await expect(broken.fit(training as never)).rejects.toThrow(
      /Pipeline\.fit: stage 4 of 4: LogisticRegression: there is no column 'weightd'.*Did you mean 'weighted'.*Before this stage there is: text \(string\)/s,
    )
    const untyped = new ml.Pipeline({ stages: [hashing.copy({ inputCol: 'text' })] as readonly ml.AnyStage[] })
    await expect(untyped.fit(training as never)).rejects.toThrow(
      /stage 1 of 1: HashingTF: expected 'text' to hold lists of text, got string/,
    )
    expect(fitted).toBe(0)
    expect(() => new ml.Pipeline({ stages: [3] as never })).toThrow(/expected stage 1 to be a stage, got 3/)
    expect(() => new ml.Pipeline({ stages: 'x' as never })).toThrow(/expected a list of stages/)
  })

  test('transform is lazy: what nobody reads is not computed', async () => {
    const model = await pipeline.fit(training)
    const plan = await model.transform(held).select('text').explain()
    expect(plan.split('rewritten')[1]).not.toContain('hashTerms')
    expect(await model.transform(held).explain()).toContain('hashTerms(col("words"))')
  })

  test('is the same after save and load, fitted or not, and leaves one when it is saved over another', async () => {
    const path = join(folder, 'model')
    const model = await pipeline.fit(training)
    await model.save(path)
    await model.save(path)
    expect((await readdir(path)).filter((name) => name !== 'model.json')).toHaveLength(1)
    const again = await ml.load(path, 'PipelineModel')
    expect(again.stages.map(({ kind }) => kind)).toEqual(['Tokenizer', 'HashingTF', 'LogisticRegressionModel'])
    expect(await rowsOf(again.transform(held))).toEqual(await rowsOf(model.transform(held)))

    await pipeline.save(join(folder, 'pipeline'))
    const unfitted = await ml.load(join(folder, 'pipeline'), 'Pipeline')
    const refitted = await unfitted.fit(training as never)
    expect(await rowsOf(refitted.transform(held as never))).toEqual(await rowsOf(model.transform(held)))

    await expect(ml.load(path, 'IDFModel')).rejects.toThrow(/expected a IDFModel in .*, got a PipelineModel/)
    const json = await readFile(join(path, 'model.json'), 'utf8')
    await writeFile(join(path, 'model.json'), json.replace('"PipelineModel"', '"PipelineModle"'))
    await expect(ml.load(path)).rejects.toThrow(/kind of stage that this version knows.*PipelineModle/)
  })

  test('shows its stages as text and as a picture that holds no markup of the user', async () => {
    const odd = new ml.Pipeline({ stages: [tokenizer.copy({ inputCol: '<b>' as 'text' }), hashing] })
    const bundle = odd[displaySymbol]()
    expect(bundle['text/plain']).toBe(
      'Pipeline of 2 stages\n 1. Tokenizer: <b> → words\n 2. HashingTF: words → features',
    )
    expect(bundle['text/html']).toContain('&lt;b&gt; → words')
    expect(bundle['text/html']).not.toContain('<b>')
    const stage = new ml.BinaryClassificationEvaluator({ labelCol: 'spam' })[displaySymbol]()
    expect(stage['text/plain']).toBe('BinaryClassificationEvaluator { labelCol: spam }')
  })

  test('TF-IDF features train a recurrent classifier, in a pipeline', async () => {
    await openEngine('wasm')
    const rows = frame({
      text: Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? `win a prize now ${i}` : `see you at home ${i}`)),
      label: Array.from({ length: 40 }, (_, i) => 1 - (i % 2)),
    })
    const rnn = new ml.RNNClassifier({
      inputCol: 'features',
      outputCol: 'prediction',
      maxIter: 10,
      regParam: 0.01,
      probabilityCol: 'probability',
    })
    const counts = new ml.HashingTF({ inputCol: 'words', outputCol: 'counts', numFeatures: 64 })
    const idf = new ml.IDF({ inputCol: 'counts', outputCol: 'features' })
    const model = await new ml.Pipeline({ stages: [tokenizer, counts, idf, rnn] }).fit(rows)
    const evaluator = new ml.BinaryClassificationEvaluator({
      rawPredictionCol: 'rawPrediction',
      predictionCol: 'prediction',
      labelCol: 'label',
      metricName: 'areaUnderROC',
    })
    expect(await evaluator.evaluate(model.transform(rows))).toBeGreaterThan(0.95)
    const path = join(folder, 'rnn')
    await model.save(path)
    const again = await ml.load(path, 'PipelineModel')
    expect(await rowsOf(again.transform(rows as never))).toEqual(await rowsOf(model.transform(rows)))
  })

  test('an assembled vector trains an autoencoder', async () => {
    await openEngine('wasm')
    const rows = frame({
      a: Float64Array.from({ length: 64 }, (_, i) => Math.sin(i)),
      b: Float64Array.from({ length: 64 }, (_, i) => Math.cos(i)),
      c: Float64Array.from({ length: 64 }, (_, i) => Math.sin(i) + Math.cos(i)),
    })
    const assembler = new ml.VectorAssembler({ inputCols: ['a', 'b', 'c'], outputCol: 'features' })
    const features = assembler.transform(rows)
    const autoencoders = new ml.AutoEncoders({
      inputCol: 'features',
      outputCol: 'encoded',
      layers: [8, 2],
      blockSize: 8,
      numBlocks: 2,
      maxIter: 30,
    })
    const model = await autoencoders.fit(features)
    const decoded = model.transform(model.transform(features))
    const [row] = (await rowsOf(decoded.limit(1))) as unknown as { decoded: Tensor; features: Tensor }[]
    row!.decoded.values.forEach((value, i) => expect(Math.abs(value - row!.features.values[i]!)).toBeLessThan(0.5))
    // Codes are tensors by reference; plain stages take them too.
    const means = await new ml.KMeans({ k: 2, featuresCol: 'encoded' }).fit(model.transform(features))
    expect(new Set((await means.transform(model.transform(features)).toColumns()).prediction).size).toBe(2)
  })
})

describe.skipIf(!hasData('sms-spam'))('on SMS Spam (skipped where it is not)', () => {
  test('TF-IDF and a logistic regression rank held messages with an area of at least 0.97', async () => {
    const messages = await datasets.smsSpam()
    const indexed = (await new ml.StringIndexer({ inputCol: 'label', outputCol: 'spam' }).fit(messages)).transform(
      messages,
    )
    const [train, test_] = indexed.randomSplit([0.8, 0.2], { seed: 7, stratify: 'spam' })
    const spam = new ml.Pipeline({
      stages: [
        tokenizer,
        new ml.HashingTF({ inputCol: 'words', outputCol: 'counts', numFeatures: 2 ** 14 }),
        new ml.IDF({ inputCol: 'counts', outputCol: 'features' }),
        new ml.LogisticRegression({ labelCol: 'spam', regParam: 0.01 }),
      ],
    })
    const model = await spam.fit(train)
    const evaluator = new ml.BinaryClassificationEvaluator({ labelCol: 'spam' })
    const predictions = model.transform(test_)
    const { value, low, high } = await evaluator.evaluate(predictions, { bootstrap: { samples: 20, seed: 1 } })
    expect(value).toBeGreaterThanOrEqual(0.97)
    expect(low).toBeLessThan(value)
    expect(high).toBeGreaterThan(value)
    const { expectedError } = await evaluator.calibration(predictions)
    expect(expectedError).toBeLessThan(0.1)
    console.info(`areaUnderROC ${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`)
  })
})
