/** What the compiler says of stages, frames and pipelines that do not fit each other. */
import { frame } from '../../../src/frame/index.js'
import type { Frame, Tensor } from '../../../src/frame/index.js'
import * as ml from '../../../src/nn/ml/index.js'

const texts = frame([{ text: 'a b', label: 1 }])
const numbers = frame([{ x: 1, label: 0 }])
const tokenizer = new ml.Tokenizer({ inputCol: 'text', outputCol: 'words' })
const hashing = new ml.HashingTF({ inputCol: 'words', outputCol: 'features', numFeatures: 32 })
const idf = new ml.IDF({ inputCol: 'features', outputCol: 'weighted' })
const logistic = new ml.LogisticRegression({ featuresCol: 'weighted' })

export async function stages(): Promise<void> {
  const words = tokenizer.transform(texts)
  const list: readonly string[] | undefined = (await words.toRows())[0]?.words
  hashing.transform(words)
  // @ts-expect-error there is no column 'text'
  tokenizer.transform(numbers)
  // @ts-expect-error 'words' is missing before the tokenizer
  hashing.transform(texts)
  // @ts-expect-error 'x' holds numbers, not text
  new ml.Tokenizer({ inputCol: 'x', outputCol: 'words' }).transform(numbers)
  // @ts-expect-error a tokenizer's options are strings
  void new ml.Tokenizer({ inputCol: 3, outputCol: 'words' })
  void list
}

export async function pipelines(): Promise<void> {
  const pipeline = new ml.Pipeline({ stages: [tokenizer, hashing, idf, logistic] })
  const model = await pipeline.fit(texts)
  const predicted = model.transform(texts)
  const value: number | undefined = (await predicted.toRows())[0]?.prediction
  // The label is needed to fit, not to predict.
  model.transform(frame([{ text: 'a' }]))
  // @ts-expect-error there is no column 'text'
  await pipeline.fit(numbers)
  // @ts-expect-error the label is missing
  await pipeline.fit(frame([{ text: 'a' }]))
  // @ts-expect-error there is no column 'text'
  model.transform(numbers)
  // @ts-expect-error HashingTF takes lists of text, and 'text' is text
  await new ml.Pipeline({ stages: [new ml.HashingTF({ inputCol: 'text', outputCol: 'f' })] }).fit(texts)
  // @ts-expect-error IDF takes vectors, and 'words' holds lists of text
  void new ml.Pipeline({ stages: [tokenizer, new ml.IDF({ inputCol: 'words', outputCol: 'weighted' })] })
  // @ts-expect-error a number is no stage
  void new ml.Pipeline({ stages: [tokenizer, 3] })
  void value
}

declare const images: Frame<{ image: Tensor<[8, 8, 1]>; label: number; name: string }>

export async function neuralStages(): Promise<void> {
  const coder = new ml.AutoEncoders({ inputCol: 'image', outputCol: 'code', layers: [16, 4] })
  const perceptron = new ml.MultilayerPerceptronClassifier({ inputCol: 'code', probabilityCol: 'p' })
  const model = await new ml.Pipeline({ stages: [coder, perceptron] }).fit(images)
  const [row] = await model.transform(images).toRows()
  row!.prediction satisfies number
  row!.p.values satisfies ArrayLike<number>
  row!.code.values satisfies ArrayLike<number>
  // The label is needed to fit, not to predict.
  model.transform(images.drop('label'))
  // @ts-expect-error there is no column 'image'
  model.transform(images.drop('image'))
  // @ts-expect-error the label is missing
  await new ml.Pipeline({ stages: [coder, perceptron] }).fit(images.drop('label'))
  // @ts-expect-error 'image' must hold tensors, and holds text
  await new ml.Pipeline({ stages: [coder, perceptron] }).fit(frame([{ image: 'a', label: 1 }]))
  // @ts-expect-error 'label' must hold numbers
  await new ml.Pipeline({ stages: [new ml.CNNClassifier({ inputCol: 'image', labelCol: 'name' })] }).fit(images)
  // @ts-expect-error CNNClassifier takes tensors, and 'words' holds lists of text
  void new ml.Pipeline({ stages: [tokenizer, new ml.CNNClassifier({ inputCol: 'words' })] })
  // @ts-expect-error an autoencoder takes tensors, and hashed features are sparse
  void new ml.Pipeline({ stages: [tokenizer, hashing, new ml.AutoEncoders({ inputCol: 'features' })] })
  const labelled = new ml.RNNClassifier({ inputCol: 'features', labelCol: 'words' })
  // @ts-expect-error the label is a number, and 'words' holds lists of text
  void new ml.Pipeline({ stages: [tokenizer, hashing, labelled] })
  void new ml.Pipeline({ stages: [tokenizer, hashing, new ml.RNNClassifier({ inputCol: 'features' })] })
  void new ml.Pipeline({ stages: [coder, new ml.RNNRegressor({ inputCol: 'code', labelCol: 'label' })] })
  const gan = await new ml.GAN({ inputCol: 'image', outputCol: 'realness' }).fit(images)
  ;(await gan.transform(images).toRows())[0]!.realness satisfies number
}
