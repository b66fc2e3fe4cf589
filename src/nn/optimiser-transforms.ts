/**
 * What surrounds an optimiser's update: clipping, weight decay, accumulation of gradients, moving averages of the weights, and
 * scaling of the loss. Each takes an optimiser and gives one; the outermost sees the gradients first. All of it is recorded
 * with the update: it runs inside the compiled step, on every engine and in a pool, and its state is in the slots.
 *
 * Slots of a transform come before those of the optimiser within.
 */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { checkInteger, checkNumber, show } from '../core/check.js'
import type { TensorData } from '../core/dtype.js'
import { ShardbookError } from '../core/errors.js'
import type { Tf } from '../engine/tf.js'
import { type AdamOptions, type Optimiser, type UpdateInputs, type Updated, adam, zerosLike } from './optimiser.js'

type Finished = Parameters<NonNullable<Optimiser['finish']>>[0]

export interface ClipOptions {
  /** Every number of a gradient into `[-value, value]`. */
  readonly value?: number
  /** Every weight's gradient to at most this Euclidean norm. */
  readonly norm?: number
  /** All gradients together to at most this Euclidean norm. */
  readonly globalNorm?: number
}

/**
 * Clips gradients before the optimiser sees them, in one of three ways.
 *
 * @throws ShardbookError `argument` unless one bound, above zero, is given.
 * @example
 * ```ts
 * nn.clip(nn.adam(), { globalNorm: 1 })
 * ```
 */
export function clip(optimiser: Optimiser, options: ClipOptions): Optimiser {
  const given = Object.entries(options).filter(([, bound]) => bound !== undefined) as [keyof ClipOptions, number][]
  const [way, bound] = given[0] ?? []
  if (given.length !== 1 || way === undefined || bound === undefined || !(bound > 0)) {
    throw new ShardbookError(
      'argument',
      `nn.clip: expected one of value, norm and globalNorm, above zero, got ${show(options)}.`,
    )
  }
  return transform('clip', optimiser, noSlots, (tf, inputs, _, update) => {
    const norm = (gradients: readonly Tensor[]) =>
      tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient)))))
    const scaled = (gradient: Tensor, length: Tensor) => tf.mul(gradient, tf.div(bound, tf.maximum(length, bound)))
    const together = way === 'globalNorm' ? norm(inputs.gradients) : undefined
    const gradients = inputs.gradients.map((gradient) =>
      way === 'value' ? tf.clipByValue(gradient, -bound, bound) : scaled(gradient, together ?? norm([gradient])),
    )
    return { ...update({ ...inputs, gradients }), own: [] }
  })
}

/**
 * Decoupled weight decay (Loshchilov and Hutter, 2019): besides, `w <- w - rate decay w`.
 *
 * @throws ShardbookError `argument` for a negative decay.
 * @example
 * ```ts
 * nn.weightDecay(nn.sgd({ momentum: 0.9 }), 1e-4)
 * ```
 */
export function weightDecay(optimiser: Optimiser, decay: number): Optimiser {
  checkNumber('nn.weightDecay', 'decay', decay, 0)
  return transform('weightDecay', optimiser, noSlots, (tf, inputs, _, update) => {
    const rate = tf.mul(inputs.learningRate, decay)
    return { ...update({ ...inputs, weights: inputs.weights.map((w) => tf.sub(w, tf.mul(rate, w))) }), own: [] }
  })
}

/**
 * Adam with decoupled weight decay: `nn.weightDecay(nn.adam(options), weightDecay)`, with Keras's default.
 *
 * @throws ShardbookError `argument` for numbers out of range.
 * @example
 * ```ts
 * nn.adamw({ weightDecay: 0.01 })
 * ```
 */
export function adamw({
  weightDecay: decay = 0.004,
  ...options
}: AdamOptions & { readonly weightDecay?: number } = {}) {
  checkNumber('nn.adamw', 'weightDecay', decay, 0)
  return Object.freeze({ ...weightDecay(adam(options), decay), kind: 'adamw' })
}

/**
 * Adds up the gradients of `steps` steps and updates with their mean at the last of them: a batch `steps` times as large in the
 * memory of one. Batches count alike; what is left over at the end of a training is not applied.
 *
 * @throws ShardbookError `argument` for less than one step.
 * @example
 * ```ts
 * nn.accumulate(nn.adam(), { steps: 4 })
 * ```
 */
export function accumulate(optimiser: Optimiser, { steps }: { readonly steps: number }): Optimiser {
  checkInteger('nn.accumulate', 'steps', steps, 1)
  return transform('accumulate', optimiser, slotPerWeight(zerosLike), (tf, inputs, own, update) => {
    const sums = inputs.gradients.map((gradient, i) => tf.add(own[i]!, gradient))
    const whole = tf.floor<Scalar>(tf.div(inputs.step, steps))
    const ready = tf.equal(tf.mul(whole, steps), inputs.step)
    const next = update({ ...inputs, gradients: sums.map((sum) => tf.div(sum, steps)), step: whole })
    return {
      ...choose(tf, ready, next, inputs),
      own: sums.map((sum) => tf.where(ready, tf.zerosLike(sum), sum)),
    }
  })
}

/**
 * Keeps an exponential moving average of the weights, `a <- decay a + (1 - decay) w` after each step, from the initial weights on:
 * the trained model gets it in place of the last step's weights.
 *
 * @throws ShardbookError `argument` for a decay outside [0, 1].
 * @example
 * ```ts
 * nn.movingAverage(nn.adam(), { decay: 0.999 })
 * ```
 */
