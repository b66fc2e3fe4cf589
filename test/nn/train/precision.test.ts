/** Mixed precision: what is multiplied has as many bits as half precision, on every engine, and trainings bear it. */
import { beforeAll, describe, expect, test } from 'vitest'
import { compile, loadTf, openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import { rounded } from '../../../src/nn/layers/half-precision.js'
import { draw } from '../ml/small-data.js'
import { onEngines } from '../on-engines.js'
import { bars, fitBars } from './fixture.js'

/** Numbers of many sizes and both signs. */
const numbers = Float32Array.from({ length: 500 }, (_, i) => (draw(1, i) - 0.5) * 2 ** Math.floor(40 * draw(2, i) - 28))

/** The distance between neighbours of half precision around x: of so many bits, not below the smallest one. */
const gap = (x: number, bits: number, smallest: number): number =>
  Math.max(2 ** (Math.floor(Math.log2(Math.abs(x))) - bits + 1), smallest)

onEngines('half precision', (name) => {
  beforeAll(async () => {
    await openEngine(name)
  })

  test.each([
    ['bfloat16', 8, 0],
    ['float16', 11, 2 ** -24],
  ] as const)(
    '%s: the nearest number of %i bits, gradients too, as recorded and at once',
    async (precision, bits, smallest) => {
      const tf = await loadTf()
      const step = (x: Parameters<typeof rounded>[2]) => rounded(tf, precision, x)
      const x = tf.tensor1d(numbers)
      const compiled = compile(step)
      const slope = tf.grad((given) => tf.mul(rounded(tf, precision, given), x))
      for (const result of [step(x), compiled(x), slope(tf.zerosLike(x))]) {
        for (const [i, y] of result.dataSync().entries()) {
          const step_ = gap(y === 0 ? smallest || 1e-38 : y, bits, smallest)
          expect(Number.isInteger(y / step_)).toBe(true)
          expect(Math.abs(y - numbers[i]!)).toBeLessThanOrEqual(gap(numbers[i]!, bits, smallest) / 2)
        }
      }
      const ends = [...rounded(tf, precision, tf.tensor1d([0, 1e5, -1e5])).dataSync()]
      expect(ends).toEqual(precision === 'float16' ? [0, Infinity, -Infinity] : [0, 99_840, -99_840])
    },
  )

  test('a training bears it, and differs from one in single precision', async () => {
    const losses = async (training: Parameters<typeof fitBars>[0]) => {
      const run = fitBars(training, { epochs: 6 })
      await run
      return run.history.map(({ loss }) => loss)
    }
    const single = await losses({})
    const brain = await losses({ precision: 'bfloat16' })
    const half = await losses({ precision: 'float16', optimiser: nn.lossScaling(nn.adam()) })
    for (const other of [brain, half]) {
      expect(other).not.toEqual(single)
      expect(other.at(-1)!).toBeLessThan(0.9 * other[0]!)
      expect(Math.abs(other.at(-1)! - single.at(-1)!)).toBeLessThan(0.1 * single[0]!)
    }
  })

  test('recurrent layers bear it, forward and backward', async () => {
    const layers = [
      nn.reshape({ shape: [8, 8] }),
      nn.bidirectional({ layer: nn.gru({ units: 6 }) }),
      nn.dense({ units: 3 }),
    ]
    const rnn = new ml.CNNClassifier({ inputCol: 'image', layers, maxIter: 3, batchSize: 16, precision: 'bfloat16' })
    const training = rnn.fit(bars(96))
    await training
    expect(training.history.at(-1)!.loss).toBeLessThan(training.history[0]!.loss)
  })
})

describe('precision', () => {
  test('is one of three', () => {
    expect(() => new ml.CNNClassifier({ inputCol: 'image', precision: 'float8' as never })).toThrow(
      /expected precision to be one of "float32", "bfloat16", "float16", got "float8"/,
    )
  })
})
