import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { Tensor } from '@tensorflow/tfjs-core'
import { loadTf, openEngine, withRandom } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import { augmented } from '../../../src/nn/augment/augment.js'
import { betaQuantiles } from '../../../src/nn/augment/mixing.js'
import { fills, resample, type Fill } from '../../../src/nn/augment/resample.js'
import * as nn from '../../../src/nn/index.js'
import { datasets } from '../../../src/frame/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import { recordPrograms } from '../../../src/nn/train/programs.js'
import { onEngines } from '../on-engines.js'

/** One image read at other places: the definition, a pixel at a time. */
function readAt(image: readonly number[][], y: number, x: number, fill: Fill): number {
  const place = (at: number, size: number): number => {
    if (fill === 'zeros') return at
    if (fill === 'nearest') return Math.min(size - 1, Math.max(0, at))
    const turn = (((at + 0.5) % (2 * size)) + 2 * size) % (2 * size)
    return Math.min(size - 1, Math.max(0, (turn < size ? turn : 2 * size - turn) - 0.5))
  }
  const [sy, sx] = [place(y, image.length), place(x, image[0]!.length)]
  const pixel = (row: number, column: number): number => image[row]?.[column] ?? 0
  const [y0, x0] = [Math.floor(sy), Math.floor(sx)]
  const [fy, fx] = [sy - y0, sx - x0]
  return (
    (1 - fy) * ((1 - fx) * pixel(y0, x0) + fx * pixel(y0, x0 + 1)) +
    fy * ((1 - fx) * pixel(y0 + 1, x0) + fx * pixel(y0 + 1, x0 + 1))
  )
}

const layers: readonly nn.Layer[] = [
  nn.randomFlip({ mode: 'both' }),
  nn.randomRotation({ degrees: 30 }),
  nn.randomZoom({ range: 0.3, fill: 'reflect' }),
  nn.randomTranslation({ height: 0.2, width: 0.3, fill: 'nearest' }),
  nn.randomCrop({ padding: 2 }),
  nn.randomContrast({ range: 0.5 }),
  nn.randomBrightness({ range: 0.3 }),
  nn.randomErasing({ probability: 0.7 }),
]

