import { beforeAll, describe, expect, test } from 'vitest'
import type { Tensor } from '@tensorflow/tfjs-core'
import { loadTf, openEngine } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import * as nn from '../../../src/nn/index.js'
import { applyModel } from '../../../src/nn/model.js'
import { recordPrograms } from '../../../src/nn/train/programs.js'
import { onEngines } from '../on-engines.js'

onEngines('layers that act while training', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  /** Gradients of a sum of the layer's outputs over samples of ones, by a weight that multiplies them: the layer's factors. */
  async function factors(layer: nn.Layer, options: { rows: number[]; key: number; slices: number }) {
    const model = nn.model([nn.reshape({ shape: [3, 2] }), layer, nn.flatten()], { inputShape: [6] })
    const weights = [{ name: 'w', shape: [6], initial: { kind: 'zeros' } as const }]
    const objective = {
      weights,
      columns: [{ name: 'x', dtype: 'float32' as const, shape: [6] }],
      loss: nn.meanSquaredError,
      metrics: [],
      forward: (context: nn.LayerContext, [w]: readonly Tensor[], [x]: readonly Tensor[]) => ({
        output: tf.mul(applyModel(model, context, [], x!), tf.add(w!, 1)),
        target: tf.zerosLike(x!),
      }),
    }
    const { rows, key, slices } = options
    const start = { weights: [{ shape: [6], dtype: 'float32' as const, values: new Float32Array(6) }], slots: [] }
    const { gradients, evaluate } = recordPrograms(tf, objective, nn.sgd(), start, rows.length / slices)
    const [w, x, weight] = [tf.zeros([6]), tf.ones([rows.length, 6]), tf.ones([rows.length])]
    const rest = [tf.tensor1d(rows, 'int32'), tf.scalar(1), tf.scalar(key, 'int32')]
    const program = engine.load(gradients, { slices })
    const outputs = program.run([w, x, weight, ...rest])
    const values = outputs.map((tensor) => [...tensor.dataSync()])
    const tested = engine.load(evaluate, { slices })
    const [loss] = tested.run([w, x, weight])
    const still = loss!.dataSync()[0]!
    tf.dispose([...outputs, loss!, w, x, weight, ...rest])
    program.dispose()
    tested.dispose()
    return { loss: values[0]![0]!, gradient: values[1]!, still }
  }

  test('spatialDropout drops a channel of a sample in all places or in none', async () => {
    const kept = new Set<number>()
    for (const row of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const { gradient } = await factors(nn.spatialDropout({ rate: 0.5 }), { rows: [row], key: 3, slices: 1 })
      for (const channel of [0, 1]) {
        const places = [0, 1, 2].map((place) => gradient[2 * place + channel]!)
        expect(new Set(places).size).toBe(1)
        kept.add(places[0]!)
      }
    }
    expect(kept.size).toBe(2)
    expect(kept).toContain(0)
  })

  test.each([nn.dropout({ rate: 0.5 }), nn.spatialDropout({ rate: 0.5 }), nn.gaussianNoise({ deviation: 1 })])(
    '$kind: by sample and key, whatever the slices; nothing in evaluation',
    async (layer) => {
      const rows = [4, 9, 2, 7]
      const whole = await factors(layer, { rows, key: 1, slices: 1 })
      const sliced = await factors(layer, { rows, key: 1, slices: 4 })
      expect(sliced.loss).toBeCloseTo(whole.loss, 4)
      for (const [i, g] of sliced.gradient.entries()) expect(g).toBeCloseTo(whole.gradient[i]!, 4)
      const reordered = await factors(layer, { rows: rows.toReversed(), key: 1, slices: 2 })
      expect(reordered.loss).toBeCloseTo(whole.loss, 4)
      expect((await factors(layer, { rows, key: 6, slices: 1 })).gradient).not.toEqual(whole.gradient)
      expect((await factors(layer, { rows: [1, 2, 3, 5], key: 1, slices: 1 })).gradient).not.toEqual(whole.gradient)
      expect(whole.still).toBeCloseTo(rows.length, 5) // the mean square of ones, a row
    },
  )
})

describe('layers that act while training', () => {
  test('raise for options out of range', () => {
    expect(() => nn.dropout({ rate: 1 })).toThrow(/rate/)
    expect(() => nn.gaussianNoise({ deviation: -1 })).toThrow(/deviation/)
  })
})
