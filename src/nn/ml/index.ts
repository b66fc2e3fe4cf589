/**
 * Estimators, models and evaluators in Spark ML's shape, over networks.
 *
 * The root of the package gives all of this as `ml`.
 */
export { AutoEncoders, type AutoEncodersOptions } from './auto-encoders.js'
export type { AutoEncodersModel } from './auto-encoders-model.js'
export { CNNClassifier, type CNNClassifierOptions } from './cnn-classifier.js'
export type { CNNClassifierModel } from './cnn-classifier-model.js'
export { load } from './load.js'
export {
  MulticlassClassificationEvaluator,
  type MulticlassClassificationEvaluatorOptions,
  type MulticlassMetric,
} from './multiclass-classification-evaluator.js'
export type { Activations } from './network-model.js'
export type { Estimator, Stage, StageFitOptions, Transformer } from './stage.js'
