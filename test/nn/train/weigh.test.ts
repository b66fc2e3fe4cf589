import { beforeAll, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import * as nn from '../../../src/nn/index.js'
import { recordPrograms } from '../../../src/nn/train/programs.js'
import type { Objective } from '../../../src/nn/train/programs.js'
import type { TrainingOptions } from '../../../src/nn/train/options.js'
import { weighObjective } from '../../../src/nn/train/weigh.js'
import { onEngines } from '../on-engines.js'
import { fitBars } from './fixture.js'

const x = [
  [1, 2],
  [-1, 0.5],
  [3, -2],
  [0.3, 0.7],
]
const y = [0, 2, 1, 2]
const weight = [1, 3, 0.5, 0]
const kernel = [
  [0.5, -1, 0.25],
  [1, 2, -0.75],
]
const bias = [0.1, 0, -0.2]

/** Softmax regression of two numbers to three classes, by hand: the mean loss of the rows under the options. */
function expected({
  rows = () => 1,
  smoothing = 0,
  penalty = 0,
}: {
  rows?: (row: number) => number
  smoothing?: number
  penalty?: number
}) {
  const losses = x.map(([a, b], row) => {
    const logits = bias.map((c, k) => a! * kernel[0]![k]! + b! * kernel[1]![k]! + c)
    const total = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0))
    return (
      rows(row) *
      logits.reduce((sum, z, k) => {
        const target = (k === y[row] ? 1 - smoothing : 0) + smoothing / 3
        return sum + target * (total - z)
      }, 0)
    )
  })
  return losses.reduce((a, b) => a + b, 0) / 4 + penalty
}
const sum = (f: (w: number) => number) => kernel.flat().reduce((total, w) => total + f(w), 0)

onEngines('options of learning', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  const objective: Objective = {
    weights: [
      { name: 'kernel', shape: [2, 3], initial: { kind: 'zeros' } },
      { name: 'bias', shape: [3], initial: { kind: 'zeros' } },
    ],
    columns: [
      { name: 'x', dtype: 'float32', shape: [2] },
      { name: 'y', dtype: 'int32', shape: [] },
    ],
    loss: nn.softmaxCrossEntropy,
    metrics: [],
    forward: (context, [w, b], [input, label]) => ({
      output: context.tf.add(context.tf.matMul(input as never, w as never), b!),
      target: label!,
    }),
  }

  /** Loss while training and validating, and gradients, with two slices of two rows and one that only fills up. */
  function run(options: TrainingOptions, w = kernel) {
    const rows = 3
    const weighed = weighObjective('Test', objective, options)
    const programs = recordPrograms(tf, weighed, nn.sgd(), { weights: [], slots: [] }, rows)
    const fill = <T>(list: readonly T[], zero: T): T[] => [...list.slice(0, 2), zero, ...list.slice(2), zero]
    const columns = [
      tf.tensor2d(fill(x, [0, 0])),
      tf.tensor1d(fill(y, 0), 'int32'),
      ...(options.weightCol === undefined ? [] : [tf.tensor1d(fill(weight, 0))]),
    ]
    const state = [tf.tensor2d(w), tf.tensor1d(bias)]
    const rowWeight = tf.tensor1d([1, 1, 0, 1, 1, 0])
    const shared = [tf.zeros([6], 'int32'), tf.scalar(1 / 4), tf.scalar(0, 'int32')]
    const [loss, ...gradients] = engine
      .load(programs.gradients, { slices: 2 })
      .run([...state, ...columns, rowWeight, ...shared])
    const [told] = engine.load(programs.evaluate, { slices: 2 }).run([...state, ...columns, rowWeight])
    return {
      loss: loss!.dataSync()[0]!,
      told: told!.dataSync()[0]! / 4,
      gradients: gradients.map((g) => [...g.dataSync()]),
    }
  }

  test.each<[string, TrainingOptions, Parameters<typeof expected>[0]]>([
    ['nothing', {}, {}],
    ['row weights', { weightCol: 'weight' }, { rows: (row) => weight[row]! }],
    ['smoothed labels', { labelSmoothing: 0.2 }, { smoothing: 0.2 }],
    ['L2', { regParam: 0.3 }, { penalty: 0.3 * 0.5 * sum((w) => w * w) }],
    ['L1', { regParam: 0.3, elasticNetParam: 1 }, { penalty: 0.3 * sum(Math.abs) }],
    [
      'an elastic net',
      { regParam: 0.3, elasticNetParam: 0.25 },
      { penalty: 0.3 * (0.25 * sum(Math.abs) + (0.75 / 2) * sum((w) => w * w)) },
    ],
    [
      'all together',
      { weightCol: 'weight', labelSmoothing: 0.1, regParam: 0.1 },
      { rows: (row) => weight[row]!, smoothing: 0.1, penalty: 0.05 * sum((w) => w * w) },
    ],
  ])('%s: the loss is that of the formula, while training and validating', (_, options, parts) => {
    const { loss, told } = run(options)
    expect(loss).toBeCloseTo(expected(parts), 5)
    expect(told).toBeCloseTo(expected(parts), 5)
  })

  test('class weights count while training, and not while validating', () => {
    const { loss, told } = run({ classWeights: { 0: 2, 1: 0.5 } })
    expect(loss).toBeCloseTo(expected({ rows: (row) => [2, 0.5, 1][y[row]!]! }), 5)
    expect(told).toBeCloseTo(expected({}), 5)
  })

  test('gradients are those of the loss, by finite differences', () => {
    const options = {
      weightCol: 'weight',
      labelSmoothing: 0.1,
      regParam: 0.2,
      elasticNetParam: 0.5,
      classWeights: { 2: 3 },
    }
    const { gradients } = run(options)
    const h = 1e-2
    for (const [i, row] of kernel.entries()) {
      for (const j of row.keys()) {
        const at = (delta: number) =>
          run(
            options,
            kernel.map((r, a) => r.map((w, b) => (a === i && b === j ? w + delta : w))),
          ).loss
        expect((at(h) - at(-h)) / (2 * h)).toBeCloseTo(gradients[0]![i * 3 + j]!, 2)
      }
    }
  })

  test('each changes what is learned, and the weights of rows come from their column', async () => {
    const learned = async (...args: Parameters<typeof fitBars>) => (await fitBars(...args)).weights[0]!.values
    const plain = await learned()
    for (const options of [
      { labelSmoothing: 0.3 },
      { regParam: 0.1 },
      { regParam: 0.1, elasticNetParam: 1 },
      { classWeights: { 1: 5 } },
      { optimiser: nn.lion() },
      { schedule: nn.constant(0.001) },
    ] satisfies TrainingOptions[]) {
      expect(await learned(options)).not.toEqual(plain)
    }
    expect(await learned({ weightCol: 'weight' })).toEqual(plain)
    // Rows of weight 0 are as if they were not there, but for the size of batches.
    const half = await learned({ weightCol: 'weight' }, { weights: (row) => (row < 35 ? 2 : 0) })
    expect(half).not.toEqual(plain)
  })
})

