/** Data that cannot be learnt from: each is an error that says what and where, and what there was before is as it was. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadTf } from '../../../src/engine/index.js'
import { frame } from '../../../src/frame/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { onEngines } from '../on-engines.js'
import { openEngine } from '../../../src/engine/index.js'
import { draw } from './small-data.js'

const side = 6
const shape = [side, side, 1] as const

/** Images that are bright above or below, which the label tells; what `change` makes of them. */
function images(rows: number, change: (values: Float32Array, label: Int32Array) => void = () => {}) {
  const label = Int32Array.from({ length: rows }, (_, row) => row % 2)
  const values = Float32Array.from({ length: rows * side * side }, (_, i) => {
    const row = Math.floor(i / (side * side))
    const isAbove = i % (side * side) < (side * side) / 2
    return 0.3 * draw(1, i) + (isAbove === (label[row] === 1) ? 0.7 : 0)
  })
  change(values, label)
  return frame({ image: { shape: [rows, ...shape] as const, dtype: 'float32', values }, label })
}
type Images = ReturnType<typeof images>

const options = { inputCol: 'image', maxIter: 2, batchSize: 16, seed: 3 } as const
const good = images(64)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardbook-bad-'))
})
afterAll(async () => rm(folder, { recursive: true, force: true }))

const picture = (height: number) => ({
  shape: [height, side, 1],
  dtype: 'float32' as const,
  values: new Float32Array(height * side),
})

/** What is tried, and what is said of it. */
const attempts: readonly (readonly [
  string,
  (estimator: ml.CNNClassifier<'image'>, path: string) => PromiseLike<unknown>,
  RegExp,
])[] = [
  [
    'a feature that is not a number',
    (cnn) => cnn.fit(images(64, (values) => values.fill(NaN, 40, 41))),
    /'image', got NaN in row 1\b/,
  ],
  [
    'an infinite feature',
    (cnn) => cnn.fit(images(64, (values) => values.fill(-Infinity, 75, 76))),
    /'image', got -Infinity in row 2\b/,
  ],
  [
    'a feature that is not a number, to validate with',
    (cnn) => cnn.fit(good, { validation: images(8, (values) => values.fill(NaN, 0, 1)) }),
    /'image', got NaN in row 0\b/,
  ],
  [
    'a single class',
    (cnn) => cnn.fit(images(64, (_, label) => label.fill(1))),
    /at least two classes in 'label', got 1 in all 64 rows/,
  ],
  ['an empty frame', (cnn) => cnn.fit(images(0)), /got an empty frame/],
  [
    'a label below zero',
    (cnn) => cnn.fit(images(64, (_, label) => label.fill(-2, 5, 6))),
    /class numbers 0, 1, 2, ..., got -2/,
  ],
  [
    'a class to validate with that training does not know',
    (cnn) => cnn.fit(good, { validation: images(8, (_, label) => label.fill(7, 3, 4)) }),
    /validation labels below 2.*got 7/,
  ],
  [
    'images of mixed sizes',
    async (cnn) =>
      cnn.fit(
        frame([
          { image: picture(6), label: 0 },
          { image: picture(5), label: 1 },
        ]) as unknown as Images,
      ),
    /expected tensor \[6, 6, 1\] float32 in 'image' \(row 1\), got tensor \[5, 6, 1\] float32/,
  ],
  [
    'images of another size to validate with',
    async (cnn) => cnn.fit(good, { validation: frame([{ image: picture(5), label: 0 }]) as unknown as Images }),
    /'image' to hold tensors of shape \[6, 6, 1\], got tensor \[5, 6, 1\]/,
  ],
  [
    'a batch larger than the data',
    (cnn) => cnn.copy({ batchSize: 65 }).fit(good),
    /no larger than the data, which has 64 rows, got 65 rows a batch/,
  ],
  [
    "another model's checkpoint",
    (cnn, path) => cnn.copy({ layers: [nn.flatten(), nn.dense({ units: 2 })] }).fit(good, { resume: path }),
    /expected a checkpoint with weights of shapes \[36, 2\].*It is of another training/,
  ],
]

onEngines('after', (name) => {
  let before: {
    predictions: unknown
    files: unknown
    model: ml.ClassifierModel<'image', 'prediction', 'rawPrediction', never>
  }
  const cnn = new ml.CNNClassifier(options)
  const path = (): string => join(folder, name)
  const filesIn = async (at: string) =>
    Promise.all(
      (await readdir(at)).toSorted().map(async (file) => [file, (await readFile(join(at, file))).toString('base64')]),
    )
  const predictionsOf = async (model: typeof before.model) => model.transform(images(10)).toRows()

  beforeAll(async () => {
    await openEngine(name)
    const model = await cnn.fit(good, { checkpoint: { path: path(), everySteps: 4 } })
    before = { model, predictions: await predictionsOf(model), files: await filesIn(path()) }
  })

  test.each(attempts)(
    '%s: the error says so; model, checkpoints and estimator are as before',
    async (_, attempt, message) => {
      const tensors = (await loadTf()).memory().numTensors
      await expect((async () => attempt(cnn, path()))()).rejects.toThrow(message)
      expect((await loadTf()).memory().numTensors).toBe(tensors)
      expect(await predictionsOf(before.model)).toEqual(before.predictions)
      expect(await filesIn(path())).toEqual(before.files)
      expect(await predictionsOf(await cnn.fit(good))).toEqual(before.predictions)
    },
  )

  test('bad rows in transform: what was predicted before is predicted again', async () => {
    const bad = images(10, (values) => values.fill(NaN, 0, 1))
    await expect(before.model.transform(bad).toRows()).rejects.toThrow(/'image', got NaN in row 0/)
    expect(await predictionsOf(before.model)).toEqual(before.predictions)
  })
})
