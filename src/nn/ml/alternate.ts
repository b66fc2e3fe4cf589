/** An optimiser of two players: each part of the weights has an optimiser of its own and its turn every so many steps. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { TensorData } from '../../core/dtype.js'
import type { Tf } from '../../engine/tf.js'
import type { Optimiser, UpdateInputs } from '../optimiser.js'

export interface Player {
  /** Its own among all weights, which lie player by player, before the first step. */
  readonly weights: readonly TensorData[]
  readonly optimiser: Optimiser
  /** Its weights move at every so many-th step. */
  readonly every: number
}

/**
 * The players as one optimiser, so that a step stays two programs, and workers, checkpoints and resuming know nothing of it. A
 * player's optimiser counts its own steps.
 */
export function alternate(players: readonly Player[]): Optimiser {
  const own = <T>(list: readonly T[]): T[][] => {
    let taken = 0
    return players.map((player) => list.slice(taken, (taken += player.weights.length)))
  }
  const counts = players.map(({ optimiser, weights }) => optimiser.init(weights).length)
  return Object.freeze({
    kind: 'alternate',
    init: (weights: readonly TensorData[]) => own(weights).flatMap((each, i) => players[i]!.optimiser.init(each)),
    update(tf: Tf, { weights, slots, gradients, learningRate, step }: UpdateInputs) {
      let taken = 0
      const [ownWeights, ownGradients] = [own(weights), own(gradients)]
      const next = players.map(({ optimiser, every }, i) => {
        const before = { weights: ownWeights[i]!, slots: slots.slice(taken, (taken += counts[i]!)) }
        if (every === 1) return optimiser.update(tf, { ...before, gradients: ownGradients[i]!, learningRate, step })
        const turns = tf.ceil(tf.div(step, every))
        const after = optimiser.update(tf, {
          ...before,
          gradients: ownGradients[i]!,
          learningRate,
          step: turns as typeof step,
        })
        // 1 at its turn, else 0: both products are exact.
        const turn = tf.cast(tf.equal(tf.mul(turns, every), step), 'float32')
        const other = tf.sub(1, turn)
        const pick = (was: readonly Tensor[], is: readonly Tensor[]): Tensor[] =>
          is.map((tensor, k) => tf.add(tf.mul(tensor, turn), tf.mul(was[k]!, other)))
        return { weights: pick(before.weights, after.weights), slots: pick(before.slots, after.slots) }
      })
      return { weights: next.flatMap((each) => each.weights), slots: next.flatMap((each) => each.slots) }
    },
    finish({ weights, slots }) {
      let taken = 0
      return own(weights).flatMap((each, i) => {
        const state = { weights: each, slots: slots.slice(taken, (taken += counts[i]!)) }
        return players[i]!.optimiser.finish?.(state) ?? each
      })
    },
  } satisfies Optimiser)
}
