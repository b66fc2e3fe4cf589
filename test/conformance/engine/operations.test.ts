/** Operations and their gradients: against TensorFlow.js's reference backend (`cpu`) and against finite differences. */
import type { Rank, Tensor, Tensor1D, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { keyOf, uniform } from '../../../src/core/random.js'
import { type Tf, difference, loadReference, open } from './engines.js'
import { missing } from '../../needs.js'
import { onAllEngines } from '../../nn/on-engines.js'

interface Case {
  readonly name: string
  /** Shapes of the inputs; their values are random in [-1, 1). */
  readonly shapes: readonly (readonly number[])[]
  readonly compute: (tf: Tf, inputs: readonly Tensor[]) => Tensor
  /** What is wrong with the reference backend's gradient: the other engine's is the reference then. */
  readonly noReference?: string
}

const x4 = (inputs: readonly Tensor[], i = 0): Tensor4D => inputs[i] as Tensor4D

const convolutions: Case[] = (['same', 'valid'] as const).flatMap((padding) =>
  [1, 2].flatMap((stride) =>
    [3, 9].flatMap((channels) => [
      {
        name: `conv2d ${padding}, stride ${stride}, ${channels} channels`,
        shapes: [
          [2, 7, 6, channels],
          [3, 2, channels, 4],
        ],
        compute: (tf, inputs) => tf.conv2d(x4(inputs), x4(inputs, 1), stride, padding),
      } satisfies Case,
      {
        name: `depthwiseConv2d ${padding}, stride ${stride}, ${channels} channels`,
        shapes: [
          [2, 7, 6, channels],
          [3, 2, channels, 2],
        ],
        compute: (tf, inputs) => tf.depthwiseConv2d(x4(inputs), x4(inputs, 1), stride, padding),
      } satisfies Case,
    ]),
  ),
)

/** Widened to few channels, by strides that divide the size and kernel or do not. */
const widening: Case[] = (['same', 'valid'] as const).flatMap((padding) =>
  ['2 3 8', '2 4 7', '3 2 8', '4 5 9'].map((numbers): Case => {
    const [stride, kernel, size] = numbers.split(' ').map(Number)
    const places = padding === 'same' ? Math.ceil(size! / stride!) : Math.ceil((size! - kernel! + 1) / stride!)
    return {
      name: `conv2dTranspose to one channel, ${padding}, stride ${stride}, kernel ${kernel}, ${size} places`,
      shapes: [
        [2, places, places, 3],
        [kernel!, kernel!, 1, 3],
      ],
      compute: (tf, inputs) => tf.conv2dTranspose(x4(inputs), x4(inputs, 1), [2, size!, size!, 1], stride!, padding),
    }
  }),
)

const takesHeightForWidth = { noReference: "it takes the filter's height for its width" }

const padded: Case[] = (
  [
    1,
    [
      [0, 0],
      [1, 2],
      [0, 1],
      [0, 0],
    ],
  ] as const
).flatMap((padding): Case[] => [
  {
    name: `conv2d padded by ${JSON.stringify(padding)}`,
    ...(padding === 1 && takesHeightForWidth),
    shapes: [
      [2, 7, 6, 3],
      [3, 1, 3, 4],
    ],
    compute: (tf, inputs) => tf.conv2d(x4(inputs), x4(inputs, 1), 2, padding as 1),
  },
  {
    name: `depthwiseConv2d padded by ${JSON.stringify(padding)}`,
    ...(padding === 1 && takesHeightForWidth),
    shapes: [
      [2, 7, 6, 3],
      [3, 2, 3, 2],
    ],
    compute: (tf, inputs) => tf.depthwiseConv2d(x4(inputs), x4(inputs, 1), 2, padding as 1),
  },
  {
    name: `maxPool padded by ${JSON.stringify(padding)}`,
    shapes: [[2, 7, 6, 3]],
    compute: (tf, inputs) => tf.maxPool(x4(inputs), 3, 2, padding as 1),
  },
])

const volumes: Case[] = (['same', 'valid'] as const).flatMap((padding) =>
  [1, 2].flatMap((stride): Case[] => [
    {
      name: `conv3d ${padding}, stride ${stride}`,
      shapes: [
        [2, 4, 5, 4, 2],
        [2, 3, 2, 2, 3],
      ],
      compute: (tf, [x, w]) => tf.conv3d(x as Tensor5D, w as Tensor5D, stride, padding),
    },
    {
      name: `maxPool3d ${padding}, stride ${stride}`,
      noReference: 'it is wrong',
      shapes: [[1, 4, 5, 4, 2]],
      compute: (tf, [x]) => tf.maxPool3d(x as Tensor5D, [2, 3, 2], stride, padding),
    },
    {
      name: `avgPool3d ${padding}, stride ${stride}`,
      ...(padding === 'same' && { noReference: 'it divides by the whole window where padding leaves less' }),
      shapes: [[2, 4, 5, 4, 2]],
      compute: (tf, [x]) => tf.avgPool3d(x as Tensor5D, [2, 3, 2], stride, padding),
    },
  ]),
)

const pools: Case[] = (['same', 'valid'] as const).flatMap((padding) =>
  [
    [2, 2],
    [3, 2],
    [3, 1],
  ].flatMap(([size, stride]): Case[] => [
    {
      name: `maxPool ${size}/${stride} ${padding}`,
      shapes: [[2, 7, 6, 3]],
      compute: (tf, inputs) => tf.maxPool(x4(inputs), size!, stride!, padding),
    },
    {
      name: `avgPool ${size}/${stride} ${padding}`,
      ...(padding === 'same' && { noReference: 'it divides by the whole window where padding leaves less' }),
      shapes: [[2, 7, 6, 3]],
      compute: (tf, inputs) => tf.avgPool(x4(inputs), size!, stride!, padding),
    },
  ]),
)

const dense: Case[] = [
  {
    name: 'matMul and bias',
    shapes: [[5, 7], [7, 3], [3]],
    compute: (tf, [x, w, b]) => tf.add(tf.matMul(x as never, w as never), b!),
  },
  { name: 'relu', shapes: [[4, 9]], compute: (tf, [x]) => tf.relu(x!) },
  { name: 'sigmoid', shapes: [[4, 9]], compute: (tf, [x]) => tf.sigmoid(x!) },
  { name: 'tanh', shapes: [[4, 9]], compute: (tf, [x]) => tf.tanh(x!) },
  { name: 'elu', shapes: [[4, 9]], compute: (tf, [x]) => tf.elu(x!) },
  { name: 'softplus', shapes: [[4, 9]], compute: (tf, [x]) => tf.softplus(x!) },
  { name: 'softmax', shapes: [[4, 9]], compute: (tf, [x]) => tf.softmax(x!) },
  { name: 'logSoftmax', shapes: [[4, 9]], compute: (tf, [x]) => tf.logSoftmax(x!) },
  { name: 'mean of squares', shapes: [[4, 9]], compute: (tf, [x]) => tf.mean(tf.square(x!), 1) },
  {
    name: 'concat and slice',
    shapes: [
      [4, 3],
      [4, 2],
    ],
    compute: (tf, [a, b]) => tf.slice(tf.concat([a!, b!], 1), [1, 1], [2, 3]),
  },
  { name: 'transpose', shapes: [[2, 3, 4]], compute: (tf, [x]) => tf.square(tf.transpose(x!, [2, 0, 1])) },
  ...(['resizeBilinear', 'resizeNearestNeighbor'] as const).map((name): Case => ({
    name: `${name} by the corners of pixels times the same by their centres`,
    noReference: 'it is wrong for more than one image',
    shapes: [[2, 3, 4, 2]],
    compute: (tf, [x]) =>
      tf.mul(tf.image[name](x as Tensor4D, [5, 7]), tf.image[name](x as Tensor4D, [5, 7], false, true)),
  })),
  {
    name: 'conv2dTranspose',
    shapes: [
      [2, 4, 3, 5],
      [3, 3, 4, 5],
    ],
    compute: (tf, inputs) => tf.conv2dTranspose(x4(inputs), x4(inputs, 1), [2, 8, 6, 4], 2, 'same'),
  },
  {
    name: 'gather with repeated indices',
    shapes: [[6, 3]],
    compute: (tf, [x]) => tf.square(tf.gather(x!, tf.tensor1d([5, 0, 0, 2, 5], 'int32'))),
  },
  {
    name: 'batchNorm',
    shapes: [[3, 4, 4, 2], [2], [2]],
    compute: (tf, [x, ...given]) => {
      const { mean, variance } = tf.moments(x!, [0, 1, 2])
      const [offset, scale] = given as Tensor1D[]
      return tf.batchNorm(x!, mean, variance, offset, scale, 1e-3)
    },
  },
]

const cases = [...convolutions, ...widening, ...padded, ...volumes, ...pools, ...dense]

function inputsOf(tf: Tf, { name, shapes }: Case): Tensor[] {
  return shapes.map((shape, i) => {
    const key = keyOf(name.length * 31 + i)
    const size = shape.reduce((n, d) => n * d, 1)
    const values = Float32Array.from({ length: size }, (_, j) => uniform(key, j) * 2 - 1)
    return tf.tensor(values, [...shape])
  })
}

/** The result and the gradients of its weighted sum by every input. */
function evaluate(tf: Tf, one: Case): Float32Array[] {
  return tf.tidy(() => {
    const inputs = inputsOf(tf, one)
    const y = one.compute(tf, inputs)
    const weights = tf.tensor(
      Float32Array.from({ length: y.size }, (_, i) => uniform(keyOf(99), i) - 0.3),
      y.shape,
    )
    const gradients = tf.grads((...given: Tensor[]) => tf.sum(tf.mul(one.compute(tf, given), weights)))(inputs)
    return [y, ...gradients].map((tensor) => tensor.dataSync<'float32'>().slice())
  })
}

onAllEngines('operations', (name) => {
  let tf: Tf
  beforeAll(async () => {
    loadReference()
    ;({ tf } = await open(name))
  })

  const reference = async (one: Case): Promise<Float32Array[]> => {
    if (one.noReference === undefined) await tf.setBackend('cpu')
    else await open(name === 'wasm' ? 'native' : 'wasm')
    try {
      return evaluate(tf, one)
    } finally {
      await open(name)
    }
  }

  /** The worst difference from the reference, of the result and of all gradients; nothing is left behind. */
  const compare = async (one: Case): Promise<number> => {
    const expected = await reference(one)
    const before = tf.memory().numTensors
    const got = evaluate(tf, one)
    if (tf.memory().numTensors !== before || got.length !== expected.length) return Infinity
    return Math.max(...got.map((values, i) => difference(values, expected[i]!)))
  }
  const [referred, others] = [true, false].map((it) => cases.filter((one) => (one.noReference === undefined) === it))

  test.each(referred!)('$name: result and gradients equal the reference', async (one) => {
    expect(await compare(one)).toBeLessThan(2e-5)
  })

  test.skipIf(missing('native') !== undefined).each(others!)(
    "$name: result and gradients equal the other engine's",
    async (one) => {
      expect(await compare(one)).toBeLessThan(2e-5)
    },
  )

  test.each(cases)('$name: gradients equal finite differences', (one) => {
    tf.tidy(() => {
      const inputs = inputsOf(tf, one)
      const loss = (given: readonly Tensor[]): Tensor => tf.sum(tf.sin(one.compute(tf, given)))
      const gradients = tf.grads((...given: Tensor[]) => loss(given))(inputs)
      const step = 2e-3
      for (const [i, input] of inputs.entries()) {
        // Along one random direction: the difference of the loss is the gradient times the direction.
        const direction = tf.tensor(
          Float32Array.from({ length: input.size }, (_, j) => (uniform(keyOf(7), j) < 0.5 ? -1 : 1)),
          input.shape,
        )
        const moved = (sign: number): number => {
          const given = inputs.map((tensor, j) => (i === j ? tf.add(tensor, tf.mul(direction, sign * step)) : tensor))
          return loss(given).dataSync()[0]!
        }
        const slope = (moved(1) - moved(-1)) / (2 * step)
        const expected = tf.sum(tf.mul(gradients[i]!, direction)).dataSync()[0]!
        expect(Math.abs(slope - expected)).toBeLessThan(0.03 * Math.max(1, Math.abs(expected)))
      }
    })
  })

  test('equal values: the first maximum of a window gets its gradient', () => {
    const x = tf.zeros<Rank.R4>([1, 4, 4, 1])
    const gradient = tf.grad((given: Tensor) => tf.sum(tf.maxPool(given as Tensor4D, 2, 2, 'valid')))(x)
    expect(Array.from(gradient.dataSync())).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0])
  })

  test('unsorted segment sums drop rows of negative segments', () => {
    const sums = tf.unsortedSegmentSum(
      tf.tensor2d([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      tf.tensor1d([1, -1, 1], 'int32'),
      3,
    )
    expect(Array.from(sums.dataSync())).toEqual([0, 0, 6, 8, 0, 0])
  })
})
