/** What the compiler says of stages, frames and pipelines that do not fit each other. */
import { frame } from '../../../src/frame/index.js'
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
