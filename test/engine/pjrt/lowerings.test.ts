/** Lowerings of elementwise kernels, of reductions and of movements: property tests against the native engine. */
import type { Tensor } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TensorData } from '../../../src/core/dtype.js'
import { missing } from '../../needs.js'
import { type Compute, dimension, firstDifference, integers, tensors } from './compare.js'

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

/** Each case is a value's arbitrary and what is computed of it. */
async function holds<T>(
  given: fc.Arbitrary<T>,
  inputs: (value: T) => readonly TensorData[],
  compute: (value: T) => Compute,
  { numRuns = 8, tolerance }: { numRuns?: number; tolerance?: number } = {},
) {
  await fc.assert(
    fc.asyncProperty(given, async (value) => {
      expect(await firstDifference(inputs(value), compute(value), tolerance)).toBeUndefined()
    }),
    { numRuns },
  )
}

describe.skipIf(missing('pjrt') !== undefined || missing('native') !== undefined)('lowerings', () => {
  test('functions of one number, special ones too', async () => {
    const special = Float32Array.of(0, -0, 1, -1, 0.5, 2.5, -2.5, Infinity, -Infinity, Number.NaN, 1e-30, 1e30)
    const withSpecial = shape
      .chain((one) => tensors(one))
      .map((data): TensorData[] => [data, { shape: [special.length], dtype: 'float32', values: special }])
    await holds(
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
  })

  test('functions of two numbers, broadcast', async () => {
    const given = pairs.chain(([a, b]) => fc.tuple(tensors(a), tensors(b)))
    await holds(
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
  })

  test('whole numbers and truth values', async () => {
    const given = pairs.chain(([a, b]) => fc.tuple(integers(a, -9, 9), integers(b, 1, 5)))
    await holds(
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
  })

  test('reductions over any axes', async () => {
    const given = filled.chain((one) =>
      fc.tuple(tensors(one), integers(one), fc.subarray(one.map((_, axis) => axis)), fc.boolean()),
    )
    await holds(
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
  })

  test('the largest in order, equal ones in their places', async () => {
    const given = filled.chain((one) => fc.tuple(integers(one), tensors(one), fc.integer({ min: 1, max: one.at(-1)! })))
    await holds(
      given,
      ([i, x]) => [i, x],
      ([, , k]) =>
        (tf, [i, x]) =>
          [i!, x!].flatMap((tensor) => {
            const { values, indices } = tf.topk(tensor, k)
            return [values, indices]
          }),
    )
  })

  test('cutting, joining, turning and repeating', async () => {
    const given = filled.chain((one) =>
      fc.tuple(
        tensors(one),
        fc.shuffledSubarray(
          one.map((_, axis) => axis),
          { minLength: one.length },
        ),
        fc.tuple(
          ...one.map((size) =>
            fc.nat(size - 1).chain((begin) => fc.tuple(fc.constant(begin), fc.integer({ min: 1, max: size - begin }))),
          ),
        ),
        fc.tuple(...one.map(() => fc.tuple(fc.nat(2), fc.nat(2)))),
        fc.tuple(...one.map(() => fc.constantFrom(-2, -1, 1, 2))),
        fc.nat(one.length - 1),
      ),
    )
    await holds(
      given,
      ([x]) => [x],
      ([{ shape: sizes }, order, ranges, widths, strides, axis]) =>
        (tf, [x]) => {
          const pads = widths as [number, number][]
          const small = pads.map(([low, high], i): [number, number] => [
            Math.min(low, sizes[i]! - 1),
            Math.min(high, sizes[i]! - 1),
          ])
          const forward = strides.map((stride) => stride > 0)
          return [
            tf.transpose(x!, order),
            tf.reverse(x!, order.slice(0, 1 + axis)),
            tf.tile(
              x!,
              widths.map(([low]) => low + 1),
            ),
            tf.slice(
              x!,
              ranges.map(([begin]) => begin),
              ranges.map(([, size]) => size),
            ),
            tf.pad(x!, pads, 1.5),
            tf.mirrorPad(x!, small, 'reflect'),
            tf.mirrorPad(x!, small, 'symmetric'),
            tf.stridedSlice(
              x!,
              sizes.map((size, i) => (forward[i]! ? 0 : size - 1)),
              sizes.map((size, i) => (forward[i]! ? size : -size - 1)),
              strides,
            ),
            tf.stridedSlice(
              x!,
              ranges.map(([begin]) => begin),
              sizes.map(() => 1),
              sizes.map(() => 1),
              0,
              2 ** sizes.length - 1,
              0,
              0,
              1,
            ),
            tf.concat([x!, x!, tf.neg(x!)], axis),
            tf.stack([x!, tf.neg(x!)], axis),
            ...tf.unstack(x!, axis),
            ...tf.split(tf.concat([x!, x!], axis), [sizes[axis]!, sizes[axis]!], axis),
            tf.expandDims(x!, axis),
            tf.reshape(x!, [-1]),
            tf.broadcastTo(x!, [2, ...sizes]),
            tf.fill([2, 3], 0.7),
            tf.range(1, 9, 2),
            tf.linspace(0, 1, 5),
            tf.diag(tf.reshape(x!, [-1])),
          ]
        },
    )
  })

  test('reading and writing at places', async () => {
    const given = fc
      .tuple(dimension, dimension, dimension, dimension)
      .chain(([a, b, c, n]) =>
        fc.tuple(
          tensors([a, b, c]),
          integers([a, n], 0, b - 1),
          integers([n], -1, a - 1),
          integers([n, 2], 0, Math.min(a, b) - 1),
        ),
      )
    await holds(
      given,
      (value) => value,
      ([{ shape: sizes }]) =>
        (tf, [x, byRow, list, pairsOf]) => {
          const places = tf.maximum(list!, tf.scalar(0, 'int32'))
          const rows = tf.gather(x!, places) as Tensor
          return [
            rows,
            tf.gather(x!, byRow!, 1, 1),
            tf.gather(x!, places, 0),
            tf.gather(tf.transpose(x!), places, 2),
            tf.gatherND(x!, pairsOf! as never),
            tf.unsortedSegmentSum(rows, list! as never, sizes[0]!),
            tf.scatterND(pairsOf! as never, tf.gatherND(x!, pairsOf! as never), [...sizes] as never),
            tf.oneHot(places as never, 5, 2, -1),
            tf.oneHot(byRow! as never, 3),
            tf.bincount(places as never, tf.tensor1d([]), 4),
            tf.grad((given: Tensor) => tf.sum(tf.square(tf.gather(given, places))))(x!),
          ]
        },
    )
  })

  test('blocks of images', async () => {
    const given = fc
      .tuple(dimension, dimension, dimension, fc.constantFrom(1, 2, 3), fc.constantFrom(1, 2))
      .chain(([n, h, w, p, q]) =>
        fc.tuple(tensors([n, h * p, w * q, 2]), fc.constant([p, q] as [number, number]), tensors([n, h, w, 8])),
      )
    await holds(
      given,
      ([x, , y]) => [x, y],
      ([, blocks]) =>
        (tf, [x, y]) => {
          const spread = tf.spaceToBatchND(x!, blocks, [
            [blocks[0], 0],
            [0, blocks[1]],
          ])
          return [
            spread,
            tf.batchToSpaceND(spread, blocks, [
              [1, 0],
              [0, 1],
            ]),
            tf.depthToSpace(y! as never, 2, 'NHWC'),
          ]
        },
    )
  })
})
