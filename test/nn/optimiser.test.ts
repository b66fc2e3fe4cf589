import { beforeAll, describe, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../src/engine/index.js'
import type { Tf } from '../../src/engine/tf.js'
import * as nn from '../../src/nn/index.js'

let tf: Tf
beforeAll(async () => {
  await openEngine('wasm')
  tf = await loadTf()
})

const start = [0.5, -1, 2]
const gradientAt = (w: readonly number[], step: number): number[] => w.map((v, i) => 2 * v + Math.sin(step + i))

/** Runs an optimiser over 20 steps of changing rate on the gradient above. */
function run(optimiser: nn.Optimiser): number[] {
  let weights = [{ shape: [3], dtype: 'float32', values: Float32Array.from(start) } as const]
  let slots = optimiser.init(weights)
  for (let step = 1; step <= 20; step++) {
    const tensors = (list: readonly { values: ArrayLike<number> }[]) =>
      list.map(({ values }) => tf.tensor1d(Array.from(values)))
    const data = (list: { dataSync(): unknown }[]) =>
      list.map((t) => ({ shape: [3], dtype: 'float32', values: (t.dataSync() as Float32Array).slice() }) as const)
    const next = tf.tidy(() => {
      const result = optimiser.update(tf, {
        weights: tensors(weights),
        slots: tensors(slots),
        gradients: [tf.tensor1d(gradientAt([...weights[0]!.values], step))],
        learningRate: tf.scalar(0.1 / step),
        step: tf.scalar(step),
      })
      return { weights: data(result.weights), slots: data(result.slots) } as never
    }) as { weights: typeof weights; slots: typeof slots }
    ;({ weights, slots } = next)
  }
  return [...weights[0]!.values]
}

/** The same in plain double arithmetic. */
function reference(update: (w: number, g: number, slot: { m: number; v: number }, step: number) => number): number[] {
  let weights = start
  const slots = start.map(() => ({ m: 0, v: 0 }))
  for (let step = 1; step <= 20; step++) {
    const gradients = gradientAt(weights, step)
    weights = weights.map((w, i) => update(w, gradients[i]!, slots[i]!, step))
  }
  return weights
}

const adamStep = (w: number, g: number, slot: { m: number; v: number }, step: number): number => {
  slot.m = 0.9 * slot.m + 0.1 * g
  slot.v = 0.999 * slot.v + 0.001 * g * g
  const rate = ((0.1 / step) * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step)
  return w - (rate * slot.m) / (Math.sqrt(slot.v) + 1e-7)
}

describe('optimisers follow their formulas over 20 steps', () => {
  test.each<[string, nn.Optimiser, number[]]>([
    ['sgd', nn.sgd(), reference((w, g, _, step) => w - (0.1 / step) * g)],
    ['momentum', nn.sgd({ momentum: 0.9 }), reference((w, g, s, step) => w - (0.1 / step) * (s.v = 0.9 * s.v + g))],
    ['adam', nn.adam(), reference(adamStep)],
    [
      'adamw',
      nn.adamw({ weightDecay: 0.3 }),
      reference((w, g, s, step) => adamStep(w, g, s, step) - (0.1 / step) * 0.3 * w),
    ],
  ])('%s', (_, optimiser, expected) => {
    for (const [i, value] of run(optimiser).entries()) expect(value).toBeCloseTo(expected[i]!, 4)
  })
})

describe('schedules', () => {
  test('cosine rises, then falls to its floor', () => {
    const rates = nn.cosine(1, { warmUp: 0.1, floor: 0.2 })(100)
    expect(rates).toHaveLength(100)
    expect(rates[0]).toBeCloseTo(0.1)
    expect(Math.max(...rates)).toBe(1)
    expect(rates.indexOf(1)).toBeLessThanOrEqual(10)
    expect(rates.slice(10).every((rate, i, all) => i === 0 || rate <= all[i - 1]!)).toBe(true)
    expect(rates.at(-1)).toBeCloseTo(0.2, 2)
  })

  test('constant is one number for ever', () => {
    expect(nn.constant(0.5)(1000)).toEqual([0.5])
    expect(() => nn.constant(-1)).toThrow(/rate/)
  })
})
