/**
 * Estimators, models and evaluators in Spark ML's shape, over networks.
 *
 * The root of the package gives all of this as `ml`.
 */
export { AutoEncoders, type AutoEncodersOptions } from './auto-encoders.js'
export type { AutoEncodersModel } from './auto-encoders-model.js'
export type { ClassifierModel } from './classifier-model.js'
export { CNNClassifier, type CNNClassifierOptions, CNNRegressor, type CNNRegressorOptions } from './cnn.js'
export { GAN, type GANOptions } from './gan.js'
export type { GANModel } from './gan-model.js'
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
export { VariationalAutoEncoder, type VariationalAutoEncoderOptions } from './vae.js'
export type { VariationalAutoEncoderModel } from './vae-model.js'
export type { Activations } from './network-model.js'
export type { FitOptions } from './options.js'
export { RNNClassifier, type RNNClassifierOptions, RNNRegressor, type RNNRegressorOptions } from './rnn.js'
export type { RegressorModel } from './regressor-model.js'
export type { Estimator, Stage, StageFitOptions, Transformer } from './stage.js'
export { oneStandardError, type Choice } from './tuning/choice.js'
export { CrossValidator, type CrossValidatorOptions } from './tuning/cross-validator.js'
export type { Scorer } from './tuning/scorer.js'
export { ParamGridBuilder, ParamSpace } from './tuning/param-grid-builder.js'
export type { ParamMap, ParamSetting, Tunable } from './tuning/params.js'
export { stability, type Stability, type StabilityOptions } from './tuning/stability.js'
export { SuccessiveHalving, type SuccessiveHalvingOptions } from './tuning/successive-halving.js'
export {
  RandomSearch,
  type RandomSearchOptions,
  TrainValidationSplit,
  type TrainValidationSplitOptions,
} from './tuning/train-validation-split.js'
export type { CandidateScore, Trial, TrialResult } from './tuning/trial.js'
export { TunedModel, type TuningReport } from './tuning/tuned-model.js'
export type { TunerFitOptions, TunerOptions } from './tuning/tuner.js'
export type { Tuning } from './tuning/tuning.js'
export { HashingTF, type HashingTFOptions } from './features/hashing-tf.js'
export { IDF, type IDFModel, type IDFOptions } from './features/idf.js'
export { RegexTokenizer, type RegexTokenizerOptions, Tokenizer, type TokenizerOptions } from './features/tokenizer.js'
export {
  LogisticRegression,
  type LogisticRegressionModel,
  type LogisticRegressionOptions,
} from './plain/logistic-regression.js'
export { Pipeline, type PipelineModel } from './pipeline.js'
export type { AnyStage } from './pipeline-types.js'
export {
  type BalanceOptions,
  balanceWeights,
  oversample,
  type SamplingOptions,
  undersample,
} from './balance/balance.js'
export { smote, type SmoteOptions } from './balance/smote.js'
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
export { distill, type Distilled, type DistillOptions } from './simplify/distill.js'
export { prune, type PruneOptions, quantise, type QuantiseOptions } from './simplify/quantise.js'
export type { ScoredOn, Simplified } from './simplify/simplified.js'
export { Bucketizer, type BucketizerOptions } from './features/bucketizer.js'
export { CountVectorizer, type CountVectorizerModel, type CountVectorizerOptions } from './features/count-vectorizer.js'
export { ImageFeature, type ImageFeatureOptions } from './features/image-feature.js'
export { Imputer, type ImputerModel, type ImputerOptions } from './features/imputer.js'
export { MaxAbsScaler, type MaxAbsScalerModel } from './features/max-abs-scaler.js'
export { MinMaxScaler, type MinMaxScalerModel, type MinMaxScalerOptions } from './features/min-max-scaler.js'
export { Normalizer, type NormalizerOptions } from './features/normalizer.js'
export { OneHotEncoder, type OneHotEncoderModel, type OneHotEncoderOptions } from './features/one-hot-encoder.js'
export { PCA, type PCAModel, type PCAOptions } from './features/pca.js'
export { SequenceEncoder, type SequenceEncoderModel, type SequenceEncoderOptions } from './features/sequence-encoder.js'
export { StandardScaler, type StandardScalerModel, type StandardScalerOptions } from './features/standard-scaler.js'
export {
  IndexToString,
  type IndexToStringOptions,
  StringIndexer,
  type StringIndexerModel,
  type StringIndexerOptions,
} from './features/string-indexer.js'
export { NGram, type NGramOptions, StopWordsRemover, type StopWordsRemoverOptions } from './features/tokens.js'
export { VectorAssembler, type VectorAssemblerOptions } from './features/vector-assembler.js'
export {
  DecisionTreeClassifier,
  type DecisionTreeClassificationModel,
  type DecisionTreeClassifierOptions,
  DecisionTreeRegressor,
  type DecisionTreeRegressionModel,
  type DecisionTreeRegressorOptions,
} from './plain/decision-tree.js'
export {
  GBTClassifier,
  type GBTClassificationModel,
  type GBTClassifierOptions,
  GBTRegressor,
  type GBTRegressionModel,
  type GBTRegressorOptions,
} from './plain/gradient-boosted-trees.js'
export { KMeans, type KMeansModel, type KMeansOptions } from './plain/k-means.js'
export {
  LinearRegression,
  type LinearRegressionModel,
  type LinearRegressionOptions,
} from './plain/linear-regression.js'
export { LinearSVC, type LinearSVCModel, type LinearSVCOptions } from './plain/linear-svc.js'
export {
  RandomForestClassifier,
  type RandomForestClassificationModel,
  type RandomForestClassifierOptions,
  RandomForestRegressor,
  type RandomForestRegressionModel,
  type RandomForestRegressorOptions,
} from './plain/random-forest.js'
export { augment, type AugmentOptions } from '../augment/augment-frame.js'
