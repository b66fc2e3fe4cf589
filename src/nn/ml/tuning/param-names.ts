/**
 * The options of every stage by name: what a grid checks its names against, since types are gone when it runs.
 *
 * The compiler holds each list against the stage's own type, and the lists against all stages that there are: an option or a stage
 * that is missing here does not compile.
 */
import type * as ml from '../index.js'
import type { Tunable } from './params.js'

type Ml = typeof ml
type Made<K extends keyof Ml> = Ml[K] extends new (...args: never) => infer S ? (S extends Tunable ? S : never) : never
/** Stages and estimators; tuners stand around them. */
type Kind = Exclude<
  { [K in keyof Ml]: [Made<K>] extends [never] ? never : K }[keyof Ml],
  'CrossValidator' | 'TrainValidationSplit' | 'RandomSearch' | 'SuccessiveHalving'
>
type OptionsOf<K extends Kind> = Made<K>['options']

const column = { inputCol: true, outputCol: true } as const
const columns = { ...column, inputCols: true, outputCols: true } as const

const network = {
  maxIter: true,
  stepSize: true,
  seed: true,
  weightCol: true,
  classWeights: true,
  labelSmoothing: true,
  precision: true,
  regParam: true,
  elasticNetParam: true,
  optimiser: true,
  schedule: true,
  metrics: true,
} as const
const batches = { ...network, batchSize: true, slices: true } as const
const neuralRegressor = {
  ...batches,
  ...column,
  inputCols: true,
  labelCol: true,
  predictionCol: true,
  augment: true,
  layers: true,
} as const
const neuralClassifier = {
  ...neuralRegressor,
  rawPrediction: true,
  rawPredictionCol: true,
  probabilityCol: true,
} as const
const recurrent = {
  cell: true,
  units: true,
  embeddingSize: true,
  bidirectional: true,
  dropout: true,
  maxLength: true,
  vocabularySize: true,
} as const
const coder = {
  ...network,
  ...column,
  layers: true,
  convolutional: true,
  blockSize: true,
  numBlocks: true,
} as const

const regressor = { featuresCol: true, labelCol: true, predictionCol: true, weightCol: true } as const
const classifier = { ...regressor, rawPredictionCol: true, probabilityCol: true, classWeights: true } as const
const linear = {
  maxIter: true,
  regParam: true,
  tol: true,
  fitIntercept: true,
  standardization: true,
} as const
const tree = { maxDepth: true, maxBins: true, minInstancesPerNode: true, minInfoGain: true, seed: true } as const
const forest = {
  ...tree,
  numTrees: true,
  featureSubsetStrategy: true,
  subsamplingRate: true,
  bootstrap: true,
} as const
const boosted = { ...tree, maxIter: true, stepSize: true } as const

const names = {
  AutoEncoders: { ...coder, outputActivation: true, noise: true, activityPenalty: true },
  Bucketizer: { ...column, splits: true, handleInvalid: true },
  CNNClassifier: neuralClassifier,
  CNNRegressor: neuralRegressor,
  CountVectorizer: { ...column, vocabSize: true, minDF: true, maxDF: true, minTF: true, binary: true },
  DecisionTreeClassifier: { ...classifier, ...tree, impurity: true },
  DecisionTreeRegressor: { ...regressor, ...tree },
  GAN: {
    ...batches,
    ...column,
    labelCol: true,
    loss: true,
    gradientPenalty: true,
    criticSteps: true,
    latentSize: true,
    filters: true,
    generator: true,
    critic: true,
  },
  GBTClassifier: { ...classifier, ...boosted },
  GBTRegressor: { ...regressor, ...boosted },
  HashingTF: { ...column, numFeatures: true, binary: true },
  IDF: { ...column, minDocFreq: true },
  ImageFeature: {
    ...column,
    height: true,
    width: true,
    channels: true,
    fit: true,
    scale: true,
    mean: true,
    std: true,
  },
  Imputer: { ...columns, strategy: true, missingValue: true },
  IndexToString: { ...column, labels: true },
  KMeans: {
    featuresCol: true,
    predictionCol: true,
    k: true,
    maxIter: true,
    tol: true,
    initMode: true,
    distanceMeasure: true,
    weightCol: true,
    seed: true,
  },
  LinearRegression: { ...regressor, ...linear, elasticNetParam: true },
  LinearSVC: { ...regressor, ...linear, rawPredictionCol: true, classWeights: true, threshold: true },
  LogisticRegression: { ...classifier, ...linear, elasticNetParam: true, threshold: true, family: true },
  MaxAbsScaler: column,
  MinMaxScaler: { ...column, min: true, max: true },
  MultilayerPerceptronClassifier: { ...neuralClassifier, activation: true },
  MultilayerPerceptronRegressor: { ...neuralRegressor, activation: true },
  NGram: { ...column, n: true },
  Normalizer: { ...column, p: true },
  OneHotEncoder: { ...columns, dropLast: true, handleInvalid: true },
  PCA: { ...column, k: true },
  Pipeline: { stages: true },
  RandomForestClassifier: { ...classifier, ...forest, impurity: true },
  RandomForestRegressor: { ...regressor, ...forest },
  RegexTokenizer: { ...column, pattern: true, gaps: true, minTokenLength: true, toLowercase: true },
  RNNClassifier: { ...neuralClassifier, ...recurrent },
  RNNRegressor: { ...neuralRegressor, ...recurrent },
  SequenceEncoder: { ...column, length: true, vocabSize: true, minDF: true },
  StandardScaler: { ...column, withMean: true, withStd: true },
  StopWordsRemover: { ...column, stopWords: true, caseSensitive: true },
  StringIndexer: { ...column, stringOrderType: true, handleInvalid: true },
  Tokenizer: column,
  VariationalAutoEncoder: { ...coder, beta: true },
  VectorAssembler: { inputCols: true, outputCol: true, handleInvalid: true },
} as const satisfies { readonly [K in Kind]: Readonly<Record<keyof OptionsOf<K>, true>> }

/** Names of the options of a stage; `undefined` for a stage of the user's own. */
export function paramNames(kind: string): readonly string[] | undefined {
  return Object.hasOwn(names, kind) ? Object.keys(names[kind as keyof typeof names]) : undefined
}
