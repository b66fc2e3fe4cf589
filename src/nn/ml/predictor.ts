/**
 * Estimators that predict a label: what CNN, RNN and multilayer perceptron share. They differ in the columns that they take and
 * in the network that they build by default (`Family`); classifiers and regressors differ in what is learnt.
 */
import { ShardbookError } from '../../core/errors.js'
import { findColumn } from '../../frame/index.js'
import type { AnyFrame, Column, Schema } from '../../frame/index.js'
import { augmented } from '../augment/augment.js'
import { showShape } from '../layers/layer.js'
import type { Layer } from '../layers/layer.js'
import { softmaxCrossEntropy } from '../loss.js'
import type { Loss } from '../loss.js'
import type { Metric } from '../metric.js'
import { applyModel, initialWeights, model } from '../model.js'
import type { Model } from '../model.js'
import type { Savable, Training } from '../train/training.js'
import { checkNumberColumn } from './columns.js'
import type { Fitting } from './fit.js'
import {
  checkInput,
  fieldsOf,
  headOf,
  inputsOf,
  programColumns,
  sampleShape,
  samplesFrom,
  severalInput,
} from './input.js'
import type { Input } from './input.js'
import { NeuralEstimator } from './neural-estimator.js'
import { checkPredictorOptions } from './options.js'
import type { FitOptions, LayersOptions, PredictorOptions } from './options.js'
import type { Transformer } from './stage.js'

/** What tells CNN, RNN and multilayer perceptron apart. */
export interface Family<O extends PredictorOptions> {
  /** Defaults. */
  readonly maxIter: number
  readonly batchSize: number
  readonly stepSize: number
  /** @throws ShardbookError `argument` for options of its own that are out of range */
  check?(caller: string, options: O): void
  /** Whether it takes several columns, `inputCols`. */
  readonly several?: true
  /** @throws ShardbookError `column` unless it takes such a column */
  checkColumn(caller: string, column: Column): void
  /** Looks at the rows, where the column's type does not say all. */
  learn(caller: string, frame: AnyFrame, inputCol: string, options: O): Promise<Input>
  /** The layers behind `headOf` the input, up to `outputs` numbers: the user's own, or the default ones. */
  layers(caller: string, input: Input, outputs: number, options: O): readonly Layer[]
}

/** What is learnt from the label. */
export interface Task<M> {
  readonly loss: Loss
  readonly metrics: readonly Metric[]
  readonly rows: number
  readonly classRows?: readonly number[]
  readonly outputs: number
  /** Put behind the last layer. */
  readonly tail: readonly Layer[]
  /** What one output stands for, in errors. */
  readonly oneFor: string
  finish(network: Model, weights: Fitting<M>['weights'], input: Input): Promise<M>
}

export abstract class PredictorEstimator<O extends PredictorOptions> extends NeuralEstimator<O> {
  readonly #family: Family<O>

  protected constructor(kind: string, options: O, family: Family<O>) {
    super(kind, options, family.several)
    checkPredictorOptions(kind, options)
    family.check?.(kind, options)
    this.#family = family
  }

  /** The column of the samples; of several, their names in a row. */
  protected get inputCol(): string {
    return this.options.inputCol ?? this.options.inputCols!.join(', ')
  }

  protected get labelCol(): string {
    return this.options.labelCol ?? 'label'
  }

  protected get outputCol(): string {
    return this.options.outputCol ?? this.options.predictionCol ?? 'prediction'
  }

  /** What labels are called in errors. */
  protected abstract readonly labels: string

  /** Looks at the labels. */
  protected abstract task(frame: AnyFrame, validation: AnyFrame | undefined): Promise<Task<Savable & Transformer>>

  protected checkColumns(caller: string, schema: Schema): void {
    const { inputCols } = this.options
    if (inputCols === undefined) this.#family.checkColumn(caller, findColumn(caller, schema, this.inputCol))
    else severalInput(caller, schema, inputCols)
    checkNumberColumn(caller, schema, this.labelCol, this.labels)
  }

