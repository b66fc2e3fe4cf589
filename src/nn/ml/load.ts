/**
 * Stages from their folders: a table from the kind that `model.json` tells to what makes a stage of it. A stage's module is
 * imported when a stage of its kind is loaded.
 */
import { nearest, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { neuralLoaders } from './load-neural.js'
import { readStage } from './saved-stage.js'
import type { LoadedStage } from './saved-stage.js'
import type { Stage, Transformer } from './stage.js'

const loaders = {
  ...neuralLoaders,
  Bucketizer: async ({ params }: LoadedStage) =>
    new (await import('./features/bucketizer.js')).Bucketizer(params as never),
  CountVectorizer: async ({ params }: LoadedStage) =>
    new (await import('./features/count-vectorizer.js')).CountVectorizer(params as never),
  CountVectorizerModel: async (saved: LoadedStage) =>
    (await import('./features/count-vectorizer.js')).CountVectorizerModel.load(saved),
  DecisionTreeClassificationModel: async (saved: LoadedStage) =>
    (await import('./plain/decision-tree.js')).DecisionTreeClassificationModel.load(saved),
  DecisionTreeClassifier: async ({ params }: LoadedStage) =>
    new (await import('./plain/decision-tree.js')).DecisionTreeClassifier(params as never),
  DecisionTreeRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/decision-tree.js')).DecisionTreeRegressionModel.load(saved),
  DecisionTreeRegressor: async ({ params }: LoadedStage) =>
    new (await import('./plain/decision-tree.js')).DecisionTreeRegressor(params as never),
  GBTClassificationModel: async (saved: LoadedStage) =>
    (await import('./plain/gradient-boosted-trees.js')).GBTClassificationModel.load(saved),
  GBTClassifier: async ({ params }: LoadedStage) =>
    new (await import('./plain/gradient-boosted-trees.js')).GBTClassifier(params as never),
  GBTRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/gradient-boosted-trees.js')).GBTRegressionModel.load(saved),
  GBTRegressor: async ({ params }: LoadedStage) =>
    new (await import('./plain/gradient-boosted-trees.js')).GBTRegressor(params as never),
  HashingTF: async ({ params }: LoadedStage) =>
    new (await import('./features/hashing-tf.js')).HashingTF(params as never),
  IDF: async ({ params }: LoadedStage) => new (await import('./features/idf.js')).IDF(params as never),
  IDFModel: async (saved: LoadedStage) => (await import('./features/idf.js')).IDFModel.load(saved),
  ImageFeature: async ({ params }: LoadedStage) =>
    new (await import('./features/image-feature.js')).ImageFeature(params as never),
  Imputer: async ({ params }: LoadedStage) => new (await import('./features/imputer.js')).Imputer(params as never),
  ImputerModel: async (saved: LoadedStage) => (await import('./features/imputer.js')).ImputerModel.load(saved),
  IndexToString: async ({ params }: LoadedStage) =>
    new (await import('./features/string-indexer.js')).IndexToString(params as never),
  KMeans: async ({ params }: LoadedStage) => new (await import('./plain/k-means.js')).KMeans(params as never),
  KMeansModel: async (saved: LoadedStage) => (await import('./plain/k-means.js')).KMeansModel.load(saved),
  LinearRegression: async ({ params }: LoadedStage) =>
    new (await import('./plain/linear-regression.js')).LinearRegression(params as never),
  LinearRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/linear-regression.js')).LinearRegressionModel.load(saved),
  LinearSVC: async ({ params }: LoadedStage) => new (await import('./plain/linear-svc.js')).LinearSVC(params as never),
  LinearSVCModel: async (saved: LoadedStage) => (await import('./plain/linear-svc.js')).LinearSVCModel.load(saved),
  LogisticRegression: async ({ params }: LoadedStage) =>
    new (await import('./plain/logistic-regression.js')).LogisticRegression(params as never),
  LogisticRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/logistic-regression.js')).LogisticRegressionModel.load(saved),
  MaxAbsScaler: async ({ params }: LoadedStage) =>
    new (await import('./features/max-abs-scaler.js')).MaxAbsScaler(params as never),
  MaxAbsScalerModel: async (saved: LoadedStage) =>
    (await import('./features/max-abs-scaler.js')).MaxAbsScalerModel.load(saved),
  MinMaxScaler: async ({ params }: LoadedStage) =>
    new (await import('./features/min-max-scaler.js')).MinMaxScaler(params as never),
  MinMaxScalerModel: async (saved: LoadedStage) =>
    (await import('./features/min-max-scaler.js')).MinMaxScalerModel.load(saved),
  NGram: async ({ params }: LoadedStage) => new (await import('./features/tokens.js')).NGram(params as never),
  Normalizer: async ({ params }: LoadedStage) =>
    new (await import('./features/normalizer.js')).Normalizer(params as never),
  OneHotEncoder: async ({ params }: LoadedStage) =>
    new (await import('./features/one-hot-encoder.js')).OneHotEncoder(params as never),
  OneHotEncoderModel: async (saved: LoadedStage) =>
    (await import('./features/one-hot-encoder.js')).OneHotEncoderModel.load(saved),
  PCA: async ({ params }: LoadedStage) => new (await import('./features/pca.js')).PCA(params as never),
  PCAModel: async (saved: LoadedStage) => (await import('./features/pca.js')).PCAModel.load(saved),
  Pipeline: async (saved: LoadedStage) =>
    (await import('./pipeline.js')).Pipeline.load({ kind: saved.kind, stages: await loadAll(saved) }),
  PipelineModel: async (saved: LoadedStage) =>
    (await import('./pipeline.js')).PipelineModel.load({ stages: await loadAll(saved) }),
  RandomForestClassificationModel: async (saved: LoadedStage) =>
    (await import('./plain/random-forest.js')).RandomForestClassificationModel.load(saved),
  RandomForestClassifier: async ({ params }: LoadedStage) =>
    new (await import('./plain/random-forest.js')).RandomForestClassifier(params as never),
  RandomForestRegressionModel: async (saved: LoadedStage) =>
    (await import('./plain/random-forest.js')).RandomForestRegressionModel.load(saved),
  RandomForestRegressor: async ({ params }: LoadedStage) =>
    new (await import('./plain/random-forest.js')).RandomForestRegressor(params as never),
  RegexTokenizer: async ({ params }: LoadedStage) =>
    new (await import('./features/tokenizer.js')).RegexTokenizer(params as never),
  SequenceEncoder: async ({ params }: LoadedStage) =>
    new (await import('./features/sequence-encoder.js')).SequenceEncoder(params as never),
  SequenceEncoderModel: async (saved: LoadedStage) =>
    (await import('./features/sequence-encoder.js')).SequenceEncoderModel.load(saved),
  StandardScaler: async ({ params }: LoadedStage) =>
    new (await import('./features/standard-scaler.js')).StandardScaler(params as never),
  StandardScalerModel: async (saved: LoadedStage) =>
    (await import('./features/standard-scaler.js')).StandardScalerModel.load(saved),
  StopWordsRemover: async ({ params }: LoadedStage) =>
    new (await import('./features/tokens.js')).StopWordsRemover(params as never),
  StringIndexer: async ({ params }: LoadedStage) =>
    new (await import('./features/string-indexer.js')).StringIndexer(params as never),
  StringIndexerModel: async (saved: LoadedStage) =>
    (await import('./features/string-indexer.js')).StringIndexerModel.load(saved),
  Tokenizer: async ({ params }: LoadedStage) =>
    new (await import('./features/tokenizer.js')).Tokenizer(params as never),
  VectorAssembler: async ({ params }: LoadedStage) =>
    new (await import('./features/vector-assembler.js')).VectorAssembler(params as never),
}

/** Names of the classes that `load` knows. */
export type StageKind = keyof typeof loaders
export type StageOf<K extends StageKind> = Awaited<ReturnType<(typeof loaders)[K]>>

/**
 * The model, pipeline or feature stage that `stage.save(path)` wrote; its results are bit for bit those of the saved one on
 * the same engine. With its kind, the result has that class.
 *
 * @throws ShardbookError `io` when there is none, `data` when it is damaged, of another version, or not of that kind.
 * @example
 * ```ts
 * await model.save('digits')
 * const again = await ml.load('digits', 'CNNClassifierModel')
 * ```
 */
export async function load(path: string): Promise<Transformer>
export async function load<K extends StageKind>(path: string, kind: K): Promise<StageOf<K>>
export async function load(path: string, kind?: StageKind): Promise<unknown> {
  const saved = await readStage(path)
  if (kind !== undefined && kind !== saved.kind) {
    throw new ShardbookError('data', `ml.load: expected a ${kind} in ${path}, got a ${saved.kind}.`)
  }
  const loader = (loaders as Readonly<Record<string, (saved: LoadedStage) => Promise<unknown>>>)[saved.kind]
  if (loader !== undefined) return loader(saved)
  const near = nearest(saved.kind, Object.keys(loaders))
  throw new ShardbookError(
    'data',
    `ml.load: expected a kind of stage that this version knows in ${path}, got ${show(saved.kind)}.`,
    near === undefined ? {} : { hint: `The nearest is ${near}.` },
  )
}

async function loadAll({ stages }: LoadedStage): Promise<Stage[]> {
  const loaded: Stage[] = []
  for (const path of stages) loaded.push(await load(path))
  return loaded
}
