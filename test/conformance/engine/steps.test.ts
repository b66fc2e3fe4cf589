/** Training steps that keep their state: the same on every engine. */
import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { type Engine, record } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { onAllEngines } from '../../nn/on-engines.js'
import { type Tf } from './engines.js'
import { openForTests } from './setup.js'

onAllEngines('training steps', (name) => {
  let engine: Engine
  let tf: Tf
  openForTests(name, (opened) => ({ engine, tf } = opened))

  const rows = 8
  /** A linear model of two weights under an optimiser; slices of two rows. */
  function traces(optimiser: nn.Optimiser) {
    const weights = [tf.tensor2d([[0.1], [-0.2], [0.3]]), tf.tensor1d([0.5])]
    const x = tf.tensor2d(new Float32Array(6), [2, 3])
    const rate = tf.scalar(0)
    const gradients = record(
      [...weights.map((tensor, i) => ({ name: `w${i}`, tensor, split: false })), { name: 'x', tensor: x, split: true }],
      () => {
        const loss = (w: Tensor, b: Tensor): Scalar => tf.sum(tf.square(tf.sub(tf.add(tf.matMul(x, w), b), 1)))
        const { value, grads } = tf.valueAndGrads(loss)(weights)
        const outputs = [{ name: 'loss', tensor: value }, ...grads.map((tensor, i) => ({ name: `g${i}`, tensor }))]
        return outputs.map((output) => ({ ...output, merge: 'sum' as const }))
      },
    )
    const start = weights.map((tensor) => ({
      shape: tensor.shape,
      dtype: 'float32' as const,
      values: tensor.dataSync<'float32'>().slice(),
    }))
    const slots = optimiser.init(start).map(({ values, shape }) => tf.tensor(values, [...shape]))
    const steps = tf.scalar(0)
    const given = weights.map((tensor) => tf.fill(tensor.shape, 0.25))
    const update = record(
      [...weights, ...slots, ...given, rate, steps].map((tensor, i) => ({ name: `i${i}`, tensor, split: false })),
      () => {
        const next = optimiser.update(tf, { weights, slots, gradients: given, learningRate: rate, step: steps })
        return [...next.weights, ...next.slots].map((tensor, i) => ({ name: `o${i}`, tensor, merge: 'sum' }))
      },
    )
    const state = [...weights, ...slots]
    return { traces: { gradients, update, reads: 2, results: 1 }, state }
  }
  const batch = (seed: number): Tensor2D => tf.randomUniform([rows, 3], -1, 1, 'float32', seed)
  const values = (tensors: readonly Tensor[]): number[] => tensors.flatMap((tensor) => Array.from(tensor.dataSync()))

  test.each([
    ['adam', nn.adam()],
    ['adamw', nn.adamw({ weightDecay: 0.1 })],
    ['adam within others', nn.accumulate(nn.clip(nn.adam(), { globalNorm: 0.5 }), { steps: 2 })],
    ['a moving average of adam', nn.movingAverage(nn.adam(), { decay: 0.5 })],
    ['sgd', nn.sgd()],
    ['sgd with momentum', nn.sgd({ momentum: 0.9 })],
  ])('%s: a step at once is gradients and their application, one after the other', (_, optimiser) => {
    const { traces: both, state } = traces(optimiser)
    const apart = engine.loadStep(both, { slices: rows / 2 })
    const atOnce = engine.loadStep(both, { slices: rows / 2 })
    apart.restore(state)
    atOnce.restore(state)
    const update = engine.load(both.update)
    let expected: Tensor[] = state
    for (let i = 0; i < 4; i++) {
      const scalars = [tf.scalar(0.1), tf.scalar(i + 1)]
      const [loss, ...gradients] = apart.gradients([batch(i)])
      expected = update.run([...expected, ...gradients, ...scalars])
      apart.update([...gradients, ...scalars])
      expect(values(atOnce.run([batch(i), ...scalars]))).toEqual(values([loss!]))
    }
    expect(values(atOnce.state())).toEqual(values(apart.state()))
    expect(values(atOnce.state())).toEqual(values(expected))
    expect(values(state)).not.toEqual(values(atOnce.state()))
    for (const each of [apart, atOnce, update]) each.dispose()
  })

  test('gradients that travel flat are the same ones, and their array is free at once', async () => {
    const { traces: both, state } = traces(nn.adam())
    const [whole, flat] = [0, 1].map(() => engine.loadStep(both, { slices: rows / 2 }))
    for (const step of [whole!, flat!]) step.restore(state)
    const vector = new Float32Array(state.reduce((n, { size }) => n + size, 1))
    for (let i = 0; i < 3; i++) {
      const scalars = [tf.scalar(0.1), tf.scalar(i + 1)]
      const outputs = whole!.gradients([batch(i)])
      await flat!.flatGradients([batch(i)], vector)
      const expected = outputs.flatMap((output) => [...output.dataSync()])
      expect([...vector.subarray(0, expected.length)]).toEqual(expected)
      whole!.update([...outputs.slice(1), ...scalars])
      flat!.flatUpdate(vector, scalars)
      vector.fill(Number.NaN)
    }
    expect(values(flat!.state())).toEqual(values(whole!.state()))
    for (const step of [whole!, flat!]) step.dispose()
  })

  test.each([Number.NaN, Infinity])(
    'a loss of %s leaves the state as it was, in the steps begun after it too, until it is set',
    (poison) => {
      const { traces: both, state } = traces(nn.adam())
      const step = engine.loadStep(both, { slices: rows / 2 })
      step.restore(state)
      const scalars = [tf.scalar(0.1), tf.scalar(1)]
      const [loss] = step.run([tf.mul(batch(1), poison), ...scalars])
      expect(Number.isFinite(loss!.dataSync()[0])).toBe(false)
      expect(values(step.state())).toEqual(values(state))
      expect(Number.isFinite(step.run([batch(1), ...scalars])[0]!.dataSync()[0])).toBe(true)
      expect(values(step.state())).toEqual(values(state))
      step.restore(step.state())
      step.run([batch(1), ...scalars])
      expect(values(step.state())).not.toEqual(values(state))
      step.dispose()
    },
  )

  test('what was read as the state stays as it was read', () => {
    const { traces: both, state } = traces(nn.adam())
    const step = engine.loadStep(both, { slices: rows / 2 })
    step.restore(state)
    const read = step.state()
    const then = values(read)
    step.run([batch(1), tf.scalar(0.1), tf.scalar(1)])
    expect(values(read)).toEqual(then)
    expect(values(state)).toEqual(then)
    step.restore(read)
    expect(values(step.state())).toEqual(then)
    step.dispose()
  })

  test('steps that nobody waited for count, and a state that is set after them is not theirs', () => {
    const { traces: both, state } = traces(nn.adam())
    const [waiting, hurrying] = [0, 1].map(() => engine.loadStep(both, { slices: rows / 2 }))
    for (const step of [waiting!, hurrying!]) step.restore(state)
    for (let i = 0; i < 8; i++) {
      const inputs = [batch(i), tf.scalar(0.1), tf.scalar(i + 1)]
      hurrying!.run(inputs)
      values(waiting!.run(inputs))
    }
    expect(values(hurrying!.state())).toEqual(values(waiting!.state()))
    hurrying!.run([batch(9), tf.scalar(0.1), tf.scalar(9)])
    hurrying!.restore(state)
    expect(values(hurrying!.state())).toEqual(values(state))
    for (const step of [waiting!, hurrying!]) step.dispose()
  })

  test('raises when the state has other shapes, and after it was disposed', () => {
    const { traces: both, state } = traces(nn.sgd())
    const step = engine.loadStep(both)
    expect(() => step.restore(state.toReversed())).toThrow(/expected input/)
    step.dispose()
    expect(() => step.run([])).toThrow('expected a live step, got a disposed one')
  })
})
