/** Normalisation: mean zero and variance one, then a trained scale (`gamma`) and offset (`beta`). */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { checkInteger, checkNumber } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { layer, showShape } from './layer.js'
import type { Layer, LayerContext, LayerOptions, Shape, TrainingRows, WeightSpec } from './layer.js'

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
export function layerNormalization(options: NormalizationOptions = {}): Layer {
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
  /** Statistics of a slice's rows, not of the whole batch's: the only way that there is yet. */
  readonly local: true
  /** Share of the running statistics that a step keeps. Default 0.99. */
  readonly momentum?: number
}

/**
 * Normalises channels (Ioffe and Szegedy, 2015): `x: [batch, ..., channels] -> [batch, ..., channels]`. While training with mean
 * and variance of the rows at hand, otherwise with their running averages, which are weights that no gradient trains.
 *
 * The rows at hand are those of one slice: a batch is split into slices, in one process and in a pool alike, so the result does
 * not depend on the number of workers.
 *
 * @throws ShardbookError `argument` without `local: true`, and for options out of range.
 * @example
 * ```ts
 * nn.batchNormalization({ local: true })
 * ```
 */
export function batchNormalization(options: BatchNormalizationOptions): Layer {
  if ((options as Partial<BatchNormalizationOptions> | undefined)?.local !== true) {
    throw new ShardbookError(
      'argument',
      'nn.batchNormalization: expected local: true, as statistics of a whole batch are not there yet.',
      { hint: 'local: true takes those of a slice. nn.groupNormalization and nn.layerNormalization need none.' },
    )
  }
  const { momentum = 0.99 } = options
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
    apply: (context, x, [gamma, beta, movingMean, movingVariance]) => {
      const { tf, training } = context
      const scale = (centred: Tensor, variance: Tensor) => tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)))
      if (training === undefined) {
        return finish(context, scale(tf.sub(x, movingMean!), movingVariance!), [gamma!, beta!])
      }
      const { mean, variance } = momentsOfRows(context, x, training)
      const y = observing(context, scale(tf.sub(x, mean), variance), training.share, [
        [movingMean!, mean],
        [movingVariance!, variance],
      ])
      return finish(context, y, [gamma!, beta!])
    },
  })
}

/** Mean and variance [channels] over the rows that count and all places. */
function momentsOfRows({ tf }: LayerContext, x: Tensor, { mask }: TrainingRows) {
  const axes = x.shape.slice(1).map((_, axis) => axis)
  const places = x.shape.slice(1, -1).reduce((a, b) => a * b, 1)
  const counts = tf.reshape(mask, [x.shape[0], ...x.shape.slice(1).map(() => 1)])
  const numbers = tf.maximum(tf.mul(tf.sum(mask), places), 1)
  const average = (values: Tensor): Tensor => tf.div(tf.sum(tf.mul(values, counts), axes), numbers)
  const mean = average(x)
  return { mean, variance: average(tf.square(tf.sub(x, mean))) }
}

/** `y`, with a gradient for each running average by what was observed: see `TrainingRows`. */
function observing(
  { tf }: LayerContext,
  y: Tensor,
  share: Scalar,
  pairs: readonly (readonly [running: Tensor, observed: Tensor])[],
): Tensor {
  const pass = tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: Tensor[]) => void
    const [value, ...others] = args as [Tensor, ...Tensor[]]
    save(others)
    const gradFunc = (dy: Tensor | Tensor[], saved: Tensor[]): Tensor[] => {
      const [part, ...rest] = saved as [Tensor, ...Tensor[]]
      const towards = pairs.map((_, i) => tf.mul(tf.sub(rest[i]!, rest[pairs.length + i]!), part))
      return [dy as Tensor, tf.zerosLike(part), ...towards, ...towards.map((moved) => tf.zerosLike(moved))]
    }
    return { value: tf.clone(value), gradFunc }
  })
  return pass(y, share, ...pairs.map(([running]) => running), ...pairs.map(([, observed]) => observed))
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
