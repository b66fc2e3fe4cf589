/** What the compiler says of grids whose values do not fit. */
import * as ml from '../../../../src/nn/ml/index.js'

const cnn = new ml.CNNClassifier({ inputCol: 'image' })
const hashing = new ml.HashingTF({ inputCol: 'words', outputCol: 'features' })
const logistic = new ml.LogisticRegression()
const evaluator = new ml.BinaryClassificationEvaluator()

export function grids(): void {
  new ml.ParamGridBuilder()
    .addGrid(cnn, 'stepSize', [0.001, 0.01])
    .addGrid(hashing, 'numFeatures', [32, 64])
    .addGrid(logistic, 'fitIntercept', [true, false])
    .baseOn(logistic, 'maxIter', 10)
    .build()
  // @ts-expect-error a step size is a number
  new ml.ParamGridBuilder().addGrid(cnn, 'stepSize', ['0.001'])
  // @ts-expect-error there is no such option
  new ml.ParamGridBuilder().addGrid(logistic, 'numFeatures', [32])
  // @ts-expect-error values come as a list
  new ml.ParamGridBuilder().addGrid(logistic, 'regParam', 0.1)
  // @ts-expect-error one value of the option's type
  new ml.ParamGridBuilder().baseOn(logistic, 'maxIter', 'many')
}

export function spaces(): void {
  new ml.ParamSpace().addLogUniform(cnn, 'stepSize', 1e-4, 1e-1).addChoice(logistic, 'family', ['auto', 'multinomial'])
  // @ts-expect-error a range is of numbers, and this option is none
  new ml.ParamSpace().addUniform(logistic, 'fitIntercept', 0, 1)
  // @ts-expect-error none of the option's values
  new ml.ParamSpace().addChoice(logistic, 'family', ['gaussian'])
}

export async function tuners(): Promise<void> {
  const estimatorParamMaps = new ml.ParamGridBuilder().addGrid(logistic, 'regParam', [0.1]).build()
  const validator = new ml.CrossValidator({ estimator: logistic, estimatorParamMaps, evaluator })
  const tuned = await validator.fit({} as never)
  const coefficients: Float64Array = tuned.bestModel.coefficients
  // @ts-expect-error a tuner needs an estimator
  void new ml.CrossValidator({ estimatorParamMaps, evaluator })
  // @ts-expect-error an evaluator is not a name
  void new ml.CrossValidator({ estimator: logistic, evaluator: 'accuracy' })
  void coefficients
}
