/**
 * What generator and critic minimise, as one loss whose gradients are those of two: the generator's part reaches only the
 * generator's weights, the critic's only the critic's. So both players learn in the one job that every training is.
 *
 * The generator's part needs the critic's slope at what was made, not the gradients of the critic's weights: it is taken by a
 * gradient of its own and handed on. The gradient penalty is differentiated twice by the trace itself; comparisons and
 * activations have what that needs in `engine/gradients.ts`.
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import type { Tf } from '../../engine/tf.js'
import type { LayerContext } from '../layers/layer.js'
import { partsOf, rowSums } from './parts.js'

export const adversarialLosses = ['gan', 'wgan-gp'] as const
export type AdversarialLoss = (typeof adversarialLosses)[number]

export interface Round {
  readonly kind: AdversarialLoss
  readonly gradientPenalty: number
  readonly real: Tensor
  readonly made: Tensor
  /** `[rows, ...] -> [rows]`: high for what it takes as real. */
  readonly critic: (x: Tensor) => Tensor1D
}

/** Each row's loss of the critic, that of the generator, and the penalty where there is one. */
export function playRound({ tf, random }: LayerContext, { kind, gradientPenalty, real, made, critic }: Round) {
  const detached = stopGradient(tf, made)
  const [ofReal, ofMade] = [critic(real), critic(detached)]
  const ofCritic = kind === 'gan' ? tf.add(tf.softplus(tf.neg(ofReal)), tf.softplus(ofMade)) : tf.sub(ofMade, ofReal)
  const generatorLoss = (x: Tensor): Tensor1D =>
    kind === 'gan' ? tf.softplus<Tensor1D>(tf.neg(critic(x))) : tf.neg<Tensor1D>(critic(x))
  // Without random numbers there is no training, and no gradient.
  if (random === undefined) return partsOf(tf, [ofCritic, generatorLoss(made)])
  const ofGenerator = throughInput(tf, generatorLoss, made)
  if (kind === 'gan') return partsOf(tf, [ofCritic, ofGenerator])
  const share = random.uniform([real.shape[0], ...real.shape.slice(1).map(() => 1)])
  const between = tf.add(real, tf.mul(share, tf.sub(detached, real)))
  const slope = tf.grad((x) => tf.sum(critic(x)))(between)
  const norm = tf.sqrt(tf.add(rowSums(tf, tf.square(slope)), 1e-12))
  return partsOf(tf, [ofCritic, ofGenerator, tf.mul(gradientPenalty, tf.square(tf.sub(norm, 1)))])
}

/** x, of which nothing is learnt. */
function stopGradient(tf: Tf, x: Tensor): Tensor {
  const { fill } = tf
  return tf.customGrad((given) => ({ value: tf.clone(given as Tensor), gradFunc: () => fill(x.shape, 0) }))(x)
}

/** `f(x)`, whose gradient reaches x alone: not the weights that f reads. Each row of f is to depend on its own row of x. */
function throughInput(tf: Tf, f: (x: Tensor) => Tensor1D, x: Tensor): Tensor1D {
  let rows: Tensor1D | undefined
  const slope = tf.grad((given) => {
    rows = tf.keep(f(given))
    return tf.sum(rows)
  })(x)
  const value = tf.clone(rows!)
  rows!.dispose()
  const shape = [x.shape[0], ...x.shape.slice(1).map(() => 1)]
  const linked: Tensor = tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as (tensors: Tensor[]) => void
    save([slope])
    return {
      value: tf.clone(value),
      gradFunc: (dy: Tensor | Tensor[], [saved]: Tensor[]) => tf.mul(tf.reshape(dy as Tensor, shape), saved!),
    }
  })(x)
  return linked as Tensor1D
}
