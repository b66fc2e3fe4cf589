/** Normalisation: mean zero and variance one, then a trained scale (`gamma`) and offset (`beta`). */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkInteger, checkNumber } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { allReduce, isNestedGradient } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerContext, LayerOptions, Shape, TrainingRows, WeightSpec } from './layer.js'
import type { LayerOf } from './literal-shapes.js'

export interface NormalizationOptions extends LayerOptions {
  /** Added to the variance. Default 1e-3. */
  readonly epsilon?: number
}

/**
 * Normalises the last axis of every place (Ba and others, 2016): `x: [batch, ..., channels] -> [batch, ..., channels]`.
 *
 * @throws ShardbookError `argument` for an epsilon below zero.
 * @example
 * ```ts
 * nn.layerNormalization()
 * ```
 */
export function layerNormalization(options: NormalizationOptions = {}): LayerOf<'layerNormalization', 'any', 'same'> {
  const epsilon = epsilonOf('layerNormalization', options)
  return layer('layerNormalization', options, {
    infer: (input) => ({ output: input, weights: scaleAndOffset(input) }),
    apply: (context, x, weights) => finish(context, standardised(context, x, [-1], epsilon), weights),
  })
}

export interface GroupNormalizationOptions extends NormalizationOptions {
  /** Groups of neighbouring channels that are normalised together. Default 32. */
  readonly groups?: number
}

/**
 * Normalises groups of channels over all places of a sample (Wu and He, 2018): `x: [batch, ..., channels] -> [batch, ..., channels]`.
 *
 * @throws ShardbookError `argument` for options out of range, and when the channels do not divide into the groups.
 * @example
 * ```ts
 * nn.groupNormalization({ groups: 4 })
 * ```
 */
export function groupNormalization(options: GroupNormalizationOptions = {}): Layer {
  const { groups = 32 } = options
  checkInteger('nn.groupNormalization', 'groups', groups, 1)
  const epsilon = epsilonOf('groupNormalization', options)
  return layer('groupNormalization', options, {
    infer: (input) => {
      if (input.at(-1)! % groups === 0) return { output: input, weights: scaleAndOffset(input) }
      throw new ShardbookError(
        'argument',
        `nn.groupNormalization: expected channels that divide into ${groups} groups, got samples of ${showShape(input)}.`,
      )
    },
    apply: (context, x, weights) => {
      const { tf } = context
      const [rows, channels] = [x.shape[0], x.shape.at(-1)!]
      const places = x.shape.slice(1, -1).reduce((a, b) => a * b, 1)
      const grouped = tf.reshape(x, [rows, places, groups, channels / groups])
      return finish(context, tf.reshape(standardised(context, grouped, [1, 3], epsilon), x.shape), weights)
    },
  })
}

export interface BatchNormalizationOptions extends NormalizationOptions {
  /** Statistics of a slice's rows instead of the whole batch's, so that slices and workers need not wait. Default false. */
  readonly local?: boolean
  /** Share of the running statistics that a step keeps. Default 0.99. */
  readonly momentum?: number
}

/**
 * Normalises channels (Ioffe and Szegedy, 2015): `x: [batch, ..., channels] -> [batch, ..., channels]`. While training with mean
 * and variance of the batch, otherwise with their running averages, which are weights that no gradient trains.
 *
 * The batch is the whole one, in however many slices and on however many workers it is computed. With `local` it is the rows of one
 * slice, which the number of workers does not change either.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * nn.batchNormalization({ momentum: 0.9 })
 * ```
 */
export function batchNormalization(
  options: BatchNormalizationOptions = {},
): LayerOf<'batchNormalization', 'any', 'same'> {
  const { momentum = 0.99, local = false } = options
  checkNumber('nn.batchNormalization', 'momentum', momentum, 0, 1)
  const epsilon = epsilonOf('batchNormalization', options)
  return layer('batchNormalization', options, {
    infer: (input) => {
      const shape = input.slice(-1)
      return {
        output: input,
        weights: [
          ...scaleAndOffset(input),
          { name: 'movingMean', shape, initial: { kind: 'zeros' }, momentum },
          { name: 'movingVariance', shape, initial: { kind: 'blocks', values: [1] }, momentum },
        ],
      }
    },
    apply: (context, x, weights) => {
      const { tf, training } = context
      if (training !== undefined) {
        return normaliseBatch(tf, x, weights as BatchWeights, training, {
          epsilon,
          sum: local ? (own) => own : allReduce,
        })
      }
      const [gamma, beta, movingMean, movingVariance] = weights as BatchWeights
      return finish(context, tf.mul(tf.sub(x, movingMean), tf.rsqrt(tf.add(movingVariance, epsilon))), [gamma, beta])
    },
  })
}

