import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import { frame } from '../../../src/frame/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { bars } from '../train/fixture.js'

let folder: string
beforeAll(async () => {
  await openEngine('wasm')
  folder = await mkdtemp(join(tmpdir(), 'shardbook-models-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

const train = bars(240)
const test_ = bars(301, 2)

describe('CNNClassifier', () => {
  test('learns, predicts in row order, explains itself, and is the same after save and load', async () => {
    const cnn = new ml.CNNClassifier({
      inputCol: 'image',
      maxIter: 12,
      batchSize: 16,
      rawPrediction: true,
      probabilityCol: 'p',
    })
    const model = await cnn.fit(train)
    const predictions = model.transform(test_)
    const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
    expect(await evaluator.evaluate(predictions)).toBeGreaterThan(0.9)

    const rows = (await predictions.toRows()) as unknown as Record<'rawPrediction' | 'p', { values: Float32Array }>[]
    const labels = await predictions.toColumns()
    for (const [i, row] of rows.entries()) {
      const raw = [...row.rawPrediction.values]
      expect(raw.indexOf(Math.max(...raw))).toBe(labels.prediction[i])
      expect(row.p.values.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    }

    const activations = await model.activations(test_.limit(5), { layer: 'conv1' })
    expect(activations.shape).toEqual([5, 8, 8, 16])
    expect(Math.min(...activations.values)).toBe(0) // after relu, not pooled ahead of it
    expect(activations.input.shape).toEqual([5, 8, 8, 1])
    expect(model.filters({ layer: 'conv2' }).shape).toEqual([3, 3, 16, 32])
    expect(String(model.summary())).toContain('conv2')

    await model.save(join(folder, 'cnn'))
    const again = await ml.load(join(folder, 'cnn'), 'CNNClassifierModel')
    expect(await again.transform(test_).toRows()).toEqual(await predictions.toRows())
  })

  test('takes networks of the user, and says when they do not end in the classes', async () => {
    const layers = [nn.flatten(), nn.dense({ units: 3 })]
    const fit = async (options: Partial<ml.CNNClassifierOptions>) =>
      new ml.CNNClassifier({ inputCol: 'image', maxIter: 1, batchSize: 60, ...options }).fit(train)
    const model = await fit({ layers })
    expect(model.network.layers.map(({ name }) => name)).toEqual(['rescale', 'flatten1', 'dense1'])
    const built = await fit({ layers: nn.model(layers, { inputShape: [8, 8, 1] }) })
    expect(built.network.layers.map(({ name }) => name)).toEqual(['rescale', 'flatten1', 'dense1'])
    await expect(fit({ layers: [nn.flatten(), nn.dense({ units: 7 })] })).rejects.toThrow(
      /one number a class, got \[7\].*units: 3/,
    )
    await expect(fit({ layers: [nn.flatten(), nn.dense({ units: 3, activation: 'softmax' })] })).rejects.toThrow(
      /softmax/,
    )
  })

  test('names a missing column, the nearest one, and columns of another type, before anything runs', () => {
    const cnn = (options: Partial<ml.CNNClassifierOptions>) => new ml.CNNClassifier({ inputCol: 'image', ...options })
    expect(() => cnn({ labelCol: 'labell' }).fit(train)).toThrow(
      /CNNClassifier\.fit: there is no column 'labell'.*Did you mean 'label'/,
    )
    expect(() => cnn({ inputCol: 'label' }).fit(train)).toThrow(/expected 'label' to hold tensors/)
    expect(() => cnn({ labelCol: 'image' }).fit(train)).toThrow(/expected 'image' to hold class numbers/)
    const words = frame({
      image: { shape: [2, 8, 8, 1] as const, dtype: 'uint8', values: new Uint8Array(128) },
      word: ['a', 'b'],
    })
    expect(() => cnn({ labelCol: 'word' }).fit(words)).toThrow(/Give each class a number/)
    expect(() => cnn({}).fit(train, { validation: train.drop('label') as unknown as typeof train })).toThrow(
      /no column 'label'/,
    )
  })

  test('refuses labels that are no classes, empty frames and options out of range', async () => {
    const image = { shape: [2, 8, 8, 1] as const, dtype: 'uint8' as const, values: new Uint8Array(128) }
    const cnn = new ml.CNNClassifier({ inputCol: 'image', maxIter: 1 })
    await expect(cnn.fit(frame({ image, label: [0, 1.5] }))).rejects.toThrow(
      /expected 'label' to hold class numbers 0, 1, 2, ..., got 1.5/,
    )
    await expect(cnn.fit(frame({ image, label: [0, -1] }))).rejects.toThrow(/got -1/)
    await expect(cnn.fit(bars(10), { validation: frame({ image, label: [0, 9] }) as never })).rejects.toThrow(
      /labels below 3.*got 9/,
    )
    await expect(cnn.fit(bars(0))).rejects.toThrow(/empty frame/)
    expect(() => new ml.CNNClassifier({ inputCol: 'image', maxIter: 0 })).toThrow(/maxIter/)
    expect(() => new ml.CNNClassifier({ inputCol: 'image', batchSize: 10, slices: 3 })).toThrow(/slices to divide/)
    expect(() => new ml.CNNClassifier({ inputCol: 'image', outputCol: 'a', predictionCol: 'b' as 'a' })).toThrow(
      /got both/,
    )
  })

  test('transform asks for images of the shape that was trained on', async () => {
    const model = await new ml.CNNClassifier({ inputCol: 'image', maxIter: 1, batchSize: 240 }).fit(train)
    const larger = frame({ image: { shape: [1, 9, 9, 1] as const, dtype: 'uint8', values: new Uint8Array(81) } })
    expect(() => model.transform(larger)).toThrow(
      /expected 'image' to hold tensors of shape \[8, 8, 1\], got tensor \[9, 9, 1\]/,
    )
    await expect(model.activations(test_, { layer: 'conv3' })).rejects.toThrow(/conv1, pool1.*Did you mean "conv1"/)
  })
})

describe('AutoEncoders', () => {
  test('learns a code; transform encodes, and decodes what is encoded', async () => {
    const ae = new ml.AutoEncoders({
      inputCol: 'image',
      outputCol: 'code',
      layers: [32, 8],
      blockSize: 8,
      numBlocks: 2,
      maxIter: 20,
    })
    const training = ae.fit(train, { validation: test_ })
    const model = await training
    const losses = training.history.map(({ validationLoss }) => validationLoss!)
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!)

    const encoded = model.transform(test_)
    expect((await encoded.limit(1).toRows())[0]!.code.shape).toEqual([8])
    const [direct] = await model.decode(encoded).limit(1).toRows()
    const [decoded] = await model.transform(encoded).limit(1).toRows()
    const [whole] = await model.reconstruct(test_).limit(1).toRows()
    expect((decoded as { decoded?: unknown }).decoded).toEqual(direct!.decoded)
    expect(whole!.reconstruction.shape).toEqual([8, 8, 1])
    expect([...whole!.reconstruction.values]).toEqual([...direct!.decoded.values])

    // The loss is 1/2N sum |y - x|^2 over [0, 1].
    const { input, output } = await model.reconstructions(test_)
    expect(Math.max(...input.values)).toBeLessThanOrEqual(1)
    const squares = Array.from(input.values).reduce((sum, x, i) => sum + (output.values[i]! - x) ** 2, 0)
    expect(squares / (2 * 301)).toBeCloseTo(losses.at(-1)!, 3)

    await model.save(join(folder, 'ae'))
    const again = await ml.load(join(folder, 'ae'), 'AutoEncodersModel')
    expect(await again.transform(test_).toRows()).toEqual(await encoded.toRows())
  })

  test('takes vectors of any range by a linear output', async () => {
    const values = Float32Array.from({ length: 200 * 4 }, (_, i) => 10 * Math.sin(Math.floor(i / 4)) + (i % 4))
    const points = frame({ features: { shape: [200, 4] as const, dtype: 'float32', values } })
    const training = new ml.AutoEncoders({ inputCol: 'features', layers: [8, 1], maxIter: 40, stepSize: 0.02 }).fit(
      points,
    )
    await training
    expect(training.history.at(-1)!.loss).toBeLessThan(0.2 * training.history[0]!.loss)
  })

  test('refuses layers that are no sizes and columns that are no tensors', () => {
    expect(() => new ml.AutoEncoders({ inputCol: 'image', layers: [] })).toThrow(/layers/)
    expect(() => new ml.AutoEncoders({ inputCol: 'image', layers: [0.5] })).toThrow(/layers/)
    expect(() => new ml.AutoEncoders({ inputCol: 'label' }).fit(train as never)).toThrow(
      /expected 'label' to hold tensors/,
    )
  })
})

describe('saved models', () => {
  test('a flipped byte, a missing file and another format are errors', async () => {
    const path = join(folder, 'damaged')
    const model = await new ml.AutoEncoders({ inputCol: 'image', layers: [2], maxIter: 1 }).fit(train)
    await model.save(path)
    const weights = join(
      path,
      (await readdir(path)).find((name) => name.endsWith('.safetensors'))!,
    )
    const bytes = await readFile(weights)
    bytes[bytes.length - 3]! ^= 1
    await writeFile(weights, bytes)
    await expect(ml.load(path)).rejects.toThrow(/damaged/)
    await expect(ml.load(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'io' })
    await writeFile(join(path, 'model.json'), '{"format":"other"}')
    await expect(ml.load(path)).rejects.toThrow(/format version 1/)
    await writeFile(join(path, 'model.json'), 'oops')
    await expect(ml.load(path)).rejects.toThrow(/to be JSON/)
  })

  test.each([
    { stages: ['.'] },
    { stages: ['stages/00-Tokenizer', '../elsewhere'] },
    { stages: ['/tmp'] },
    { stages: [7] },
    { stages: 'stages/00-Tokenizer' },
    { weights: { file: '../../secret', sha256: '' } },
    { weights: { file: 'weights-0123456789abcdef.safetensors/../../x', sha256: '' } },
  ])('a model that names files beyond its folder is refused: %j', async (named) => {
    const path = join(folder, 'beyond')
    await mkdir(path, { recursive: true })
    const metadata = { format: 'shardbook-model', version: 1, kind: 'PipelineModel', params: {}, ...named }
    await writeFile(join(path, 'model.json'), JSON.stringify(metadata))
    await expect(ml.load(path)).rejects.toThrow(/to name files of its own folder/)
  })

  test('saving over a model leaves one', async () => {
    const path = join(folder, 'twice')
    const save = async (seed: number) =>
      (await new ml.AutoEncoders({ inputCol: 'image', layers: [2], maxIter: 1, seed }).fit(train)).save(path)
    await save(1)
    await save(2)
    expect(await readdir(path)).toHaveLength(2)
    expect((await ml.load(path, 'AutoEncodersModel')).weights).toHaveLength(4)
  })
})

/** Never run: each line must be accepted or refused by the compiler. */
export async function types() {
  const cnn = new ml.CNNClassifier({ inputCol: 'image', outputCol: 'digit' })
  const model = await cnn.fit(train)
  const rows = await model.transform(test_).toRows()
  rows[0]!.digit satisfies number
  // @ts-expect-error there is no such column
  rows[0]!.prediction.toFixed()
  // @ts-expect-error the frame has no column 'label'
  await cnn.fit(train.drop('label'))
  // @ts-expect-error the column holds numbers
  await new ml.CNNClassifier({ inputCol: 'label' }).fit(train)
  // @ts-expect-error the column holds tensors
  await new ml.CNNClassifier({ inputCol: 'image', labelCol: 'image' }).fit(train)
  // @ts-expect-error the frame has no column 'prediction'
  await new ml.MulticlassClassificationEvaluator().evaluate(train)
  const code = await new ml.AutoEncoders({ inputCol: 'image', outputCol: 'code' }).fit(train)
  const encoded = code.transform(train)
  ;(await encoded.toRows())[0]!.code.values satisfies ArrayLike<number>
  ;(await code.transform(encoded).toRows())[0]!.decoded.values satisfies ArrayLike<number>
}
