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
} from './evaluators/multiclass-classification-evaluator.js'
export type { Activations } from './network-model.js'
export type { FitOptions } from './options.js'
export { RNNClassifier, type RNNClassifierOptions, RNNRegressor, type RNNRegressorOptions } from './rnn.js'
export type { RegressorModel } from './regressor-model.js'
export type { Estimator, Stage, StageFitOptions, Transformer } from './stage.js'
export { HashingTF, type HashingTFOptions } from './features/hashing-tf.js'
export { IDF, type IDFModel, type IDFOptions } from './features/idf.js'
export { RegexTokenizer, type RegexTokenizerOptions, Tokenizer, type TokenizerOptions } from './features/tokenizer.js'
export {
  LogisticRegression,
  type LogisticRegressionModel,
  type LogisticRegressionOptions,
} from './plain/logistic-regression.js'
export { Pipeline, type PipelineModel } from './pipeline.js'
export {
  BinaryClassificationEvaluator,
  type BinaryClassificationEvaluatorOptions,
  type BinaryMetric,
  type Calibration,
} from './evaluators/binary-classification-evaluator.js'
export { ClusteringEvaluator, type ClusteringEvaluatorOptions } from './evaluators/clustering-evaluator.js'
export type { BootstrapOptions, Evaluator, Interval, SliceMetric } from './evaluators/evaluator.js'
export { RankingEvaluator, type RankingEvaluatorOptions, type RankingMetric } from './evaluators/ranking-evaluator.js'
export {
  RegressionEvaluator,
  type RegressionEvaluatorOptions,
  type RegressionMetric,
} from './evaluators/regression-evaluator.js'
