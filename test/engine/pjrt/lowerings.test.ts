/** Lowerings of elementwise kernels and of reductions: property tests against the native engine. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TensorData } from '../../../src/core/dtype.js'
import { missing } from '../../needs.js'
import { checkEqual, dimension, integers, tensors } from './compare.js'

const shape = fc.array(dimension, { minLength: 0, maxLength: 4 })
const filled = fc.array(dimension, { minLength: 1, maxLength: 4 })

/** Two shapes that broadcast. */
const pairs = shape.chain((whole) => {
  const side = fc
    .tuple(fc.nat(whole.length), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
    .map(([dropped, flat]) =>
      whole.map((size, i) => (flat[i] === true ? 1 : size)).slice(Math.min(dropped, whole.length)),
    )
  return fc.oneof(fc.tuple(fc.constant(whole), side), fc.tuple(side, fc.constant(whole)))
})

describe.skipIf(missing('pjrt') !== undefined || missing('native') !== undefined)('lowerings', () => {
  test('functions of one number, special ones too', async () => {
    const special = Float32Array.of(0, -0, 1, -1, 0.5, 2.5, -2.5, Infinity, -Infinity, Number.NaN, 1e-30, 1e30)
    const withSpecial = shape
      .chain((one) => tensors(one))
      .map((data): TensorData[] => [data, { shape: [special.length], dtype: 'float32', values: special }])
    const checked = checkEqual(
      withSpecial,
      (value) => value,
      () => (tf, inputs) =>
        inputs.flatMap((x) => [
          tf.abs(x),
          tf.acos(x),
          tf.acosh(x),
          tf.asin(x),
          tf.asinh(x),
          tf.atan(x),
          tf.atanh(x),
          tf.ceil(x),
          tf.cos(tf.clipByValue(x, -3, 3)),
          tf.cosh(tf.clipByValue(x, -3, 3)),
          tf.elu(x),
          tf.erf(x),
          tf.exp(tf.clipByValue(x, -5, 5)),
          tf.expm1(tf.clipByValue(x, -5, 5)),
          tf.floor(x),
          tf.isFinite(x),
          tf.isInf(x),
          tf.isNaN(x),
          tf.leakyRelu(x, 0.1),
          tf.log(x),
          tf.log1p(x),
          tf.neg(x),
          tf.reciprocal(x),
          tf.relu(x),
          tf.relu6(x),
          tf.round(x),
          tf.rsqrt(x),
          tf.selu(tf.clipByValue(x, -9, 9)),
          tf.sigmoid(x),
          tf.sign(x),
          tf.sin(tf.clipByValue(x, -3, 3)),
          tf.sinh(tf.clipByValue(x, -3, 3)),
          tf.softplus(x),
          tf.sqrt(x),
          tf.square(x),
          tf.step(x, 0.3),
          tf.tan(tf.clipByValue(x, -1, 1)),
          tf.tanh(x),
          tf.onesLike(x),
          tf.zerosLike(x),
          tf.clipByValue(x, -1, 0.5),
          tf.cast(tf.clipByValue(tf.where(tf.isNaN(x), tf.zerosLike(x), x), -9, 9), 'int32'),
          tf.cast(x, 'bool'),
          tf.logicalNot(tf.isNaN(x)),
        ]),
      { numRuns: 2 }, // each compiles a hundred functions
    )
    await expect(checked).resolves.toBeUndefined()
  })

  test('functions of two numbers, broadcast', async () => {
    const given = pairs.chain(([a, b]) => fc.tuple(tensors(a), tensors(b)))
    const checked = checkEqual(
      given,
      (value) => value,
      () =>
        (tf, [a, b]) => [
          tf.add(a!, b!),
          tf.sub(a!, b!),
          tf.mul(a!, b!),
          tf.div(a!, b!),
          tf.maximum(a!, b!),
          tf.minimum(a!, b!),
          tf.pow(tf.abs(a!), b!),
          tf.squaredDifference(a!, b!),
          tf.atan2(a!, b!),
          tf.floorDiv(a!, b!),
          tf.mod(a!, b!),
          tf.equal(a!, b!),
          tf.notEqual(a!, b!),
          tf.greater(a!, b!),
          tf.greaterEqual(a!, b!),
          tf.less(a!, b!),
          tf.lessEqual(a!, b!),
          tf.divNoNan(a!, b!),
          tf.where(tf.greater(a!, b!), tf.add(a!, b!), tf.sub(a!, b!)),
          tf.prelu(tf.add(a!, b!), tf.scalar(0.25)),
        ],
      { tolerance: 1e-4 },
    )
    await expect(checked).resolves.toBeUndefined()
  })

  test('whole numbers and truth values', async () => {
    const given = pairs.chain(([a, b]) => fc.tuple(integers(a, -9, 9), integers(b, 1, 5)))
    const checked = checkEqual(
      given,
      (value) => value,
      () =>
        (tf, [a, b]) => {
          const [p, q] = [tf.greater(a!, tf.scalar(0, 'int32')), tf.greater(b!, tf.scalar(3, 'int32'))]
          return [
            tf.add(a!, b!),
            tf.sub(a!, b!),
            tf.mul(a!, b!),
            tf.floorDiv(a!, b!),
            tf.mod(a!, b!),
            tf.maximum(a!, b!),
            tf.minimum(a!, b!),
            tf.equal(a!, b!),
            tf.less(a!, b!),
            tf.abs(a!),
            tf.neg(a!),
            tf.square(a!),
            tf.logicalAnd(p, q),
            tf.logicalOr(p, q),
            tf.logicalXor(p, q),
            tf.cast(a!, 'float32'),
            tf.cast(p, 'int32'),
            tf.cast(p, 'float32'),
            tf.relu(a!),
          ]
        },
    )
    await expect(checked).resolves.toBeUndefined()
  })

  test('reductions over any axes', async () => {
    const given = filled.chain((one) =>
      fc.tuple(tensors(one), integers(one), fc.subarray(one.map((_, axis) => axis)), fc.boolean()),
    )
    const checked = checkEqual(
      given,
      ([x, i]) => [x, i],
      ([, , chosen, keep]) =>
        (tf, [x, i]) => {
          const axis = chosen.length === 0 ? undefined : chosen.map((one) => (keep ? one - x!.rank : one))
          const p = tf.greater(x!, 0)
          return [
            ...[tf.sum, tf.mean, tf.max, tf.min, tf.prod].map((reduce) => reduce(x!, axis, keep)),
            tf.sum(i!, axis, keep),
            tf.max(i!, axis, keep),
            tf.all(p, axis, keep),
            tf.any(p, axis, keep),
            tf.logSumExp(x!, axis, keep),
            tf.argMax(i!, axis?.[0] ?? 0),
            tf.argMin(i!, axis?.[0] ?? 0),
            tf.argMax(x!, x!.rank - 1),
            tf.cumsum(x!, axis?.[0] ?? 0, keep, chosen.length > 1),
            tf.cumprod(x!, axis?.[0] ?? 0, !keep, chosen.length > 1),
            tf.softmax(x!),
            tf.logSoftmax(x!),
            tf.addN([x!, x!, x!]),
          ]
        },
    )
    await expect(checked).resolves.toBeUndefined()
  })

  test('the largest in order, equal ones in their places', async () => {
    const given = filled.chain((one) => fc.tuple(integers(one), tensors(one), fc.integer({ min: 1, max: one.at(-1)! })))
    const checked = checkEqual(
      given,
      ([i, x]) => [i, x],
      ([, , k]) =>
        (tf, [i, x]) =>
          [i!, x!].flatMap((tensor) => {
            const { values, indices } = tf.topk(tensor, k)
            return [values, indices]
          }),
    )
    await expect(checked).resolves.toBeUndefined()
  })
})
