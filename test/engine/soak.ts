/** A compiled step with everything in it that holds tensors: variables, random numbers, a gradient, a loop. */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { compile, loadTf, scan } from '../../src/engine/index.js'
import type { Engine } from '../../src/engine/index.js'

/** Runs the step `steps` times; live tensors and resident bytes after `warmUp` steps and at the end. */
export async function soak(engine: Engine, { warmUp, steps }: { warmUp: number; steps: number }) {
  const tf = await loadTf()
  const weight = tf.variable(tf.randomUniform([16, 16], -0.2, 0.2, 'float32', 1))
  const step = compile((x: Tensor) => {
    const loss = (): Scalar => tf.mean(tf.square(tf.tanh(tf.matMul(tf.dropout(x, 0.2), weight))))
    const { value, grads } = tf.variableGrads(loss)
    weight.assign(tf.sub(weight, tf.mul(0.01, grads[weight.name]!)))
    const { carried } = scan({ carried: [tf.zeros([16])], scanned: [x] }, ([sum], [row]) => ({
      carried: [tf.add(sum!, row!)],
      stacked: [],
    }))
    return [value, carried[0]!]
  })
  const x = tf.randomUniform([32, 16], 0, 1, 'float32', 2)
  const run = (count: number) => {
    for (let i = 0; i < count; i++) tf.dispose(step(x))
    return { tensors: engine.memory().tensors, bytes: process.memoryUsage().rss }
  }
  const warm = run(warmUp)
  const end = run(steps - warmUp)
  step.dispose()
  tf.dispose([weight, x])
  return { warm, end }
}
