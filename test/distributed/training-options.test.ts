/** What a training is asked for besides steps (rules, checkpoints, metrics of counts, weights of rows), in a pool. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pool, type Pool } from '../../src/distributed/index.js'
import * as nn from '../../src/nn/index.js'
import { listCheckpoints } from '../../src/nn/train/checkpoint.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import { local } from '../../src/nn/train/local.js'
import type { Strategy } from '../../src/nn/strategy.js'
import { fitBars } from '../nn/train/fixture.js'

describe('a training in a pool', () => {
  let workers: Pool
  let here: Strategy
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pool-training-'))
    here = await local('wasm')
    workers = await pool({ niceness: 0, workers: 2, engine: 'wasm', name: 'options' })
  })
  afterAll(async () => {
    await workers.close()
    await rm(folder, { recursive: true })
  })

  const learning = { metrics: [nn.f1()], classWeights: { 1: 2 }, weightCol: 'weight', regParam: 0.01 }
  const greatest = (a: Float32Array | Int32Array | Uint8Array, b: typeof a): number =>
    Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))

  test('follows its rules and options as in this process', async () => {
    const events: TrainingEvent[][] = [[], []]
    const [alone, shared] = await Promise.all(
      [here, workers].map(async (on, i) => {
        const training = fitBars(learning, {
          on,
          epochs: 30,
          validation: true,
          validateEvery: 3,
          gradientNorm: true,
          callbacks: [
            nn.earlyStopping({ minDelta: 0.15, patience: 2, restoreBest: true }),
            nn.reduceOnPlateau({ minDelta: 0.15, patience: 1, factor: 0.5 }),
            (event) => void events[i]!.push(event),
          ],
        })
        return { model: await training, history: training.history }
      }),
    )
    expect(shared!.history.length).toBeLessThan(30)
    expect(shared!.history.map(({ epoch }) => epoch)).toEqual(alone!.history.map(({ epoch }) => epoch))
    for (const [i, row] of alone!.history.entries()) {
      for (const [name, value] of Object.entries(row)) expect(shared!.history[i]![name]).toBeCloseTo(value, 3)
    }
    const of = <K extends TrainingEvent['kind']>(i: number, kind: K) =>
      events[i]!.filter((event): event is Extract<TrainingEvent, { kind: K }> => event.kind === kind)
    expect(of(1, 'epoch').at(-1)!.stop).toBe(of(0, 'epoch').at(-1)!.stop)
    expect(of(1, 'validation').map(({ step }) => step)).toEqual(of(0, 'validation').map(({ step }) => step))
    const rates = (i: number) => of(i, 'step').map(({ learningRate }) => learningRate)
    expect(rates(1)).toEqual(rates(0))
    for (const [step, { gradientNorm }] of of(0, 'step').entries()) {
      expect(of(1, 'step')[step]!.gradientNorm).toBeCloseTo(gradientNorm!, 3)
    }
    for (const [i, { values }] of alone!.model.weights.entries()) {
      expect(greatest(values, shared!.model.weights[i]!.values)).toBeLessThan(1e-3)
    }
  })

  test('goes on from its checkpoints to the bits of the undisturbed one', async () => {
    const undisturbed = await fitBars(learning, { on: workers, validation: true })
    const path = join(folder, 'kept')
    const stopped = fitBars(learning, {
      on: workers,
      validation: true,
      checkpoint: { path, everySteps: 3 },
      callbacks: [(event) => (event.kind === 'step' && event.step === 8 ? 'stop' : undefined)],
    })
    await stopped
    expect((await listCheckpoints(path)).length).toBeGreaterThan(1)
    const resumed = fitBars(learning, { on: workers, validation: true, resume: path })
    expect((await resumed).weights).toEqual(undisturbed.weights)
    expect(resumed.history).toHaveLength(4)
  })

  test('names the layer of a loss that is not finite', async () => {
    const training = fitBars({ optimiser: nn.sgd(), schedule: nn.constant(1e38) }, { on: workers })
    await expect(training).rejects.toThrow(/the (output|gradient) of the layer ".*" (is|was) not finite/)
  })
})
