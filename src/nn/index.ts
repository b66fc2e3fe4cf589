/**
 * Networks: layers, models, losses, optimisers and schedules.
 *
 * The root of the package gives all of this as `nn`; `ml` holds the estimators on top.
 */
export type { Augmentation } from './augment/augment.js'
export {
  type FillOptions,
  randomCrop,
  type RandomCropOptions,
  randomFlip,
  type RandomFlipOptions,
  randomRotation,
  type RandomRotationOptions,
  randomTranslation,
  type RandomTranslationOptions,
  randomZoom,
  type RandomZoomOptions,
} from './augment/geometric.js'
export { cutMix, type Mix, type MixOptions, mixUp } from './augment/mixing.js'
export {
  randomBrightness,
  type RandomBrightnessOptions,
  randomContrast,
  type RandomContrastOptions,
  randomErasing,
  type RandomErasingOptions,
} from './augment/photometric.js'
export {
  activation,
  type ActivationName,
  leakyRelu,
  type LeakyReluOptions,
  prelu,
  rescale,
  type RescaleOptions,
} from './layers/activation.js'
export {
  crossAttention,
  type CrossAttentionOptions,
  multiHeadAttention,
  type MultiHeadAttentionOptions,
  transformerBlock,
  type TransformerBlockOptions,
} from './layers/attention.js'
export {
  add,
  bidirectional,
  type BidirectionalOptions,
  type BranchesOptions,
  concatenate,
  residual,
  type ResidualOptions,
  timeDistributed,
  type TimeDistributedOptions,
} from './layers/composite.js'
export { conv2d, type Conv2dOptions, conv2dTranspose, type DilatedConv2dOptions } from './layers/convolution.js'
export { dense, type DenseOptions } from './layers/dense.js'
export {
  dropout,
  type DropoutOptions,
  gaussianNoise,
  type GaussianNoiseOptions,
  gaussianSample,
  spatialDropout,
} from './layers/dropout.js'
export { embedding, type EmbeddingOptions, positionEmbedding } from './layers/embedding.js'
export { findLearningRate, type FindLearningRateOptions, type RateCurve } from './find-learning-rate.js'
export type { SymbolicTensor } from './layers/graph.js'
export { inputs, type InputShapes } from './layers/input.js'
export type { InitializerName } from './layers/initializer.js'
export type { LayerOf, ShapeError } from './layers/literal-shapes.js'
export type { Layer, LayerContext, LayerOptions, Shape, WeightSpec } from './layers/layer.js'
export {
  batchNormalization,
  type BatchNormalizationOptions,
  groupNormalization,
  type GroupNormalizationOptions,
  layerNormalization,
  type NormalizationOptions,
} from './layers/normalization.js'
export {
  cropping1d,
  cropping2d,
  type Edges1dOptions,
  type Edges2dOptions,
  slice,
  type SliceOptions,
  zeroPadding1d,
  zeroPadding2d,
} from './layers/padding.js'
export { type Built, elman, type ElmanOptions, layer, type OwnLayerOptions } from './layers/own.js'
export {
  averagePooling1d,
  averagePooling2d,
  averagePooling3d,
  globalAveragePooling,
  globalMaxPooling,
  maxPooling1d,
  maxPooling2d,
  maxPooling3d,
  type Pooling1dOptions,
  type Pooling3dOptions,
  type PoolingOptions,
} from './layers/pooling.js'
export { gru, lstm, type RecurrentOptions, simpleRnn, type SimpleRnnOptions } from './layers/recurrent.js'
export {
  conv1d,
  type Conv1dOptions,
  conv3d,
  type Conv3dOptions,
  depthwiseConv2d,
  type DepthwiseConv2dOptions,
  separableConv2d,
  type SeparableConv2dOptions,
} from './layers/separable.js'
export {
  flatten,
  reshape,
  type ReshapeOptions,
  upSampling1d,
  type UpSampling1dOptions,
  upSampling2d,
  type UpSamplingOptions,
} from './layers/shape.js'
export {
  binaryCrossEntropy,
  categoricalCrossEntropy,
  cosineSimilarity,
  halfSquaredError,
  hinge,
  huber,
  klDivergence,
  labelSmoothing,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  softmaxCrossEntropy,
} from './loss.js'
export { auc, type AucOptions, type AverageOptions, f1, precision, recall } from './count-metrics.js'
export { accuracy, binaryAccuracy, type Metric, topKAccuracy } from './metric.js'
export { model, type Model, type ModelOptions, type SymbolicInputs } from './model.js'
export type { Summary } from './summary.js'
export {
  adagrad,
  type AdagradOptions,
  lion,
  type LionOptions,
  rmsprop,
  type RmsPropOptions,
} from './adaptive-optimisers.js'
export { adam, type AdamOptions, type Optimiser, sgd, type SgdOptions } from './optimiser.js'
export {
  accumulate,
  adamw,
  clip,
  type ClipOptions,
  lossScaling,
  type LossScalingOptions,
  movingAverage,
  weightDecay,
} from './optimiser-transforms.js'
export {
  constant,
  cosine,
  type CosineOptions,
  type DecayOptions,
  exponentialDecay,
  oneCycle,
  type OneCycleOptions,
  type Schedule,
  stepDecay,
  warmUp,
} from './schedule.js'
export type { Callback, CheckpointOptions, FitOptions, TrainingOptions } from './train/options.js'
export type { Profile } from './train/profile.js'
export {
  earlyStopping,
  type EarlyStoppingOptions,
  reduceOnPlateau,
  type ReduceOnPlateauOptions,
  type Rule,
} from './train/rules.js'
