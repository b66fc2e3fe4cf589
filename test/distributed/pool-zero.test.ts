/** The optimiser's state in shards over real workers: as with whole states, through kills, checkpoints and pauses. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pool, type Pool } from '../../src/distributed/index.js'
import { openEngine } from '../../src/engine/index.js'
import * as nn from '../../src/nn/index.js'
import { listCheckpoints } from '../../src/nn/train/checkpoint.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import type { TrainingJob } from '../../src/nn/train/job.js'
import { missing } from '../needs.js'
import { fitBars, makeJob } from '../nn/train/fixture.js'
import { killNow } from './processes.js'
import { bytesOf, distance } from './small-job.js'
import {
  begin,
  changesOf,
  disturb,
  firstSteps,
  noticesOf,
  ownTemporaryFolder,
  pidsOf,
  stepsOf,
  train,
  upTo,
} from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

const zero1 = { strategy: { kind: 'zero1' } } as const
const layers = [
  nn.conv2d({ filters: 4, kernelSize: 3 }),
  nn.batchNormalization(),
  nn.flatten(),
  nn.dense({ units: 16, activation: 'relu' }),
  nn.dropout({ rate: 0.2 }),
  nn.dense({ units: 3 }),
] as const
const transformed = nn.movingAverage(nn.accumulate(nn.clip(nn.adamw(), { norm: 1 }), { steps: 2 }), { decay: 0.9 })

for (const engine of ['wasm', 'native'] as const) {
  describe.skipIf(engine === 'native' && missing('native') !== undefined)(`zero1 on ${engine}`, () => {
    let workers: Pool
    let job: TrainingJob
    beforeAll(async () => {
      job = await makeJob(await openEngine(engine), { layers, validationRows: 20 })
      workers = await pool({ niceness: 0, workers: 2, engine, checkpoints: { everyMs: 1e9 } })
    })
    afterAll(async () => workers.close())

    test.each([
      ['momentum', nn.sgd({ momentum: 0.9 })],
      ['adam', nn.adam()],
      ['averages of clipped, decayed, accumulated adam', transformed],
    ] as const)('%s: trains to the state of allReduce', async (_, optimiser) => {
      const one = await makeJob(await openEngine(engine), { layers, epochs: 4, optimiser })
      const { state: expected } = await train(workers, one)
      const { state } = await train(workers.with(zero1), one)
      expect(state.step).toBe(20)
      expect(distance(expected, state)).toBeLessThanOrEqual(1e-6)
      const slots = (of: typeof state) => ({ ...of, weights: of.slots })
      expect(distance(slots(expected), slots(state))).toBeLessThanOrEqual(1e-6)
      expect(bytesOf((await train(workers.with(zero1), one)).state).equals(bytesOf(state))).toBe(true)
    })

    test.each([0, 1])('comes to the same bits when rank %d is killed, from the last checkpoint on', async (rank) => {
      const { state, events, expected } = await disturb(
        workers.with(zero1),
        job,
        async ({ run, events: told, reach }) => {
          expect(await run.checkpoint!()).toMatch(/step-\d+/)
          killNow((await pidsOf(workers))[rank]!)
          await reach(() => changesOf(told).includes(`replaced ${rank}`))
        },
      )
      expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
      expect(changesOf(events)).toEqual([`lost ${rank}`, `replaced ${rank}`])
      expect(noticesOf(events).join('\n')).toMatch(/A part of the state after step \d+ .* on from step (?!0)\d+\./)
      expect(stepsOf(events)).toEqual(firstSteps(state.step))
    })

    test('begins again where nothing was saved', async () => {
      const { state, events, expected } = await disturb(workers.with(zero1), job, async ({ events: told, reach }) => {
        killNow((await pidsOf(workers))[0]!)
        await reach(() => noticesOf(told).length > 0)
      })
      expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
      expect(noticesOf(events).join('\n')).toMatch(/on from step 0\./)
    })
  })
}

describe('zero1', () => {
  let workers: Pool
  let job: TrainingJob
  beforeAll(async () => {
    job = await makeJob(await openEngine('wasm'), { layers })
    workers = await pool({ niceness: 0, workers: 2, engine: 'wasm', checkpoints: { everyMs: 0 } })
  })
  afterAll(async () => workers.close())

  // By plain descent: of three numbers the order of adding is another, and Adam makes steps of what should be gradients of zero.
  test.each([1, 3])('goes with %d workers', async (count) => {
    const optimiser = nn.sgd({ momentum: 0.9 })
    const plain = await makeJob(await openEngine('wasm'), { layers, epochs: 8, optimiser })
    const others = await pool({ niceness: 0, workers: count, engine: 'wasm' })
    try {
      const { state: expected } = await train(others, plain)
      const { state } = await train(others.with(zero1), plain)
      expect(distance(expected, state)).toBeLessThanOrEqual(count === 1 ? 0 : 1e-6)
    } finally {
      await others.close()
    }
  })

  test('is saved while it is paused, and goes on to the same bits', async () => {
    const { state, expected } = await disturb(workers.with(zero1), job, async ({ run }) => {
      await run.pause()
      expect(await run.checkpoint!()).toMatch(/step-\d+/)
      await run.resume()
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
  })

  test('stops with the whole state, from which another goes on to the same bits', async () => {
    const { run } = await begin(workers.with(zero1), job)
    await run.stop()
    const stopped = await run.done
    const longer = upTo(job, stopped.step + 30)
    const { state: expected } = await train(workers.with(zero1), longer)
    const { state } = await train(workers.with(zero1), { ...longer, start: stopped })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
  })

  test('follows rules, writes checkpoints of the job and tells the norm of all gradients', async () => {
    const folder = mkdtempSync(join(ownFolder, 'kept-'))
    const events: TrainingEvent[][] = [[], []]
    const models = []
    for (const [i, on] of [workers, workers.with(zero1)].entries()) {
      models.push(
        await fitBars(
          {},
          {
            on,
            epochs: 12,
            validation: true,
            gradientNorm: true,
            checkpoint: { path: join(folder, String(i)), everySteps: 4 },
            callbacks: [
              nn.earlyStopping({ minDelta: 0.15, patience: 2, restoreBest: true }),
              (event) => void events[i]!.push(event),
            ],
          },
        ),
      )
    }
    const norms = events.map((list) => list.flatMap((event) => (event.kind === 'step' ? [event.gradientNorm!] : [])))
    expect(norms[1]).toHaveLength(norms[0]!.length)
    for (const [step, norm] of norms[0]!.entries()) expect(norms[1]![step]).toBeCloseTo(norm, 4)
    for (const [i, { values }] of models[0]!.weights.entries()) {
      for (const [j, value] of values.entries()) expect(models[1]!.weights[i]!.values[j]).toBeCloseTo(value, 4)
    }
    const names = await Promise.all([0, 1].map(async (i) => listCheckpoints(join(folder, String(i)))))
    expect(names[1]!.length).toBe(names[0]!.length)
    expect(names[1]!.length).toBeGreaterThan(0)
  })

  test('is refused with compression, and where weights depend on one another', async () => {
    expect(() => workers.with({ ...zero1, compression: { kind: 'float16' } })).toThrow(/zero1 without compression/)
    const clipped = await makeJob(await openEngine('wasm'), { optimiser: nn.clip(nn.adam(), { globalNorm: 1 }) })
    expect(() => workers.with(zero1).step(clipped, () => {})).toThrow(/updates each weight by its own gradient/)
  })
})
