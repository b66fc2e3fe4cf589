/** Options that neural estimators share, and their checks. */
import { checkInteger, checkNumber, show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import type { AnyFrame, Tensor } from '../../frame/index.js'
import type { Augmentation } from '../augment/augment.js'
import type { Layer, Shape } from '../layers/layer.js'
import type { Fits } from '../layers/literal-shapes.js'
import type { Model } from '../model.js'
import { checkTrainingOptions } from '../train/options.js'
import type { FitOptions as RunOptions, TrainingOptions } from '../train/options.js'

/** How any network is trained. */
export interface NetworkOptions extends TrainingOptions {
  /** Epochs. */
  readonly maxIter?: number
  /** Highest learning rate; it rises over the first tenth of the steps and then falls to zero. */
  readonly stepSize?: number
  /** Of weights, order of rows and everything else that is random. Default 0. */
  readonly seed?: number
}

/** How a network is trained whose steps see batches of rows. */
export interface BatchOptions extends NetworkOptions {
  /** Rows of the global batch; by default fewer where the data has fewer. */
  readonly batchSize?: number
  /** Parts of a batch that are computed apart, at most one a worker. Default 2 to 4, from batch and network. */
  readonly slices?: number
}

/** What estimators have that predict a label. */
export interface PredictorOptions<
  Input extends string = string,
  Label extends string = string,
  Output extends string = string,
> extends BatchOptions {
  /** Column of the samples. */
  readonly inputCol?: Input | undefined
  /**
   * Several columns instead: the inputs of a network that has as many, in this order (`nn.inputs`). `MultilayerPerceptron…` takes
   * tensors and numbers, `CNN…` and `RNN…` also text, lists of tokens and sparse vectors. Text and lists come as so many tokens as
   * the longest one has, at most 100; tensors as they are.
   */
  readonly inputCols?: readonly Input[] | undefined
  /** Column of what is learnt. Default `'label'`. */
  readonly labelCol?: Label
  /** Column that `transform` adds. Default `'prediction'`. */
  readonly outputCol?: Output
  /** The same under Spark's name. */
  readonly predictionCol?: Output
  /**
   * What happens to samples before the network while training: layers such as `nn.randomRotation`, for which pixels lie in
   * [0, 1], and mixes such as `nn.mixUp`, for classifiers. The fitted model knows nothing of it. Default none.
   */
  readonly augment?: readonly Augmentation[]
}

/** A network of the user's own. */
export type OwnLayers = readonly Layer[] | Model

export interface LayersOptions<Layers = OwnLayers> {
  /**
   * The network, from the sample to one number a class, without softmax, or to the number that is predicted: layers in a row, or a
   * model, that of a graph or a fitted one's `network` too. Bytes reach it as [0, 1], whether or not it begins with the layer that
   * rescales them.
   */
  readonly layers?: Layers
}

/** Options to change: layers of the user's own may be others than those whose types are known. */
export type Changes<O> = Partial<Omit<O, 'layers'>> & { readonly layers?: OwnLayers | readonly number[] }

/** Layers that fit each other, as far as their shapes are literal. */
export interface FittingLayers<Layers> {
  readonly layers?: Layers & Fits<Layers, Shape>
}

/** `unknown` unless layers of the user's own do not fit the samples of a frame of columns `S`, whose shape is literal: then an error. */
export type LayersFit<O, S> = O extends { readonly inputCol?: infer Name; readonly layers?: infer Layers }
  ? Extract<Name, keyof S> extends infer Column extends keyof S
    ? [S[Column]] extends [Tensor<infer Samples>]
      ? Fits<NonNullable<Layers>, Samples>
      : unknown
    : unknown
  : unknown

/** What classifiers have: class numbers 0, 1, ..., classes - 1 as labels. */
export interface ClassifierOptions<
  Input extends string = string,
  Label extends string = string,
  Output extends string = string,
  Raw extends string = string,
  Probability extends string = string,
> extends PredictorOptions<Input, Label, Output> {
  /** Whether `transform` adds a column of logits, one a class. Default true. */
  readonly rawPrediction?: boolean
  /** Its name. Default `'rawPrediction'`. */
  readonly rawPredictionCol?: Raw
  /** Column of probabilities that `transform` adds; none unless named. */
  readonly probabilityCol?: Probability
}

/** How a `fit` runs. */
export interface FitOptions<Validation = AnyFrame> extends RunOptions {
  /** Rows on which loss and metrics are told after every epoch; never trained on. */
  readonly validation?: Validation
}

/** The columns of an estimator's samples. */
export interface InputColumns {
  readonly inputCol?: string | undefined
  readonly inputCols?: readonly string[] | undefined
}

/** @throws ShardbookError `argument` for options out of range */
export function checkNetworkOptions(caller: string, options: NetworkOptions & InputColumns, several: boolean): void {
  const { inputCol, inputCols, maxIter = 1, stepSize = 0, seed = 0 } = options
  if (inputCols === undefined) {
    if (typeof inputCol !== 'string') {
      throw new ShardbookError('argument', `${caller}: expected inputCol to name a column, got ${show(inputCol)}.`)
    }
  } else checkInputCols(caller, options, several)
  checkInteger(caller, 'maxIter', maxIter, 1)
  checkNumber(caller, 'stepSize', stepSize, 0)
  checkInteger(caller, 'seed', seed, 0)
  checkTrainingOptions(caller, options)
}

/** @throws ShardbookError `argument` for options out of range */
export function checkPredictorOptions(caller: string, options: PredictorOptions): void {
  const { batchSize = options.slices ?? 1, slices, outputCol, predictionCol } = options
  checkInteger(caller, 'batchSize', batchSize, 1)
  if (slices !== undefined) checkInteger(caller, 'slices', slices, 1, batchSize)
  if (slices !== undefined && batchSize % slices !== 0) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected slices to divide the batch of ${batchSize} rows evenly, got ${slices}.`,
    )
  }
  if (outputCol !== undefined && predictionCol !== undefined && outputCol !== predictionCol) {
    throw new ShardbookError('argument', `${caller}: expected one of outputCol and predictionCol, got both.`)
  }
}

function checkInputCols(caller: string, { inputCol, inputCols = [] }: InputColumns, several: boolean): void {
  if (!several || inputCol !== undefined) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected ${several ? 'one of inputCol and inputCols' : 'inputCol'}, got inputCols${several ? ' too' : ''}.`,
    )
  }
  const isNames = Array.isArray(inputCols) && inputCols.every((name) => typeof name === 'string')
  if (isNames && inputCols.length >= 2 && new Set(inputCols).size === inputCols.length) return
  throw new ShardbookError(
    'argument',
    `${caller}: expected inputCols to name two columns or more, each once, got ${show(inputCols)}.`,
    { hint: 'One column is inputCol.' },
  )
}
