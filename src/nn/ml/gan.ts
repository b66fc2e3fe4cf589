/** `GAN`: a generator that learns to make samples which a critic cannot tell from real ones. */
import { checkInteger, checkNumber, checkOneOf } from '../../core/check.js'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import { findColumn } from '../../frame/index.js'
import type { AnyFrame, Column, Frame, Schema, Tensor } from '../../frame/index.js'
import { leakyRelu, activation as activate } from '../layers/activation.js'
import { conv2d } from '../layers/convolution.js'
import { dense } from '../layers/dense.js'
import { dropout } from '../layers/dropout.js'
import { showShape } from '../layers/layer.js'
import type { Layer, Shape } from '../layers/layer.js'
import { batchNormalization } from '../layers/normalization.js'
import { flatten } from '../layers/shape.js'
import { initialWeights, model } from '../model.js'
import { applyModel } from '../model.js'
import { adam } from '../optimiser.js'
import type { Training } from '../train/training.js'
import { adversarialLosses, playRound } from './adversaries.js'
import type { AdversarialLoss } from './adversaries.js'
import { alternate } from './alternate.js'
import { countClasses } from './classes.js'
import { imageLayers } from './coder-layers.js'
import { checkNumberColumn, outputColumn, tensorColumn } from './columns.js'
import type { Fitting } from './fit.js'
import { asSeen, GANModel, judge, namesOf, seenShape, withClass } from './gan-model.js'
import type { Adversaries, GANParams } from './gan-model.js'
import { fieldsOf } from './input.js'
import { NeuralEstimator } from './neural-estimator.js'
import type { BatchOptions, FitOptions } from './options.js'
import { partMetrics, sumOfParts } from './parts.js'
import type { Col, Takes } from './stage-types.js'

/** Options of `GAN`. Defaults: `maxIter` 20, `batchSize` 64, `stepSize` 0.0004 (0.0003 with `'wgan-gp'`). */
export interface GANOptions<
  Input extends string = string,
  Label extends string = string,
  Output extends string = string,
> extends BatchOptions {
  /** Column of images or vectors. Bytes are made and judged as [-1, 1]. */
  readonly inputCol: Input
  /** Column of class numbers 0, 1, 2, ...: samples are then made by class. Default: none. */
  readonly labelCol?: Label
  /** Column of the critic's judgement that `transform` adds. Default `'score'`. */
  readonly outputCol?: Output
  /**
   * `'gan'`, the non-saturating loss of DCGAN (Radford and others, 2016), or `'wgan-gp'`, Wasserstein's distance with a penalty
   * on the critic's slope (Gulrajani and others, 2017). Default `'gan'`.
   */
  readonly loss?: AdversarialLoss
  /** Factor of the penalty. Default 10. */
  readonly gradientPenalty?: number
  /** Steps of the critic for one of the generator. Default 1, or 3 with `'wgan-gp'`. */
  readonly criticSteps?: number
  /** Numbers that a sample is made of. Default 64. */
  readonly latentSize?: number
  /** Filters of the critic's convolutions, each at half the size of the one before; the generator mirrors them. Default [32, 64]. */
  readonly filters?: readonly number[]
  /** From `[latentSize + classes]` to a sample, images with their channels. Default: from `filters`, or dense layers for vectors. */
  readonly generator?: readonly Layer[]
  /** From a sample, its classes beside the channels, to one number. Without batch normalisation: rows are judged each alone. */
  readonly critic?: readonly Layer[]
}

/**
 * Learns to make samples (Goodfellow and others, 2014): generator and critic move in the same steps, each by its own loss, which are
 * told as metrics.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.GAN({ inputCol: 'image', maxIter: 20 }).fit(train)
 * viz.images(await model.sample(40, { seed: 1 }))
 * ```
 */
export class GAN<
  Input extends string = string,
  Label extends string = never,
  Output extends string = 'score',
> extends NeuralEstimator<
  GANOptions<Input, Label, Output>,
  Col<Input, Tensor> & Col<Label, number>,
  Col<Output, number>
