/** Lowerings of convolutions, pooling, resizing and products, with their gradients, and of what training needs besides. */
import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adamStep } from '../../../src/engine/adam.js'
import { sparseSoftmaxCrossEntropy } from '../../../src/engine/cross-entropy.js'
import { withRandom } from '../../../src/engine/index.js'
import { missing } from '../../needs.js'
import { type Compute, both, dimension, firstDifference, integers, tensors, withGradients } from './compare.js'

const small = fc.integer({ min: 1, max: 3 })
const image = fc.integer({ min: 4, max: 7 })
const runs = { numRuns: 8 }

type Scaling = Parameters<typeof withGradients>[0]

/** How a window slides: padding by name, by a width, or by a width a side. */
const sliding = fc.record({
  strides: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(1, 2)),
  padding: fc.oneof(
    fc.constantFrom('same' as const, 'valid' as const),
    fc.constant(1),
    fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)).map(
      ([top, bottom, left, right]) =>
        [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ] as never,
    ),
  ),
})

describe.skipIf(missing('pjrt') !== undefined || missing('native') !== undefined)('lowerings of windows', () => {
  test('convolutions and their gradients', async () => {
    const given = fc
      .tuple(image, image, small, small, small, small)
      .chain(([h, w, kh, kw, incoming, outgoing]) =>
        fc.tuple(tensors([2, h, w, incoming]), tensors([kh, kw, incoming, outgoing]), sliding),
      )
    await fc.assert(
      fc.asyncProperty(given, async ([x, filter, { strides, padding }]) => {
        const full = withGradients((tf, [a, b]) => tf.conv2d(a as Tensor4D, b as Tensor4D, strides, padding))
        expect(await firstDifference([x, filter], full)).toBeUndefined()
        const byChannel = withGradients((tf, [a, b]) =>
          tf.depthwiseConv2d(a as Tensor4D, b as Tensor4D, [strides[0], strides[0]], padding),
        )
        expect(await firstDifference([x, filter], byChannel)).toBeUndefined()
      }),
      runs,
    )
  })

  test('dilated and transposed convolutions', async () => {
    const given = fc
      .tuple(image, image, small, small)
      .chain(([h, w, incoming, outgoing]) =>
        fc.tuple(
          tensors([2, h, w, incoming]),
          tensors([3, 2, incoming, outgoing]),
          tensors([3, 2, outgoing, incoming]),
          fc.constantFrom('same' as const, 'valid' as const),
          fc.constantFrom(1, 2),
        ),
      )
    await fc.assert(
      fc.asyncProperty(given, async ([x, filter, turned, padding, stride]) => {
        const dilated = await firstDifference([x, filter], (tf, [a, b]) => [
          tf.conv2d(a as Tensor4D, b as Tensor4D, 1, padding, 'NHWC', padding === 'same' ? 2 : 1),
          tf.depthwiseConv2d(a as Tensor4D, b as Tensor4D, 1, padding, 'NHWC', padding === 'same' ? 2 : 1),
        ])
        expect(dilated).toBeUndefined()
        const [n, h, w] = x.shape as [number, number, number]
        const outputs: [number, number, number, number] =
          padding === 'same'
            ? [n, h * stride, w * stride, filter.shape[3]!]
            : [n, (h - 1) * stride + 3, (w - 1) * stride + 2, filter.shape[3]!]
        const transposed = withGradients((tf, [a, b]) =>
          tf.conv2dTranspose(a as Tensor4D, b as Tensor4D, outputs, stride, padding),
        )
        expect(await firstDifference([x, turned], transposed)).toBeUndefined()
      }),
      runs,
    )
  })

  test('volumes', async () => {
    const given = fc.tuple(
      tensors([2, 4, 5, 4, 2]),
      tensors([2, 3, 2, 2, 3]),
      fc.constantFrom('same' as const, 'valid' as const),
      fc.constantFrom(1, 2),
    )
    await fc.assert(
      fc.asyncProperty(given, async ([x, filter, padding, stride]) => {
        const convolved = withGradients((tf, [a, b]) => tf.conv3d(a as Tensor5D, b as Tensor5D, stride, padding))
        expect(await firstDifference([x, filter], convolved)).toBeUndefined()
        const pooled = withGradients((tf, [a]) =>
          tf.add(
            tf.maxPool3d(a as Tensor5D, [2, 3, 2], stride, padding),
            tf.avgPool3d(a as Tensor5D, [2, 3, 2], stride, padding),
          ),
        )
        expect(await firstDifference([x], pooled)).toBeUndefined()
      }),
      { numRuns: 4 },
    )
  })

  test('pooling and its gradients', async () => {
    const given = fc
      .tuple(image, image, small)
      .chain(([h, w, channels]) =>
        fc.tuple(
          tensors([2, h, w, channels]),
          fc.tuple(fc.constantFrom(2, 3), fc.constantFrom(2, 3)),
          fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(1, 2)),
          fc.constantFrom('same' as const, 'valid' as const),
        ),
      )
    await fc.assert(
      fc.asyncProperty(given, async ([x, size, strides, padding]) => {
        const largest = withGradients((tf, [a]) => tf.maxPool(a as Tensor4D, size, strides, padding))
        expect(await firstDifference([x], largest)).toBeUndefined()
        const mean = withGradients((tf, [a]) => tf.avgPool(a as Tensor4D, size, strides, padding))
        expect(await firstDifference([x], mean)).toBeUndefined()
      }),
      runs,
    )
  })

  test('resizing and its gradients', async () => {
    const given = fc
      .tuple(image, image, dimension, dimension)
      .chain(([h, w, th, tw]) =>
        fc.tuple(
          tensors([2, h, w, 2]),
          fc.constant([th * 2, tw * 3] as [number, number]),
          fc.constantFrom('corners', 'centers', 'plain'),
        ),
      )
    await fc.assert(
      fc.asyncProperty(given, async ([x, size, how]) => {
        const flags = [how === 'corners', how === 'centers'] as const
        const bilinear: Scaling = (tf, [a]) => tf.image.resizeBilinear(a as Tensor4D, size, ...flags)
        const nearest: Scaling = (tf, [a]) => tf.image.resizeNearestNeighbor(a as Tensor4D, size, ...flags)
        for (const scaled of [bilinear, nearest]) {
          // TensorFlow.js for Node takes no notice of centres in gradients.
          const compute: Compute = how === 'centers' ? (tf, inputs) => [scaled(tf, inputs)] : withGradients(scaled)
          expect(await firstDifference([x], compute)).toBeUndefined()
        }
      }),
      runs,
    )
  })

  test('products of matrices, transposed and broadcast', async () => {
    const given = fc
      .tuple(dimension, dimension, dimension, dimension, fc.boolean(), fc.boolean())
      .chain(([n, k, m, batch, left, right]) =>
        fc.tuple(
          tensors([batch, ...(left ? [k, n] : [n, k])]),
          tensors([batch, ...(right ? [m, k] : [k, m])]),
          fc.constant([left, right] as const),
        ),
      )
    await fc.assert(
      fc.asyncProperty(given, async ([a, b, [left, right]]) => {
        const product = withGradients((tf, [x, y]) => tf.matMul(x!, y!, left, right))
        expect(await firstDifference([a, b], product)).toBeUndefined()
        const others = await firstDifference([a, b], (tf, [x, y]) => [
          tf.matMul(x!, tf.slice(y!, 0, 1), left, right),
          tf.einsum(`b${left ? 'kn' : 'nk'},c${right ? 'mk' : 'km'}->bnm`, x!, y!),
          tf.dot(tf.reshape<Rank.R1>(x!, [-1]), tf.reshape<Rank.R1>(x!, [-1])),
          tf.fused.matMul({
            a: x!,
            b: y!,
            transposeA: left,
            transposeB: right,
            activation: 'relu',
            bias: tf.scalar(0.5),
          }),
        ])
        expect(others).toBeUndefined()
      }),
      runs,
    )
  })

  test('losses of classes, and steps of Adam', async () => {
    const given = fc
      .tuple(dimension, fc.integer({ min: 2, max: 5 }))
      .chain(([rows, classes]) =>
        fc.tuple(
          tensors([rows, classes]),
          integers([rows], 0, classes - 1),
          tensors([rows, classes]),
          tensors([rows, classes], { min: 0 }),
        ),
      )
    await fc.assert(
      fc.asyncProperty(given, async ([logits, labels, first, second]) => {
        const difference = await firstDifference([logits, labels, first, second], (tf, [x, y, m, v]) => {
          const loss = (value: Tensor): Tensor => tf.sum(sparseSoftmaxCrossEntropy(value as Tensor2D, y as Tensor1D))
          const gradient = tf.grad(loss)(x!)
          const inputs = { weight: x!, first: m!, second: v!, gradient, rate: tf.scalar(0.01), step: tf.scalar(3) }
          return [loss(x!), gradient, ...adamStep(inputs, { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 })]
        })
        expect(difference).toBeUndefined()
      }),
      runs,
    )
  })

  test('random numbers are the same to the bit', async () => {
    await fc.assert(
      fc.asyncProperty(integers([], -(2 ** 31), 2 ** 31 - 1), integers([3], 0, 1e6), async (key, rows) => {
        const [got, expected] = await both([key, rows], (tf, [k, r]) =>
          withRandom({ key: k!, rows: r! }, (random) => [
            random.uniform([3, 2, 2]),
            random.uniform([5]),
            tf.cast(tf.greater(random.uniform([3, 4]), 0.5), 'int32'),
          ]),
        )
        expect(got.map(({ values }) => values)).toEqual(expected.map(({ values }) => values))
      }),
      runs,
    )
  })
})
