/** Layers that do not fit literal shapes, to the compiler: each is a sentence; what cannot be told passes. */
import * as nn from '../../src/nn/index.js'
import type { Product, Sum } from '../../src/nn/layers/literal-numbers.js'
import type { Fits, LayerOf, ShapeError } from '../../src/nn/layers/literal-shapes.js'

declare const unknown: number[]
declare const some: nn.Layer[]
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
true satisfies Same<784, Product<[28, 28, 1]>>
true satisfies Same<150528, Product<[224, 224, 3]>>
true satisfies Same<998001, Product<[999, 999]>>
true satisfies Same<90, Product<[9, 10]>>
true satisfies Same<number, Product<[28, number]>>
true satisfies Same<1000, Sum<999, 1>>
true satisfies Same<64, Sum<32, 32>>
true satisfies Same<
  ShapeError<'nn.dense takes samples of shape [in], but gets [28, 28, 1].'>,
  Fits<[LayerOf<'dense', readonly ['in'], readonly [10]>], [28, 28, 1]>
>
true satisfies Same<
  ShapeError<'nn.reshape to [7, 7, 8] takes 392 numbers, but gets [784], which are 784.'>,
  Fits<
    [LayerOf<'flatten', 'any', 'flat'>, LayerOf<'reshape', 'any', readonly ['reshaped', readonly [7, 7, 8]]>],
    [28, 28, 1]
  >
>

export function accepted() {
  nn.model(
    [
      nn.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
      nn.batchNormalization(),
      nn.maxPooling2d(),
      nn.dropout({ rate: 0.5 }),
      nn.flatten(),
      nn.dense({ units: 12 }),
      nn.reshape({ shape: [3, 4] }),
      nn.lstm({ units: 3 }),
      nn.dense({ units: 2 }),
    ],
    { inputShape: [28, 28, 1] as const },
  )
  nn.model([nn.flatten(), nn.reshape({ shape: [7, 7, 16] })], { inputShape: [28, 28, 1] })
  nn.model([nn.embedding({ inputDim: 9, outputDim: 4 }), nn.conv1d({ filters: 2, kernelSize: 3 })], {
    inputShape: [20],
  })
  nn.model([nn.globalAveragePooling(), nn.dense({ units: 2 })], { inputShape: [4, 4, 4, 2] })
  nn.model([nn.dense({ units: 2, sparseSize: 100 })], { inputShape: [2, 5] })
  // Shapes that are not literal, and layers in a list, are checked when the model is built.
  nn.model([nn.conv2d({ filters: 8, kernelSize: 3 })], { inputShape: unknown })
  nn.model(some, { inputShape: [28, 28, 1] as const })
  nn.model([...some, nn.dense({ units: 2 })], { inputShape: [28, 28, 1] as const })
  nn.model([nn.reshape({ shape: unknown }), nn.dense({ units: 2 })], { inputShape: [4] })
  nn.model(some, { inputs: { image: [28, 28, 1], size: [4] } })
  // Sequences: a layer over all steps, both ways, on each step; branches; what keeps a shape.
  nn.model(
    [
      nn.embedding({ inputDim: 99, outputDim: 8 }),
      nn.positionEmbedding(),
      nn.transformerBlock({ heads: 2, keySize: 4, units: 16 }),
      nn.lstm({ units: 6, returnSequences: true }),
      nn.timeDistributed({ layer: nn.dense({ units: 5 }) }),
      nn.bidirectional({ layer: nn.gru({ units: 7, returnSequences: true }) }),
      nn.flatten(),
      nn.reshape({ shape: [20, 14] }),
      nn.simpleRnn({ units: 3 }),
      nn.residual({ layers: [nn.dense({ units: 3 })] }),
      nn.concatenate({ branches: [[nn.dense({ units: 4 })], [], [nn.dense({ units: 1 })]] }),
      nn.reshape({ shape: [2, 2, 2] }),
      nn.add({ branches: [[nn.conv2d({ filters: 2, kernelSize: 1 })], []] }),
    ],
    { inputShape: [20] as const },
  )
  nn.model([nn.lstm({ units: 3, sparseSize: 100 })], { inputShape: [2, 5] as const })
  const shapes = { image: [8, 8, 1], size: [4] } as const
  const { image, size } = nn.inputs(shapes)
  const seen = [image, nn.conv2d({ filters: 2, kernelSize: 3 }), nn.flatten()] as const
  nn.model([nn.concatenate({ branches: [seen, [size]] }), nn.dense({ units: 3 })], { inputs: shapes })
}

