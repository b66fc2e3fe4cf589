/**
 * Estimators, models and evaluators in Spark ML's shape, over networks.
 *
 * The root of the package gives all of this as `ml`.
 */
export { AutoEncoders, type AutoEncodersOptions } from './auto-encoders.js'
export type { AutoEncodersModel } from './auto-encoders-model.js'
export type { ClassifierModel } from './classifier-model.js'
export { CNNClassifier, type CNNClassifierOptions, CNNRegressor, type CNNRegressorOptions } from './cnn.js'
export { load } from './load.js'
export {
  type MLPClassifierOptions,
  type MLPRegressorOptions,
  MultilayerPerceptronClassifier,
  MultilayerPerceptronRegressor,
} from './mlp.js'
export {
  MulticlassClassificationEvaluator,
  type MulticlassClassificationEvaluatorOptions,
  type MulticlassMetric,
} from './multiclass-classification-evaluator.js'
export type { Activations } from './network-model.js'
export type { FitOptions } from './options.js'
export { RNNClassifier, type RNNClassifierOptions, RNNRegressor, type RNNRegressorOptions } from './rnn.js'
export type { RegressorModel } from './regressor-model.js'
export type { Estimator, Stage, StageFitOptions, Transformer } from './stage.js'