> {
  declare readonly kind: 'GAN'

  constructor(options: GANOptions<Input, Label, Output>) {
    super('GAN', options)
    const { loss = 'gan', gradientPenalty = 0, criticSteps = 1, latentSize = 1, filters = [1], batchSize = 1 } = options
    checkOneOf('GAN', 'loss', loss, adversarialLosses)
    checkNumber('GAN', 'gradientPenalty', gradientPenalty, 0)
    checkInteger('GAN', 'criticSteps', criticSteps, 1)
    checkInteger('GAN', 'latentSize', latentSize, 1)
    checkInteger('GAN', 'batchSize', batchSize, 1)
    for (const each of filters) checkInteger('GAN', 'filters', each, 1)
  }

  /**
   * Begins to train, at once; `await` the training for the model.
   *
   * @param options.on where it runs: a pool, or this process
   * @throws ShardbookError `column` when a column is missing or of another type, `argument` for validation rows: there is no loss
   *   that says how good samples are.
   */
  fit<S>(
    frame: Takes<S, Col<Input, Tensor> & Col<Label, number>>,
    options: FitOptions<Frame<S>> = {},
  ): Training<GANModel<Input, Label, Output>> {
    if (options.validation !== undefined) {
      throw new ShardbookError('argument', 'GAN.fit: expected no validation rows, got some.', {
        hint: 'Its losses do not say how good samples are: judge what sample() makes.',
      })
    }
    const { batchSize, slices, loss } = this.options
    return this.begin<GANModel<Input, Label, Output>>(frame, options, {
      epochs: 20,
      stepSize: loss === 'wgan-gp' ? 0.0003 : 0.0004,
      batch: { rows: batchSize ?? 64, isGiven: batchSize !== undefined, slices },
      prepare: async () => this.#fitting(frame),
    })
  }

  protected checkColumns(caller: string, schema: Schema): void {
    const { inputCol, labelCol } = this.options
    tensorColumn(caller, schema, inputCol)
    if (labelCol === undefined) return
    findColumn(caller, schema, labelCol)
    checkNumberColumn(caller, schema, labelCol)
  }

  protected addedColumns(): readonly Column[] {
    return [outputColumn(this.options.outputCol ?? 'score', [])]
  }

  async #fitting(frame: AnyFrame): Promise<Fitting<GANModel<Input, Label, Output>>> {
    const { inputCol, labelCol, latentSize = 64, seed = 0 } = this.options
    const { loss = 'gan', gradientPenalty = 10, criticSteps = loss === 'gan' ? 1 : 3 } = this.options
    const { shape, isBytes } = tensorColumn(`${this.kind}.fit`, frame.schema, inputCol)
    const counted = labelCol === undefined ? undefined : await countClasses(this.kind, frame, labelCol, 2)
    const rows = counted?.rows ?? (await frame.count())
    if (rows === 0) throw new ShardbookError('data', `${this.kind}: expected rows to train on, got an empty frame.`)
    const classes = counted?.classes ?? 0
    const input = { kind: 'tensor', shape, isBytes } as const
    const params: GANParams<Input, Label, Output> = {
      inputCol,
      input,
      outputCol: this.options.outputCol ?? ('score' as Output),
      labelCol: labelCol ?? null,
      classes,
      latentSize,
    }
    const networks = this.#networks(params)
    const { generator, critic } = networks
    const weights = [...initialWeights(generator, seed), ...initialWeights(critic, seed + 1)]
    const split = generator.weights.length
    const optimiser = this.options.optimiser ?? (loss === 'gan' ? adam({ beta1: 0.5 }) : adam({ beta1: 0, beta2: 0.9 }))
    return {
      objective: {
        weights: namesOf(networks),
        columns: [
          { name: inputCol, dtype: 'float32', shape },
          ...(labelCol === undefined ? [] : [{ name: labelCol as string, dtype: 'int32', shape: [] } as const]),
        ],
        loss: sumOfParts,
        metrics: partMetrics(['critic', 'generator']),
        forward: (context, current, [x, label]) => {
          const { tf, random } = context
          const { fill } = tf
          const size = [x!.shape[0], latentSize]
          const noise = random === undefined ? fill(size, 0) : random.normal(size)
          return playRound(context, {
            kind: loss,
            gradientPenalty,
            real: asSeen(tf, x!, input),
            made: applyModel(generator, context, current.slice(0, split), withClass(tf, noise, label, classes)),
            critic: (sample) => judge(critic, context, current.slice(split), withClass(tf, sample, label, classes)),
          })
        },
      },
      fields: fieldsOf(input, inputCol),
      rows,
      weights,
      optimiser: alternate([
        { weights: weights.slice(0, split), optimiser, every: criticSteps },
        { weights: weights.slice(split), optimiser, every: 1 },
      ]),
      finish: async (trained) => GANModel.make(networks, trained, params),
    }
  }

  #networks({ input, classes, latentSize }: GANParams): Adversaries {
    const { filters = [32, 64], loss = 'gan' } = this.options
    const seen = seenShape(input.shape)
    const activation = input.isBytes ? 'tanh' : 'linear'
    const judged = [...seen.slice(0, -1), seen.at(-1)! + classes]
    const generator = model(this.options.generator ?? generatorLayers(seen, filters, activation), {
      inputShape: [latentSize + classes],
    })
    const critic = model(this.options.critic ?? criticLayers(judged, filters, loss), { inputShape: judged })
    if (sizeOf(generator.outputShape) !== sizeOf(seen)) {
      throw new ShardbookError(
        'argument',
        `GAN: expected a generator that ends in ${showShape(seen)}, got ${showShape(generator.outputShape)}.`,
      )
    }
    if (showShape(critic.outputShape) !== '[1]') {
      throw new ShardbookError(
        'argument',
        `GAN: expected a critic that ends in [1], got ${showShape(critic.outputShape)}.`,
      )
    }
    if (critic.weights.some(({ momentum }) => momentum !== undefined)) {
      throw new ShardbookError('argument', 'GAN: expected a critic without batch normalisation, got one with it.')
    }
    return { generator, critic }
  }
}

function generatorLayers(shape: Shape, filters: readonly number[], activation: 'tanh' | 'linear'): Layer[] {
  if (shape.length === 1) {
    return [
      dense({ units: 128, activation: 'relu' }),
      dense({ units: 128, activation: 'relu' }),
      dense({ units: shape[0]!, activation, name: 'output' }),
    ]
  }
  const inner = [() => batchNormalization({ local: true, momentum: 0.9 }), () => activate('relu')]
  return imageLayers({ shape, filters: filters.toReversed(), activation, name: 'generator', inner })
}

function criticLayers(shape: Shape, filters: readonly number[], loss: AdversarialLoss): Layer[] {
  const leaky = (): Layer => leakyRelu({ negativeSlope: 0.2 })
  const end = dense({ units: 1, name: 'judgement' })
  if (shape.length === 1) return [dense({ units: 128 }), leaky(), dense({ units: 128 }), leaky(), end]
  return [
    ...filters.flatMap((each) => [
      conv2d({ filters: each, kernelSize: 4, strides: 2, padding: 'same' }),
      leaky(),
      // The penalty is on one function's slope: that is not to change between its two uses.
      ...(loss === 'gan' ? [dropout({ rate: 0.3 })] : []),
    ]),
    flatten(),
    end,
  ]
}
