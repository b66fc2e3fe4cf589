/** Eager training steps whose memory is watched. */
import type { Rank, Tensor, Tensor2D } from '@tensorflow/tfjs-core'
import type { Tf } from './engines.js'

export interface Growth {
  /** Live tensors after the steps, less those before. */
  readonly tensors: number
  /** Resident memory after the steps, in parts of that before. */
  readonly residentBytes: number
}

/** Trains a small network for `steps` steps after `warmUp` ones; how much memory grew between. */
export async function growthOver(tf: Tf, warmUp: number, steps: number): Promise<Growth> {
  const [w1, w2] = [tf.variable(tf.randomNormal<Rank.R2>([64, 128])), tf.variable(tf.randomNormal<Rank.R2>([128, 10]))]
  const step = async (): Promise<void> => {
    const x = tf.randomNormal<Rank.R2>([32, 64])
    const { value, grads } = tf.variableGrads(() => tf.mean(tf.square(tf.matMul(tf.tanh(tf.matMul(x, w1)), w2))))
    await value.data()
    for (const weights of [w1, w2]) {
      tf.tidy(() => weights.assign(tf.sub<Tensor2D>(weights, tf.mul(grads[weights.name] as Tensor, 1e-4))))
    }
    tf.dispose([x, value, grads])
  }
  for (let i = 0; i < warmUp; i++) await step()
  const before = { tensors: tf.memory().numTensors, residentBytes: process.memoryUsage.rss() }
  for (let i = 0; i < steps; i++) await step()
  const growth = {
    tensors: tf.memory().numTensors - before.tensors,
    residentBytes: process.memoryUsage.rss() / before.residentBytes - 1,
  }
  tf.dispose([w1, w2])
  return growth
}
