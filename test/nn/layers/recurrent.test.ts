import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Tensor } from '@tensorflow/tfjs-core'
import { keyOf, uniform } from '../../../src/core/random.js'
import { loadTf, openEngine, record } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import { gru, lstm, simpleRnn } from '../../../src/nn/index.js'
import { elmanCell, gruCell, lstmCell } from '../../../src/nn/layers/cells.js'
import type { Cell } from '../../../src/nn/layers/cells.js'
import { initialWeight } from '../../../src/nn/layers/initializer.js'
import { onEngines } from '../on-engines.js'

interface Reference {
  readonly kind: 'simpleRnn' | 'lstm' | 'gru'
  readonly units: number
  readonly returnSequences: boolean
  readonly input: { readonly shape: number[]; readonly values: number[] }
  readonly weights: readonly { readonly shape: number[]; readonly values: number[] }[]
  readonly output: readonly number[]
}

// Made by Keras: ../fixtures/recurrent.py
const { cases } = JSON.parse(readFileSync(new URL('../fixtures/recurrent.json', import.meta.url), 'utf8')) as {
  cases: Reference[]
}
const layers = { simpleRnn, lstm, gru }
const cells: Record<Reference['kind'], Cell> = { simpleRnn: elmanCell('tanh'), lstm: lstmCell, gru: gruCell }

describe('recurrent layers', () => {
  test('infer shapes and weights', () => {
    const { weights, output } = gru({ units: 5, returnSequences: true }).infer([7, 3])
    expect(output).toEqual([7, 5])
    expect(weights.map(({ name, shape }) => [name, shape])).toEqual([
      ['kernel', [3, 15]],
      ['recurrentKernel', [5, 15]],
      ['bias', [15]],
      ['recurrentBias', [15]],
    ])
  })

  test('raise for samples that are no sequences, and for units out of range', () => {
    expect(() => lstm({ units: 4 }).infer([9])).toThrow(/nn.lstm: expected samples of shape \[steps, in\], got \[9\]/)
    expect(() => gru({ units: 0 })).toThrow(/units/)
    expect(() => simpleRnn({ units: 2, activation: 'gelu' as never })).toThrow(/activation/)
  })

  test("an LSTM's forget gate starts open", () => {
    const bias = lstm({ units: 2 }).infer([3, 1]).weights[2]!
    expect([...initialWeight(bias, 1).values]).toEqual([0, 0, 1, 1, 0, 0, 0, 0])
  })

  test.each([
    [3, 8],
    [8, 3],
    [5, 5],
  ])('an orthogonal weight [%i, %i] has orthonormal rows or columns', (rows, columns) => {
    const { values } = initialWeight({ name: 'u', shape: [rows, columns], initial: { kind: 'orthogonal' } }, keyOf(4))
    const [count, length] = rows <= columns ? [rows, columns] : [columns, rows]
    const at = (k: number, i: number) => values[rows <= columns ? k * columns + i : i * columns + k]!
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        let product = 0
        for (let i = 0; i < length; i++) product += at(a, i) * at(b, i)
        expect(product).toBeCloseTo(a === b ? 1 : 0, 5)
      }
    }
  })
})

onEngines('recurrent layers', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  test.each(cases)("$kind, returnSequences $returnSequences: equals Keras's", (reference) => {
    const { kind, units, returnSequences, input, weights, output } = reference
    tf.tidy(() => {
      const given = weights.map(({ shape, values }) => tf.tensor(values, shape))
      const y = layers[kind]({ units, returnSequences }).apply({ tf }, tf.tensor(input.values, input.shape), given)
      const error = Array.from(y.dataSync(), (value, i) => Math.abs(value - output[i]!))
      expect(Math.max(...error)).toBeLessThan(2e-6)
    })
  })

  test.each(cases)(
    '$kind, returnSequences $returnSequences: gradients equal those of plain operations',
    (reference) => {
      const { kind, units, returnSequences } = reference
      const [rows, steps, width] = [3, 23, 2]
      const inputs = [{ shape: [rows, steps, width] }, ...layers[kind]({ units }).infer([steps, width]).weights].map(
        ({ shape }, k) => tensor(tf, k, shape),
      )
      const towards = tensor(tf, 99, returnSequences ? [rows, steps, units] : [rows, units])
      const loss = (layer: (x: Tensor, weights: readonly Tensor[]) => Tensor) => {
        const trace = record(
          inputs.map((input, i) => ({ name: `${i}`, tensor: input, split: false })),
          () => {
            const gradient = tf.grads((x, ...weights) => tf.sum(tf.mul(towards, layer(x, weights))))
            return gradient(inputs).map((g, i) => ({ name: `${i}`, tensor: g, merge: 'sum' }))
          },
        )
        const program = engine.load(trace)
        const gradients = program.run(inputs).map((g) => [...g.dataSync()])
        program.dispose()
        return gradients
      }
      const layer = layers[kind]({ units, returnSequences })
      const ours = loss((x, weights) => layer.apply({ tf }, x, weights))
      const plain = loss((x, weights) => plainly(tf, cells[kind], x, weights, returnSequences))
      for (const [i, gradient] of ours.entries()) {
        const error = gradient.map((g, j) => Math.abs(g - plain[i]![j]!) / (1 + Math.abs(plain[i]![j]!)))
        expect(Math.max(...error)).toBeLessThan(1e-5)
      }
      tf.dispose([...inputs, towards])
    },
  )
})

/** The same network in single operations, differentiated by TensorFlow.js. */
function plainly(tf: Tf, cell: Cell, x: Tensor, weights: readonly Tensor[], sequences: boolean): Tensor {
  const [kernel, recurrent, bias, stateBias] = weights as [Tensor, Tensor, Tensor, Tensor | undefined]
  const [rows, units] = [x.shape[0], recurrent.shape[0]]
  let state: Tensor[] = Array.from({ length: cell.states }, () => tf.zeros([rows, units]))
  const outputs = tf.unstack(x, 1).map((at) => {
    const share = tf.add(tf.matMul(at, kernel), bias)
    const product = tf.matMul(state[0]!, recurrent)
    state = cell.forward(tf, share, stateBias === undefined ? product : tf.add(product, stateBias), state).state
    return state[0]!
  })
  return sequences ? tf.stack(outputs, 1) : outputs.at(-1)!
}

function tensor(tf: Tf, seed: number, shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => 2 * uniform(keyOf(seed), i) - 1),
    [...shape],
  )
}
