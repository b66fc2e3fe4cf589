import { createRequire } from 'node:module'
import { beforeAll, expect, test } from 'vitest'
import { loadTf, openEngine } from '../../src/engine/index.js'
import type { Tf } from '../../src/engine/tf.js'

let tf: Tf
beforeAll(async () => {
  await openEngine('wasm')
  tf = await loadTf()
})

test('tensors have the operations as methods, without the whole of TensorFlow.js', () => {
  const x = tf.tensor2d([
    [1, -2],
    [3, 4],
  ])
  expect(x.add(1).relu().sum().arraySync()).toBe(11)
  expect(x.matMul(x, true).shape).toEqual([2, 2])
  expect(
    x
      .flatten()
      .concat([tf.tensor1d([9])])
      .arraySync(),
  ).toEqual([1, -2, 3, 4, 9])
  expect(x.stack(x, 1).shape).toEqual([2, 2, 2])
  expect(x.where(x.greater(0), x.zerosLike()).arraySync()).toEqual([
    [1, 0],
    [3, 4],
  ])
  expect(x.as3D(1, 2, 2).resizeBilinear([4, 4]).shape).toEqual([4, 4, 2])
  expect(x.slice([0, 1], [1, 1]).asScalar().toInt().dtype).toBe('int32')
  expect(
    x
      .greater(0)
      .reshapeAs(tf.zeros([4]))
      .toInt()
      .toBool()
      .arraySync(),
  ).toEqual([1, 0, 1, 1])
  expect(() => x.as1D().as2D(3, 3)).toThrow(/must match the product/)
})

test("these are all that TensorFlow.js's own package adds", () => {
  const own = new Set(Object.getOwnPropertyNames(tf.Tensor.prototype))
  createRequire(import.meta.url)('@tensorflow/tfjs')
  expect(Object.getOwnPropertyNames(tf.Tensor.prototype).filter((name) => !own.has(name))).toEqual([])
})