onEngines('augmentation', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  const images = (rows: number): Tensor =>
    tf.tensor(
      Float32Array.from({ length: rows * 48 }, (_, i) => ((i * 37) % 101) / 101),
      [rows, 6, 4, 2],
    )
  /** What layers make of images whose samples have these numbers. */
  const apply = (layer: nn.Layer, x: Tensor, rows: readonly number[], key = 5): Float32Array => {
    const [keyTensor, rowTensor] = [tf.scalar(key, 'int32'), tf.tensor1d([...rows], 'int32')]
    const y = tf.tidy(() =>
      withRandom({ key: keyTensor, rows: rowTensor }, (random) => layer.apply({ tf, random }, x, [])),
    )
    const values = y.dataSync<'float32'>()
    tf.dispose([keyTensor, rowTensor, y])
    return values
  }

  test('reads pixels where an affine map says, whatever lies beyond', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 6, maxLength: 6 }),
        fc.constantFrom(...fills),
        (numbers, fill) => {
          const [yy, yx, dy, xy, xx, dx] = numbers.map(Math.fround) as [number, number, number, number, number, number]
          const image = [...Array(5).keys()].map((row) => [...Array(3).keys()].map((column) => row * 3 + column + 1))
          const x = tf.tensor(image.flat(), [1, 5, 3, 1])
          const y = tf.tidy(() => resample(tf, x, { yy, yx, dy, xy, xx, dx }, fill))
          const values = y.dataSync()
          tf.dispose([x, y])
          for (const [i, value] of values.entries()) {
            const [row, column] = [Math.floor(i / 3) - 2, (i % 3) - 1]
            const at = [yy * row + yx * column + dy + 2, xy * row + xx * column + dx + 1] as const
            expect(value).toBeCloseTo(readAt(image, ...at, fill), 3)
          }
        },
      ),
      { seed: 1, numRuns: 60 },
    )
  })

  test('mirrors and shifts by whole pixels without changing them', () => {
    const x = images(8)
    const given = [...x.dataSync()]
    const at = (values: ArrayLike<number>, row: number, y: number, z: number): number =>
      values[row * 48 + y * 8 + z * 2] ?? 0
    const flipped = apply(nn.randomFlip(), x, [0, 1, 2, 3, 4, 5, 6, 7])
    const kept = [...Array(8).keys()].map((row) => at(flipped, row, 0, 0) === at(given, row, 0, 0))
    expect(new Set(kept).size).toBe(2)
    for (const [row, same] of kept.entries()) {
      for (let z = 0; z < 4; z++) expect(at(flipped, row, 3, z)).toBe(at(given, row, 3, same ? z : 3 - z))
    }
    const cropped = apply(nn.randomCrop({ padding: 1 }), x, [0, 1, 2, 3, 4, 5, 6, 7])
    const shifts = [...Array(8).keys()].map((row) =>
      [-1, 0, 1]
        .flatMap((dy) => [-1, 0, 1].map((dx) => [dy, dx] as const))
        .find(([dy, dx]) => at(cropped, row, 2, 1) === at(given, row, 2 + dy, 1 + dx)),
    )
    for (const shift of shifts) expect(shift).toBeDefined()
    expect(new Set(shifts.map(String)).size).toBeGreaterThan(3)
    x.dispose()
  })

  test.each(layers.map((layer) => [layer.kind, layer] as const))(
    '%s leaves images in their range, changes some, and none while inferring',
    (_, layer) => {
      const x = images(8)
      const values = apply(layer, x, [0, 1, 2, 3, 4, 5, 6, 7])
      const given = x.dataSync()
      expect(values).not.toEqual(given)
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...values)).toBeLessThanOrEqual(1)
      expect(layer.apply({ tf }, x, [])).toBe(x)
      x.dispose()
    },
  )

  test.each(layers.map((layer) => [layer.kind, layer] as const))(
    '%s gives a sample the same numbers at any place of any slice',
    (_, layer) => {
      const x = images(4)
      const [first, second] = [tf.slice(x, 0, 2), tf.slice(x, 2, 2)]
      const whole = [...apply(layer, x, [7, 3, 9, 4])]
      expect([...apply(layer, first, [7, 3]), ...apply(layer, second, [9, 4])]).toEqual(whole)
      expect([...apply(layer, x, [7, 3, 9, 4], 6)]).not.toEqual(whole)
      tf.dispose([x, first, second])
    },
  )

  const classes = 3
  const network = nn.model([nn.flatten(), nn.dense({ units: classes })], { inputShape: [6, 4, 2] })
  const objectiveOf = (augmentations: readonly nn.Augmentation[]) =>
    augmented(
      'test',
      {
        weights: network.weights,
        columns: [
          { name: 'x', dtype: 'float32', shape: [6, 4, 2] },
          { name: 'y', dtype: 'int32', shape: [] },
        ],
        loss: nn.softmaxCrossEntropy,
        metrics: [nn.accuracy],
        forward: (context, weights, [x, y]) => ({ output: applyModel(network, context, weights, x!), target: y! }),
      },
      augmentations,
      { column: 0, isBytes: false, classes },
    )

  test('is part of the compiled step, on gradients of one or several slices alike', () => {
    const weights = initialWeights(network, 1)
    const objective = objectiveOf([layers[0]!, layers[1]!, layers[5]!])
    const run = (slices: number): number[][] => {
      const { gradients } = recordPrograms(tf, objective, nn.sgd(), { weights, slots: [] }, 8 / slices)
      const program = engine.load(gradients, { slices })
      const inputs = [
        ...weights.map(({ values, shape, dtype }) => tf.tensor(values.slice(), [...shape], dtype)),
        images(8),
        tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32'),
        tf.ones([8]),
        tf.tensor1d([0, 1, 2, 3, 4, 5, 6, 7], 'int32'),
        tf.scalar(1 / 8),
        tf.scalar(9, 'int32'),
      ]
      const outputs = program.run(inputs)
      const values = outputs.map((tensor) => [...tensor.dataSync()])
      tf.dispose([...inputs, ...outputs])
      program.dispose()
      return values
    }
    const [one, two] = [run(1), run(2)]
    for (const [i, values] of one.entries()) {
      for (const [k, value] of values.entries()) expect(two[i]![k]).toBeCloseTo(value, 5)
    }
  })

  test.each([nn.mixUp({ alpha: 1 }), nn.cutMix({ alpha: 1 })])(
    'mixes labels as it mixes samples, and nothing with rows that fill up: $kind',
    (mix) => {
      const labels = [0, 1, 2, 0]
      const x = tf.tensor(
        labels.flatMap((label) => Array<number>(48).fill(label === 0 ? 0 : label)),
        [4, 6, 4, 2],
      )
      const [y, mask] = [tf.tensor1d(labels, 'int32'), tf.tensor1d([1, 1, 1, 0])]
      const [key, rows, share] = [tf.scalar(3, 'int32'), tf.tensor1d([0, 1, 2, 3], 'int32'), tf.scalar(1)]
      let seen: Tensor | undefined
      const objective = augmented(
        'test',
        {
          ...objectiveOf([]),
          forward: (_, __, [samples, target]) => {
            seen = samples!
            return { output: samples!, target: target! }
          },
        },
        [mix],
        { column: 0, isBytes: false, classes },
      )
      tf.tidy(() => {
        const { target } = withRandom({ key, rows }, (random) =>
          objective.forward({ tf, random, training: { mask, share } }, [], [x, y]),
        )
        const shares = target.arraySync() as number[][]
        const means = tf.mean(tf.reshape(seen!, [4, 48]), 1).arraySync() as number[]
        for (const own of shares) expect(own.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
        // Samples are as bright as their label says, so the mixed one is as its shares say.
        for (const [row, own] of shares.entries()) expect(means[row]).toBeCloseTo(own[1]! + 2 * own[2]!, 4)
        expect(shares[0]).toEqual([1, 0, 0])
        expect(shares.slice(1, 3).some((own) => own[1]! > 0 && own[2]! > 0)).toBe(true)
      })
      tf.dispose([x, y, mask, key, rows, share])
    },
  )
})