export function refused() {
  // @ts-expect-error nn.dense takes samples of shape [in], but gets [28, 28, 1].
  nn.model([nn.dense({ units: 10 })], { inputShape: [28, 28, 1] as const })
  // @ts-expect-error nn.dense takes samples of shape [in], but gets [?, ?, 8].
  nn.model([nn.conv2d({ filters: 8, kernelSize: 3 }), nn.dense({ units: 10 })], { inputShape: [28, 28, 1] as const })
  // @ts-expect-error nn.conv2d takes samples of shape [height, width, channels], but gets [784].
  nn.model([nn.conv2d({ filters: 8, kernelSize: 3 })], { inputShape: [784] as const })
  // @ts-expect-error nn.reshape to [7, 7, 8] takes 392 numbers, but gets [784], which are 784.
  nn.model([nn.flatten(), nn.reshape({ shape: [7, 7, 8] })], { inputShape: [28, 28, 1] as const })
  // @ts-expect-error nn.reshape to [3, 5] takes 15 numbers, but gets [12], which are 12.
  nn.model([nn.flatten(), nn.dense({ units: 12 }), nn.reshape({ shape: [3, 5] })], { inputShape: [28, 28, 1] as const })
  // @ts-expect-error nn.maxPooling1d takes samples of shape [steps, channels], but gets [28, 28, 1].
  nn.model([nn.maxPooling1d()], { inputShape: [28, 28, 1] as const })
  // @ts-expect-error a layer has no such option
  nn.dense({ units: 10, unit: 3 })
  // @ts-expect-error inputShape or inputs
  nn.model([nn.flatten()], {})
  // @ts-expect-error nn.lstm takes samples of shape [steps, channels], but gets [3].
  nn.model([nn.lstm({ units: 3 }), nn.lstm({ units: 3 })], { inputShape: [9, 2] as const })
  // @ts-expect-error nn.dense takes samples of shape [in], but gets [9, 14].
  nn.model([nn.bidirectional({ layer: nn.gru({ units: 7, returnSequences: true }) }), nn.dense({ units: 3 })], {
    inputShape: [9, 2] as const,
  })
  // @ts-expect-error nn.reshape to [2, 8] takes 16 numbers, but gets [14], which are 14.
  nn.model([nn.bidirectional({ layer: nn.gru({ units: 7 }) }), nn.reshape({ shape: [2, 8] })], {
    inputShape: [9, 2] as const,
  })
  // @ts-expect-error nn.conv2d takes samples of shape [height, width, channels], but gets [2].
  nn.model([nn.timeDistributed({ layer: nn.conv2d({ filters: 2, kernelSize: 1 }) })], { inputShape: [9, 2] as const })
  // @ts-expect-error nn.add takes branches with one output shape, but gets [4] and [2].
  nn.model([nn.add({ branches: [[nn.dense({ units: 4 })], []] })], { inputShape: [2] as const })
  // @ts-expect-error nn.residual takes layers that keep the shape [2], but they give [4].
  nn.model([nn.residual({ layers: [nn.dense({ units: 4 })] })], { inputShape: [2] as const })
  // @ts-expect-error nn.dense takes samples of shape [in], but gets [8, 8, 1].
  nn.model([nn.concatenate({ branches: [[nn.dense({ units: 4 })], []] })], { inputShape: [8, 8, 1] as const })
  // @ts-expect-error nn.concatenate takes outputs that differ in the last axis only, but gets [8, 1] and [2].
  nn.model([nn.concatenate({ branches: [[], [nn.flatten(), nn.dense({ units: 2 })]] })], {
    inputShape: [8, 1] as const,
  })
}

export function graphs() {
  nn.model(
    ({ image, size }) => {
      const seen = image.to(nn.conv2d({ filters: 8, kernelSize: 3, padding: 'same' }))
      const flat = seen.add(seen).to(nn.globalAveragePooling())
      return flat.concatenate(size.to(nn.dense({ units: 4 }))).to(nn.dense({ units: 10 }))
    },
    { inputs: { image: [28, 28, 1], size: [4] } },
  )
  nn.model((x) => x.to(...some).add(x), { inputShape: unknown })
  // @ts-expect-error -- a dense layer takes vectors
  nn.model((x) => x.to(nn.dense({ units: 10 })), { inputShape: [28, 28, 1] })
  // @ts-expect-error -- 3 and 4 numbers do not add up
  nn.model((x) => x.to(nn.dense({ units: 3 })).add(x), { inputShape: [4] })
  // @ts-expect-error -- no such input
  nn.model(({ sound }) => sound.to(nn.flatten()), { inputs: { image: [28, 28, 1], size: [4] } })
  // @ts-expect-error -- the result is a tensor of the graph
  nn.model(() => 3, { inputShape: [4] })
}
