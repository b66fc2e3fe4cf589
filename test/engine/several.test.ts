/** Engines beside one another in one process: a program runs on its own, whichever is current. */
import { afterEach, expect, test } from 'vitest'
import { loadTf, openEngine, record } from '../../src/engine/index.js'
import { loadReference } from '../conformance/engine/engines.js'
import { onEngines } from '../nn/on-engines.js'

onEngines('programs while another engine is current', (name) => {
  afterEach(async () => {
    await openEngine(name)
  })

  test('run on theirs, and take and give tensors to the other one', async () => {
    const engine = await openEngine(name)
    loadReference() // brings the backend cpu
    const tf = await loadTf()
    const [x, w] = [tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])]
    const gradients = record(
      [
        { name: 'w', tensor: w, split: false },
        { name: 'x', tensor: x, split: true },
      ],
      () => {
        const { value, grads } = tf.valueAndGrads((weights) => tf.sum(tf.square(tf.matMul(x, weights as never))))([w])
        return [value, grads[0]!].map((tensor, i) => ({ name: `${i}`, tensor, merge: 'sum' }))
      },
    )
    const [g, rate] = [tf.tensor2d([[0], [0]]), tf.scalar(0.5)]
    const update = record(
      [w, g, rate].map((tensor, i) => ({ name: `${i}`, tensor, split: false })),
      () => [{ name: 'w', tensor: tf.sub(w, tf.mul(g, rate)), merge: 'sum' }],
    )
    const loaded = engine.load(gradients, { slices: 2 })
    await tf.setBackend('cpu')
    const later = engine.load(gradients, { slices: 2 })
    const step = engine.loadStep({ gradients, update, reads: 1, results: 1 }, { slices: 2 })
    const rows = tf.tensor2d([
      [1, 0],
      [0, 1],
    ])
    for (const program of [loaded, later]) {
      const results = program.run([w, rows])
      expect(tf.getBackend()).toBe('cpu')
      expect(results.map((tensor) => Array.from(tensor.dataSync()))).toEqual([[25], [6, 8]])
      expect(Array.from(tf.add(results[1]!, 1).dataSync())).toEqual([7, 9])
      program.dispose()
    }
    step.restore([w])
    const [loss] = step.run([rows, rate])
    expect(loss!.dataSync()[0]).toBe(25)
    expect(Array.from(step.state()[0]!.dataSync())).toEqual([0, 0])
    step.dispose()
    expect(tf.getBackend()).toBe('cpu')
  })
})
