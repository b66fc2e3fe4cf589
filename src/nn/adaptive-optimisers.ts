/** Optimisers that scale each number's step by the gradients it has seen, or take their signs; defaults and formulas are Keras's. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { checkNumber } from '../core/check.js'
import type { TensorData } from '../core/dtype.js'
import type { Tf } from '../engine/tf.js'
import { type Optimiser, type UpdateInputs, zerosLike } from './optimiser.js'

export interface RmsPropOptions {
  /** Share of the mean square that stays. Default 0.9. */
  readonly rho?: number
  /** Default 0. */
  readonly momentum?: number
  /** Default 1e-7. */
  readonly epsilon?: number
  /** Whether the mean gradient is taken off: by the variance, not the mean square. Default false. */
  readonly centered?: boolean
}

/**
 * RMSProp (Hinton, 2012): `v <- rho v + (1 - rho) g^2`, `d = rate g / sqrt(v + epsilon)`, `m <- momentum m + d`, `w <- w - m`.
 *
 * @throws ShardbookError `argument` for numbers out of range.
 * @example
 * ```ts
 * nn.rmsprop({ momentum: 0.9 })
 * ```
 */
export function rmsprop(options: RmsPropOptions = {}): Optimiser {
  const { rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false } = options
  checkNumber('nn.rmsprop', 'rho', rho, 0, 1)
  checkNumber('nn.rmsprop', 'momentum', momentum, 0, 1)
  checkNumber('nn.rmsprop', 'epsilon', epsilon, 0)
  return Object.freeze({
    kind: 'rmsprop',
    init: (weights: readonly TensorData[]) => [
      ...zerosLike(weights),
      ...(centered ? zerosLike(weights) : []),
      ...(momentum === 0 ? [] : zerosLike(weights)),
    ],
    update: (tf: Tf, { weights, slots, gradients, learningRate }: UpdateInputs) => {
      const n = weights.length
      const mean = (old: Tensor, value: Tensor): Tensor => tf.add(tf.mul(old, rho), tf.mul(value, 1 - rho))
      const squares = gradients.map((g, i) => mean(slots[i]!, tf.square(g)))
      const means = centered ? gradients.map((g, i) => mean(slots[n + i]!, g)) : []
      const steps = gradients.map((g, i) => {
        const spread = centered ? tf.sub(squares[i]!, tf.square(means[i]!)) : squares[i]!
        return tf.div(tf.mul(learningRate, g), tf.sqrt(tf.add(spread, epsilon)))
      })
      const old = slots.slice(centered ? 2 * n : n)
      const moved = momentum === 0 ? steps : steps.map((step, i) => tf.add(tf.mul(old[i]!, momentum), step))
      return {
        weights: weights.map((w, i) => tf.sub(w, moved[i]!)),
        slots: [...squares, ...means, ...(momentum === 0 ? [] : moved)],
      }
    },
  })
}

export interface AdagradOptions {
  /** What the sums of squares begin with. Default 0.1. */
  readonly initial?: number
  /** Default 1e-7. */
  readonly epsilon?: number
}

/**
 * Adagrad (Duchi, Hazan and Singer, 2011): `v <- v + g^2`, `w <- w - rate g / sqrt(v + epsilon)`.
 *
 * @throws ShardbookError `argument` for numbers below zero.
 * @example
 * ```ts
 * nn.adagrad()
 * ```
 */
export function adagrad({ initial = 0.1, epsilon = 1e-7 }: AdagradOptions = {}): Optimiser {
  checkNumber('nn.adagrad', 'initial', initial, 0)
  checkNumber('nn.adagrad', 'epsilon', epsilon, 0)
  return Object.freeze({
    kind: 'adagrad',
    init: (weights: readonly TensorData[]) =>
      zerosLike(weights).map((slot) => ({ ...slot, values: slot.values.fill(initial) })),
    update: (tf: Tf, { weights, slots, gradients, learningRate }: UpdateInputs) => {
      const sums = gradients.map((g, i) => tf.add(slots[i]!, tf.square(g)))
      const step = (g: Tensor, sum: Tensor): Tensor => tf.div(tf.mul(learningRate, g), tf.sqrt(tf.add(sum, epsilon)))
      return { weights: weights.map((w, i) => tf.sub(w, step(gradients[i]!, sums[i]!))), slots: sums }
    },
  })
}

export interface LionOptions {
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.99. */
  readonly beta2?: number
}

/**
 * Lion (Chen and others, 2023): `w <- w - rate sign(b1 m + (1 - b1) g)`, `m <- b2 m + (1 - b2) g`. Wants a rate of a third to a tenth
 * of Adam's.
 *
 * @throws ShardbookError `argument` for numbers outside [0, 1].
 * @example
 * ```ts
 * nn.weightDecay(nn.lion(), 0.1)
 * ```
 */
export function lion({ beta1 = 0.9, beta2 = 0.99 }: LionOptions = {}): Optimiser {
  checkNumber('nn.lion', 'beta1', beta1, 0, 1)
  checkNumber('nn.lion', 'beta2', beta2, 0, 1)
  return Object.freeze({
    kind: 'lion',
    init: (weights: readonly TensorData[]) => zerosLike(weights),
    update: (tf: Tf, { weights, slots, gradients, learningRate }: UpdateInputs) => {
      const towards = (m: Tensor, g: Tensor, beta: number): Tensor => tf.add(tf.mul(m, beta), tf.mul(g, 1 - beta))
      const signs = gradients.map((g, i) => tf.sign(towards(slots[i]!, g, beta1)))
      return {
        weights: weights.map((w, i) => tf.sub(w, tf.mul(learningRate, signs[i]!))),
        slots: gradients.map((g, i) => towards(slots[i]!, g, beta2)),
      }
    },
  })
}
