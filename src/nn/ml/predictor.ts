/**
 * Estimators that predict a label: what CNN, RNN and multilayer perceptron share. They differ in the columns that they take and
 * in the network that they build by default (`Family`); classifiers and regressors differ in what is learnt.
 */
import { ShardbookError } from '../../core/errors.js'
import { findColumn } from '../../frame/index.js'
import type { AnyFrame, Column, Frame, Schema } from '../../frame/index.js'
import { augmented } from '../augment/augment.js'
import type { RescaleOptions } from '../layers/activation.js'
import { renamed, showShape } from '../layers/layer.js'
import type { Layer } from '../layers/layer.js'
import { softmaxCrossEntropy } from '../loss.js'
import type { Loss } from '../loss.js'
import type { Metric } from '../metric.js'
import { inARow } from '../layers/node.js'
import type { Node } from '../layers/node.js'
import { applyModel, assemble, initialWeights } from '../model.js'
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
  numericInput,
  samplesFrom,
} from './input.js'
import type { Input } from './input.js'
import { checkAmongSeveral, learnInputs, withRoom } from './learn-input.js'
import type { SequenceOptions } from './learn-input.js'
import { NeuralEstimator } from './neural-estimator.js'
import { checkPredictorOptions } from './options.js'
import type { FitOptions, LayersFit, LayersOptions, PredictorOptions } from './options.js'
import type { Transformer } from './stage.js'
import type { AddsOf, Takes } from './stage-types.js'

