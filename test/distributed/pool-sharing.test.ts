/** How workers share a training, and trainings share workers. */
import { rmSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { pool, type Pool } from '../../src/distributed/index.js'
import type { TrainingJob } from '../../src/nn/train/job.js'
import { local } from '../../src/nn/train/local.js'
import { killNow, until } from './processes.js'
import { bytesOf, distance, smallJob } from './small-job.js'
import { begin, changesOf, disturb, endless, ownTemporaryFolder, pidsOf, silent, upTo } from './trainings.js'

const ownFolder = ownTemporaryFolder()
const open: Pool[] = []
afterAll(async () => {
  await Promise.all(open.map(async (workers) => workers.close()))
  rmSync(ownFolder, { recursive: true })
})

async function start(workers: number, options: { turnMs?: number } = {}): Promise<Pool> {
  const started = await pool({ niceness: 0, workers, engine: 'wasm', ...options })
  open.push(started)
  return started
}

describe('workers share a training', () => {
  test.each([1, 2, 3, 4])('%d workers come to the weights of one process', async (count) => {
    const workers = await start(count)
    const alone = await local('wasm')
    for (const [optimiser, limit] of [
      ['sgd', 1e-5],
      ['adam', 1e-3],
    ] as const) {
      const job = await smallJob(ownFolder, 'wasm', { optimiser, epochs: 5 })
      const expected = await alone.step(job, silent).done
      const state = await workers.step(job, silent).done
      expect(state.step).toBe(50)
      expect(distance(expected, state)).toBeLessThanOrEqual(limit)
      expect(bytesOf(await workers.step(job, silent).done).equals(bytesOf(state))).toBe(true)
    }
    await workers.close()
  })

  test('by local SGD they learn, with the same bits again and after a kill', async () => {
    const workers = await start(2)
    const job = await smallJob(ownFolder, 'wasm', { epochs: 4 })
    const strategy = workers.with({ strategy: { kind: 'localSgd', everySteps: 4 } })
    const losses: number[] = []
    const state = await strategy.step(job, (event) => event.kind === 'epoch' && losses.push(event.loss)).done
    expect(state.step).toBe(40)
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.1)
    expect(bytesOf(await workers.step(job, silent).done).equals(bytesOf(state))).toBe(false)
    const killed = await disturb(strategy, job, async ({ events, reach }) => {
      killNow((await pidsOf(workers))[0]!)
      await reach(() => changesOf(events).includes('replaced 0'))
    })
    expect(bytesOf(killed.state).equals(bytesOf(killed.expected))).toBe(true)
    const single = workers.with({ strategy: { kind: 'localSgd', everySteps: 1 } })
    const plain = await smallJob(ownFolder, 'wasm', { optimiser: 'sgd', epochs: 2 })
    // Averaged after every step of plain descent it is the descent of the whole batch.
    const whole = await workers.step(plain, silent).done
    expect(distance(whole, await single.step(plain, silent).done)).toBeLessThan(1e-5)
  })

  test.each([{ kind: 'float16' }, { kind: 'topK', share: 0.25 }] as const)(
    'with gradients compressed by $kind they learn nearly as well',
    async (compression) => {
      const workers = await start(2)
      const job = await smallJob(ownFolder, 'wasm', { epochs: 6 })
      const lossOf = async (on: Pick<Pool, 'step'>): Promise<number> => {
        let loss = Infinity
        await on.step(job, (event) => event.kind === 'epoch' && (loss = event.loss)).done
        return loss
      }
      const [exact, compressed] = [await lossOf(workers), await lossOf(workers.with({ compression }))]
      expect(compressed).toBeLessThan(exact * 1.3 + 0.05)
      expect(compressed).not.toBe(exact)
      await workers.close()
    },
  )

  test('options out of range are refused', async () => {
    const workers = await start(1)
    expect(() => workers.with({ strategy: { kind: 'localSgd', everySteps: 0 } })).toThrow(/everySteps/)
    expect(() => workers.with({ compression: { kind: 'topK', share: 0 } })).toThrow(/share/)
    expect(() => workers.with({ strategy: { kind: 'zero' as 'allReduce' } })).toThrow(/strategy\.kind/)
    await workers.close()
  })
})

describe('trainings share workers', () => {
  const named = (job: TrainingJob, name: string): TrainingJob => ({ ...job, name })

  test('in turns, with the same bits as one after the other', async () => {
    const workers = await start(1, { turnMs: 300 })
    const job = await smallJob(ownFolder, 'wasm')
    const turns: string[] = []
    const submit = (name: string) =>
      workers.step(endless(named(job, name)), ({ kind }) => {
        if (kind === 'step' && turns.at(-1) !== name) turns.push(name)
      })
    const runs = ['a', 'b'].map(submit)
    await until(() => turns.length > 3)
    await Promise.all(runs.map(async (run) => run.stop()))
    for (const { done } of runs) {
      const state = await done
      const expected = await workers.step(upTo(job, state.step), silent).done
      expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    }
  })

  test('those of higher priority first, at once', async () => {
    const workers = await start(1)
    const job = await smallJob(ownFolder, 'wasm', { epochs: 2 })
    const first = await begin(workers, named(job, 'first'))
    const urgent = await workers.with({ priority: 1 }).step(named(job, 'urgent'), silent).done
    expect(urgent.step).toBe(20)
    await first.nextStep()
    await first.run.stop()
    const state = await first.run.done
    const expected = await workers.step(upTo(job, state.step), silent).done
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect((await workers.tasks()).map(({ name, state: how }) => `${name} ${how}`)).toEqual([
      'first stopped',
      'urgent done',
      'small done',
    ])
  })

  test('one that is paused makes room, and one that waits can be stopped', async () => {
    const workers = await start(1)
    const job = await smallJob(ownFolder, 'wasm', { epochs: 2 })
    const { run: paused } = await begin(workers, named(job, 'paused'))
    await paused.pause()
    expect((await workers.step(job, silent).done).step).toBe(20)
    const waiting = workers.step(endless(named(job, 'waiting')), silent)
    await paused.resume()
    await waiting.stop()
    await paused.stop()
    expect((await paused.done).step).toBeGreaterThan(0)
    await waiting.done
    const states = (await workers.tasks()).map(({ name, state }) => `${name} ${state}`)
    expect(states).toEqual(['paused stopped', 'small done', 'waiting stopped'])
  })
})
