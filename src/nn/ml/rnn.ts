/** `RNNClassifier` and `RNNRegressor`: recurrent networks over text, tokens, sparse vectors, vectors and steps of vectors. */
import { checkInteger, checkNumber, checkOneOf, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { bidirectional } from '../layers/composite.js'
import { dense } from '../layers/dense.js'
import { dropout as dropoutLayer } from '../layers/dropout.js'
import { embedding } from '../layers/embedding.js'
import type { Layer } from '../layers/layer.js'
import { gru, lstm, simpleRnn } from '../layers/recurrent.js'
import type { RecurrentOptions } from '../layers/recurrent.js'
import { reshape } from '../layers/shape.js'
import { ClassifierEstimator } from './classifier.js'
import type { ClassifierModel } from './classifier-model.js'
import { embeddingOf, sampleShape } from './input.js'
import type { ColumnInput, Input } from './input.js'
import { checkSequenceColumn, learnInput } from './learn-input.js'
import type { SequenceOptions } from './learn-input.js'
import type { ClassifierOptions, FittingLayers, LayersOptions, OwnLayers, PredictorOptions } from './options.js'
import type { Family } from './predictor.js'
import { RegressorEstimator } from './regressor.js'
import type { RegressorModel } from './regressor-model.js'
import { sideBySide } from './side-by-side.js'
import type { AnySamples, Labelled, Sequence } from './stage-types.js'

const cells: Readonly<Record<'simple' | 'lstm' | 'gru', (options: RecurrentOptions) => Layer>> = {
  simple: simpleRnn,
  lstm,
  gru,
}

/** The recurrent network that is built where `layers` is not given. */
export interface RecurrentNetworkOptions extends SequenceOptions {
  /** Default `'lstm'`; `'simple'` is Elman's network. */
  readonly cell?: keyof typeof cells
  /** Units of the recurrent layers, one after the other. Default 64. */
  readonly units?: number | readonly number[]
  /** Numbers in a token's vector. Default 32. */
  readonly embeddingSize?: number
  /** Whether a second layer reads backward, beside each. Default false. */
  readonly bidirectional?: boolean
  /** Share of the numbers behind embedding and recurrent layers that are dropped while training. Default 0. */
  readonly dropout?: number
}

/**
 * Options of `RNNClassifier`: `inputCol` holds
 * - text: its words are told apart by a vocabulary that is learnt in `fit`;
 * - lists, or int32 tensors, of tokens 0, 1, 2, ...;
 * - tensors `[steps, features]`, or vectors: sequences of one step;
 * - sparse vectors: sequences of one step whose product takes the entries alone, however many components there are.
 *
 * or `inputCols` several of these and numbers: sequences are read by layers of their own, and what these say stands beside the rest.
 *
 * Defaults: `maxIter` 10, `batchSize` 64, `stepSize` 0.003.
 */
export interface RNNClassifierOptions<
  Input_ extends string = string,
  Label extends string = string,
  Output extends string = string,
  Raw extends string = string,
  Probability extends string = string,
  Layers = OwnLayers,
>
  extends ClassifierOptions<Input_, Label, Output, Raw, Probability>, LayersOptions<Layers>, RecurrentNetworkOptions {}

/** Options of `RNNRegressor`: as those of `RNNClassifier`, for a label of any numbers. */
export interface RNNRegressorOptions<
  Input_ extends string = string,
  Label extends string = string,
  Output extends string = string,
  Layers = OwnLayers,
>
  extends PredictorOptions<Input_, Label, Output>, LayersOptions<Layers>, RecurrentNetworkOptions {}

/**
 * Classifies sequences by a recurrent network, trained with Adam on the softmax cross entropy.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const rnn = new ml.RNNClassifier({ inputCol: 'text', cell: 'gru', bidirectional: true, maxIter: 5 })
 * const model = await rnn.fit(train, { validation: held })
 * ```
 */
export class RNNClassifier<
  Input_ extends string = string,
  Label extends string = 'label',
  Output extends string = 'prediction',
  Raw extends string = 'rawPrediction',
  Probability extends string = never,
  const Layers extends OwnLayers = OwnLayers,
> extends ClassifierEstimator<
  RNNClassifierOptions<Input_, Label, Output, Raw, Probability, Layers>,
  Labelled<Input_, Sequence, Label, AnySamples>,
  ClassifierModel<Input_, Output, Raw, Probability>
> {
  declare readonly kind: 'RNNClassifier'

  constructor(options: RNNClassifierOptions<Input_, Label, Output, Raw, Probability, Layers> & FittingLayers<Layers>) {
    super('RNNClassifier', options, rnn)
  }
}

/**
 * Predicts a number from sequences by a recurrent network, trained with Adam on the mean squared error.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.RNNRegressor({ inputCol: 'window', labelCol: 'next' }).fit(train)
 * ```
 */
export class RNNRegressor<
  Input_ extends string = string,
  Label extends string = 'label',
  Output extends string = 'prediction',
  const Layers extends OwnLayers = OwnLayers,
> extends RegressorEstimator<
  RNNRegressorOptions<Input_, Label, Output, Layers>,
  Labelled<Input_, Sequence, Label, AnySamples>,
  RegressorModel<Input_, Output>
> {
  declare readonly kind: 'RNNRegressor'

  constructor(options: RNNRegressorOptions<Input_, Label, Output, Layers> & FittingLayers<Layers>) {
    super('RNNRegressor', options, rnn)
  }
}

const rnn: Family<PredictorOptions & LayersOptions & RecurrentNetworkOptions> = {
  maxIter: 10,
  batchSize: 64,
  stepSize: 0.003,
  check(caller, { cell = 'lstm', embeddingSize = 1, dropout = 0, maxLength = 1, vocabularySize = 1, units = 1 }) {
    checkOneOf(caller, 'cell', cell, ['simple', 'lstm', 'gru'])
    checkInteger(caller, 'embeddingSize', embeddingSize, 1)
    checkNumber(caller, 'dropout', dropout, 0, 1 - 2 ** -20)
    checkInteger(caller, 'maxLength', maxLength, 1)
    checkInteger(caller, 'vocabularySize', vocabularySize, 1)
    if (unitsOf(units).length === 0) {
      throw new ShardbookError('argument', `${caller}: expected units of at least one layer, got ${show(units)}.`)
    }
    for (const each of unitsOf(units)) checkInteger(caller, 'units', each, 1)
  },
  several: 'any',
  checkColumn: checkSequenceColumn,
  learn: learnInput,
  layers(_, input, outputs, options) {
    const read =
      input.kind === 'several'
        ? sideBySide(input, (column) => (isSequence(column) ? recurrent(column, options) : undefined))
        : recurrent(input, options)
    return [...read, dense({ units: outputs, name: 'logits' })]
  },
}

/** Whether a column among several has an order: a vector has none there. */
function isSequence(column: ColumnInput): boolean {
  return column.kind !== 'sparse' && (column.kind !== 'tensor' || column.shape.length === 2)
}

/** From the samples of a column to what the last step says. */
function recurrent(
  input: Input,
  {
    cell = 'lstm',
    units = 64,
    embeddingSize = 32,
    bidirectional: bothWays = false,
    dropout = 0,
  }: RecurrentNetworkOptions,
): Layer[] {
  const tokens = embeddingOf(input)
  const all = unitsOf(units)
  const drop = (name: string): Layer[] => (dropout === 0 ? [] : [dropoutLayer({ rate: dropout, name })])
  const layers = all.flatMap((each, i): Layer[] => {
    const layer = cells[cell]({
      units: each,
      returnSequences: i < all.length - 1,
      ...(i === 0 && input.kind === 'sparse' ? { sparseSize: input.components.length } : {}),
      name: `recurrent${i + 1}`,
    })
    return [bothWays ? bidirectional({ layer, name: `recurrent${i + 1}` }) : layer, ...drop(`dropout${i + 1}`)]
  })
  const first =
    tokens === undefined
      ? steps(input)
      : [embedding({ ...tokens, outputDim: embeddingSize, name: 'embedding' }), ...drop('dropout0')]
  return [...first, ...layers]
}

function unitsOf(units: number | readonly number[]): readonly number[] {
  return typeof units === 'number' ? [units] : units
}

/** A vector is a sequence of one step. */
function steps(input: Input): Layer[] {
  const shape = sampleShape(input)
  return input.kind === 'tensor' && shape.length === 1 ? [reshape({ shape: [1, ...shape], name: 'step' })] : []
}