/** What tells CNN, RNN and multilayer perceptron apart. */
export interface Family<O extends PredictorOptions> {
  /** Defaults. */
  readonly maxIter: number
  readonly batchSize: number
  readonly stepSize: number
  /** @throws ShardbookError `argument` for options of its own that are out of range */
  check?(caller: string, options: O): void
  /** Which columns it takes several of, `inputCols`: of tensors and numbers, or text, tokens and sparse vectors too. */
  readonly several: 'numeric' | 'any'
  /** @throws ShardbookError `column` unless it takes such a column */
  checkColumn(caller: string, column: Column): void
  /** @throws ShardbookError `argument` for options that do not fit samples of tensors */
  checkInput?(caller: string, input: Input, options: O): void
  /** Looks at the rows, where the column's type does not say all. */
  learn(caller: string, frame: AnyFrame, inputCol: string, options: O): Promise<Input>
  /** The layers behind `headOf` the input, up to `outputs` numbers, where the user gives none. */
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

export abstract class PredictorEstimator<
  O extends PredictorOptions & SequenceOptions,
  Needs,
  M extends Savable & Transformer,
> extends NeuralEstimator<O, Needs, AddsOf<M>> {
  readonly #family: Family<O>

  protected constructor(kind: string, options: O, family: Family<O>) {
    super(kind, options, true)
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

  /** Numbers that the network ends in, where that is known without the labels. */
  protected readonly outputs?: number

  /** What labels are called in errors. */
  protected abstract readonly labels: string

  /** Looks at the labels. */
  protected abstract task(frame: AnyFrame, validation: AnyFrame | undefined): Promise<Task<Savable & Transformer>>

  protected checkColumns(caller: string, schema: Schema): void {
    const { inputCols } = this.options
    if (inputCols === undefined) this.#family.checkColumn(caller, findColumn(caller, schema, this.inputCol))
    else {
      const check = this.#family.several === 'any' ? checkAmongSeveral : numericInput
      for (const name of inputCols) check(caller, schema, name)
    }
    checkNumberColumn(caller, schema, this.labelCol, this.labels)
    const input = knownInput(schema, this.options)
    if (input !== undefined) this.#checkLayers(caller, input)
  }

  /** @throws ShardbookError `argument` for layers of the user's own that do not take the samples, as far as columns tell their shapes */
  #checkLayers(caller: string, input: Input): void {
    const { layers } = this.options as LayersOptions
    this.#family.checkInput?.(caller, input, this.options)
    const own = ownNodes(layers)
    if (own === undefined) return
    const { outputShape } = networkOf(caller, input, joined(headOf(input), own, []))
    if (outputShape.length === 1 && (this.outputs ?? outputShape[0]) === outputShape[0]) return
    throw new ShardbookError(
      'argument',
      `${caller}: expected layers that end in [${this.outputs ?? 'classes'}], got ${showShape(outputShape)}.`,
      { hint: `Put nn.dense({ units: ${this.outputs ?? 'classes'} }) at the end.` },
    )
  }

  /**
   * Begins to train, at once; `await` the training for the model.
   *
   * @param options.on where it runs: a pool, or this process
   * @param options.validation rows on which loss and metrics are told after every epoch; never trained on
   * @throws ShardbookError `column` when a column is missing or of another type.
   */
  fit<S>(frame: Takes<S, Needs> & LayersFit<O, S>, options: FitOptions<Frame<S>> = {}): Training<M> {
    const { batchSize, slices } = this.options
    return this.begin<M>(frame, options, {
      epochs: this.#family.maxIter,
      stepSize: this.#family.stepSize,
      batch: { rows: batchSize ?? this.#family.batchSize, isGiven: batchSize !== undefined, slices },
      prepare: async () => this.#fitting(frame, options.validation) as Promise<Fitting<M>>,
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
      finish: async (weights) => task.finish(network, weights, withRoom(input)),
    }
  }

  async #learn(caller: string, frame: AnyFrame, validation: AnyFrame | undefined): Promise<Input> {
    const { inputCol } = this
    const { inputCols } = this.options
    const learn = async (rows: AnyFrame): Promise<Input> =>
      inputCols === undefined
        ? this.#family.learn(caller, rows, inputCol, this.options)
        : learnInputs(caller, rows, inputCols, this.options)
    const input = await learn(frame)
    if (validation === undefined) return input
    checkInput(`${caller}, validation`, validation.schema, inputCol, input)
    return hasSparse(input) ? holding(input, await learn(validation)) : input
  }

  #network(input: Input, { outputs, oneFor, tail }: Task<unknown>): Model {
    const own =
      ownNodes((this.options as LayersOptions).layers) ??
      inARow(this.#family.layers(`${this.kind}.fit`, input, outputs, this.options))
    const last = own.at(-1)?.layer
    if (last !== undefined && (last.options as { activation?: unknown }).activation === 'softmax') {
      throw new ShardbookError(
        'argument',
        `${this.kind}: expected layers that end before the softmax, got one at the end.`,
        { hint: 'Leave it out: the loss takes logits, and probabilityCol gives probabilities.' },
      )
    }
    const network = networkOf(this.kind, input, joined(headOf(input), own, tail))
    if (network.outputShape.length === 1 && network.outputShape[0] === outputs) return network
    throw new ShardbookError(
      'argument',
      `${this.kind}: expected layers that end in [${outputs}], ${oneFor}, got ${showShape(network.outputShape)}.`,
      { hint: `Put nn.dense({ units: ${outputs} }) at the end.` },
    )
  }
}

/**
 * The layers of the user's own between those of the estimator. They may have these already: they are a fitted network's, or the
 * user rescales bytes as it is done here. Then samples are brought to what the network takes once, and results to this label's unit.
 */
function joined(head: readonly Layer[], own: readonly Node[], tail: readonly Layer[]): readonly Node[] {
  const isHead = ({ layer: { kind, options } }: Node): boolean => {
    const [one, other] = [options, head[0]?.options] as [RescaleOptions, RescaleOptions | undefined]
    return kind === 'rescale' && one.scale === other?.scale && (one.offset ?? 0) === (other.offset ?? 0)
  }
  const first = own.filter(({ from }) => from.includes(-1)).every(isHead) ? [] : inARow(head)
  const last = own.at(-1)?.layer
  const hasTail = tail.some(({ kind, name }) => kind === last?.kind && name === last.name)
  const between = hasTail ? own.slice(0, -1) : own
  const behind = (nodes: readonly Node[], by: number): Node[] =>
    nodes.map(({ layer, from }) => ({ layer, from: from.map((at) => at + by) }))
  return [...first, ...behind(between, first.length), ...behind(inARow(tail), first.length + between.length)]
}

function networkOf(caller: string, input: Input, nodes: readonly Node[]): Model {
  const shapes =
    input.kind === 'several' ? { inputs: Object.fromEntries(inputsOf(input)) } : { inputShape: sampleShape(input) }
  return assemble(nodes, shapes, caller)
}

/** What columns tell of the samples without a look at the rows; undefined where their shapes depend on these. */
function knownInput(schema: Schema, { inputCol, inputCols }: PredictorOptions): Input | undefined {
  const columns = (inputCols ?? [inputCol!]).map((name) => findColumn('transformSchema', schema, name))
  const isKnown = ({ type }: Column): boolean =>
    type.kind === 'tensor' ? type.shape.every((n) => n > 0) : inputCols !== undefined && type.kind !== 'sparse'
  const isTold = columns.every((column) => isKnown(column) && !['string', 'list'].includes(column.type.kind))
  if (!isTold) return undefined
  const inputs = columns.map(({ name }) => numericInput('transformSchema', schema, name))
  return inputCols === undefined ? inputs[0]! : { kind: 'several', columns: inputs }
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

function hasSparse(input: Input): boolean {
  return input.kind === 'several' ? input.columns.some(hasSparse) : input.kind === 'sparse'
}

/** The input, with room for the sparse vectors of other rows. */
function holding<I extends Input>(input: I, other: Input): I {
  if (input.kind === 'several' && other.kind === 'several') {
    return { ...input, columns: input.columns.map((column, i) => holding(column, other.columns[i]!)) }
  }
  if (input.kind !== 'sparse' || other.kind !== 'sparse') return input
  return { ...input, length: Math.max(input.length, other.length) }
}

/** The layers of an option that takes a model too; undefined where there are none, or sizes. */
function ownNodes(given: unknown): readonly Node[] | undefined {
  if (Array.isArray(given)) return given.some((item) => typeof item === 'number') ? undefined : inARow(given as Layer[])
  return (given as Model | undefined)?.layers.map(({ layer, name, from }) => ({ layer: renamed(layer, name), from }))
}
