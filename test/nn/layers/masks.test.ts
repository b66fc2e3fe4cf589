/** Sequences that are filled up give what the sequences alone give, and sparse vectors what the same vectors give in full. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { keyOf, uniform } from '../../../src/core/random.js'
import { loadTf, openEngine, record } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import * as nn from '../../../src/nn/index.js'
import { applyModel, initialWeights } from '../../../src/nn/model.js'
import type { Model } from '../../../src/nn/model.js'
import { onEngines } from '../on-engines.js'

const draw = (seed: number, i: number): number => 2 * uniform(keyOf(seed), i) - 1
const makers: Readonly<Record<'dense' | 'simpleRnn' | 'lstm' | 'gru', (options: nn.RecurrentOptions) => nn.Layer>> = {
  dense: nn.dense,
  simpleRnn: nn.simpleRnn,
  lstm: nn.lstm,
  gru: nn.gru,
}
const heads: Readonly<Record<string, readonly nn.Layer[]>> = {
  simpleRnn: [nn.simpleRnn({ units: 4 })],
  lstm: [nn.lstm({ units: 4 })],
  'lstm after gru': [nn.gru({ units: 3, returnSequences: true }), nn.lstm({ units: 4 })],
  bidirectional: [nn.bidirectional({ layer: nn.gru({ units: 3 }) })],
  'a transformer block, then the mean': [
    nn.transformerBlock({ heads: 2, keySize: 3, units: 5 }),
    nn.globalAveragePooling(),
  ],
  'two steps that look at all': [
    nn.crossAttention({
      heads: 2,
      keySize: 3,
      queries: [nn.slice({ start: 0, size: 2 })],
      memory: [nn.gru({ units: 3, returnSequences: true })],
    }),
    nn.flatten(),
  ],
  'the maximum': [nn.timeDistributed({ layer: nn.dense({ units: 3 }) }), nn.globalMaxPooling()],
}

onEngines('masks', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  test.each(Object.keys(heads))('%s: what fills up a sequence changes neither output nor gradients', (which) => {
    const tokens = [3, 1, 4, 1, 5]
    const length = which === 'lstm' ? 130 : 9
    const build = (steps: number): Model =>
      nn.model([nn.embedding({ inputDim: 7, outputDim: 3, maskZero: true }), ...heads[which]!], { inputShape: [steps] })
    const alone = run(build(tokens.length), [tokens])
    const filled = run(build(length), [[...tokens, ...Array.from({ length: length - tokens.length }, () => 0)]])
    for (const [i, values] of filled.entries()) expect(distance(values, alone[i]!)).toBeLessThan(1e-6)
  })

  test.each(['dense', 'simpleRnn', 'lstm', 'gru'] as const)(
    '%s: a sparse vector gives what it gives in full',
    (kind) => {
      const size = 11
      const rows = [[2, 7, 9], [0, 5], []]
      const value = (row: number, i: number): number => draw(5, row * 10 + i) + 0.1
      const sparse = rows.map((where, row) =>
        [0, 1, 2, 3].map((i) => where[i] ?? 0).concat([0, 1, 2, 3].map((i) => (i < where.length ? value(row, i) : 0))),
      )
      const full = rows.map((where, row) =>
        Array.from({ length: size }, (_, at) => (where.includes(at) ? value(row, where.indexOf(at)) : 0)),
      )
      const sparsely = nn.model([makers[kind]({ units: 4, sparseSize: size })], { inputShape: [2, 4] })
      const [ours, plain] = [
        run(sparsely, sparse),
        run(
          nn.model([...(kind === 'dense' ? [] : [nn.reshape({ shape: [1, size] })]), makers[kind]({ units: 4 })], {
            inputShape: [size],
          }),
          full,
        ),
      ]
      for (const [i, values] of ours.entries()) expect(distance(values, plain[i]!)).toBeLessThan(1e-6)
      expect(() => makers[kind]({ units: 4, sparseSize: size }).infer([3, 4])).toThrow(/sparse vectors, \[2, entries\]/)
    },
  )

  /** Output, and gradients of all weights, of a recorded program. */
  function run(model: Model, samples: readonly (readonly number[])[]): number[][] {
    const x = tf.tensor(samples.flat(), [samples.length, ...model.inputShape])
    const weights = initialWeights(model, 3).map(({ values, shape }, k) =>
      tf.tensor(
        values.map((w, i) => w + 0.3 * draw(k, i)),
        [...shape],
      ),
    )
    const inputs = [x, ...weights]
    const trace = record(
      inputs.map((tensor, i) => ({ name: `${i}`, tensor, split: false })),
      () => {
        const output = applyModel(model, { tf }, weights, x)
        const towards = tf.tensor(
          Array.from({ length: output.size }, (_, i) => draw(8, i)),
          output.shape,
        )
        const gradients = tf.grads((...current: Tensor[]) =>
          tf.sum(tf.mul(towards, applyModel(model, { tf }, current, x))),
        )(weights)
        return [output, ...gradients].map((tensor, i) => ({ name: `${i}`, tensor, merge: 'sum' }))
      },
    )
    const program = engine.load(trace)
    const outputs = program.run(inputs).map((tensor) => [...tensor.dataSync()])
    program.dispose()
    tf.dispose(inputs)
    return outputs
  }
})

function distance(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length)
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))
}
