/** Sums over the whole batch within a step: the same for any number of slices and processes, on every engine. */
import type { Scalar, Tensor } from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import { allReduce, loadSpread, record, scan, standFor } from '../../../src/engine/index.js'
import type { Engine, Reduce, Trace } from '../../../src/engine/index.js'
import { ShardbookError } from '../../../src/core/errors.js'
import { onAllEngines } from '../../nn/on-engines.js'
import { type Tf, difference } from './engines.js'
import { openForTests } from './setup.js'

const [rows, columns] = [8, 3]

onAllEngines('sums over the whole batch', (name) => {
  let engine: Engine
  let tf: Tf
  openForTests(name, (opened) => ({ engine, tf } = opened))

  const values = (tensors: readonly Tensor[]): number[] => tensors.flatMap((tensor) => [...tensor.dataSync()])
  const data = (seed = 1): Tensor => tf.randomUniform([rows, columns], 0.5, 2, 'float32', seed)

  /** Two sums, the second of values that depend on the first; a value that no row enters; a result by row. */
  function centredTrace(sliceRows: number): Trace {
    const [x, w] = [tf.ones([sliceRows, columns]), tf.ones([columns])]
    return record(
      [
        { name: 'w', tensor: w, split: false },
        { name: 'x', tensor: x, split: true },
      ],
      () => {
        const objective = (weight: Tensor, given: Tensor): Scalar => {
          const [total, count] = allReduce([tf.sum(given, 0), tf.scalar(sliceRows)])
          const centred = tf.sub(given, tf.div(total!, count!))
          const [squares, weights] = allReduce([tf.sum(tf.square(centred), 0), weight])
          const y = tf.mul(tf.div(centred, tf.sqrt(squares!)), tf.add(weight, tf.mul(weights!, 0.1)))
          return tf.sum(tf.mul(tf.exp(y), given))
        }
        const { value, grads } = tf.valueAndGrads(objective)([w, x])
        const mean = tf.div(allReduce([tf.sum(x, 0)])[0]!, rows)
        return [
          { name: 'value', tensor: value, merge: 'sum' },
          { name: 'dw', tensor: grads[0]!, merge: 'sum' },
          { name: 'dx', tensor: grads[1]!, merge: 'concat' },
          { name: 'centred', tensor: tf.sub(x, mean), merge: 'concat' },
        ]
      },
    )
  }

  test('slices give what each of them would with the sums of all', () => {
    const x = data()
    const trace = record([{ name: 'x', tensor: tf.ones([2, columns]), split: true }], () => [])
    expect(trace.calls).toEqual([])
    const [w, ours] = [tf.tensor1d([0.5, -1, 2]), centredTrace(2)]
    const program = engine.load(ours, { slices: rows / 2 })
    const [value, dw, dx, centred] = program.run([w, x])
    expect(difference(values([centred!]), values([tf.sub(x, tf.mean(x, 0))]))).toBeLessThan(1e-5)
    // Each slice adds the weight once, so that its sum is as many times the weight as there are slices.
    const whole = (weight: Tensor, given: Tensor): Scalar => {
      const apart = tf.sub(given, tf.mean(given, 0))
      const y = tf.mul(tf.div(apart, tf.norm(apart, 2, 0)), tf.mul(weight, 1 + 0.1 * (rows / 2)))
      return tf.sum(tf.mul(tf.exp(y), given))
    }
    const expected = tf.valueAndGrads(whole)([w, x])
    expect(difference(values([value!]), values([expected.value]))).toBeLessThan(1e-5)
    expect(difference(values([dw!, dx!]), values(expected.grads))).toBeLessThan(1e-5)
    program.dispose()
  })

  test('gradients equal finite differences of the sum over all slices', () => {
    const w = [0.5, -1, 2]
    const program = engine.load(centredTrace(4), { slices: 2 })
    const x = Float32Array.from(data(3).dataSync())
    const run = (weights: number[], given: Float32Array) =>
      program.run([tf.tensor1d(weights), tf.tensor2d(given, [rows, columns])])
    const objective = (weights: number[], given: Float32Array) => run(weights, given)[0]!.dataSync()[0]!
    const [, dw, dx] = run(w, x)
    const step = 1e-2
    const changed = <T extends number[] | Float32Array>(list: T, i: number, by: number): T =>
      list.map((value, j) => (i === j ? value + by : value)) as T
    const slope = (at: (by: number) => number): number => (at(step) - at(-step)) / (2 * step)
    for (const [i, found] of dw!.dataSync().entries()) {
      expect(found).toBeCloseTo(
        slope((by) => objective(changed(w, i, by), x)),
        1,
      )
    }
    for (const [i, found] of dx!.dataSync().entries()) {
      expect(found).toBeCloseTo(
        slope((by) => objective(w, changed(x, i, by))),
        1,
      )
    }
    program.dispose()
  })

  test('processes that run some slices each, or none, give together what one process gives', async () => {
    const trace = centredTrace(2)
    const [w, x] = [tf.tensor1d([0.5, -1, 2]), data(2)]
    const program = engine.load(trace, { slices: 4 })
    const expected = program.run([w, x])
    const owned = [1, 0, 3]
    const ring = inMemory(owned.length)
    let at = 0
    const parts = await Promise.all(
      owned.map(async (slices, rank) => {
        const spread = loadSpread(engine, trace, slices)
        const own = tf.slice(x, [at, 0], [2 * slices, columns])
        at += 2 * slices
        const results = await spread.run(slices === 0 ? [] : [w, own], ring[rank]!)
        spread.dispose()
        return results
      }),
    )
    const [first, , second] = parts as [Tensor[], Tensor[], Tensor[]]
    expect(difference(values([tf.add(first[0]!, second[0]!)]), values([expected[0]!]))).toBeLessThan(1e-5)
    expect(difference(values([tf.add(first[1]!, second[1]!)]), values([expected[1]!]))).toBeLessThan(1e-5)
    for (const i of [2, 3]) {
      expect(difference(values([first[i]!, second[i]!]), values([expected[i]!]))).toBeLessThan(1e-5)
    }
    program.dispose()
  })

  test('a sum that fails fails the run, which leaves nothing behind and can be repeated', async () => {
    const spread = loadSpread(engine, centredTrace(4), 2)
    const inputs = [tf.tensor1d([0.5, -1, 2]), data()]
    const before = engine.memory()
    for (const failing of [1, 2, 3]) {
      let calls = 0
      const reduce: Reduce = async () => {
        if (++calls === failing) throw new Error('the ring broke')
      }
      await expect(spread.run(inputs, reduce)).rejects.toThrow('the ring broke')
      expect(engine.memory()).toEqual(before)
    }
    const results = await spread.run(inputs, async () => {})
    const alone = engine.load(centredTrace(4), { slices: 2 })
    expect(values(results)).toEqual(values(alone.run(inputs)))
    spread.dispose()
    alone.dispose()
    await expect(spread.run(inputs, async () => {})).rejects.toThrow(/a disposed one/)
  })

  test('at once a batch is one slice; a step in JavaScript over several is refused', () => {
    const x = data()
    expect(values(allReduce([x]))).toEqual(values([x]))
    const [dx] = tf.grads((given) => tf.sum(tf.square(allReduce([given])[0]!)))([x])
    expect(values([dx!])).toEqual(values([tf.mul(x, 2)]))
    const step = ([given]: readonly Tensor[]) => [
      { name: 'sum', tensor: allReduce([tf.sum(given!, 0)])[0]!, merge: 'sum' as const },
    ]
    const input = { name: 'x', tensor: tf.ones([4, columns]), split: true }
    const trace = standFor([input], step, new ShardbookError('engine', 'reads values'))
    const [one, two] = [1, 2].map((slices) => engine.load(trace, { slices }))
    expect(values(one!.run([tf.ones([4, columns])]))).toEqual([4, 4, 4])
    expect(() => two!.run([x])).toThrow(/expected a step that can be recorded.*local: true/s)
    expect(values(allReduce([x]))).toEqual(values([x]))
    for (const program of [one!, two!]) program.dispose()
  })

  test('a loop cannot hold one', () => {
    const x = tf.ones([3, 2])
    expect(() =>
      record([{ name: 'x', tensor: x, split: false }], () => {
        const { stacked } = scan({ carried: [], scanned: [x] }, (_, [row]) => ({
          carried: [],
          stacked: allReduce([row!]),
        }))
        return [{ name: 'sums', tensor: stacked[0]!, merge: 'sum' }]
      }),
    ).toThrow(/no sums over the batch within a loop/)
  })
})

/** What each of several processes adds its vectors up by. */
function inMemory(processes: number): Reduce[] {
  let waiting: { vector: Float32Array; done: () => void }[] = []
  return Array.from({ length: processes }, () => async (vector: Float32Array) => {
    await new Promise<void>((done) => {
      waiting.push({ vector, done })
      if (waiting.length < processes) return
      const all = waiting
      waiting = []
      const sum = all[0]!.vector.map((_, i) => all.reduce((total, each) => total + each.vector[i]!, 0))
      for (const each of all) {
        each.vector.set(sum)
        each.done()
      }
    })
  })
}
