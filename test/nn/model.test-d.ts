/** Layers that do not fit literal shapes, to the compiler: each is a sentence; what cannot be told passes. */
import * as nn from '../../src/nn/index.js'
import type { Fits, LayerOf, Product, ShapeError } from '../../src/nn/layers/literal-shapes.js'

declare const unknown: number[]
declare const some: nn.Layer[]
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
true satisfies Same<784, Product<[28, 28, 1]>>
true satisfies Same<150528, Product<[224, 224, 3]>>
true satisfies Same<998001, Product<[999, 999]>>
true satisfies Same<90, Product<[9, 10]>>
true satisfies Same<number, Product<[28, number]>>
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
}