test.each([0.1, 0.4, 1, 3])('quantiles have the mean and variance of the beta distribution: alpha %d', (alpha) => {
  const values = betaQuantiles('test', alpha)
  const mean = values.reduce((a, b) => a + b) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  expect(mean).toBeCloseTo(0.5, 5)
  expect(variance).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 3)
})

test('refuses augmentations that cannot be one', () => {
  const objective = {
    weights: [],
    columns: [{ name: 'x', dtype: 'float32' as const, shape: [4, 4, 1] }],
    loss: nn.halfSquaredError,
    metrics: [],
    forward: () => {
      throw new Error('never runs')
    },
  }
  const build = (augmentation: unknown): unknown =>
    augmented('CNNClassifier', objective, [augmentation as nn.Layer], { column: 0, isBytes: true })
  expect(() => build(nn.maxPooling2d())).toThrow(
    'CNNClassifier: expected augmentations that leave [4, 4, 1] as it is and have no weights, got "pool1".',
  )
  expect(() => build(nn.mixUp())).toThrow('CNNClassifier: expected augmentations of samples without labels, got mixUp.')
  expect(() => build('flip')).toThrow('CNNClassifier: expected augment to hold layers and mixes, got')
  expect(() => nn.randomZoom({ range: 1 })).toThrow('nn.randomZoom: expected range')
  expect(() => nn.mixUp({ alpha: 0 })).toThrow('nn.mixUp: expected alpha')
})

test('copies of images are rows with their labels, the same for a seed, each in another way', async () => {
  await openEngine('wasm')
  const glyphs = (await datasets.glyphs({ rows: 6, seed: 1 })).cache()
  const make = async (seed: number): Promise<{ image: ArrayLike<unknown>; label: number }[]> => {
    const made = await ml.augment(glyphs, {
      inputCol: 'image',
      augment: [nn.randomRotation({ degrees: 20 })],
      copies: 2,
      seed,
    })
    return (await made.toRows()).map(({ image, label }) => ({ image: image.values as ArrayLike<unknown>, label }))
  }
  const rows = await make(1)
  expect(rows.map(({ label }) => label)).toEqual(
    [...(await glyphs.toRows()), ...(await glyphs.toRows())].map(({ label }) => label),
  )
  expect(rows[0]!.image).not.toEqual(rows[6]!.image)
  expect(await make(1)).toEqual(rows)
  expect(await make(2)).not.toEqual(rows)
})