  protected train<M extends Savable & Transformer>(frame: AnyFrame, given: FitOptions): Training<M> {
    const { batchSize, slices } = this.options
    return this.begin<M>(frame, given, {
      epochs: this.#family.maxIter,
      stepSize: this.#family.stepSize,
      batch: { rows: batchSize ?? this.#family.batchSize, isGiven: batchSize !== undefined, slices },
      prepare: async () => this.#fitting(frame, given.validation) as Promise<Fitting<M>>,
    })
  }

  async #fitting(frame: AnyFrame, validation: AnyFrame | undefined): Promise<Fitting<Savable & Transformer>> {
    const { inputCol } = this
    const { seed = 0 } = this.options
    const caller = `${this.kind}.fit`
    const task = await this.task(frame, validation)
    const input = await this.#learn(caller, frame, validation)
    const network = this.#network(input, task)
    const { loss, metrics, rows } = task
    const samples = programColumns(input, inputCol)
    return {
      objective: {
        weights: network.weights,
        columns: [...samples, { name: this.labelCol, dtype: loss.target, shape: [] }],
        loss,
        metrics,
        forward: (context, weights, columns) => ({
          output: applyModel(network, context, weights, samplesFrom(context.tf, input, columns)),
          target: columns[samples.length]!,
        }),
      },
      augment: augmentationOf(caller, input, task, this.options),
      fields: fieldsOf(input, inputCol),
      rows,
      classRows: task.classRows,
      weights: initialWeights(network, seed),
      finish: async (weights) => task.finish(network, weights, forTransform(input)),
    }
  }

  async #learn(caller: string, frame: AnyFrame, validation: AnyFrame | undefined): Promise<Input> {
    const { inputCol } = this
    const { inputCols } = this.options
    const input =
      inputCols === undefined
        ? await this.#family.learn(caller, frame, inputCol, this.options)
        : severalInput(caller, frame.schema, inputCols)
    if (validation === undefined) return input
    checkInput(`${caller}, validation`, validation.schema, inputCol, input)
    if (input.kind !== 'sparse') return input
    const held = await this.#family.learn(caller, validation, inputCol, this.options)
    return held.kind === 'sparse' ? { ...input, length: Math.max(input.length, held.length) } : input
  }

  #network(input: Input, { outputs, oneFor, tail }: Task<unknown>): Model {
    const own = this.#family.layers(`${this.kind}.fit`, input, outputs, this.options)
    const last = own.at(-1)
    if (last !== undefined && (last.options as { activation?: unknown }).activation === 'softmax') {
      throw new ShardbookError(
        'argument',
        `${this.kind}: expected layers that end before the softmax, got one at the end.`,
        { hint: 'Leave it out: the loss takes logits, and probabilityCol gives probabilities.' },
      )
    }
    const layers = [...headOf(input), ...own, ...tail]
    const network = model(
      layers,
      input.kind === 'several' ? { inputs: Object.fromEntries(inputsOf(input)) } : { inputShape: sampleShape(input) },
    )
    if (network.outputShape.length === 1 && network.outputShape[0] === outputs) return network
    throw new ShardbookError(
      'argument',
      `${this.kind}: expected layers that end in [${outputs}], ${oneFor}, got ${showShape(network.outputShape)}.`,
      { hint: `Put nn.dense({ units: ${outputs} }) at the end.` },
    )
  }
}

/** What happens to samples while training. @throws ShardbookError `argument` where samples are no tensors */
function augmentationOf(
  caller: string,
  input: Input,
  { loss, outputs }: Pick<Task<unknown>, 'loss' | 'outputs'>,
  { augment = [] }: PredictorOptions,
): Fitting<unknown>['augment'] {
  if (augment.length === 0) return undefined
  if (input.kind !== 'tensor') {
    throw new ShardbookError(
      'argument',
      `${caller}: expected images or vectors to augment, got samples of ${input.kind}.`,
    )
  }
  const classes = loss === softmaxCrossEntropy ? { classes: outputs } : {}
  return (objective) => augmented(caller, objective, augment, { column: 0, isBytes: input.isBytes, ...classes })
}

/** Rows to come may have more components than any that was learnt from. */
function forTransform(input: Input): Input {
  if (input.kind !== 'sparse') return input
  return { ...input, length: Math.min(input.components.length, 4 * input.length) }
}

/** The layers of an option that takes a model too. */
export function ownLayers(given: LayersOptions['layers']): readonly Layer[] | undefined {
  if (given === undefined || !('layers' in given)) return given
  return given.layers.map(({ layer, name }) => ({ ...layer, name }))
}
