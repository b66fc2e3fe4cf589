/** Every layer by its kind: how a saved model finds them again. */
import { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from '../augment/geometric.js'
import { randomBrightness, randomContrast, randomErasing } from '../augment/photometric.js'
import { activation, leakyRelu, prelu, rescale } from './activation.js'
import { crossAttention, multiHeadAttention, transformerBlock } from './attention.js'
import { add, bidirectional, concatenate, residual, timeDistributed } from './composite.js'
import { conv2d, conv2dTranspose } from './convolution.js'
import { dense } from './dense.js'
import { dropout, gaussianNoise, gaussianSample, spatialDropout } from './dropout.js'
import { embedding, positionEmbedding } from './embedding.js'
import { input } from './input.js'
import type { Layer } from './layer.js'
import { merge } from './merge.js'
import { batchNormalization, groupNormalization, layerNormalization } from './normalization.js'
import { elman } from './own.js'
import { cropping1d, cropping2d, slice, zeroPadding1d, zeroPadding2d } from './padding.js'
import {
  averagePooling1d,
  averagePooling2d,
  averagePooling3d,
  globalAveragePooling,
  globalMaxPooling,
  maxPooling1d,
  maxPooling2d,
  maxPooling3d,
} from './pooling.js'
import { gru, lstm, simpleRnn } from './recurrent.js'
import { conv1d, conv3d, depthwiseConv2d, separableConv2d } from './separable.js'
import { flatten, reshape, upSampling1d, upSampling2d } from './shape.js'
import { traced } from './traced.js'

export const layerKinds = {
  activation,
  add,
  averagePooling1d,
  averagePooling2d,
  averagePooling3d,
  batchNormalization,
  bidirectional,
  concatenate,
  conv1d,
  conv2d,
  conv2dTranspose,
  conv3d,
  cropping1d,
  cropping2d,
  crossAttention,
  dense,
  depthwiseConv2d,
  dropout,
  elman,
  embedding,
  flatten,
  gaussianNoise,
  gaussianSample,
  globalAveragePooling,
  globalMaxPooling,
  groupNormalization,
  gru,
  input,
  layerNormalization,
  leakyRelu,
  lstm,
  maxPooling1d,
  maxPooling2d,
  maxPooling3d,
  merge,
  multiHeadAttention,
  positionEmbedding,
  prelu,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomErasing,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
  rescale,
  reshape,
  residual,
  separableConv2d,
  simpleRnn,
  slice,
  spatialDropout,
  timeDistributed,
  traced,
  transformerBlock,
  upSampling1d,
  upSampling2d,
  zeroPadding1d,
  zeroPadding2d,
} as const satisfies Record<string, (options: never) => Layer>

export type LayerKind = keyof typeof layerKinds
