/** Small data for estimators: texts, vectors and hashed features whose label can be told. */
import { keyOf, uniform } from '../../../src/core/random.js'
import { frame } from '../../../src/frame/index.js'
import type { Frame } from '../../../src/frame/index.js'
import * as ml from '../../../src/nn/ml/index.js'

export const draw = (seed: number, i: number): number => uniform(keyOf(seed), i)
const pick = (words: readonly string[], seed: number, i: number): string =>
  words[Math.floor(draw(seed, i) * words.length)]!

/** Messages of one to twelve words; about half hold a word that gives them away. */
export function messages(rows: number, seed: number) {
  const plain = ['we', 'meet', 'at', 'home', 'the', 'car', 'is', 'ok', 'later', 'LOL']
  const sold = ['WIN', 'prize', 'cash']
  return frame(
    Array.from({ length: rows }, (_, row) => {
      const label = draw(seed, row) < 0.5 ? 1 : 0
      const words = Array.from({ length: 1 + Math.floor(draw(seed + 1, row) * 12) }, (__, i) =>
        pick(plain, seed + 2, row * 20 + i),
      )
      if (label === 1) words.splice(Math.floor(draw(seed + 3, row) * words.length), 1, pick(sold, seed + 4, row))
      return { text: words.join(' '), label }
    }),
  )
}

export const accuracyOf = async (predictions: unknown): Promise<number> =>
  new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' }).evaluate(
    predictions as Frame<{ label: number; prediction: number }>,
  )

/** Vectors of three numbers; the label says whether the first is greater than the second. */
export function vectors(rows: number, seed: number) {
  const values = Float32Array.from({ length: rows * 3 }, (_, i) => 2 * draw(seed, i) - 1)
  const label = Int32Array.from({ length: rows }, (_, row) => (values[row * 3]! > values[row * 3 + 1]! ? 1 : 0))
  return frame({ v: { shape: [rows, 3] as const, dtype: 'float32', values }, label })
}

/** Sparse vectors of up to six out of fifty components in 262,144, one of which tells the class. */
export function hashed(rows: number, seed: number) {
  return frame(
    Array.from({ length: rows }, (_, row) => {
      const label = draw(seed, row) < 0.5 ? 1 : 0
      const others = Array.from(
        { length: Math.floor(draw(seed + 1, row) * 6) },
        (__, i) => 4000 + 5000 * Math.floor(draw(seed + 2, row * 6 + i) * 48),
      )
      const indices = [...new Set([label === 1 ? 1000 : 2000, ...others])].toSorted((a, b) => a - b)
      return { features: { size: 262_144, indices, values: indices.map((at) => 1 + (at % 7) / 7) }, label }
    }),
  )
}
