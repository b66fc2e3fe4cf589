/** Statistics over the whole batch, in worker processes: several sums over all workers within a step. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pool, type Pool } from '../../src/distributed/index.js'
import { openEngine } from '../../src/engine/index.js'
import * as nn from '../../src/nn/index.js'
import type { TrainingJob, TrainingState } from '../../src/nn/train/job.js'
import { local } from '../../src/nn/train/local.js'
import { missing } from '../needs.js'
import { makeJob } from '../nn/train/fixture.js'
import { killNow } from './processes.js'
import { bytesOf, distance } from './small-job.js'
import {
  changesOf,
  disturb,
  firstSteps,
  noticesOf,
  ownTemporaryFolder,
  pidsOf,
  silent,
  stepsOf,
  train,
} from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

const layers = [
  nn.conv2d({ filters: 4, kernelSize: 3 }),
  nn.batchNormalization(),
  nn.activation('relu'),
  nn.maxPooling2d(),
  nn.flatten(),
  nn.dense({ units: 8 }),
  nn.batchNormalization(),
  nn.dense({ units: 3 }),
] as const

for (const engine of ['wasm', 'native'] as const) {
  describe.skipIf(engine === 'native' && missing('native') !== undefined)(`batch normalisation on ${engine}`, () => {
    let job: TrainingJob
    let alone: TrainingState

    beforeAll(async () => {
      // 70 rows in batches of 16: the last batch of an epoch is a part of one.
      job = await makeJob(await openEngine(engine), { layers, optimiser: nn.sgd({ momentum: 0.9 }), epochs: 12 })
      alone = await (await local(engine)).step(job, silent).done
    })

    const onPool = async (workers: number, use: (started: Pool) => Promise<void>): Promise<void> => {
      const started = await pool({ niceness: 0, workers, engine, checkpoints: { everyMs: 1e9 } })
      try {
        await use(started)
      } finally {
        await started.close()
      }
    }

    test.each([1, 2, 3])('%d workers train to the weights of one process', async (count) => {
      await onPool(count, async (workers) => {
        const { state } = await train(workers, job)
        expect(state.step).toBe(60)
        expect(distance(alone, state)).toBeLessThanOrEqual(1e-5)
      })
    })

    test.each([0, 1])('comes to the same bits when rank %d is killed', async (rank) => {
      await onPool(2, async (workers) => {
        const { state, events, expected } = await disturb(workers, job, async ({ events: told, reach }) => {
          killNow((await pidsOf(workers))[rank]!)
          await reach(() => changesOf(told).includes(`replaced ${rank}`))
        })
        expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
        expect(changesOf(events)).toEqual([`lost ${rank}`, `replaced ${rank}`])
        expect(stepsOf(events)).toEqual(firstSteps(state.step))
      })
    })

    test('sums within a step are exact whatever becomes of the gradients', async () => {
      const plain = await makeJob(await openEngine(engine), { layers, optimiser: nn.sgd(), epochs: 4 })
      await onPool(2, async (workers) => {
        const { state: expected } = await train(workers, plain)
        // Averaged after every step of plain descent it is the descent of the whole batch.
        const averaged = workers.with({ strategy: { kind: 'localSgd', everySteps: 1 } })
        expect(distance(expected, (await train(averaged, plain)).state)).toBeLessThanOrEqual(1e-5)
        const halved = workers.with({ compression: { kind: 'float16' } })
        expect(distance(expected, (await train(halved, plain)).state)).toBeLessThanOrEqual(1e-3)
      })
    })

    test('goes on from a checkpoint when all workers are lost, with the same bits', async () => {
      await onPool(2, async (workers) => {
        const { state, events, expected } = await disturb(workers, job, async ({ run, events: told, reach }) => {
          await run.pause()
          await run.checkpoint!()
          for (const pid of await pidsOf(workers)) killNow(pid)
          await run.resume()
          await reach(() => noticesOf(told).length > 0)
        })
        expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
        expect(noticesOf(events).join('\n')).toMatch(/on from step [1-9]\d*\./)
      })
    })
  })
}
