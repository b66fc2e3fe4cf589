/**
 * One step of Adam for one weight as one kernel: ten calls otherwise, each over memory as large as the weight. Engines that keep
 * weights in variables update them in place; all others compose it.
 */
import type { KernelFunc, NamedTensorMap, Scalar, Tensor } from '@tensorflow/tfjs-core'
import { tfCore } from './tf.js'

export const adamKernel = 'Adam'

/** What the kernel takes; its results are the next `weight`, `first` and `second`. */
export interface AdamInputs {
  readonly weight: Tensor
  /** Running means of gradients and of their squares, of the weight's shape. */
  readonly first: Tensor
  readonly second: Tensor
  readonly gradient: Tensor
  readonly rate: Scalar
  /** 1 for the first step. */
  readonly step: Scalar
}

export interface AdamAttributes {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

/**
 * `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`, `w <- w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)`:
 * the next `[w, m, v]`.
 */
export function adamStep(inputs: AdamInputs, attributes: AdamAttributes): [Tensor, Tensor, Tensor] {
  const tf = tfCore()
  if (tf.getKernel(adamKernel, tf.getBackend()) === undefined) return composedAdam(inputs, attributes)
  const named = inputs as unknown as NamedTensorMap
  return tf.engine().runKernel(adamKernel, named, { ...attributes }) as unknown as [Tensor, Tensor, Tensor]
}

/** The kernel on values. */
export const adam: KernelFunc = ({ inputs, attrs }) =>
  tfCore().tidy(() => composedAdam(inputs as unknown as AdamInputs, attrs as unknown as AdamAttributes))

/** The kernel in terms of others, to the bits of TensorFlow's own: its order of operations, its numbers in single precision. */
function composedAdam(
  { weight, first, second, gradient, rate, step }: AdamInputs,
  { beta1, beta2, epsilon }: AdamAttributes,
): [Tensor, Tensor, Tensor] {
  const tf = tfCore()
  const corrected = tf.div(tf.mul(rate, tf.sqrt(tf.sub(1, tf.pow(beta2, step)))), tf.sub(1, tf.pow(beta1, step)))
  const towards = (mean: Tensor, value: Tensor, beta: number): Tensor =>
    tf.add(mean, tf.mul(tf.sub(value, mean), 1 - Math.fround(beta)))
  const m = towards(first, gradient, beta1)
  const v = towards(second, tf.square(gradient), beta2)
  return [tf.sub(weight, tf.div(tf.mul(m, corrected), tf.add(tf.sqrt(v), epsilon))), m, v]
}
