/** Trainings on the pool's processes, as built, over both engines: equal to one process, equal again, equal through a kill. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pool, type Pool } from '../../src/distributed/index.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import type { TrainingJob, TrainingState } from '../../src/nn/train/job.js'
import { local } from '../../src/nn/train/local.js'
import { killNow } from './processes.js'
import { missing } from '../needs.js'
import { allSteps, bytesOf, distance, epochs, smallJob, stepsPerEpoch } from './small-job.js'
import { changesOf, disturb, firstSteps, ownTemporaryFolder, pidsOf, silent, stepsOf, train } from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

for (const engine of ['wasm', 'native'] as const) {
  describe.skipIf(engine === 'native' && missing('native') !== undefined)(`a pool of two on ${engine}`, () => {
    let workers: Pool
    let job: TrainingJob
    let undisturbed: { state: TrainingState; events: TrainingEvent[] }

    beforeAll(async () => {
      job = await smallJob(ownFolder, engine)
      workers = await pool({ niceness: 0, workers: 2, engine, name: 'tested' })
      undisturbed = await train(workers, job)
    })
    afterAll(async () => workers.close())

    test.each(['sgd', 'transformed'] as const)(
      '%s: trains to the weights of one process on the same batches',
      async (optimiser) => {
        const plain = await smallJob(ownFolder, engine, { optimiser, epochs: 5 })
        const alone = await (await local(engine)).step(plain, silent).done
        const { state } = await train(workers, plain)
        expect(state.step).toBe(5 * stepsPerEpoch)
        expect(distance(alone, state)).toBeLessThan(1e-5)
      },
    )

    test('tells of every step and epoch once, in order', () => {
      const { events } = undisturbed
      expect(stepsOf(events)).toEqual(allSteps)
      expect(events[0]).toMatchObject({ kind: 'start', workers: 2, stepsPerEpoch })
      expect(events.at(-1)).toMatchObject({ kind: 'end', reason: 'done', step: allSteps.length })
      const ends = events.filter((event) => event.kind === 'epoch')
      expect(ends.map(({ epoch }) => epoch)).toEqual(Array.from({ length: epochs }, (_, i) => i + 1))
      expect(ends.at(-1)!.validation!['accuracy']).toBeGreaterThan(ends[0]!.validation!['accuracy']!)
    })

    test('gives the same bits again', async () => {
      const { state } = await train(workers, job)
      expect(bytesOf(state).equals(bytesOf(undisturbed.state))).toBe(true)
    })

    test.each([0, 1])('comes to the same bits when rank %d is killed', async (rank) => {
      const pids = await pidsOf(workers)
      const { state, events, expected } = await disturb(workers, job, async ({ events: told, reach }) => {
        killNow(pids[rank]!)
        await reach(() => changesOf(told).includes(`replaced ${rank}`))
      })
      expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
      expect(changesOf(events)).toEqual([`lost ${rank}`, `replaced ${rank}`])
      expect(stepsOf(events)).toEqual(firstSteps(state.step))
      expect(events.filter(({ kind }) => kind === 'epoch')).toHaveLength(Math.floor(state.step / stepsPerEpoch))
      const replaced = await pidsOf(workers)
      expect(replaced[rank]).not.toBe(pids[rank])
      expect(replaced[1 - rank]).toBe(pids[1 - rank])
    })
  })
}
