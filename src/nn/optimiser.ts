/**
 * Optimisers: pure functions from weights, slots and gradients to weights and slots. The learning rate and the number of the
 * step come in as tensors, so that a recorded update serves every step.
 */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { checkNumber } from '../core/check.js'
import { allocate, sizeOf } from '../core/dtype.js'
import type { TensorData } from '../core/dtype.js'
import { adamStep } from '../engine/index.js'
import type { Tf } from '../engine/tf.js'

export interface UpdateInputs {
  readonly weights: readonly Tensor[]
  readonly slots: readonly Tensor[]
  readonly gradients: readonly Tensor[]
  readonly learningRate: Scalar
  /** 1 for the first step. */
  readonly step: Scalar
}

export interface Optimiser {
  readonly kind: string
  /** The slots before the first step. */
  init(weights: readonly TensorData[]): TensorData[]
  update(tf: Tf, inputs: UpdateInputs): Updated
  /** Whether gradients are to come of the loss times slot 0. */
  readonly scalesLoss?: true
  /** The weights of the trained model, where they are not those of the last step. */
  readonly finish?: (state: {
    readonly weights: readonly TensorData[]
    readonly slots: readonly TensorData[]
  }) => readonly TensorData[]
}

export interface Updated {
  readonly weights: Tensor[]
  readonly slots: Tensor[]
}

export interface SgdOptions {
  /** Share of the velocity that stays. Default 0. */
  readonly momentum?: number
  /** Whether the step looks ahead along the velocity (Nesterov, 1983). Default false. */
  readonly nesterov?: boolean
}

/**
 * Stochastic gradient descent: `v <- momentum v + g`, `w <- w - rate v`, with Nesterov's look ahead `w <- w - rate (g + momentum v)`.
 *
 * @throws ShardbookError `argument` when momentum is outside [0, 1], or 0 with nesterov.
 * @example
 * ```ts
 * nn.sgd({ momentum: 0.9, nesterov: true })
 * ```
 */
export function sgd({ momentum = 0, nesterov = false }: SgdOptions = {}): Optimiser {
  checkNumber('nn.sgd', 'momentum', momentum, nesterov ? Number.MIN_VALUE : 0, 1)
  return Object.freeze({
    kind: 'sgd',
    init: (weights: readonly TensorData[]) => (momentum === 0 ? [] : zerosLike(weights)),
    update: (tf: Tf, { weights, slots, gradients, learningRate }: UpdateInputs) => {
      const velocities = momentum === 0 ? gradients : slots.map((v, i) => tf.add(tf.mul(v, momentum), gradients[i]!))
      const directions = nesterov ? velocities.map((v, i) => tf.add(gradients[i]!, tf.mul(v, momentum))) : velocities
      return {
        weights: weights.map((w, i) => tf.sub(w, tf.mul(learningRate, directions[i]!))),
        slots: momentum === 0 ? [] : [...velocities],
      }
    },
  })
}

export interface AdamOptions {
  readonly beta1?: number
  readonly beta2?: number
  readonly epsilon?: number
}

/**
 * Adam (Kingma and Ba, 2015), with Keras's defaults: `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`,
 * `w <- w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)`.
 *
 * @throws ShardbookError `argument` for numbers out of range.
 * @example
 * ```ts
 * nn.adam()
 * ```
 */
export function adam(options: AdamOptions = {}): Optimiser {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options
  checkNumber('nn.adam', 'beta1', beta1, 0, 1)
  checkNumber('nn.adam', 'beta2', beta2, 0, 1)
  checkNumber('nn.adam', 'epsilon', epsilon, 0)
  return Object.freeze({
    kind: 'adam',
    init: (weights: readonly TensorData[]) => [...zerosLike(weights), ...zerosLike(weights)],
    update: (_: Tf, { weights, slots, gradients, learningRate, step }: UpdateInputs) => {
      const n = weights.length
      const [first, second] = [slots.slice(0, n), slots.slice(n)]
      const next = weights.map((weight, i) => {
        const inputs = {
          weight,
          first: first[i]!,
          second: second[i]!,
          gradient: gradients[i]!,
          rate: learningRate,
          step,
        }
        return adamStep(inputs, { beta1, beta2, epsilon })
      })
      return {
        weights: next.map(([w]) => w),
        slots: [...next.map(([, m]) => m), ...next.map(([, , v]) => v)],
      }
    },
  })
}

/** Slots of zeros. */
export function zerosLike(weights: readonly TensorData[]): TensorData[] {
  return weights.map(({ shape, dtype }) => ({ shape, dtype, values: allocate(dtype, sizeOf(shape)) }))
}
