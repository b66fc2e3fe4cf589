/** `MultilayerPerceptronClassifier` and `MultilayerPerceptronRegressor`: dense layers over vectors, dense or sparse. */
import { checkOneOf, show } from '../../core/check.js'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { Tensor } from '../../frame/index.js'
import { activationNames } from '../layers/activation.js'
import type { ActivationName } from '../layers/activation.js'
import { dense } from '../layers/dense.js'
import type { Layer } from '../layers/layer.js'
import { flatten } from '../layers/shape.js'
import type { Model } from '../model.js'
import { ClassifierEstimator } from './classifier.js'
import type { ClassifierModel } from './classifier-model.js'
import { tensorColumn } from './columns.js'
import { sampleShape } from './input.js'
import type { Input } from './input.js'
import { learnInput } from './learn-input.js'
import type { ClassifierOptions, PredictorOptions } from './options.js'
import type { Family } from './predictor.js'
import { RegressorEstimator } from './regressor.js'
import type { RegressorModel } from './regressor-model.js'
import type { Labelled, Vector } from './stage-types.js'

interface PerceptronOptions {
  /**
   * Sizes from the features to the outputs, as in Spark: `[4, 5, 3]` takes vectors of 4 and tells 3 classes apart. Or the
   * layers themselves. Default: one hidden layer of 64 units.
   */
  readonly layers?: readonly number[] | readonly Layer[] | Model
  /** Of the hidden layers. Default `'relu'`. */
  readonly activation?: ActivationName
}

/** Options of `MultilayerPerceptronClassifier`. Defaults: `maxIter` 100, `batchSize` 128, `stepSize` 0.01. */
export interface MLPClassifierOptions<
  Input_ extends string = string,
  Label extends string = string,
  Output extends string = string,
  Raw extends string = string,
  Probability extends string = string,
>
  extends ClassifierOptions<Input_, Label, Output, Raw, Probability>, PerceptronOptions {}

/** Options of `MultilayerPerceptronRegressor`: as those of the classifier, for a label of any numbers. */
export interface MLPRegressorOptions<
  Input_ extends string = string,
  Label extends string = string,
  Output extends string = string,
>
  extends PredictorOptions<Input_, Label, Output>, PerceptronOptions {}

/**
 * Classifies vectors by dense layers, trained with Adam on the softmax cross entropy.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const mlp = new ml.MultilayerPerceptronClassifier({ inputCol: 'features', layers: [4, 16, 3], maxIter: 50 })
 * const model = await mlp.fit(train)
 * ```
 */
export class MultilayerPerceptronClassifier<
  Input_ extends string = string,
  Label extends string = 'label',
  Output extends string = 'prediction',
  Raw extends string = 'rawPrediction',
  Probability extends string = never,
> extends ClassifierEstimator<
  MLPClassifierOptions<Input_, Label, Output, Raw, Probability>,
  Labelled<Input_, Vector, Label, Tensor | number>,
  ClassifierModel<Input_, Output, Raw, Probability>
> {
  declare readonly kind: 'MultilayerPerceptronClassifier'

  constructor(options: MLPClassifierOptions<Input_, Label, Output, Raw, Probability>) {
    super('MultilayerPerceptronClassifier', options, perceptron)
  }
}

/**
 * Predicts a number from vectors by dense layers, trained with Adam on the mean squared error.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.MultilayerPerceptronRegressor({ inputCol: 'features', labelCol: 'price' }).fit(train)
 * ```
 */
export class MultilayerPerceptronRegressor<
  Input_ extends string = string,
  Label extends string = 'label',
  Output extends string = 'prediction',
> extends RegressorEstimator<
  MLPRegressorOptions<Input_, Label, Output>,
  Labelled<Input_, Vector, Label, Tensor | number>,
  RegressorModel<Input_, Output>
> {
  declare readonly kind: 'MultilayerPerceptronRegressor'

  constructor(options: MLPRegressorOptions<Input_, Label, Output>) {
    super('MultilayerPerceptronRegressor', options, perceptron)
  }
}

const perceptron: Family<PredictorOptions & PerceptronOptions> = {
  maxIter: 100,
  batchSize: 128,
  stepSize: 0.01,
  several: 'numeric',
  check(caller, { layers, activation = 'relu' }) {
    checkOneOf(caller, 'activation', activation, activationNames)
    if (!isSizes(layers) || (layers.length >= 2 && layers.every((n) => Number.isInteger(n) && n >= 1))) return
    throw new ShardbookError(
      'argument',
      `${caller}: expected layers to be sizes from the features to the outputs, got ${show(layers)}.`,
      { hint: 'For example [4, 16, 3].' },
    )
  },
  checkColumn(caller, column) {
    if (column.type.kind !== 'sparse') tensorColumn(caller, [column], column.name)
  },
  checkInput(caller, input, { layers }) {
    if (!isSizes(layers) || layers[0] === featuresOf(input)) return
    throw new ShardbookError(
      'argument',
      `${caller}: expected layers from ${featuresOf(input)} features on, got ${show(layers)}.`,
    )
  },
  learn: async (caller, frame, inputCol) => {
    const input = await learnInput(caller, frame, inputCol)
    return input.kind === 'tokens' ? { kind: 'tensor', shape: input.shape, isBytes: false } : input
  },
  layers(caller, input, outputs, { layers, activation = 'relu' }) {
    const sizes = isSizes(layers) ? layers : [featuresOf(input), 64, outputs]
    if (sizes[0] !== featuresOf(input) || sizes.at(-1) !== outputs) {
      throw new ShardbookError(
        'argument',
        `${caller}: expected layers from ${featuresOf(input)} features to ${outputs} outputs, got ${show(sizes)}.`,
      )
    }
    const last = sizes.length - 2
    const sparse = input.kind === 'sparse' ? { sparseSize: input.components.length } : {}
    return [
      ...(sampleShape(input).length === 1 || input.kind === 'sparse' ? [] : [flatten({ name: 'flatten' })]),
      ...sizes.slice(1).map((units, i) =>
        dense({
          units,
          ...(i === 0 ? sparse : {}),
          ...(i === last ? {} : { activation }),
          name: i === last ? 'logits' : `dense${i + 1}`,
        }),
      ),
    ]
  },
}

function isSizes(layers: PerceptronOptions['layers']): layers is readonly number[] {
  return Array.isArray(layers) && layers.every((item) => typeof item === 'number')
}

function featuresOf(input: Input): number {
  return input.kind === 'sparse' ? input.size : sizeOf(sampleShape(input))
}
