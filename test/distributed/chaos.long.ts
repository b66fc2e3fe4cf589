/**
 * Many kills at random moments of one training: its final weights are those of the undisturbed one, bit for bit.
 *
 * A worker is killed only while all are there: without checkpoints the loss of all workers at once ends a training.
 */
import { rmSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { fold, keyOf, uniform } from '../../src/core/random.js'
import { pool } from '../../src/distributed/index.js'
import { missing } from '../needs.js'
import { bytesOf, smallJob, stepsPerEpoch } from './small-job.js'
import { ownTemporaryFolder, pidsOf, train } from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

const epochs = 60
const kills = 50
const stepsBetween = Math.floor((epochs * stepsPerEpoch) / (kills + 1))
const maxDelayMs = 30

describe.each(['wasm', 'native'] as const)('a pool on %s', (engine) => {
  test.skipIf(engine === 'native' && missing('native') !== undefined)(
    `ends with the same bits after ${kills} kills`,
    async () => {
      const job = await smallJob(ownFolder, engine, { epochs })
      const workers = await pool({ workers: 2, engine, name: `chaos on ${engine}` })
      try {
        const { state: expected } = await train(workers, job)
        const key = fold(keyOf(7), engine === 'wasm' ? 0 : 1)
        let [killed, replaced, isDue] = [0, 0, false]
        const kill = async (): Promise<void> => {
          const rank = uniform(key, killed++) < 0.5 ? 0 : 1
          const delayMs = maxDelayMs * uniform(fold(key, killed), 0)
          await new Promise((resolve) => setTimeout(resolve, delayMs))
          process.kill((await pidsOf(workers))[rank]!, 'SIGKILL')
        }
        const run = workers.step(job, (event) => {
          if (event.kind === 'worker' && event.change === 'replaced') replaced++
          if (event.kind !== 'step') return
          isDue ||= event.step % stepsBetween === 0
          if (!isDue || killed === kills || replaced < killed) return
          isDue = false
          void kill()
        })
        expect(bytesOf(await run.done).equals(bytesOf(expected))).toBe(true)
        // The last ones may have come too late, or the training have ended over them.
        expect(replaced).toBeGreaterThan(kills / 2)
      } finally {
        await workers.close()
      }
    },
  )
})
