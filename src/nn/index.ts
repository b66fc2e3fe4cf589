/**
 * Networks: layers, models, losses, optimisers and schedules.
 *
 * The root of the package gives all of this as `nn`; `ml` holds the estimators on top.
 */
export { activation, type ActivationName, rescale, type RescaleOptions } from './layers/activation.js'
export { conv2d, type Conv2dOptions, conv2dTranspose } from './layers/convolution.js'
export { dense, type DenseOptions } from './layers/dense.js'
export type { InitializerName } from './layers/initializer.js'
export type { Layer, LayerOptions, Shape, WeightSpec } from './layers/layer.js'
export { averagePooling2d, maxPooling2d, type PoolingOptions } from './layers/pooling.js'
export { gru, lstm, type RecurrentOptions, simpleRnn, type SimpleRnnOptions } from './layers/recurrent.js'
export { flatten, reshape, type ReshapeOptions, upSampling2d, type UpSamplingOptions } from './layers/shape.js'
export { binaryCrossEntropy, halfSquaredError, type Loss, meanSquaredError, softmaxCrossEntropy } from './loss.js'
export { accuracy, type Metric } from './metric.js'
export { model, type Model, type Summary } from './model.js'
export { adam, type AdamOptions, adamw, type Optimiser, sgd } from './optimiser.js'
export { constant, cosine, type CosineOptions, type Schedule } from './schedule.js'
