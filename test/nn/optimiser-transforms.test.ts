import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadTf, openEngine, record, tensorOf } from '../../src/engine/index.js'
import type { Engine } from '../../src/engine/index.js'
import type { Tf } from '../../src/engine/tf.js'
import * as nn from '../../src/nn/index.js'
import { onEngines } from './on-engines.js'
import { distance, makeJob, trainWith } from './train/fixture.js'

const sizes = [3, 2]
type Numbers = readonly (readonly number[])[]
const weightsOf = (values: Numbers) =>
  values.map((list) => ({ shape: [list.length], dtype: 'float32' as const, values: Float32Array.from(list) }))

const numbers = fc.tuple(
  ...sizes.map((size) => fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: size, maxLength: size })),
) as fc.Arbitrary<Numbers>
const runs = { numRuns: 12 }

onEngines('optimiser transforms', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  /** Runs the recorded update once a step; the weights and slots after each. */
  function steps(optimiser: nn.Optimiser, start: Numbers, gradients: readonly Numbers[], rate = 0.1) {
    const weights = weightsOf(start)
    const slots = optimiser.init(weights)
    const [w, s, g] = [weights, slots, weights].map((list) => list.map(tensorOf))
    const [learningRate, count] = [tf.scalar(rate), tf.scalar(1)]
    const inputs = [...w!, ...s!, ...g!, learningRate, count]
    const trace = record(
      inputs.map((tensor, i) => ({ name: `${i}`, tensor, split: false })),
      () => {
        const next = optimiser.update(tf, { weights: w!, slots: s!, gradients: g!, learningRate, step: count })
        return [...next.weights, ...next.slots].map((tensor, i) => ({ name: `${i}`, tensor, merge: 'sum' }))
      },
    )
    const program = engine.load(trace)
    let state = [...w!, ...s!]
    const states = gradients.map((gradient, step) => {
      const own = [...weightsOf(gradient).map(tensorOf), tf.scalar(rate), tf.scalar(step + 1)]
      const next = program.run([...state, ...own])
      tf.dispose([...state, ...own])
      state = next
      const values = next.map((tensor) => [...tensor.dataSync()])
      return { weights: values.slice(0, sizes.length), slots: values.slice(sizes.length) }
    })
    program.dispose()
    tf.dispose([...state, ...g!, learningRate, count])
    return states
  }
  const close = (a: Numbers, b: Numbers, tolerance = 1e-5) => {
    for (const [i, value] of a.flat().entries()) {
      expect(Math.abs(value - b.flat()[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(value)))
    }
  }
  const zero = sizes.map((size) => Array.from({ length: size }, () => 0))
  /** The gradient that plain descent from zero saw. */
  const seen = (optimiser: nn.Optimiser, gradient: Numbers): number[][] =>
    steps(optimiser, zero, [gradient], 1)[0]!.weights.map((list) => list.map((value) => -value))
  const norm = (list: readonly number[]) => Math.hypot(...list)

  test('clipping keeps its bound, and what is within it', () => {
    fc.assert(
      fc.property(numbers, fc.double({ min: 0.1, max: 10, noNaN: true }), (gradient, bound) => {
        const value = seen(nn.clip(nn.sgd(), { value: bound }), gradient)
        close(
          value,
          gradient.map((list) => list.map((g) => Math.max(-bound, Math.min(bound, g)))),
        )
        const own = seen(nn.clip(nn.sgd(), { norm: bound }), gradient)
        close(
          own,
          gradient.map((list) => list.map((g) => g * Math.min(1, bound / norm(list)))),
        )
        const all = seen(nn.clip(nn.sgd(), { globalNorm: bound }), gradient)
        expect(norm(all.flat())).toBeLessThanOrEqual(bound * (1 + 1e-5))
        close(
          all,
          gradient.map((list) => list.map((g) => g * Math.min(1, bound / norm(gradient.flat())))),
        )
      }),
      runs,
    )
  })

  test('accumulated gradients step like their mean, and only then', () => {
    fc.assert(
      fc.property(numbers, fc.array(numbers, { minLength: 3, maxLength: 3 }), (start, gradients) => {
        const inner = () => nn.adam()
        const states = steps(nn.accumulate(inner(), { steps: 3 }), start, [...gradients, ...gradients])
        for (const i of [0, 1]) expect(states[i]!.weights).toEqual(weightsOf(start).map(({ values }) => [...values]))
        const mean = start.map((list, k) => list.map((_, j) => gradients.reduce((sum, g) => sum + g[k]![j]! / 3, 0)))
        const at = steps(inner(), start, [mean, mean])
        close(states[2]!.weights, at[0]!.weights)
        close(states[3]!.weights, at[0]!.weights)
        close(states[5]!.weights, at[1]!.weights, 1e-4)
      }),
      runs,
    )
  })

  test('a moving average has its closed form', () => {
    fc.assert(
      fc.property(
        numbers,
        fc.array(numbers, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(0, 0.5, 0.9, 1),
        (start, gradients, decay) => {
          const optimiser = nn.movingAverage(nn.sgd(), { decay })
          const states = steps(optimiser, start, gradients)
          const n = gradients.length
          const expected = start.map((list, k) =>
            list.map((first, j) =>
              states.reduce(
                (sum, { weights }, t) => sum + (1 - decay) * decay ** (n - 1 - t) * weights[k]![j]!,
                decay ** n * first,
              ),
            ),
          )
          const { weights, slots } = states.at(-1)!
          const averages = optimiser.finish!({ weights: weightsOf(weights), slots: weightsOf(slots) })
          close(
            averages.map(({ values }) => [...values]),
            expected,
          )
        },
      ),
      runs,
    )
  })

  test('weight decay is decoupled from the gradient', () => {
    fc.assert(
      fc.property(numbers, numbers, (start, gradient) => {
        const [state] = steps(nn.weightDecay(nn.sgd(), 0.5), start, [gradient])
        close(
          state!.weights,
          start.map((list, k) => list.map((w, j) => w - 0.1 * 0.5 * w - 0.1 * gradient[k]![j]!)),
        )
      }),
      runs,
    )
  })

  test('loss scaling takes the scale off again, to the bit', () => {
    fc.assert(
      fc.property(numbers, fc.array(numbers, { minLength: 2, maxLength: 4 }), (start, gradients) => {
        const plain = steps(nn.adam(), start, gradients)
        const times = gradients.map((gradient) => gradient.map((list) => list.map((g) => Math.fround(g) * 1024)))
        const scaled = steps(nn.lossScaling(nn.adam(), { scale: 1024 }), start, times)
        expect(scaled.map(({ weights }) => weights)).toEqual(plain.map(({ weights }) => weights))
      }),
      runs,
    )
  })

  test('a step with infinite gradients halves the scale and changes nothing else; good ones double it', () => {
    const start = [
      [1, 2, 3],
      [4, 5],
    ]
    const good = [
      [1, 1, 1],
      [1, 1],
    ]
    const bad = [
      [1, Infinity, 1],
      [1, 1],
    ]
    const optimiser = nn.lossScaling(nn.sgd(), { scale: 8, growEvery: 2 })
    const states = steps(optimiser, start, [
      bad,
      good,
      good,
      [
        [Number.NaN, 1, 1],
        [1, 1],
      ],
    ])
    expect(states.map(({ slots }) => slots[0]![0])).toEqual([4, 4, 8, 4])
    expect(states[0]!.weights).toEqual(start)
    expect(states[3]!.weights).toEqual(states[2]!.weights)
    const still = steps(nn.lossScaling(nn.sgd(), { scale: 8, dynamic: false }), start, [bad, good])
    expect(still.map(({ slots }) => slots[0]![0])).toEqual([8, 8])
  })

  const everything = () =>
    nn.lossScaling(
      nn.movingAverage(
        nn.accumulate(nn.clip(nn.weightDecay(nn.sgd({ momentum: 0.5 }), 0.01), { globalNorm: 0.5 }), { steps: 2 }),
        { decay: 0.8 },
      ),
      { scale: 256 },
    )

  test('workers that share a step give what one gives, with all of them at once', async () => {
    const job = await makeJob(engine, { optimiser: everything(), rate: 0.1 })
    const one = await trainWith(engine, job, 1)
    const two = await trainWith(engine, job, 2)
    expect(distance(one.state, job.start)).toBeGreaterThan(0.02)
    expect(distance(one.state, two.state)).toBeLessThan(2e-5)
    const losses = (run: typeof one) => run.events.flatMap((event) => (event.kind === 'step' ? [event.loss] : []))
    expect(losses(one)[0]).toBeLessThan(3) // the scale is taken off
    for (const [i, loss] of losses(one).entries()) expect(losses(two)[i]).toBeCloseTo(loss, 4)
  })

  test('k small batches equal one large one', async () => {
    const options = { rows: 64, epochs: 2, rate: 0.1 }
    const small = await makeJob(engine, { ...options, batchRows: 8, optimiser: nn.accumulate(nn.sgd(), { steps: 4 }) })
    const large = await makeJob(engine, { ...options, batchRows: 32, optimiser: nn.sgd() })
    const [a, b] = [await trainWith(engine, small, 1), await trainWith(engine, large, 1)]
    expect([a.state.step, b.state.step]).toEqual([16, 4])
    expect(distance(a.state, large.start)).toBeGreaterThan(0.02)
    expect(distance(a.state, b.state)).toBeLessThan(1e-5)
  })

  test('a scaled loss trains to the bits of a plain one', async () => {
    const plain = await trainWith(engine, await makeJob(engine, { optimiser: nn.adam() }), 1)
    const scaled = await trainWith(
      engine,
      await makeJob(engine, { optimiser: nn.lossScaling(nn.adam(), { scale: 512, growEvery: 3 }) }),
      1,
    )
    expect(scaled.state.weights).toEqual(plain.state.weights)
  })
})

describe('optimiser transforms', () => {
  test('raise for what they cannot do', () => {
    expect(() => nn.clip(nn.sgd(), {})).toThrow(/expected one of value, norm and globalNorm/)
    expect(() => nn.clip(nn.sgd(), { value: 1, norm: 1 })).toThrow(/expected one of/)
    expect(() => nn.clip(nn.sgd(), { norm: 0 })).toThrow(/above zero/)
    expect(() => nn.accumulate(nn.sgd(), { steps: 0 })).toThrow(/steps/)
    expect(() => nn.movingAverage(nn.sgd(), { decay: 1.5 })).toThrow(/decay/)
    expect(() => nn.weightDecay(nn.sgd(), -1)).toThrow(/decay/)
    expect(() => nn.clip(nn.lossScaling(nn.sgd()), { norm: 1 })).toThrow(/Write nn.lossScaling\(nn.clip/)
  })
})
