/** What makes feature stages of their folders; each module is imported when a stage of its kind is loaded. */
import type { LoadedStage } from './saved-stage.js'

export const featureLoaders = {
  Bucketizer: async ({ params }: LoadedStage) =>
    new (await import('./features/bucketizer.js')).Bucketizer(params as never),
  CountVectorizer: async ({ params }: LoadedStage) =>
    new (await import('./features/count-vectorizer.js')).CountVectorizer(params as never),
  CountVectorizerModel: async (saved: LoadedStage) =>
    (await import('./features/count-vectorizer.js')).CountVectorizerModel.load(saved),
  HashingTF: async ({ params }: LoadedStage) =>
    new (await import('./features/hashing-tf.js')).HashingTF(params as never),
  IDF: async ({ params }: LoadedStage) => new (await import('./features/idf.js')).IDF(params as never),
  IDFModel: async (saved: LoadedStage) => (await import('./features/idf.js')).IDFModel.load(saved),
  ImageFeature: async ({ params }: LoadedStage) =>
    new (await import('./features/image-feature.js')).ImageFeature(params as never),
  Imputer: async ({ params }: LoadedStage) => new (await import('./features/imputer.js')).Imputer(params),
  ImputerModel: async (saved: LoadedStage) => (await import('./features/imputer.js')).ImputerModel.load(saved),
  IndexToString: async ({ params }: LoadedStage) =>
    new (await import('./features/string-indexer.js')).IndexToString(params as never),
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
    new (await import('./features/one-hot-encoder.js')).OneHotEncoder(params),
  OneHotEncoderModel: async (saved: LoadedStage) =>
    (await import('./features/one-hot-encoder.js')).OneHotEncoderModel.load(saved),
  PCA: async ({ params }: LoadedStage) => new (await import('./features/pca.js')).PCA(params as never),
  PCAModel: async (saved: LoadedStage) => (await import('./features/pca.js')).PCAModel.load(saved),
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
