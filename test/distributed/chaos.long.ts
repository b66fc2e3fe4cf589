/**
 * Many kills of one training, in each of its phases: its final weights are those of the undisturbed one, bit for bit.
 *
 * A kill comes at a random moment after what marks a phase: reading and computing begin when a step ends, the all-reduce falls
 * into the middle of a step, a checkpoint is under way when it was asked for. Also both workers at once, and the coordinator.
 */
import { rmSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { fold, keyOf, uniform } from '../../src/core/random.js'
import { pool, type Pool } from '../../src/distributed/index.js'
import type { StepRun } from '../../src/nn/strategy.js'
import { missing } from '../needs.js'
import { childrenOf, killNow, runs, until } from './processes.js'
import { bytesOf, smallJob, stepsPerEpoch } from './small-job.js'
import { changesOf, ownTemporaryFolder, pidsOf, stepsOf, train } from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

const epochs = 60
const kills = 50
const steps = epochs * stepsPerEpoch
const stepsBetween = Math.floor(steps / (kills + 1))

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
      const job = await smallJob(ownFolder, engine, { epochs })
      const workers = await pool({ workers: 2, engine, name: `chaos on ${engine}` })
      try {
        const { state: expected } = await train(workers, job)
        const key = fold(fold(keyOf(7), engine === 'wasm' ? 0 : 1), phase.length)
        let [killed, replaced, isDue] = [0, 0, false]
        const kill = async (run: StepRun): Promise<void> => {
          const rank = uniform(key, killed++) < 0.5 ? 0 : 1
          await wait(await phases[phase](uniform(fold(key, killed), 0), run))
          const pid = (await pidsOf(workers))[rank]
          if (pid !== undefined) killNow(pid)
        }
        const run: StepRun = workers.step(job, (event) => {
          if (event.kind === 'worker' && event.change === 'replaced') replaced++
          if (event.kind !== 'step') return
          isDue ||= event.step % stepsBetween === 0
          if (!isDue || killed === kills || replaced < killed) return
          isDue = false
          void kill(run)
        })
        expect(bytesOf(await run.done).equals(bytesOf(expected))).toBe(true)
        // The last ones may have come too late, or the training have ended over them.
        expect(replaced).toBeGreaterThan(kills / 2)
      } finally {
        await workers.close()
      }
    })

    test('after both workers died at once, ten times, and the coordinator, twice', async () => {
      const job = await smallJob(ownFolder, engine, { epochs })
      const workers = await pool({ workers: 2, engine, checkpoints: { everyMs: 100 } })
      try {
        const { state: expected } = await train(workers, job)
        const killAll = async (on: Pool): Promise<void> => {
          for (const pid of await pidsOf(on)) if (pid !== undefined) killNow(pid)
        }
        const { state, events } = await train(workers, job, (step) => {
          if (step % 50 === 0 && step < steps) void killAll(workers)
          if (step === 225 || step === 425) {
            for (const pid of childrenOf(process.pid).filter(runs)) killNow(pid)
          }
        })
        expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
        expect(stepsOf(events)).toEqual(Array.from({ length: steps }, (_, i) => i + 1))
      } finally {
        await workers.close()
      }
    })

    test('after a worker was stopped for 20 seconds', async () => {
      const job = await smallJob(ownFolder, engine, { epochs: 20 })
      const workers = await pool({ workers: 2, engine })
      try {
        const { state: expected } = await train(workers, job)
        const [, stopped] = await pidsOf(workers)
        let isStopped = false
        const { state, events } = await train(workers, job, (step) => {
          if (step < 50 || isStopped) return
          isStopped = true
          process.kill(stopped!, 'SIGSTOP')
          void wait(20_000).then(() => runs(stopped!) && process.kill(stopped!, 'SIGCONT'))
        })
        expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
        expect(changesOf(events)).toEqual(['lost 1', 'replaced 1'])
        await until(() => !runs(stopped!))
      } finally {
        await workers.close()
      }
    })
  })
})
