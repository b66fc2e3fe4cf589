/** Gradients of gradients. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { type Tf, difference, open } from './engines.js'
import { onAllEngines } from '../../nn/on-engines.js'

onAllEngines('higher derivatives', (engine) => {
  let tf: Tf
  beforeAll(async () => {
    ;({ tf } = await open(engine))
  })

  test('a gradient penalty goes through relu twice', () => {
    const x = tf.tensor2d([
      [-1.5, 0.2],
      [0.3, 1.2],
    ])
    const w = tf.tensor2d([
      [0.5, -1],
      [2, 0.25],
    ])
    // The gradient of relu(x w) by x is s w^T where s is 1 at positive products; its sum's gradient by w is the count.
    const slope = (weights: Tensor): Tensor =>
      tf.grad((given: Tensor) => tf.sum(tf.relu(tf.matMul(given as never, weights as never))))(x)
    const got = tf.grad((weights: Tensor) => tf.sum(slope(weights)))(w)
    const active = tf.sum(tf.cast(tf.greater(tf.matMul(x, w), 0), 'float32'), 0)
    expect(Array.from(got.dataSync())).toEqual([...active.dataSync(), ...active.dataSync()])
  })

  test('sigmoid and tanh have their second and third derivatives', () => {
    const x = tf.tensor1d([-1.5, -0.2, 0.3, 2])
    const derivative = (f: (x: Tensor) => Tensor, order: number): ((x: Tensor) => Tensor) =>
      order === 0 ? f : tf.grad((given: Tensor) => tf.sum(derivative(f, order - 1)(given)))
    const closed = Array.from(x.dataSync(), (v) => {
      const [s, t] = [1 / (1 + Math.exp(-v)), Math.tanh(v)]
      const [ds, dt] = [s * (1 - s), 1 - t * t]
      return { sigmoid: [ds * (1 - 2 * s), ds * (1 - 6 * ds)], tanh: [-2 * t * dt, dt * (4 * t * t - 2 * dt)] }
    })
    for (const name of ['sigmoid', 'tanh'] as const) {
      for (const order of [2, 3]) {
        const got = derivative((given) => tf[name](given), order)(x).dataSync()
        expect(difference(got, closed.map((of) => of[name][order - 2]!))).toBeLessThan(1e-5) // prettier-ignore
      }
    }
  })
})
