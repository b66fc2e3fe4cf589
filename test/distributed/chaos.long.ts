/**
 * Many kills of one training, in each of its phases: its final weights are those of the undisturbed one, bit for bit.
 *
 * A kill comes at a random moment after what marks a phase: reading and computing begin when a step ends, the all-reduce falls
 * into the middle of a step, a checkpoint is under way when it was asked for. Also both workers at once, and the coordinator.
 */
import { rmSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { fold, keyOf, uniform } from '../../src/core/random.js'
import { pool } from '../../src/distributed/index.js'
import type { StepRun } from '../../src/nn/strategy.js'
import { missing } from '../needs.js'
import { childrenOf, killNow, runs, until } from './processes.js'
import { bytesOf, smallJob } from './small-job.js'
import { changesOf, disturb, firstSteps, noticesOf, ownTemporaryFolder, pidsOf, stepsOf } from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

const kills = 50

/** How long after a step a kill comes, at most: into the reading of rows, the computing, the all-reduce. */
const phases = {
  read: async () => 0,
  compute: async (draw: number) => 6 * draw,
  reduce: async (draw: number) => 6 + 24 * draw,
  checkpoint: async (draw: number, run: StepRun) => {
    run.checkpoint!().catch(() => {})
    return 8 * draw
  },
} as const

const wait = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe.each(['wasm', 'native'] as const)('a pool on %s', (engine) => {
  describe.skipIf(engine === 'native' && missing('native') !== undefined)('ends with the same bits', () => {
    test.each(Object.keys(phases) as (keyof typeof phases)[])(`after ${kills} kills: %s`, async (phase) => {
      const job = await smallJob(ownFolder, engine)
      const workers = await pool({ niceness: 0, workers: 2, engine, name: `chaos on ${engine}` })
      try {
        const key = fold(fold(keyOf(7), engine === 'wasm' ? 0 : 1), phase.length)
        const ranks = firstSteps(kills).map((kill) => (uniform(key, kill) < 0.5 ? 0 : 1))
        const { state, events, expected } = await disturb(workers, job, async (training) => {
          for (const [kill, rank] of ranks.entries()) {
            await training.nextStep()
            await wait(await phases[phase](uniform(fold(key, kill), 0), training.run))
            killNow((await pidsOf(workers))[rank]!)
            await training.reach(() => changesOf(training.events).length === 2 * (kill + 1))
          }
        })
        expect(changesOf(events)).toEqual(ranks.flatMap((rank) => [`lost ${rank}`, `replaced ${rank}`]))
        expect(stepsOf(events)).toEqual(firstSteps(state.step))
        expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
      } finally {
        await workers.close()
      }
    })

    test('after both workers died at once, ten times, and the coordinator, twice', async () => {
      const job = await smallJob(ownFolder, engine)
      const workers = await pool({ niceness: 0, workers: 2, engine, checkpoints: { everyMs: 100 } })
      try {
        const { state, events, expected } = await disturb(workers, job, async ({ nextStep, events: told, reach }) => {
          for (const count of firstSteps(10)) {
            for (const pid of await pidsOf(workers)) killNow(pid)
            await reach(() => noticesOf(told).filter((message) => message.startsWith('All workers')).length === count)
            await nextStep()
          }
          for (const _ of firstSteps(2)) {
            const coordinators = childrenOf(process.pid).filter(runs)
            for (const pid of coordinators) killNow(pid)
            await until(() => !coordinators.some(runs))
            await nextStep()
          }
        })
        expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
        expect(stepsOf(events)).toEqual(firstSteps(state.step))
      } finally {
        await workers.close()
      }
    })

    test('after a worker was stopped for 20 seconds', async () => {
      const workers = await pool({ niceness: 0, workers: 2, engine })
      try {
        const [, stopped] = await pidsOf(workers)
        const { state, events, expected } = await disturb(
          workers,
          await smallJob(ownFolder, engine),
          async (training) => {
            process.kill(stopped!, 'SIGSTOP')
            await wait(20_000)
            if (runs(stopped!)) process.kill(stopped!, 'SIGCONT')
            await training.reach(() => changesOf(training.events).includes('replaced 1'))
          },
        )
        expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
        expect(changesOf(events)).toEqual(['lost 1', 'replaced 1'])
        await until(() => !runs(stopped!))
      } finally {
        await workers.close()
      }
    })
  })
})
