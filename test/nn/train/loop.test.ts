import { beforeAll, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { onEngines } from '../on-engines.js'
import { distance, loneLoop, makeJob, numbersOf, trainWith } from './fixture.js'

onEngines('training loop', (name) => {
  let engine: Engine
  beforeAll(async () => {
    engine = await openEngine(name)
  })

  test('learns', async () => {
    const { events } = await trainWith(
      engine,
      await makeJob(engine, { rows: 200, epochs: 8, validationRows: 60, rate: 0.03, seed: 4 }),
      1,
    )
    const epochs = events.filter((event) => event.kind === 'epoch')
    expect(epochs).toHaveLength(8)
    expect(epochs[7]!.validation!['accuracy']).toBeGreaterThan(0.9)
    expect(epochs[7]!.loss).toBeLessThan(0.5 * epochs[0]!.loss)
    const start = events[0]!
    expect(start).toEqual({ kind: 'start', name: 'bars', epochs: 8, stepsPerEpoch: 13, workers: 1, engine: name })
    const steps = events.filter((event) => event.kind === 'step')
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 8 * 13 }, (_, i) => i + 1))
    expect(steps[12]!.rows).toBe(200 - 12 * 16)
  })

  test.each([2, 4, 6])('%i workers that share a step give the weights of one', async (workers) => {
    // 70 rows: the last batch of an epoch has 6, so that slices have 2, 2, 1 and 1. Six workers: two own no slice.
    const job = await makeJob(engine, { validationRows: 19, optimiser: nn.sgd({ momentum: 0.5 }), rate: 0.1 })
    const one = await trainWith(engine, job, 1)
    const several = await trainWith(engine, job, workers)
    expect(distance(one.state, { ...job.start })).toBeGreaterThan(0.05)
    expect(distance(one.state, several.state)).toBeLessThan(2e-5)
    for (const state of several.states) expect(numbersOf(state)).toEqual(numbersOf(several.state))
    const told = (run: typeof one) =>
      run.events.flatMap((event) => (event.kind === 'epoch' ? [event.loss, ...Object.values(event.validation!)] : []))
    for (const [i, value] of told(one).entries()) expect(told(several)[i]).toBeCloseTo(value, 4)
  })

  test.each([
    // One batch of all 10 rows a step: some of 16 slices have none.
    ['slices', { rows: 10, epochs: 6, slices: 1 }, { slices: 8 }, 1],
    ['slices of which some have no rows', { rows: 10, epochs: 6, slices: 1 }, { slices: 16 }, 1],
    ['workers', {}, {}, 2],
    ['workers of which some own no slice', {}, {}, 6],
  ])('statistics of the whole batch are the same over more %s', async (_, options, changes, workers) => {
    const layers = [
      nn.conv2d({ filters: 4, kernelSize: 3 }),
      nn.batchNormalization({ momentum: 0.8 }),
      nn.activation({ activation: 'relu' }),
      nn.flatten(),
      nn.dense({ units: 5 }),
      nn.batchNormalization(),
      nn.dense({ units: 3 }),
    ]
    const given = { layers, optimiser: nn.sgd({ momentum: 0.5 }), rate: 0.05, validationRows: 19, ...options }
    const one = await trainWith(engine, await makeJob(engine, given), 1)
    const job = await makeJob(engine, { ...given, ...changes })
    const several = await trainWith(engine, job, workers)
    expect(distance(one.state, { ...job.start })).toBeGreaterThan(0.05)
    expect(distance(one.state, several.state)).toBeLessThan(5e-5)
    for (const state of several.states) expect(numbersOf(state)).toEqual(numbersOf(several.state))
  })

  test('gives the same bits again, and other ones for another seed', async () => {
    const run = async (seed: number) => (await trainWith(engine, await makeJob(engine, { seed }), 1)).state
    const first = await run(3)
    expect(await run(3)).toEqual(first)
    expect(numbersOf(await run(4))).not.toEqual(numbersOf(first))
  })

  test.each([3, 5, 7])(
    'goes on from a snapshot after %i of 10 steps to the bits of the undisturbed run',
    async (at) => {
      const job = await makeJob(engine, { validationRows: 10 })
      const whole = await trainWith(engine, job, 1)
      const stopping = await loneLoop(engine, job, { gate: async (step) => (step < at ? 'go' : 'stop') })
      expect(await stopping.run()).toBe('stopped')
      const snapshot = await stopping.snapshot()
      await stopping.dispose()
      expect(snapshot.step).toBe(at)
      const resumed = await trainWith(engine, { ...job, start: snapshot }, 1)
      expect(resumed.state).toEqual(whole.state)
    },
  )

  test('a step whose reduction fails is not applied, and running again repeats it', async () => {
    const job = await makeJob(engine, { validationRows: 10 })
    const { state } = await trainWith(engine, job, 1)
    let calls = 0
    const loop = await loneLoop(engine, job, {
      workers: 2, // the other one is idle and adds nothing
      reduce: async () => {
        calls++
        if ([3, 8, 9].includes(calls)) throw new Error('peer lost')
      },
    })
    await expect(loop.run()).rejects.toThrow('peer lost')
    expect(loop.step).toBe(2)
    const before = await loop.snapshot()
    await expect(loop.run()).rejects.toThrow('peer lost')
    expect(loop.step).toBe(5) // while validating at the epoch's end
    await expect(loop.run()).rejects.toThrow('peer lost')
    expect(loop.step).toBe(5)
    loop.restore(before)
    expect(loop.step).toBe(2)
    expect(await loop.run()).toBe('done')
    expect(await loop.snapshot()).toEqual(state)
    await loop.dispose()
  })

  test('rows that fill up a batch weigh nothing', async () => {
    // One batch of all 10 rows, filled up to 16 or not.
    const options = { rows: 10, epochs: 3, validationRows: 7, optimiser: nn.sgd(), rate: 0.1 }
    const filled = await trainWith(engine, await makeJob(engine, { ...options, batchRows: 16, slices: 4 }), 1)
    const exact = await trainWith(engine, await makeJob(engine, { ...options, batchRows: 10, slices: 1 }), 1)
    expect(distance(filled.state, exact.state)).toBeLessThan(1e-6)
    const last = (run: typeof exact) => run.events.findLast((event) => event.kind === 'epoch')!
    expect(last(filled).loss).toBeCloseTo(last(exact).loss, 5)
    expect(last(filled).validation!['loss']).toBeCloseTo(last(exact).validation!['loss']!, 5)
    expect(last(filled).validation!['accuracy']).toBeCloseTo(last(exact).validation!['accuracy']!, 6)
  })

  test('a loss that is not finite ends it before the weights are spoilt', async () => {
    const loop = await loneLoop(engine, await makeJob(engine, { rate: 1e38, optimiser: nn.sgd() }))
    await expect(loop.run()).rejects.toThrow(
      /expected a finite loss, got (NaN|Infinity) at step \d+ \(learning rate 1e\+38\)/,
    )
    expect(loop.step).toBeGreaterThan(0)
    await loop.dispose()
  })

  test('a step that was begun before a loss turned out not to be finite changes nothing', async () => {
    const job = await makeJob(engine, { optimiser: nn.sgd({ momentum: 0.5 }) })
    // The rate that bursts the loss is that of the third step; a finite loss is in sight again at the sixth.
    const rates = [0.01, 0.01, 1e30, 0, 0, 0, 0, 0]
    const begun: number[] = []
    const loop = await loneLoop(
      engine,
      { ...job, rates },
      {
        gate: async (step) => {
          begun.push(step)
          return 'go'
        },
      },
    )
    await expect(loop.run()).rejects.toThrow(/at step 4/)
    expect(begun.at(-1)).toBeGreaterThanOrEqual(3)
    const undisturbed = await trainWith(engine, { ...job, rates, maxSteps: 3 }, 1)
    expect(loop.step).toBe(3)
    const { weights, slots } = await loop.snapshot()
    expect({ weights, slots }).toEqual({ weights: undisturbed.state.weights, slots: undisturbed.state.slots })
    await loop.dispose()
  })

  test('leaves no tensor behind', async () => {
    const { tensors } = engine.memory()
    await trainWith(engine, await makeJob(engine, { validationRows: 10 }), 2)
    expect(engine.memory().tensors).toBe(tensors)
  })

  test('refuses empty data and the state of another model', async () => {
    const job = await makeJob(engine)
    await expect(loneLoop(engine, await makeJob(engine, { rows: 0 }))).rejects.toThrow(/expected rows to train on/)
    const loop = await loneLoop(engine, job)
    const other = { ...job.start, weights: job.start.weights.slice(1) }
    expect(() => loop.restore(other)).toThrow(/state of another model/)
    expect((await loop.snapshot()).weights).toEqual(job.start.weights)
    await loop.dispose()
  })
})
