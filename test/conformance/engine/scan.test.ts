import type { Tensor } from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { loadTf, openEngine, record, scan } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import type { Tf } from '../../../src/engine/tf.js'
import { onAllEngines } from '../../nn/on-engines.js'

onAllEngines('scan', (name) => {
  let engine: Engine
  let tf: Tf
  beforeAll(async () => {
    engine = await openEngine(name)
    tf = await loadTf()
  })

  test.each(['recorded', 'at once'])('carries, stacks and shares like a loop, %s', (how) => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.boolean(),
        (rows, reverse) => {
          const [x, start, factor] = [tf.tensor2d(rows), tf.tensor1d([1, 2, 3]), tf.scalar(2)]
          const run = () =>
            scan({ carried: [start], scanned: [x], shared: [factor], reverse }, ([state], [row], [by]) => {
              const next = tf.add(tf.mul(state!, by!), row!)
              return { carried: [next], stacked: [next, tf.cast(tf.sum(row!), 'int32')] }
            })
          const outputs = () => {
            const { carried, stacked } = run()
            return [...carried, ...stacked]
          }
          let results
          if (how === 'at once') results = outputs()
          else {
            const inputs = [x, start, factor].map((tensor, i) => ({ name: `${i}`, tensor, split: false }))
            const program = engine.load(
              record(inputs, () => outputs().map((tensor, i) => ({ name: `${i}`, tensor, merge: 'sum' }))),
            )
            results = program.run([x, start, factor])
            program.dispose()
          }
          let state = [1, 2, 3]
          const states: number[][] = []
          const order = rows.map((_, i) => (reverse ? rows.length - 1 - i : i))
          for (const i of order) {
            state = state.map((value, j) => 2 * value + rows[i]![j]!)
            states[i] = state
          }
          expect(results.map((tensor) => tensor.arraySync())).toEqual([
            state,
            states,
            rows.map((row) => row.reduce((a, b) => a + b, 0)),
          ])
          tf.dispose([x, start, factor, ...results])
        },
      ),
      { numRuns: 15 },
    )
  })

  test('a loop over the rows that others stacked, which are results too', () => {
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    const sum = (rows: Tensor, reverse: boolean) =>
      scan({ carried: [tf.zeros([2])], scanned: [rows], reverse }, ([total], [row]) => {
        const next = tf.add(total!, row!)
        return { carried: [next], stacked: [next] }
      }).stacked[0]!
    const trace = record([{ name: 'x', tensor: x, split: false }], () => {
      const once = sum(x, false)
      const outputs = [once, sum(once, true), sum(once, false)]
      return outputs.map((tensor, i) => ({ name: `${i}`, tensor, merge: 'sum' }))
    })
    const program = engine.load(trace)
    const results = program.run([x])
    expect(results.map((tensor) => tensor.arraySync())).toEqual([
      [
        [1, 2],
        [4, 6],
        [9, 12],
      ],
      [
        [14, 20],
        [13, 18],
        [9, 12],
      ],
      [
        [1, 2],
        [5, 8],
        [14, 20],
      ],
    ])
    program.dispose()
    tf.dispose([x, ...results])
  })

  test('loops within loops and over slices of a batch', () => {
    const x = tf.reshape(tf.range(0, 24), [2, 3, 4])
    const trace = record([{ name: 'x', tensor: x, split: true }], () => {
      const inTime = tf.transpose(x, [1, 0, 2])
      const { stacked } = scan({ carried: [tf.zeros([2])], scanned: [inTime] }, ([sum], [rows]) => {
        const inner = scan({ carried: [sum!], scanned: [tf.transpose(rows!)] }, ([total], [column]) => ({
          carried: [tf.add(total!, column!)],
          stacked: [],
        }))
        return { carried: inner.carried, stacked: inner.carried }
      })
      return [{ name: 'y', tensor: tf.transpose(stacked[0]!), merge: 'concat' }]
    })
    expect(trace.calls.map((call) => call.kernel)).toContain('Scan')
    const program = engine.load(trace, { slices: 2 })
    const both = tf.concat([x, tf.mul(x, 2)])
    const before = engine.memory().tensors
    const [y] = program.run([both])
    expect(y!.arraySync()).toEqual([
      [6, 28, 66],
      [54, 124, 210],
      [12, 56, 132],
      [108, 248, 420],
    ])
    y!.dispose()
    expect(engine.memory().tensors).toBe(before)
    program.dispose()
    tf.dispose([x, both])
  })

  test('keeps no stacked rows that nothing needs', () => {
    const x = tf.ones([5, 2])
    const trace = record([{ name: 'x', tensor: x, split: false }], () => {
      const { carried } = scan({ carried: [tf.zeros([2])], scanned: [x] }, ([sum], [row]) => ({
        carried: [tf.add(sum!, row!)],
        stacked: [tf.exp(row!)],
      }))
      return [{ name: 'y', tensor: carried[0]!, merge: 'sum' }]
    })
    const loop = trace.calls.find((call) => call.kernel === 'Scan')!
    expect(loop.outputs).toHaveLength(1)
    expect(loop.body!.calls.map((call) => call.kernel)).toEqual(['Add'])
    x.dispose()
  })

  test('raises for rows that differ, carried values that change shape, and tensors from around the body', () => {
    tf.tidy(() => {
      const [a, b] = [tf.ones([3, 2]), tf.ones([4, 2])]
      const none = () => ({ carried: [], stacked: [] })
      expect(() => scan({ carried: [], scanned: [a, b] }, none)).toThrow(/same number of rows/)
      expect(() => scan({ carried: [], scanned: [] }, none)).toThrow(/got none/)
      expect(() =>
        scan({ carried: [tf.ones([2])], scanned: [a] }, ([c]) => ({ carried: [tf.sum(c!)], stacked: [] })),
      ).toThrow(/carried value 0 to stay float32\[2\], got float32\[\]/)
      expect(() =>
        record([{ name: 'a', tensor: a, split: false }], () => {
          const outside = tf.mul(a, 2)
          scan({ carried: [], scanned: [a] }, (_, [row]) => ({ carried: [], stacked: [tf.add(row!, outside)] }))
          return []
        }),
      ).toThrow(/from around it. Pass it as one of `shared`/)
    })
  })

  test('says that no gradient goes through it', () => {
    const sum = (x: Tensor): Tensor =>
      tf.sum(
        scan({ carried: [tf.zeros([2])], scanned: [x] }, ([s], [row]) => ({
          carried: [tf.add(s!, row!)],
          stacked: [],
        })).carried[0]!,
      )
    const x = tf.ones([3, 2])
    expect(() => tf.grad(sum)(x)).toThrow(/scan: expected no gradient .* reverse: true, in tf.customGrad/)
    x.dispose()
  })
})
