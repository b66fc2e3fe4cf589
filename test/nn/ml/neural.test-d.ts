/** What estimators take, to the compiler: columns of the right kind, labels that are numbers, and what comes out. */
import type { Frame, Sparse, Tensor } from '../../../src/frame/index.js'
import * as nn from '../../../src/nn/index.js'
import * as ml from '../../../src/nn/ml/index.js'

declare const rows: Frame<{
  image: Tensor<[28, 28, 1]>
  text: string
  hashed: Sparse
  tokens: number[]
  when: Date
  label: number
  word: string
}>

export async function accepted() {
  const rnn = await new ml.RNNClassifier({ inputCol: 'text', probabilityCol: 'p' }).fit(rows)
  const [row] = await rnn.transform(rows).toRows()
  row!.prediction satisfies number
  row!.rawPrediction.values satisfies ArrayLike<number>
  row!.p.values satisfies ArrayLike<number>
  await new ml.RNNClassifier({ inputCol: 'hashed' }).fit(rows)
  await new ml.RNNRegressor({ inputCol: 'tokens', outputCol: 'y' }).fit(rows)
  await new ml.MultilayerPerceptronClassifier({ inputCol: 'hashed', layers: [9, 2] }).fit(rows)
  const vae = await new ml.VariationalAutoEncoder({ inputCol: 'image', outputCol: 'code' }).fit(rows)
  ;(await (await vae.sample(3)).toRows())[0]!.code.values satisfies ArrayLike<number>
  const gan = await new ml.GAN({ inputCol: 'image', labelCol: 'label' }).fit(rows)
  ;(await (await gan.sample(3)).toRows())[0]!.label satisfies number
  await new ml.GAN({ inputCol: 'image' }).fit(rows.drop('label'))
  const several = await new ml.CNNClassifier({ inputCols: ['image', 'label'] }).fit(rows)
  ;(await several.transform(rows).toRows())[0]!.prediction satisfies number
  await new ml.MultilayerPerceptronRegressor({ inputCols: ['image', 'label'] }).fit(rows)
  await new ml.CNNClassifier({ inputCols: ['image', 'text', 'tokens', 'hashed'] }).fit(rows)
  await new ml.RNNClassifier({ inputCols: ['text', 'label'], cell: 'gru' }).fit(rows)
  await new ml.CNNClassifier({ inputCol: 'image', layers: [nn.flatten(), nn.dense({ units: 2 })] }).fit(rows)
  const network = nn.model([nn.flatten(), nn.dense({ units: 2 })], { inputShape: [28, 28, 1] })
  await new ml.CNNRegressor({ inputCol: 'image', layers: network }).fit(rows)
  await new ml.RNNClassifier({
    inputCol: 'text',
    layers: [nn.embedding({ inputDim: 9, outputDim: 4 }), nn.gru({ units: 3 }), nn.dense({ units: 2 })],
  }).fit(rows)
  nn.layer({
    build: ([n]) => ({ weights: { factor: [n!] } }),
    call: ({ tf }, x, { factor }) => tf.mul(x, factor),
  })
}

export async function refused() {
  const cnn = await new ml.CNNClassifier({ inputCol: 'image' }).fit(rows)
  // @ts-expect-error the frame has no column 'image'
  cnn.transform(rows.drop('image'))
  // @ts-expect-error the column holds dates
  await new ml.RNNClassifier({ inputCol: 'when' }).fit(rows)
  // @ts-expect-error the frame has no column 'words'
  await new ml.RNNClassifier({ inputCol: 'words' }).fit(rows)
  // @ts-expect-error the label is text
  await new ml.RNNClassifier({ inputCol: 'text', labelCol: 'word' }).fit(rows)
  // @ts-expect-error text is no vector
  await new ml.MultilayerPerceptronClassifier({ inputCol: 'text' }).fit(rows)
  // @ts-expect-error one of the columns holds dates
  await new ml.CNNClassifier({ inputCols: ['image', 'when'] }).fit(rows)
  // @ts-expect-error a perceptron takes no text
  await new ml.MultilayerPerceptronClassifier({ inputCols: ['image', 'word'] }).fit(rows)
  // @ts-expect-error the frame has no column 'size'
  await new ml.MultilayerPerceptronClassifier({ inputCols: ['image', 'size'] }).fit(rows)
  // @ts-expect-error the frame has no column 'label'
  await new ml.CNNRegressor({ inputCol: 'image' }).fit(rows.drop('label'))
  // @ts-expect-error a sparse vector is no image
  await new ml.VariationalAutoEncoder({ inputCol: 'hashed' }).fit(rows)
  // @ts-expect-error the classes are text
  await new ml.GAN({ inputCol: 'image', labelCol: 'word' }).fit(rows)
  // @ts-expect-error there is no such cell
  await new ml.RNNClassifier({ inputCol: 'text', cell: 'elman' }).fit(rows)
  nn.layer({
    build: () => ({ weights: { factor: [1] } }),
    // @ts-expect-error the layer has no such weight
    call: ({ tf }, x, { other }) => tf.mul(x, other),
  })
  const convolved = [nn.conv2d({ filters: 4, kernelSize: 3 }), nn.dense({ units: 2 })] as const
  // @ts-expect-error nn.dense takes samples of shape [in], but gets [?, ?, 4].
  void new ml.CNNClassifier({ inputCol: 'image', layers: convolved })
  // @ts-expect-error nn.lstm takes samples of shape [steps, channels], but gets [3].
  void new ml.RNNRegressor({ inputCol: 'text', layers: [nn.gru({ units: 3 }), nn.lstm({ units: 3 })] })
  // @ts-expect-error nn.dense takes samples of shape [in], but gets [28, 28, 1].
  await new ml.CNNClassifier({ inputCol: 'image', layers: [nn.dense({ units: 2 })] }).fit(rows)
}
