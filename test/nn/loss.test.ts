import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../src/engine/index.js'
import type { Tf } from '../../src/engine/tf.js'
import * as nn from '../../src/nn/index.js'

let tf: Tf
beforeAll(async () => {
  await openEngine('wasm')
  tf = await loadTf()
})

const rows = fc.array(fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 3, maxLength: 3 }), {
  minLength: 1,
  maxLength: 5,
})

function compute(loss: nn.Loss, output: number[][], target: number[][] | number[]): number[] {
  return tf.tidy(() => {
    const expected = tf.tensor(
      target.flat(),
      Array.isArray(target[0]) ? [target.length, 3] : [target.length],
      loss.target,
    )
    return [...loss.rows(tf, tf.tensor2d(output), expected).dataSync()] as never
  })
}

/** The greatest error, relative to 1 or the value. */
function worst(got: readonly number[], expected: readonly number[]): number {
  expect(got.length).toBe(expected.length)
  return Math.max(...got.map((value, i) => Math.abs(value - expected[i]!) / (1 + Math.abs(expected[i]!))))
}

describe('losses equal their closed forms', () => {
  test('softmax cross entropy', () => {
    fc.assert(
      fc.property(rows, fc.nat(2), (output, label) => {
        const expected = output.map((z) => Math.log(z.reduce((s, v) => s + Math.exp(v - z[label]!), 0)))
        const got = compute(
          nn.softmaxCrossEntropy,
          output,
          output.map(() => label),
        )
        expect(worst(got, expected)).toBeLessThan(2e-5)
      }),
      { numRuns: 50 },
    )
  })

  test('squared errors', () => {
    fc.assert(
      fc.property(rows, (output) => {
        const target = output.map((row) => row.map((_, i) => i))
        const squares = output.map((row) => row.reduce((s, v, i) => s + (v - i) ** 2, 0))
        const meanSquaredError = squares.map((s) => s / 3)
        expect(worst(compute(nn.meanSquaredError, output, target), meanSquaredError)).toBeLessThan(2e-5)
        const halfSquaredError = squares.map((s) => s / 2)
        expect(worst(compute(nn.halfSquaredError, output, target), halfSquaredError)).toBeLessThan(2e-5)
      }),
      { numRuns: 50 },
    )
  })

  test('binary cross entropy, for logits however great', () => {
    const entropy = (z: number, t: number): number => Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0) - t * z
    fc.assert(
      fc.property(rows, (output) => {
        const target = output.map(() => [0, 1, 0.25])
        const expected = output.map((row) => row.reduce((s, z, i) => s + entropy(z, [0, 1, 0.25][i]!), 0) / 3)
        expect(worst(compute(nn.binaryCrossEntropy, output, target), expected)).toBeLessThan(2e-5)
      }),
      { numRuns: 50 },
    )
    expect(compute(nn.binaryCrossEntropy, [[500, -500, 0]], [[1, 0, 0.5]])[0]).toBeCloseTo(Math.LN2 / 3, 5)
  })

  test('accuracy is 1 where the greatest output is the label', () => {
    const got = tf.tidy(() => {
      const labels = tf.tensor1d([0, 1, 1], 'int32')
      return [
        ...nn.accuracy
          .rows(
            tf,
            tf.tensor2d([
              [3, 1],
              [2, 5],
              [1, 0],
            ]),
            labels,
          )
          .dataSync(),
      ] as never
    })
    expect(got).toEqual([1, 1, 0])
  })

  test('top-k accuracy is 1 where fewer than k outputs are greater than that of the label', () => {
    fc.assert(
      fc.property(rows, fc.nat(2), fc.integer({ min: 1, max: 4 }), (output, label, k) => {
        const expected = output.map((z) =>
          z.filter((v) => Math.fround(v) > Math.fround(z[label]!)).length < k ? 1 : 0,
        )
        const got = tf.tidy(() => {
          const labels = tf.tensor1d(
            output.map(() => label),
            'int32',
          )
          return [...nn.topKAccuracy({ k }).rows(tf, tf.tensor2d(output), labels).dataSync()] as never
        })
        expect(got).toEqual(expected)
      }),
      { numRuns: 50 },
    )
  })

  test('binary accuracy is the share of logits on the side of their target', () => {
    const got = tf.tidy(() => {
      const [output, target] = [
        tf.tensor2d([
          [3, -1, 2, -2],
          [-1, 0.5, 1, 1],
        ]),
        tf.tensor2d([
          [1, 0, 0, 0],
          [0, 1, 1, 1],
        ]),
      ]
      return [...nn.binaryAccuracy.rows(tf, output, target).dataSync()] as never
    })
    expect(got).toEqual([0.75, 1])
  })
})
