/** Estimators that learn a code: what autoencoders and variational ones share. */
import { checkInteger } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import type { AnyFrame, Column, Frame, Schema, Tensor } from '../../frame/index.js'
import { initialWeights } from '../model.js'
import type { Model } from '../model.js'
import type { Training } from '../train/training.js'
import type { Objective } from '../train/programs.js'
import { checkCoded, checkCoderOptions, sizesOf } from './coder-layers.js'
import type { CoderOptions } from './coder-layers.js'
import { makeCoder } from './coder-model.js'
import type { CoderModel, CoderParams, CoderParts } from './coder-model.js'
import { outputColumn, tensorColumn } from './columns.js'
import type { TensorColumn } from './columns.js'
import type { Fitting } from './fit.js'
import { checkInput, fieldsOf } from './input.js'
import { NeuralEstimator } from './neural-estimator.js'
import type { FitOptions, NetworkOptions } from './options.js'
import type { Col, Takes } from './stage-types.js'

export interface CoderEstimatorOptions<InputCol extends string = string, Output extends string = string>
  extends NetworkOptions, CoderOptions {
  /** Column of tensors. Bytes are taken as [0, 1]. */
  readonly inputCol: InputCol
  /** Column of codes that `transform` adds. Default `'encoded'`. */
  readonly outputCol?: Output
  /** Rows a block: what one worker computes at once. Default 32. */
  readonly blockSize?: number
  /** Blocks of a global batch, which is what one step sees; workers share them. Default 4. */
  readonly numBlocks?: number
}

/** A network with what is minimised. */
export interface Coder {
  readonly network: Model
  readonly params: Pick<CoderParams, 'samplesAt' | 'codeAt'>
  readonly objective: Pick<Objective, 'loss' | 'metrics' | 'forward'>
}

export abstract class CoderEstimator<
  O extends CoderEstimatorOptions,
  InputCol extends string,
  Output extends string,
  M extends CoderModel<InputCol, Output>,
> extends NeuralEstimator<O, Col<InputCol, Tensor>, Col<Output, Tensor>> {
  readonly #defaults: { readonly maxIter: number; readonly stepSize: number }

  protected constructor(kind: string, options: O, defaults: { readonly maxIter: number; readonly stepSize: number }) {
    super(kind, options)
    const { blockSize = 1, numBlocks = 1 } = options
    checkCoderOptions(kind, options)
    checkInteger(kind, 'blockSize', blockSize, 1)
    checkInteger(kind, 'numBlocks', numBlocks, 1)
    this.#defaults = defaults
  }

  protected get outputCol(): string {
    return this.options.outputCol ?? 'encoded'
  }

  protected abstract coder(column: TensorColumn): Coder
  /** The class of what is fitted. */
  protected abstract readonly model: new (...parts: CoderParts<InputCol, Output>) => M

  protected checkColumns(caller: string, schema: Schema): void {
    const { inputCol } = this.options
    checkCoded(caller, inputCol, tensorColumn(caller, schema, inputCol).shape, this.options)
  }

  protected addedColumns(): readonly Column[] {
    return [outputColumn(this.outputCol, [sizesOf(this.options).at(-1)!])]
  }

  /**
   * Begins to train, at once; `await` the training for the model.
   *
   * @param options.on where it runs: a pool, or this process
   * @param options.validation rows on which the loss is told after every epoch, without noise; never trained on
   * @throws ShardbookError `column` when the input column is missing or holds no tensors.
   */
  fit<S>(frame: Takes<S, Col<InputCol, Tensor>>, options: FitOptions<Frame<S>> = {}): Training<M> {
    const { blockSize, numBlocks = 4 } = this.options
    return this.begin<M>(frame, options, {
      epochs: this.#defaults.maxIter,
      stepSize: this.#defaults.stepSize,
      batch: { rows: (blockSize ?? 32) * numBlocks, isGiven: blockSize !== undefined, slices: numBlocks },
      prepare: async () => this.#fitting(frame, options.validation),
    })
  }

  async #fitting(frame: AnyFrame, validation: AnyFrame | undefined): Promise<Fitting<M>> {
    const { inputCol, seed = 0 } = this.options
    const column = tensorColumn(`${this.kind}.fit`, frame.schema, inputCol)
    const input = { kind: 'tensor', shape: column.shape, isBytes: column.isBytes } as const
    if (validation !== undefined) checkInput(`${this.kind}.fit, validation`, validation.schema, inputCol, input)
    const rows = await frame.count()
    if (rows === 0) throw new ShardbookError('data', `${this.kind}: expected rows to train on, got an empty frame.`)
    const { network, params, objective } = this.coder(column)
    return {
      objective: {
        ...objective,
        weights: network.weights,
        columns: [{ name: inputCol, dtype: 'float32', shape: column.shape }],
      },
      fields: fieldsOf(input, inputCol),
      rows,
      weights: initialWeights(network, seed),
      finish: async (weights) =>
        makeCoder(this.model, { network, weights, params: { inputCol, outputCol: this.outputCol, input, ...params } }),
    }
  }
}
