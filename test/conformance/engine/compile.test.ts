/** Compiled functions: the same on every engine. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { compile } from '../../../src/engine/index.js'
import { type Tf, difference } from './engines.js'
import { openForTests } from './setup.js'
import { onAllEngines } from '../../nn/on-engines.js'

onAllEngines('compile', (name) => {
  let tf: Tf
  openForTests(name, (opened) => ({ tf } = opened))

  const random = (shape: number[], seed: number): Tensor => tf.randomUniform(shape, -0.5, 0.5, 'float32', seed)
  const values = (tensors: readonly Tensor[]): number[][] => tensors.map((tensor) => Array.from(tensor.dataSync()))

  test('a compiled function trains like the step itself, and retraces for other shapes', () => {
    const train = (make: (step: (x: Tensor, y: Tensor) => Tensor) => (x: Tensor, y: Tensor) => Tensor): number[] => {
      const w = tf.variable(tf.ones([3, 1]))
      const optimizer = tf.train.adam(0.1)
      const step = make((x, y) => {
        const loss = (): Tensor => tf.mean(tf.square(tf.sub(tf.matMul(x as Tensor2D, w as never), y)))
        return optimizer.minimize(loss as never, true, [w])!
      })
      const losses: number[] = []
      for (let i = 0; i < 6; i++) {
        const rows = i === 4 ? 3 : 5
        losses.push(step(random([rows, 3], i + 1), tf.zeros([rows, 1])).dataSync()[0]!)
      }
      optimizer.dispose()
      return losses
    }
    const expected = train((step) => step)
    const disposers: (() => void)[] = []
    const got = train((step) => {
      const compiled = compile(step)
      disposers.push(() => compiled.dispose())
      return compiled
    })
    expect(difference(got, expected)).toBeLessThan(1e-5)
    for (const dispose of disposers) dispose()
  })

  test('a compiled function runs its program, takes one tensor twice, and works inside a gradient', () => {
    let runs = 0
    const f = compile((a: Tensor, b: Tensor): Tensor[] => {
      runs++
      return [tf.mul(a, b), tf.add(a, b)]
    })
    const x = tf.tensor1d([2, 3])
    for (let i = 0; i < 5; i++)
      expect(values(f(x, x))).toEqual([
        [4, 9],
        [4, 6],
      ])
    expect(runs).toBe(2)
    expect(values(f(x, tf.tensor1d([5, 7])))).toEqual([
      [10, 21],
      [7, 10],
    ])
    expect(runs).toBe(2)
    expect(
      Array.from(
        tf
          .grad((given: Tensor) => tf.sum(f(given, given)[0]!))(x)
          .dataSync(),
      ),
    ).toEqual([4, 6])
    f.dispose()
    expect(() => f(1 as never, x)).toThrow(/expected tensors/)
  })

  test('says what to do instead of a loop whose number of runs depends on a value', () => {
    const f = compile((x: Tensor): Tensor => {
      let y = x
      while (y.dataSync()[0]! < 10) y = tf.mul(y, 2)
      return y
    })
    const x = tf.scalar(1)
    expect(values([f(x)])).toEqual([[16]]) // the first call runs as it is
    expect(() => f(x)).toThrow(/reads values.* A loop on a value: as many runs as there can be, with tf.where/)
    f.dispose()
  })
})