type BatchWeights = [gamma: Tensor, beta: Tensor, movingMean: Tensor, movingVariance: Tensor]

interface BatchSums {
  readonly epsilon: number
  /** Adds sums over a slice's rows up over the batch. */
  readonly sum: (own: readonly Tensor[]) => readonly Tensor[]
}

/** With a gradient for each running average by what was observed: see `TrainingRows`. */
function normaliseBatch(
  tf: Tf,
  x: Tensor,
  weights: BatchWeights,
  { mask, share }: TrainingRows,
  { epsilon, sum }: BatchSums,
) {
  const axes = x.shape.slice(1).map((_, axis) => axis)
  const places = x.shape.slice(1, -1).reduce((a, b) => a * b, 1)
  const counts = tf.reshape(mask, [x.shape[0], ...axes.map(() => 1)])

  /** `centre` is any vector near the mean: one pass gives both sums, without the loss of digits of squares far from zero. */
  const statistics = (values: Tensor, centre: Tensor, rowCounts: Tensor) => {
    const centred = tf.sub(values, centre)
    const counted = tf.mul(centred, rowCounts)
    const own = [tf.mul(tf.sum(rowCounts), places), tf.sum(counted, axes), tf.sum(tf.mul(counted, centred), axes)]
    const [rows, total, squares] = sum(own) as [Tensor, Tensor, Tensor]
    const number = tf.maximum(rows, 1)
    const shift = tf.div(total, number)
    const variance = tf.relu(tf.sub(tf.div(squares, number), tf.square(shift)))
    const inverse = tf.rsqrt(tf.add(variance, epsilon))
    const normal = tf.mul(tf.sub(centred, shift), inverse)
    return { normal, inverse, number, mean: tf.add(centre, shift), variance }
  }

  const pass = tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: Tensor[]) => void
    const [values, gamma, beta, movingMean, movingVariance] = args as unknown as [Tensor, ...BatchWeights]
    const { normal, inverse, number, mean, variance } = statistics(values, movingMean, counts)
    const nested = isNestedGradient()
    const computed = nested ? [values] : [normal, inverse, number, mean, variance]
    save([gamma, movingMean, movingVariance, counts, share, ...computed])
    const gradFunc = (dy: Tensor | Tensor[], saved: Tensor[]): Tensor[] => {
      const [scale, centre, spread, counted, part, ...rest] = saved as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        ...Tensor[],
      ]
      const known = nested ? statistics(rest[0]!, centre, counted) : fromList(rest)
      const own = [tf.sum(dy as Tensor, axes), tf.sum(tf.mul(dy as Tensor, known.normal), axes)]
      const [offsets, scales] = sum(own) as [Tensor, Tensor]
      const slope = tf.mul(scale, known.inverse)
      const each = tf.div(slope, known.number)
      const common = tf.add(tf.mul(known.normal, tf.mul(scales, each)), tf.mul(offsets, each))
      return [
        tf.sub(tf.mul(dy as Tensor, slope), tf.mul(common, counted)),
        own[1]!,
        own[0]!,
        tf.mul(tf.sub(centre, known.mean), part),
        tf.mul(tf.sub(spread, known.variance), part),
      ]
    }
    return { value: tf.add(tf.mul(normal, gamma), beta), gradFunc }
  })
  return pass(x, ...weights)
}

function fromList([normal, inverse, number, mean, variance]: readonly Tensor[]) {
  return { normal: normal!, inverse: inverse!, number: number!, mean: mean!, variance: variance! }
}

function standardised({ tf }: LayerContext, x: Tensor, axes: number[], epsilon: number): Tensor {
  const centred = tf.sub(x, tf.mean(x, axes, true))
  const variance = tf.mean(tf.square(centred), axes, true)
  return tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)))
}

function finish({ tf }: LayerContext, x: Tensor, [gamma, beta]: readonly Tensor[]): Tensor {
  return tf.add(tf.mul(x, gamma!), beta!)
}

function scaleAndOffset(input: Shape): WeightSpec[] {
  const shape = input.slice(-1)
  return [
    { name: 'gamma', shape, initial: { kind: 'blocks', values: [1] } },
    { name: 'beta', shape, initial: { kind: 'zeros' } },
  ]
}

function epsilonOf(kind: string, { epsilon = 1e-3 }: NormalizationOptions): number {
  checkNumber(`nn.${kind}`, 'epsilon', epsilon, 0)
  return epsilon
}
