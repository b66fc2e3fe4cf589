/** Lowerings of kernels that move values, or read and write at places: property tests against the native engine. */
import type { Tensor } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import { checkEqual, dimension, integers, tensors } from './compare.js'

const filled = fc.array(dimension, { minLength: 1, maxLength: 4 })

describe.skipIf(missing('pjrt') !== undefined || missing('native') !== undefined)('lowerings of movements', () => {
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
    const checked = checkEqual(
      given,
      ([x]) => [x],
      ([{ shape: sizes }, order, ranges, widths, strides, axis]) =>
        (tf, [x]) => {
          const pads = widths
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
            tf.engine().runKernel<Tensor>('Fill', {}, { shape: [2, 3], value: 0.7, dtype: 'float32' }),
            tf.range(1, 9, 2),
            tf.linspace(0, 1, 5),
            tf.diag(tf.reshape(x!, [-1])),
          ]
        },
    )
    await expect(checked).resolves.toBeUndefined()
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
    const checked = checkEqual(
      given,
      (value) => value,
      ([{ shape: sizes }]) =>
        (tf, [x, byRow, list, pairsOf]) => {
          const places = tf.maximum(list!, tf.scalar(0, 'int32'))
          const rows = tf.gather<Tensor>(x!, places)
          return [
            rows,
            tf.gather(x!, byRow!, 1, 1),
            tf.gather(x!, places, 0),
            tf.gather(tf.transpose(x!), places, 2),
            tf.gatherND(x!, pairsOf!),
            tf.unsortedSegmentSum(rows, list! as never, sizes[0]!),
            tf.scatterND(pairsOf!, tf.gatherND(x!, pairsOf! as never), [...sizes] as never),
            tf.oneHot(places, 5, 2, -1),
            tf.oneHot(byRow!, 3),
            tf.bincount(places as never, tf.tensor1d([]), 4),
            tf.grad((table: Tensor) => tf.sum(tf.square(tf.gather(table, places))))(x!),
          ]
        },
    )
    await expect(checked).resolves.toBeUndefined()
  })

  test('blocks of images', async () => {
    const given = fc
      .tuple(dimension, dimension, dimension, fc.constantFrom(1, 2, 3), fc.constantFrom(1, 2))
      .chain(([n, h, w, p, q]) =>
        fc.tuple(tensors([n, h * p, w * q, 2]), fc.constant([p, q] as [number, number]), tensors([n, h, w, 8])),
      )
    const checked = checkEqual(
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
    await expect(checked).resolves.toBeUndefined()
  })
})
