/** Estimators whose columns are no tensors, and one with two players, on the pool's processes: as in this one. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyOf, uniform } from '../../src/core/random.js'
import { pool, type Pool } from '../../src/distributed/index.js'
import { openEngine } from '../../src/engine/index.js'
import { frame } from '../../src/frame/index.js'
import * as ml from '../../src/nn/ml/index.js'
import { onEngines } from '../nn/on-engines.js'

const draw = (i: number): number => uniform(keyOf(9), i)

/** Texts, hashed features and images, with a label that each of them tells. */
const rows = frame(
  Array.from({ length: 96 }, (_, row) => {
    const label = row % 2
    const indices = [...new Set([label === 1 ? 70_000 : 90_000, Math.floor(draw(row) * 262_144)])].toSorted(
      (a, b) => a - b,
    )
    return {
      text: `${label === 1 ? 'cash' : 'home'} ${'again '.repeat(row % 5)}`,
      features: { size: 262_144, indices, values: indices.map(() => 1) },
      point: {
        shape: [2],
        dtype: 'float32',
        values: Float32Array.of(label + draw(2 * row), draw(2 * row + 1)),
      } as const,
      bright: draw(row + 500),
      label,
    }
  }),
)

onEngines('estimators on a pool of two', (name) => {
  let workers: Pool
  beforeAll(async () => {
    await openEngine(name)
    workers = await pool({ niceness: 0, workers: 2, engine: name, name: 'estimators' })
  })
  afterAll(async () => workers.close())

  test.each(['text', 'features'] as const)(
    'a recurrent network over %s learns what it learns in one process',
    async (inputCol) => {
      const rnn = new ml.RNNClassifier({
        inputCol,
        units: 4,
        embeddingSize: 4,
        maxIter: 3,
        batchSize: 32,
        slices: 2,
        stepSize: 0.02,
      })
      const [alone, shared] = [await rnn.fit(rows as never), await rnn.fit(rows as never, { on: workers })]
      for (const [i, { values }] of shared.weights.entries()) {
        for (const [k, value] of values.entries())
          expect(Math.abs(value - alone.weights[i]!.values[k]!)).toBeLessThan(1e-4)
      }
    },
  )

  test('a network over several columns too', async () => {
    const mlp = new ml.MultilayerPerceptronClassifier({
      inputCols: ['point', 'bright'],
      maxIter: 2,
      batchSize: 32,
      slices: 2,
    })
    const [alone, shared] = [await mlp.fit(rows as never), await mlp.fit(rows as never, { on: workers })]
    for (const [i, { values }] of shared.weights.entries()) {
      for (const [k, value] of values.entries())
        expect(Math.abs(value - alone.weights[i]!.values[k]!)).toBeLessThan(1e-4)
    }
  })

  test('an adversarial network too', async () => {
    const gan = new ml.GAN({ inputCol: 'point', latentSize: 3, maxIter: 2, batchSize: 32, slices: 2 })
    const [alone, shared] = [await gan.fit(rows as never), await gan.fit(rows as never, { on: workers })]
    for (const [i, { values }] of shared.weights.entries()) {
      for (const [k, value] of values.entries())
        expect(Math.abs(value - alone.weights[i]!.values[k]!)).toBeLessThan(1e-3)
    }
  })
})
