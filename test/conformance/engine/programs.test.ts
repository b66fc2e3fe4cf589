/** Recording, loading and running steps: the same on every engine. */
import type { Rank, Tensor, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'
import {
  type Engine,
  type RecordedInput,
  type RecordedOutput,
  type Trace,
  checkTrace,
  dataOf,
  record,
  tensorOf,
} from '../../../src/engine/index.js'
import { type Tf, difference } from './engines.js'
import { openForTests } from './setup.js'
import { onAllEngines } from '../../nn/on-engines.js'

onAllEngines('programs', (name) => {
  let engine: Engine
  let tf: Tf
  openForTests(name, (opened) => ({ engine, tf } = opened))

  const random = (shape: number[], seed: number): Tensor => tf.randomUniform(shape, -0.5, 0.5, 'float32', seed)
  const values = (tensors: readonly Tensor[]): number[][] => tensors.map((tensor) => Array.from(tensor.dataSync()))

  /** Loss and gradients of a small CNN, summed over the rows. */
  function network(): {
    weights: Variable[]
    batch: (rows: number) => [Tensor, Tensor]
    step: (x: Tensor, y: Tensor) => RecordedOutput[]
    trace: (rows: number) => Trace
  } {
    const weights = [[3, 3, 1, 8], [8], [3, 3, 8, 10], [160, 5]].map((shape, i) => tf.variable(random(shape, i + 1)))
    const [w1, b1, w2, w3] = weights as unknown as [Tensor4D, Tensor, Tensor4D, Tensor2D]
    const step = (x: Tensor, y: Tensor): RecordedOutput[] => {
      const logits = (): Tensor => {
        const first = tf.relu(tf.add(tf.conv2d(x as Tensor4D, w1, 1, 'same'), b1))
        const second = tf.avgPool(tf.conv2d(tf.maxPool(first as Tensor4D, 2, 2, 'valid'), w2, 1, 'same'), 1, 1, 'valid')
        return tf.matMul(tf.reshape<Rank.R2>(tf.tanh(second), [x.shape[0], 160]), w3)
      }
      const loss = (): Tensor => tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits()), y)))
      const { value, grads } = tf.variableGrads(loss as never, weights)
      return [
        { name: 'loss', tensor: value, merge: 'sum' },
        ...weights.map((w, i): RecordedOutput => ({ name: `gradient ${i}`, tensor: grads[w.name]!, merge: 'sum' })),
        { name: 'probabilities', tensor: tf.softmax(logits()), merge: 'concat' },
      ]
    }
    const batch = (rows: number): [Tensor, Tensor] => [
      random([rows, 8, 8, 1], 11),
      tf.cast(
        tf.oneHot(
          tf.tensor1d(
            Array.from({ length: rows }, (_, k) => k % 5),
            'int32',
          ),
          5,
        ),
        'float32',
      ),
    ]
    const trace = (rows: number): Trace => {
      const [x, y] = batch(rows)
      const inputs: RecordedInput[] = [
        ...weights.map((tensor, i) => ({ name: `w${i}`, tensor, split: false })),
        { name: 'x', tensor: x, split: true },
        { name: 'y', tensor: y, split: true },
      ]
      return record(inputs, () => step(x, y))
    }
    return { weights, batch, step, trace }
  }

  test('a recorded step that was sent over the wire gives what the step gives', () => {
    const { weights, batch, step, trace } = network()
    const program = engine.load(checkTrace(structuredClone(trace(4))))
    const [x, y] = batch(4)
    const got = values(program.run([...weights, x, y]))
    const expected = values(step(x, y).map(({ tensor }) => tensor))
    for (const [i, one] of got.entries()) expect(difference(one, expected[i]!)).toBeLessThan(1e-6)
    program.dispose()
  })

  test('a trace follows the values of its inputs, variables among them', () => {
    const { weights, batch, step, trace } = network()
    const program = engine.load(trace(4))
    const [x] = batch(4)
    const y = tf.ones([4, 5])
    for (const w of weights) w.assign(tf.mul(w, 0.5))
    const got = values(program.run([...weights, x, y]))
    const expected = values(step(x, y).map(({ tensor }) => tensor))
    for (const [i, one] of got.entries()) expect(difference(one, expected[i]!)).toBeLessThan(1e-6)
    program.dispose()
  })

  test.each([2, 3, 4])('%i slices give what one batch of all their rows gives', (slices) => {
    const { weights, batch, step, trace } = network()
    const program = engine.load(trace(3), { slices })
    const [x, y] = batch(3 * slices)
    const got = values(program.run([...weights, x, y]))
    const expected = values(step(x, y).map(({ tensor }) => tensor))
    for (const [i, one] of got.entries()) expect(difference(one, expected[i]!)).toBeLessThan(1e-5)
    program.dispose()
  })

  test('results are equal bit for bit, run after run and load after load', () => {
    const { weights, batch, trace } = network()
    const recorded = trace(4)
    const inputs = [...weights, ...batch(16)]
    const runs = [0, 1].flatMap(() => {
      const program = engine.load(recorded, { slices: 4 })
      const results = [0, 1, 2].map(() => values(program.run(inputs)))
      program.dispose()
      return results
    })
    for (const run of runs) expect(run).toEqual(runs[0])
  })

  test('runs leave no tensors behind but their results', () => {
    const { weights, batch, trace } = network()
    const program = engine.load(trace(2), { slices: 2 })
    const inputs = [...weights, ...batch(4)]
    tf.dispose(program.run(inputs))
    const start = engine.memory()
    for (let i = 0; i < 3; i++) tf.dispose(program.run(inputs))
    expect(engine.memory()).toEqual(start)
    program.dispose()
  })

  test('constants, unused inputs, shared work and results that are inputs', () => {
    const [x, w, unused] = [random([2, 3], 1), random([3, 2], 2), random([1], 3)]
    const given: RecordedInput[] = [
      { name: 'x', tensor: x, split: true },
      { name: 'w', tensor: w, split: false },
      { name: 'unused', tensor: unused, split: false },
    ]
    const trace = record(given, () => {
      const turned = tf.transpose(w)
      return [
        { name: 'x', tensor: x, merge: 'concat' },
        { name: 'again', tensor: tf.clone(x), merge: 'concat' },
        { name: 'w', tensor: w, merge: 'sum' },
        { name: 'constant', tensor: tf.tensor1d([1, 2], 'int32'), merge: 'sum' },
        {
          name: 'big',
          tensor: tf.minimum(tf.matMul(x as Tensor2D, tf.transpose(turned) as Tensor2D), Infinity),
          merge: 'concat',
        },
        { name: 'positive', tensor: tf.greater(x, 0), merge: 'concat' },
      ]
    })
    const program = engine.load(trace, { slices: 2 })
    const both = tf.concat([x, random([2, 3], 4)])
    const results = program.run([both, w, unused])
    expect(new Set(results.map(({ id }) => id)).size).toBe(6)
    expect(results.map(({ dtype }) => dtype)).toEqual(['float32', 'float32', 'float32', 'int32', 'float32', 'bool'])
    const [sameX, again, sumW, constant, big, positive] = values(results)
    expect(sameX).toEqual(Array.from(both.dataSync()))
    expect(again).toEqual(sameX)
    expect(sumW).toEqual(Array.from(tf.mul(w, 2).dataSync()))
    expect(constant).toEqual([2, 4])
    expect(difference(big!, tf.matMul(both as Tensor2D, w as Tensor2D).dataSync())).toBeLessThan(1e-6)
    expect(positive).toEqual(sameX!.map((value) => (value > 0 ? 1 : 0)))
    expect([x, w, unused, both].every((tensor) => !tensor.isDisposed)).toBe(true)
    program.dispose()
  })

  test('one buffer under two names stays two inputs', () => {
    const x = random([3], 1)
    const other = tf.clone(x)
    const given: RecordedInput[] = [
      { name: 'a', tensor: x, split: false },
      { name: 'b', tensor: other, split: false },
    ]
    const trace = record(given, () => {
      const gradients = tf.grads((a: Tensor, b: Tensor) => tf.sum(tf.mul(a, tf.square(b))))([x, other])
      return gradients.map((tensor, i) => ({ name: String(i), tensor, merge: 'sum' as const }))
    })
    const program = engine.load(trace)
    const [byA, byB] = values(program.run([tf.tensor1d([1, 2, 3]), tf.tensor1d([4, 5, 6])]))
    expect([byA, byB]).toEqual([
      [16, 25, 36],
      [8, 20, 36],
    ])
    program.dispose()
    expect(() => record([given[0]!, { ...given[0]!, name: 'b' }], () => [])).toThrow(/"a" and "b"/)
  })

  test('a step that cannot be a trace is refused, with the reason, and leaves the engine as it was', () => {
    const x = random([2], 1)
    const v = tf.variable(tf.scalar(2), true, `free-${name}`)
    const given: RecordedInput[] = [{ name: 'x', tensor: x, split: false }]
    const output = (tensor: Tensor): RecordedOutput[] => [{ name: 'y', tensor, merge: 'sum' }]
    expect(() => record(given, () => output(tf.scalar(x.dataSync()[0]!)))).toThrow(/reads values/)
    expect(() => record(given, () => (void x.data(), []))).toThrow(/reads values/)
    expect(() => record(given, (async () => []) as never)).toThrow(/not async/)
    expect(() => record(given, () => output(tf.mul(x, v)))).toThrow(new RegExp(`free-${name}`))
    expect(() => record(given, () => (record(given, () => []), []))).toThrow(/nested/)
    expect(() => record(given, () => output(tf.multinomial(tf.ones<Rank.R2>([2, 2]), 3, 1)))).toThrow(/Multinomial/)
    expect(() => record(given, () => output(tf.randomNormal([2])))).toThrow(/draw in JavaScript/)
    expect(Array.from(tf.add(x, 0).dataSync())).toEqual(Array.from(x.dataSync()))
  })

  test('inputs that do not fit, disposed tensors and disposed programs are refused', () => {
    const x = random([2, 3], 1)
    const trace = record([{ name: 'x', tensor: x, split: true }], () => [
      { name: 'y', tensor: tf.square(x), merge: 'concat' },
    ])
    const program = engine.load(trace, { slices: 2 })
    expect(() => program.run([])).toThrow(/1 inputs, got 0/)
    expect(() => program.run([x])).toThrow('expected input "x" to be float32[4, 3], got float32[2, 3]')
    expect(() => program.run([tf.zeros([4, 3], 'int32')])).toThrow(/got int32\[4, 3\]/)
    const gone = tf.zeros([4, 3])
    gone.dispose()
    expect(() => program.run([gone])).toThrow(/disposed/)
    expect(() => program.run([{} as Tensor])).toThrow(/live tensor/)
    program.dispose()
    program.dispose()
    expect(() => program.run([tf.zeros([4, 3])])).toThrow(/disposed/)
    expect(() => engine.load(trace, { slices: 0 })).toThrow(/slices/)
  })

  test('an operation without a kernel is named with its shapes', () => {
    const trace: Trace = {
      version: 1,
      values: [
        { shape: [2, 3], dtype: 'float32' },
        { shape: [2], dtype: 'int32' },
      ],
      inputs: [{ name: 'x', value: 0, split: false }],
      constants: [],
      calls: [{ kernel: 'Frobnicate', inputs: { x: 0 }, attrs: {}, outputs: [1] }],
      outputs: [{ name: 'y', value: 1, merge: 'sum' }],
    }
    expect(() => engine.load(checkTrace(trace))).toThrow(`${name} has, got Frobnicate(float32[2, 3]) -> int32[2]`)
  })

  test('tensors go to plain data and back', () => {
    for (const tensor of [
      random([2, 3], 1),
      tf.tensor1d([1, -2], 'int32'),
      tf.tensor1d([1, 0], 'bool'),
      tf.zeros([0, 2]),
    ]) {
      const data = dataOf(tensor)
      expect(dataOf(tensorOf(data))).toEqual(data)
    }
  })
})
