/** What only repeats values goes out of a trace, and no bit of its results changes. */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { keyOf, uniform } from '../../../src/core/random.js'
import { loadTf, openEngine, record } from '../../../src/engine/index.js'
import type { Engine, Trace } from '../../../src/engine/index.js'
import { removeRepeats } from '../../../src/engine/native/remove-repeats.js'
import { checkTrace } from '../../../src/engine/check-trace.js'
import type { Tf } from '../../../src/engine/tf.js'
import { missing } from '../../needs.js'

describe.skipIf(missing('native') !== undefined)('a gradient of a weighted mean', () => {
  const shape: [number, number] = [4, 9]
  let engine: Engine
  let tf: Tf
  let given: Tensor[]
  let trace: Trace
  beforeAll(async () => {
    engine = await openEngine('native')
    tf = await loadTf()
    const draw = (seed: number, count: number): Float32Array =>
      Float32Array.from({ length: count }, (_, i) => uniform(keyOf(seed), i))
    given = [tf.tensor2d(draw(1, 36), shape), tf.tensor2d(draw(2, 36), shape), tf.tensor1d(draw(3, 4))]
    const [x, target, weight] = given as [Tensor, Tensor, Tensor]
    const loss = (y: Tensor): Scalar => tf.sum(tf.mul(tf.mean(tf.squaredDifference(y, target), 1), weight))
    trace = record(
      ['x', 'target', 'weight'].map((name, i) => ({ name, tensor: given[i]!, split: false })),
      () => [{ name: 'gradient', tensor: tf.grad(loss)(x), merge: 'sum' }],
    )
  })

  test('multiplies one number a row before it is widened', () => {
    const after = removeRepeats(trace)
    checkTrace(after)
    const elements = ({ calls, values }: Trace): number =>
      calls.flatMap(({ outputs }) => outputs).reduce((n, at) => n + values[at]!.shape.reduce((a, b) => a * b, 1), 0)
    expect(elements(after)).toBeLessThanOrEqual(elements(trace) - 2 * 36)
    expect(after.constants.every(({ data }) => data.values.length < 36)).toBe(true)
  })

  test('has the same bits', () => {
    const bits = (which: Trace): number[] => {
      const program = engine.load(which)
      const [gradient] = program.run(given)
      const values = [...new Int32Array(gradient!.dataSync().buffer)]
      program.dispose()
      return values
    }
    const [x, target, weight] = given as [Tensor, Tensor, Tensor]
    const loss = (y: Tensor): Scalar => tf.sum(tf.mul(tf.mean(tf.squaredDifference(y, target), 1), weight))
    const eager = [...new Int32Array(tf.grad(loss)(x).dataSync().buffer)]
    expect(bits(trace)).toEqual(eager)
    expect(bits(removeRepeats(trace))).toEqual(eager)
  })
})
