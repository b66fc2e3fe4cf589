import { beforeAll, expect, test } from 'vitest'
import { displaySymbol } from '../../../src/core/display.js'
import { openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { bars, fitBars } from './fixture.js'

beforeAll(async () => void (await openEngine('wasm')))

const estimator = (training: Parameters<typeof fitBars>[0] = {}) => ({
  fit: (_: object, options: Parameters<typeof fitBars>[1]) => fitBars(training, options),
})

test('suggests a rate at which the loss falls, from a curve that ends where it bursts', async () => {
  const curve = await nn.findLearningRate(estimator({ optimiser: nn.sgd() }), {}, { from: 1e-5, to: 1e5, steps: 120 })
  expect(curve.losses.length).toBe(curve.rates.length)
  expect(curve.losses.length).toBeLessThan(120)
  expect(curve.suggestion).toBeGreaterThan(1e-3)
  expect(curve.suggestion).toBeLessThan(10)
  const bundle = await curve[displaySymbol]()
  expect(bundle).toHaveProperty(['image/png'])
  expect(String(bundle['text/plain'])).toMatch(/loss falls at \d/)
})

test('a rate that it suggests trains better than one far below and one far above', async () => {
  const { suggestion } = await nn.findLearningRate(estimator(), {}, { from: 1e-6, to: 10, steps: 80 })
  const loss = async (rate: number) => {
    const training = fitBars({ schedule: nn.constant(rate) }, { epochs: 4 })
    await training
    return training.history.at(-1)!.loss
  }
  const found = await loss(suggestion)
  expect(found).toBeLessThan(await loss(suggestion / 300))
  expect(found).toBeLessThan(await loss(suggestion * 300))
})

test('takes an estimator and its frame', async () => {
  const cnn = new ml.CNNClassifier({ inputCol: 'image', batchSize: 16 })
  const { rates, suggestion } = await nn.findLearningRate(cnn, bars(64), { steps: 12 })
  expect(rates).toContain(suggestion)
})

test('refuses rates that do not rise', async () => {
  await expect(nn.findLearningRate(estimator(), {}, { from: 1, to: 1 })).rejects.toThrow(/expected to to be/)
})

test('a profile says where the time of a step goes', async () => {
  const training = fitBars({}, { profile: true })
  await training
  const { phases, steps, inputShare } = training.profile
  expect(steps).toBe(19)
  expect(Object.keys(phases)).toEqual([
    'read rows',
    'copy in',
    'compute gradients',
    'add up over workers',
    'update weights',
    'the rest',
    'step',
  ])
  const sum = Object.entries(phases).reduce((total, [name, ms]) => (name === 'step' ? total : total + ms), 0)
  expect(sum).toBeCloseTo(phases['step']!, 6)
  expect(inputShare).toBeGreaterThan(0)
  expect(inputShare).toBeLessThan(1)
  expect(String(training.profile)).toMatch(/phase +ms a step +share\n.*compute gradients/s)
  const overlapped = fitBars()
  await overlapped
  expect(Object.keys(overlapped.profile.phases)).toEqual(['input', 'add up over workers', 'the rest', 'step'])
})
