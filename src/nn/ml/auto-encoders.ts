/** `AutoEncoders`: dense networks that learn a short code of images or vectors. */
import { checkInteger, checkNumber, show } from '../../core/check.js'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { AnyFrame, Frame } from '../../frame/index.js'
import { rescale } from '../layers/activation.js'
import { dense } from '../layers/dense.js'
import { flatten, reshape } from '../layers/shape.js'
import { halfSquaredError } from '../loss.js'
import { applyModel, initialWeights, model } from '../model.js'
import type { Model } from '../model.js'
import { adam } from '../optimiser.js'
import type { Optimiser } from '../optimiser.js'
import { cosine } from '../schedule.js'
import type { Strategy } from '../strategy.js'
import type { Objective } from '../train/programs.js'
import type { Training } from '../train/training.js'
import { AutoEncodersModel } from './auto-encoders-model.js'
import { tensorColumn } from './columns.js'
import type { HasTensor, TensorColumn } from './columns.js'
import { beginTraining } from './fit.js'

export interface AutoEncodersOptions<Input extends string = string, Output extends string = string> {
  /** Column of tensors. Bytes are taken as [0, 1]. */
  readonly inputCol: Input
  /** Column of codes that `transform` adds. Default `'encoded'`. */
  readonly outputCol?: Output
  /** Units of the encoder's layers, the last being the size of the code; the decoder mirrors them. Default [128, 32]. */
  readonly layers?: readonly number[]
  /** Of the decoder's last layer. Default: sigmoid for bytes, linear else. */
  readonly outputActivation?: 'sigmoid' | 'linear'
  /** Rows a block. Default 32. */
  readonly blockSize?: number
  /** Blocks of a global batch, which is what one step sees; workers share them. Default 4. */
  readonly numBlocks?: number
  /** Epochs. Default 10. */
  readonly maxIter?: number
  /** Highest learning rate; it rises over the first tenth of the steps and then falls to zero. Default 0.005. */
  readonly stepSize?: number
  /** How gradients become steps, with clipping, accumulation and the like around it. Default `nn.adam()`. */
  readonly optimiser?: Optimiser
  /** Default 0. */
  readonly seed?: number
}

const caller = 'AutoEncoders'

/**
 * Learns a code: an encoder and a decoder of dense layers that minimise `1/2N sum |y - x|^2` with Adam.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.AutoEncoders({ inputCol: 'image', outputCol: 'encoded', layers: [128, 32] }).fit(train)
 * const encoded = model.transform(test)
 * const decoded = model.transform(encoded)
 * ```
 */
export class AutoEncoders<Input extends string = string, Output extends string = 'encoded'> {
  readonly options: AutoEncodersOptions<Input, Output>

  constructor(options: AutoEncodersOptions<Input, Output>) {
    const {
      inputCol,
      layers = [128, 32],
      blockSize = 32,
      numBlocks = 4,
      maxIter = 10,
      stepSize = 0,
      seed = 0,
    } = options
    if (typeof inputCol !== 'string') {
      throw new ShardbookError('argument', `${caller}: expected inputCol to name a column, got ${show(inputCol)}.`)
    }
    if (!Array.isArray(layers) || layers.length === 0 || !layers.every((n) => Number.isInteger(n) && n >= 1)) {
      throw new ShardbookError(
        'argument',
        `${caller}: expected layers to be numbers of units, the last the size of the code, got ${show(layers)}.`,
        { hint: 'For example [100, 50].' },
      )
    }
    checkInteger(caller, 'blockSize', blockSize, 1)
    checkInteger(caller, 'numBlocks', numBlocks, 1)
    checkInteger(caller, 'maxIter', maxIter, 1)
    checkNumber(caller, 'stepSize', stepSize, 0)
    checkInteger(caller, 'seed', seed, 0)
    this.options = Object.freeze({ ...options })
  }

  /**
   * Begins to train, at once; `await` the training for the model.
   *
   * @param options.on where it runs: a pool, or this process
   * @param options.validation rows on which the loss is told after every epoch; never trained on
   * @throws ShardbookError `column` when the input column is missing or holds no tensors.
   */
  fit<S>(
    frame: Frame<S> & HasTensor<S, Input>,
    options: { readonly on?: Strategy; readonly validation?: Frame<S> } = {},
  ): Training<AutoEncodersModel<Input, Output>> {
    const { inputCol, blockSize = 32, numBlocks = 4, maxIter = 10, seed = 0 } = this.options
    const { validation } = options
    const column = tensorColumn(`${caller}.fit`, frame.schema, inputCol)
    if (validation !== undefined) tensorColumn(`${caller}.fit`, validation.schema, inputCol)
    return beginTraining({
      name: caller,
      on: options.on,
      epochs: maxIter,
      batchRows: blockSize * numBlocks,
      slices: numBlocks,
      seed,
      prepare: async () => this.#fitting(column, frame),
      source: async () => (frame as AnyFrame).source([inputCol]),
      validation: validation === undefined ? undefined : async () => (validation as AnyFrame).source([inputCol]),
    })
  }

  async #fitting(column: TensorColumn, frame: AnyFrame) {
    const { inputCol, outputCol = 'encoded' as Output, stepSize = 0.005, seed = 0 } = this.options
    const { network, codeAt, samplesAt } = networkFor(column, this.options)
    const rows = await frame.count()
    if (rows === 0) throw new ShardbookError('data', `${caller}: expected rows to train on, got an empty frame.`)
    const objective: Objective = {
      weights: network.weights,
      columns: [{ name: inputCol, dtype: 'float32', shape: column.shape }],
      loss: halfSquaredError,
      metrics: [],
      forward: (context, weights, [x]) => {
        const target = applyModel(network, context, weights, x!, { to: samplesAt })
        return { output: applyModel(network, context, weights, target, { from: samplesAt }), target }
      },
    }
    return {
      objective,
      rows,
      optimiser: this.options.optimiser ?? adam(),
      schedule: cosine(stepSize, { warmUp: 0.1 }),
      weights: initialWeights(network, seed),
      finish: async (weights: AutoEncodersModel['weights']) =>
        AutoEncodersModel.make<Input, Output>(network, weights, { inputCol, outputCol, codeAt, samplesAt }),
    }
  }
}

/** The network with the positions of its layers: before `samplesAt` bytes become numbers, before `codeAt` lies the encoder. */
function networkFor(
  { shape, isBytes }: TensorColumn,
  { layers = [128, 32], outputActivation = isBytes ? 'sigmoid' : 'linear' }: AutoEncodersOptions,
): { network: Model; codeAt: number; samplesAt: number } {
  const size = sizeOf(shape)
  const last = layers.length - 1
  const head = isBytes ? [rescale({ scale: 1 / 255, name: 'rescale' })] : []
  const encoder = [
    flatten({ name: 'flatten' }),
    ...layers.map((units, i) =>
      dense({ units, activation: i === last ? 'linear' : 'relu', name: i === last ? 'code' : `encoder${i + 1}` }),
    ),
  ]
  const decoder = [
    ...layers
      .slice(0, -1)
      .toReversed()
      .map((units, i) => dense({ units, activation: 'relu', name: `decoder${i + 1}` })),
    dense({ units: size, activation: outputActivation, name: 'output' }),
    reshape({ shape, name: 'shape' }),
  ]
  return {
    network: model([...head, ...encoder, ...decoder], { inputShape: shape }),
    codeAt: head.length + encoder.length,
    samplesAt: head.length,
  }
}