export function movingAverage(optimiser: Optimiser, { decay }: { readonly decay: number }): Optimiser {
  checkNumber('nn.movingAverage', 'decay', decay, 0, 1)
  const wrapped = transform(
    'movingAverage',
    optimiser,
    slotPerWeight((weights) => [...weights]),
    (tf, inputs, own, update) => {
      const next = update(inputs)
      const averages = next.weights.map((w, i) => tf.add(tf.mul(own[i]!, decay), tf.mul(w, 1 - decay)))
      return { ...next, own: averages }
    },
  )
  return Object.freeze({
    ...wrapped,
    finish: ({ weights, slots }: Finished) => slots.slice(0, weights.length),
  })
}

export interface LossScalingOptions {
  /** What the loss is multiplied by, at first; a power of two changes no digit of the results. Default 2^15. */
  readonly scale?: number
  /**
   * Whether the scale changes: halved when gradients are not finite, doubled after `growEvery` steps that were. Default true.
   */
  readonly dynamic?: boolean
  /** Default 2000. */
  readonly growEvery?: number
}

/**
 * Multiplies the loss, so that small gradients do not vanish in half precision, and divides the gradients again before the
 * optimiser sees them. A step whose gradients are not finite changes nothing but the scale. Goes around all other transforms.
 *
 * @throws ShardbookError `argument` for numbers out of range.
 * @example
 * ```ts
 * nn.lossScaling(nn.clip(nn.adam(), { norm: 1 }), { scale: 1024 })
 * ```
 */
export function lossScaling(
  optimiser: Optimiser,
  { scale = 2 ** 15, dynamic = true, growEvery = 2000 }: LossScalingOptions = {},
): Optimiser {
  checkNumber('nn.lossScaling', 'scale', scale, 2 ** -20, 2 ** 40)
  checkInteger('nn.lossScaling', 'growEvery', growEvery, 1)
  const start = (value: number): TensorData => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })
  const wrapped = transform(
    'lossScaling',
    optimiser,
    { count: () => 2, init: () => [start(scale), start(0)] },
    (tf, inputs, own, update) => {
      const [factor, good] = own as [Tensor, Tensor]
      const gradients = inputs.gradients.map((gradient) => tf.div(gradient, factor))
      // Zero times what is not finite is not a number.
      const finite = tf.equal(tf.addN(gradients.map((gradient) => tf.sum(tf.mul(gradient, 0)))), 0)
      const next = choose(tf, finite, update({ ...inputs, gradients }), inputs)
      if (!dynamic) return { ...next, own: [...own] }
      const count = tf.where(finite, tf.add(good, 1), 0)
      const grown = tf.greaterEqual(count, growEvery)
      const larger = tf.where(grown, tf.mul(factor, 2), factor)
      const smaller = tf.maximum(tf.div(factor, 2), 2 ** -20)
      return { ...next, own: [tf.where(finite, larger, smaller), tf.where(grown, tf.zerosLike(count), count)] }
    },
  )
  return Object.freeze({ ...wrapped, scalesLoss: true })
}

/** Slots of a transform's own. */
interface OwnSlots {
  count(weights: number): number
  init(weights: readonly TensorData[]): TensorData[]
}

const noSlots: OwnSlots = { count: () => 0, init: () => [] }

function slotPerWeight(init: OwnSlots['init']): OwnSlots {
  return { count: (weights) => weights, init }
}

/** An optimiser around another: `update` gets its own slots and the update within. */
function transform(
  kind: string,
  inner: Optimiser,
  slots: OwnSlots,
  update: (
    tf: Tf,
    inputs: UpdateInputs,
    own: readonly Tensor[],
    update: (inputs: UpdateInputs) => Updated,
  ) => Updated & { readonly own: readonly Tensor[] },
): Optimiser {
  if (inner.scalesLoss) {
    throw new ShardbookError(
      'argument',
      `nn.${kind}: expected an optimiser within lossScaling, got lossScaling within.`,
      {
        hint: `Write nn.lossScaling(nn.${kind}(...)).`,
      },
    )
  }
  const { finish } = inner
  return Object.freeze({
    kind: `${kind}(${inner.kind})`,
    init: (weights: readonly TensorData[]) => [...slots.init(weights), ...inner.init(weights)],
    update: (tf: Tf, inputs: UpdateInputs): Updated => {
      const count = slots.count(inputs.weights.length)
      const within = { ...inputs, slots: inputs.slots.slice(count) }
      const next = update(tf, within, inputs.slots.slice(0, count), (changed) => inner.update(tf, changed))
      return { weights: next.weights, slots: [...next.own, ...next.slots] }
    },
    ...(finish === undefined
      ? {}
      : {
          finish: ({ weights, slots: all }: Finished) =>
            finish({ weights, slots: all.slice(slots.count(weights.length)) }),
        }),
  })
}

/** One of two updates, number by number. */
function choose(tf: Tf, condition: Tensor, yes: Updated, no: Pick<UpdateInputs, 'weights' | 'slots'>): Updated {
  const pick = (a: readonly Tensor[], b: readonly Tensor[]) => a.map((value, i) => tf.where(condition, value, b[i]!))
  return { weights: pick(yes.weights, no.weights), slots: pick(yes.slots, no.slots) }
}
