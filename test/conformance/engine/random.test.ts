import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Tensor } from '@tensorflow/tfjs-core'
import { fold, keyOf } from '../../../src/core/random.js'
import { compile, loadTf, openEngine, withRandom } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import { onAllEngines } from '../../nn/on-engines.js'

onAllEngines('random numbers in a step', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })
  const numbers = (tensor: Tensor): number[] => {
    const values = [...(tensor.dataSync() as Float32Array)]
    tensor.dispose()
    return values
  }

  test('are those of the seeded generator, by row', () => {
    const [key, rows] = [tf.scalar(keyOf(7) | 0, 'int32'), tf.tensor1d([5, 0, 3], 'int32')]
    const got = tf.tidy(() =>
      withRandom({ key, rows }, (random) => {
        random.uniform([2])
        return numbers(random.uniform([3, 2, 2]))
      }),
    )
    const expected = [5, 0, 3].flatMap((row) =>
      [0, 1, 2, 3].map((column) => (fold(fold(fold(keyOf(7), 1), row), column) >>> 8) / 2 ** 24),
    )
    expect(got).toEqual(expected)
    tf.dispose([key, rows])
  })

  test('are fresh at each call and the same for the same seed, recorded or not', () => {
    const x = tf.ones([40])
    const draw = (seed: number) => {
      const f = compile(
        (input: Tensor) => tf.add(tf.dropout(input, 0.5), tf.add(tf.randomNormal([40]), tf.randomUniform([40], 3, 5))),
        { seed },
      )
      const calls = Array.from({ length: 5 }, () => numbers(f(x)))
      f.dispose()
      return calls
    }
    const [first, again, other] = [draw(1), draw(1), draw(2)]
    for (const [i, values] of first.entries()) {
      for (const [j, value] of again[i]!.entries()) expect(value).toBeCloseTo(values[j]!, 5)
      expect(other[i]).not.toEqual(values)
      for (let j = 0; j < i; j++) expect(first[j]).not.toEqual(values)
    }
    x.dispose()
  })

  test('have the distribution asked for', () => {
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length
    const f = compile(() => [
      tf.randomUniform([20_000], -2, 6),
      tf.randomNormal([20_000], 3, 2),
      tf.randomUniformInt([20_000], 2, 5),
      tf.dropout(tf.ones([20_000]), 0.25),
      tf.multinomial(tf.tensor1d([0.1, 0.6, 0.3]), 20_000, undefined, true),
    ])
    f().forEach((tensor) => tensor.dispose())
    const drawn = f().map(numbers)
    const [uniform, normal, integer, mask, classes] = drawn as [number[], number[], number[], number[], number[]]
    for (const [k, share] of [0.1, 0.6, 0.3].entries()) {
      expect(Math.abs(mean(classes.map((value) => Number(value === k))) - share)).toBeLessThan(0.02)
    }
    expect(mean(uniform)).toBeCloseTo(2, 0)
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(-2)
    expect(Math.max(...uniform)).toBeLessThan(6)
    expect(Math.abs(mean(normal) - 3)).toBeLessThan(0.06)
    expect(Math.abs(mean(normal.map((value) => (value - 3) ** 2)) - 4)).toBeLessThan(0.2)
    expect(new Set(integer)).toEqual(new Set([2, 3, 4]))
    expect(new Set(mask.map((value) => value.toFixed(4)))).toEqual(new Set(['0.0000', '1.3333']))
    expect(Math.abs(mean(mask) - 1)).toBeLessThan(0.02)
    f.dispose()
  })

  test('a mask and its gradient agree', () => {
    const x = tf.ones([50])
    const f = compile((input: Tensor) => {
      const { value, grad } = tf.valueAndGrad((t: Tensor) => tf.sum(tf.dropout(t, 0.5)))(input)
      return [value, grad]
    })
    for (let i = 0; i < 4; i++) {
      const [value, gradient] = f(x).map(numbers)
      expect(gradient!.reduce((a, b) => a + b, 0)).toBeCloseTo(value![0]!, 4)
    }
    f.dispose()
    x.dispose()
  })

  test('a draw in JavaScript raises and says what to do; a seeded one stays', () => {
    const x = tf.ones([4])
    const own = compile((input: Tensor) => tf.mul(input, Math.random()))
    own(x).dispose()
    expect(() => own(x)).toThrow(/got a draw in JavaScript \(Math.random\). Use engine.tf's dropout/)
    expect(Math.random()).not.toBe(Math.random())
    const fixed = compile((input: Tensor) => tf.add(input, tf.randomUniform([4], 0, 1, 'float32', 'seed')))
    const calls = [fixed(x), fixed(x), fixed(x)].map(numbers)
    expect(calls[1]).toEqual(calls[0])
    expect(calls[2]).toEqual(calls[0])
    tf.dispose([x])
    own.dispose()
    fixed.dispose()
  })

  test('leave no tensors behind', () => {
    const f = compile((input: Tensor) => tf.dropout(input, 0.5))
    const x = tf.ones([4])
    for (let i = 0; i < 3; i++) f(x).dispose()
    const { tensors } = engine.memory()
    for (let i = 0; i < 5; i++) f(x).dispose()
    expect(engine.memory().tensors).toBe(tensors)
    f.dispose()
    x.dispose()
  })

  test('many shapes of one step: one warning that names them, then new ones run eagerly', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    let runs = 0
    const f = compile(function scaled(x: Tensor, y: Tensor) {
      runs++
      return tf.mul(x, y)
    })
    const y = tf.scalar(2)
    for (let size = 1; size <= 80; size++) {
      const x = tf.ones([size])
      expect(numbers(f(x, y))).toEqual(Array.from({ length: size }, () => 2))
      x.dispose()
    }
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /^compile: scaled was recorded 8 times: input 0 was float32\[2\], float32\[3\].*\.\.\.\. Each/,
        ),
      ],
    ])
    const before = runs
    const x = tf.ones([77])
    f(x, y).dispose()
    f(x, y).dispose()
    expect(runs).toBe(before + 2)
    f.dispose()
    tf.dispose([x, y])
  })
})

describe('random numbers outside a step', () => {
  test("are TensorFlow.js's own", async () => {
    await openEngine('wasm')
    const tf = await loadTf()
    expect(tf.randomUniform([3]).dataSync()).not.toEqual(tf.randomUniform([3]).dataSync())
    expect(tf.randomUniform([3], 0, 1, 'float32', 1).dataSync()).toEqual(
      tf.randomUniform([3], 0, 1, 'float32', 1).dataSync(),
    )
  })
})
