/**
 * The options of every stage by name, with the type of their values: what a grid is checked against, since types are gone when
 * it runs.
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

/** What `typeof` says of an option's values; `true` where that does not tell. */
type Kept<V> = [V] extends [boolean]
  ? 'boolean'
  : [V] extends [number]
    ? 'number'
    : [V] extends [string]
      ? 'string'
      : true

const column = { inputCol: 'string', outputCol: 'string' } as const
const columns = { ...column, inputCols: true, outputCols: true } as const

const network = {
  maxIter: 'number',
  stepSize: 'number',
  seed: 'number',
  weightCol: 'string',
  classWeights: true,
  labelSmoothing: 'number',
  precision: 'string',
  regParam: 'number',
  elasticNetParam: 'number',
  optimiser: true,
  schedule: true,
  metrics: true,
} as const
const batches = { ...network, batchSize: 'number', slices: 'number' } as const
const neuralRegressor = {
  ...batches,
  ...column,
  inputCols: true,
  labelCol: 'string',
  predictionCol: 'string',
  augment: true,
  layers: true,
} as const
const neuralClassifier = {
  ...neuralRegressor,
  rawPrediction: 'boolean',
  rawPredictionCol: 'string',
  probabilityCol: 'string',
} as const
const recurrent = {
  cell: 'string',
  units: true,
  embeddingSize: 'number',
  bidirectional: 'boolean',
  dropout: 'number',
  maxLength: 'number',
  vocabularySize: 'number',
} as const
const coder = {
  ...network,
  ...column,
  layers: true,
  convolutional: 'boolean',
  blockSize: 'number',
  numBlocks: 'number',
} as const

const regressor = { featuresCol: 'string', labelCol: 'string', predictionCol: 'string', weightCol: 'string' } as const
const classifier = { ...regressor, rawPredictionCol: 'string', probabilityCol: 'string', classWeights: true } as const
const linear = {
  maxIter: 'number',
  regParam: 'number',
  tol: 'number',
  fitIntercept: 'boolean',
  standardization: 'boolean',
} as const
const tree = {
  maxDepth: 'number',
  maxBins: 'number',
  minInstancesPerNode: 'number',
  minInfoGain: 'number',
  seed: 'number',
} as const
const forest = {
  ...tree,
  numTrees: 'number',
  featureSubsetStrategy: true,
  subsamplingRate: 'number',
  bootstrap: 'boolean',
} as const
const boosted = { ...tree, maxIter: 'number', stepSize: 'number' } as const

const names = {
  AutoEncoders: { ...coder, outputActivation: 'string', noise: 'number', activityPenalty: 'number' },
  Bucketizer: { ...column, splits: true, handleInvalid: 'string' },
  CNNClassifier: neuralClassifier,
  CNNRegressor: neuralRegressor,
  CountVectorizer: {
    ...column,
    vocabSize: 'number',
    minDF: 'number',
    maxDF: 'number',
    minTF: 'number',
    binary: 'boolean',
  },
  DecisionTreeClassifier: { ...classifier, ...tree, impurity: 'string' },
  DecisionTreeRegressor: { ...regressor, ...tree },
  GAN: {
    ...batches,
    ...column,
    labelCol: 'string',
    loss: 'string',
    gradientPenalty: 'number',
    criticSteps: 'number',
    latentSize: 'number',
    filters: true,
    generator: true,
    critic: true,
  },
  GBTClassifier: { ...classifier, ...boosted },
  GBTRegressor: { ...regressor, ...boosted },
  HashingTF: { ...column, numFeatures: 'number', binary: 'boolean' },
  IDF: { ...column, minDocFreq: 'number' },
  ImageFeature: {
    ...column,
    height: 'number',
    width: 'number',
    channels: 'number',
    fit: 'string',
    scale: 'number',
    mean: true,
    std: true,
  },
  Imputer: { ...columns, strategy: 'string', missingValue: 'number' },
  IndexToString: { ...column, labels: true },
  KMeans: {
    featuresCol: 'string',
    predictionCol: 'string',
    k: 'number',
    maxIter: 'number',
    tol: 'number',
    initMode: 'string',
    distanceMeasure: 'string',
    weightCol: 'string',
    seed: 'number',
  },
  LinearRegression: { ...regressor, ...linear, elasticNetParam: 'number' },
  LinearSVC: { ...regressor, ...linear, rawPredictionCol: 'string', classWeights: true, threshold: 'number' },
  LogisticRegression: { ...classifier, ...linear, elasticNetParam: 'number', threshold: 'number', family: 'string' },
  MaxAbsScaler: column,
  MinMaxScaler: { ...column, min: 'number', max: 'number' },
  MultilayerPerceptronClassifier: { ...neuralClassifier, activation: 'string' },
  MultilayerPerceptronRegressor: { ...neuralRegressor, activation: 'string' },
  NGram: { ...column, n: 'number' },
  Normalizer: { ...column, p: 'number' },
  OneHotEncoder: { ...columns, dropLast: 'boolean', handleInvalid: 'string' },
  PCA: { ...column, k: 'number' },
  Pipeline: { stages: true },
  RandomForestClassifier: { ...classifier, ...forest, impurity: 'string' },
  RandomForestRegressor: { ...regressor, ...forest },
  RegexTokenizer: { ...column, pattern: true, gaps: 'boolean', minTokenLength: 'number', toLowercase: 'boolean' },
  RNNClassifier: { ...neuralClassifier, ...recurrent },
  RNNRegressor: { ...neuralRegressor, ...recurrent },
  SequenceEncoder: { ...column, length: 'number', vocabSize: 'number', minDF: 'number' },
  StandardScaler: { ...column, withMean: 'boolean', withStd: 'boolean' },
  StopWordsRemover: { ...column, stopWords: true, caseSensitive: 'boolean' },
  StringIndexer: { ...column, stringOrderType: 'string', handleInvalid: 'string' },
  Tokenizer: column,
  VariationalAutoEncoder: { ...coder, beta: 'number' },
  VectorAssembler: { inputCols: true, outputCol: 'string', handleInvalid: 'string' },
} as const satisfies {
  readonly [K in Kind]: { readonly [P in keyof Required<OptionsOf<K>>]: Kept<Exclude<OptionsOf<K>[P], undefined>> }
}

/** The options of a stage with what their values are; `undefined` for a stage of the user's own. */
export function paramsOf(kind: string): Readonly<Record<string, 'boolean' | 'number' | 'string' | true>> | undefined {
  return Object.hasOwn(names, kind) ? names[kind as keyof typeof names] : undefined
}