test('L1 drives weights to nothing where L2 only makes them small', async () => {
  await openEngine('wasm')
  const layers = [nn.flatten(), nn.dense({ units: 3 })]
  const small = async (elasticNetParam: number) => {
    const { weights } = await fitBars(
      { regParam: 0.05, elasticNetParam, schedule: nn.cosine(0.01) },
      { epochs: 40, layers },
    )
    return weights[0]!.values.filter((w) => Math.abs(w) < 2e-3).length
  }
  const [l2, l1] = [await small(0), await small(1)]
  expect(l1).toBeGreaterThan(2 * l2)
})

test('metrics besides its own are told for the data to train on and to validate', async () => {
  await openEngine('wasm')
  const training = fitBars({ metrics: [nn.f1(), nn.topKAccuracy({ k: 2 })] }, { epochs: 3, validation: true })
  await training
  for (const row of training.history) {
    for (const metric of ['f1', 'validationF1', 'top2Accuracy', 'validationTop2Accuracy']) {
      expect(row[metric]).toBeGreaterThan(0)
      expect(row[metric]).toBeLessThanOrEqual(1)
    }
  }
})

test('options that do not fit are errors that say so', async () => {
  await openEngine('wasm')
  expect(() => fitBars({ regParam: -1 })).toThrow(/Bars: expected regParam/)
  expect(() => fitBars({ elasticNetParam: 2 })).toThrow(/Bars: expected elasticNetParam/)
  expect(() => fitBars({ labelSmoothing: 1 })).toThrow(/Bars: expected labelSmoothing/)
  expect(() => fitBars({ classWeights: { 1: -2 } })).toThrow(/expected classWeights\[1\]/)
  expect(() => fitBars({ metrics: [nn.f1(), nn.f1()] })).toThrow(/metrics of different names, got "f1" twice/)
  expect(() => fitBars({}, { checkpoint: { path: '' } })).toThrow(/Bars.fit: expected checkpoint.path to be a folder/)
  expect(() => fitBars({}, { checkpoint: { path: 'a', everySteps: 1, everyEpochs: 1 } })).toThrow(/got both/)
  expect(() => fitBars({}, { backup: 'a', resume: 'b' })).toThrow(/expected backup alone/)
  await expect(fitBars({ classWeights: 'balanced' })).rejects.toThrow(
    "expected classes to learn for classWeights 'balanced', got none",
  )
  await expect(fitBars({ metrics: [nn.accuracy] })).rejects.toThrow(/expected metrics besides its own \(accuracy\)/)
  await expect(fitBars({ weightCol: 'wieght' })).rejects.toThrow(/weight/)
})
