/** What a pool does, and what it survives, on its processes as built. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { displaySymbol } from '../../src/core/display.js'
import type { TensorData } from '../../src/core/dtype.js'
import { pool, TrainingFailure, type Pool } from '../../src/distributed/index.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import type { TrainingJob } from '../../src/nn/train/job.js'
import { local } from '../../src/nn/train/local.js'
import { killNow, runs, until } from './processes.js'
import { allSteps, bytesOf, distance, smallJob, smallTransform, stepsPerEpoch } from './small-job.js'
import { changesOf, ownTemporaryFolder, pidsOf, silent, stepsOf, train } from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

describe('a pool', () => {
  let workers: Pool
  let job: TrainingJob

  beforeAll(async () => {
    job = await smallJob(ownFolder, 'wasm')
    workers = await pool({ workers: 2, engine: 'wasm', name: 'tested' })
  })
  afterAll(async () => workers.close())

  test('ends with the same bits when a worker is killed at an epoch end, in a pause, and as it starts', async () => {
    const { state: expected } = await train(workers, job)
    const { state, events } = await train(workers, job, (step, run) => {
      if (step === 10) void workers.status().then((status) => killNow(status.workers[1]!.pid!))
      if (step !== 15) return
      void run.pause().then(async () => {
        const [pid] = await pidsOf(workers)
        killNow(pid!)
        await until(() => !runs(pid!))
        await run.resume()
      })
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(changesOf(events).sort()).toEqual(['lost 0', 'lost 1', 'replaced 0', 'replaced 1'])
  })

  test('pauses between two steps, goes on, and stops', async () => {
    const endless = await smallJob(ownFolder, 'wasm', { epochs: 1000 })
    let last = 0
    const run = workers.step(endless, (event) => {
      if (event.kind === 'step') last = event.step
    })
    await until(() => last > 3)
    await run.pause()
    // A status comes behind every event that was told before it.
    await workers.status()
    const paused = last
    await new Promise((resolve) => setTimeout(resolve, 200))
    await workers.status()
    expect(last).toBe(paused)
    await run.resume()
    await until(() => last > paused)
    await run.pause()
    await workers.status()
    const again = last
    await new Promise((resolve) => setTimeout(resolve, 200))
    await workers.status()
    expect(last).toBe(again)
    await run.stop()
    const state = await run.done
    expect(state.step).toBe(last)
    expect(state.step).toBeLessThan(1000 * stepsPerEpoch)
  })

  test('trains on one worker alone while another training goes on beside it, and one over all workers after both', async () => {
    const endless = await smallJob(ownFolder, 'wasm', { epochs: 1000 })
    let begun = false
    const first = workers.step(endless, ({ kind }) => void (begun ||= kind === 'step'), { workers: 1 })
    const { state: expected } = await train(await local('wasm'), job)
    await until(() => begun)
    const second = await workers.step(job, silent, { workers: 1 }).done
    expect(bytesOf(second).equals(bytesOf(expected))).toBe(true)
    const over = workers.step(job, silent).done
    await first.stop()
    expect((await first.done).step).toBeGreaterThan(0)
    expect((await over).step).toBe(second.step)
  })

  test('goes on from a state to the same bits', async () => {
    const { state: whole } = await train(workers, job)
    const run = workers.step(job, (event) => {
      if (event.kind === 'step' && event.step === 10) void run.stop()
    })
    const middle = await run.done
    expect(middle.step).toBeLessThan(whole.step)
    const { state } = await train(workers, { ...job, start: middle })
    expect(bytesOf(state).equals(bytesOf(whole))).toBe(true)
  })

  test('trains on while the session is blocked', async () => {
    const events: TrainingEvent[] = []
    const run = workers.step(await smallJob(ownFolder, 'wasm', { epochs: 1000 }), (event) => events.push(event))
    await until(() => events.some(({ kind }) => kind === 'step'))
    const before = stepsOf(events).at(-1)!
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000)
    await workers.status()
    const after = stepsOf(events).at(-1)!
    await run.stop()
    // One step may have been in flight; more were taken by nobody who waits for the session.
    expect(after - before).toBeGreaterThan(3)
  })

  test('takes trainings one after another', async () => {
    const ends: string[] = []
    const submit = (name: string) =>
      workers.step({ ...job, name }, ({ kind }) => kind === 'end' && ends.push(name)).done
    const [first, second] = await Promise.all([submit('first'), submit('second')])
    expect(ends).toEqual(['first', 'second'])
    expect(bytesOf(first).equals(bytesOf(second))).toBe(true)
  })

  test('runs independent jobs as one process would, also when a worker is killed', async () => {
    const jobs = await Promise.all([1, 2, 3].map(async (seed) => smallJob(ownFolder, 'wasm', { seed, epochs: 2 })))
    const expected = await (await local('wasm')).map(jobs)
    const [pid] = await pidsOf(workers)
    const steps = new Set<number>()
    const states = await workers.map(jobs, (index, event) => {
      if (event.kind === 'step' && event.step === 5 && index === 0) killNow(pid!)
      steps.add(index)
    })
    expect(steps).toEqual(new Set([0, 1, 2]))
    expect(states.map((state, i) => bytesOf(state).equals(bytesOf(expected[i]!)))).toEqual([true, true, true])
  })

  test('transforms all rows in their order, also when a worker is killed', async () => {
    const { state } = await train(workers, job)
    const scores = await smallTransform(job, state)
    const expected = await joined((await local('wasm')).transform(scores))
    expect(expected).toHaveLength(240 * 10)
    expect(await joined(workers.transform(scores))).toEqual(expected)
    const [pid] = await pidsOf(workers)
    let blocks = 0
    const got = await joined(workers.transform(scores), () => {
      if (++blocks === 2) killNow(pid!)
    })
    expect(got).toEqual(expected)
  })

  test('lets a transform be left early', async () => {
    const { state } = await train(workers, job)
    for await (const [block] of workers.transform(await smallTransform(job, state))) {
      expect(block!.shape).toEqual([32, 10])
      break
    }
    expect((await train(workers, job)).state.step).toBe(allSteps.length)
  })

  test('shows its workers', async () => {
    const status = await workers.status()
    expect(status.workers.map(({ rank, state }) => `${rank} ${state}`)).toEqual(['0 idle', '1 idle'])
    expect(status.workers[0]!.memoryBytes).toBeGreaterThan(20e6)
    const bundle = await workers[displaySymbol]()
    expect(bundle['text/plain']).toMatch(/^Pool tested: 2 workers\nrank +pid +engine/)
    expect(bundle['text/html']).toContain(`<td style="text-align:left">${status.workers[1]!.pid}</td>`)
  })

  test('refuses jobs that it cannot run, and runs the next', async () => {
    expect(() => workers.step({ ...job, slices: 1 }, silent)).toThrow(/expected a job of at least 2 slices.*got 1/)
    expect(() => workers.step({ ...job, engine: 'native' }, silent)).toThrow(/engine wasm, got one for native/)
    const notData = { ...job, name: silent as never }
    await expect(workers.step(notData, silent).done).rejects.toThrow(/expected plain data at message\.work\.job\.name/)
    const wrong = { ...job, data: { ...job.data, columns: ['image', 'nothing'] } }
    await expect(workers.step(wrong, silent).done).rejects.toMatchObject({
      code: 'column',
      message: expect.stringMatching(/worker rank \d: /),
    })
    expect((await train(workers, job)).state.step).toBe(allSteps.length)
  })

  test('goes on with fewer workers when one keeps dying, and with all of them in the next training', async () => {
    let killed = 0
    const kill = async (): Promise<void> => {
      const { pid } = (await workers.status()).workers[1]!
      if (pid !== undefined) killNow(pid)
      killed++
    }
    const messages: string[] = []
    const run = workers.step(job, (event) => {
      if (event.kind === 'worker' || event.kind === 'notice') messages.push(event.message)
      if ((event.kind === 'step' && event.step === 5) || (event.kind === 'worker' && event.change === 'replaced'))
        void kill()
    })
    const state = await run.done
    // One more for each time that a step was made before the kill.
    expect(killed).toBeGreaterThanOrEqual(4)
    expect(messages.join('\n')).toMatch(/worker rank 1 .* was lost \(4 losses without progress\)/)
    expect(messages.join('\n')).toMatch(/goes on with 1 of its workers: rank 1 was given up/)
    const alone = await (await local('wasm')).step(job, silent).done
    expect(distance(alone, state)).toBeLessThan(1e-3)
    const { events } = await train(workers, job)
    expect(events[0]).toMatchObject({ kind: 'start', workers: 2 })
  })

  test('goes on with the same bits when all workers die at once', async () => {
    const { state: expected } = await train(workers, job)
    const pids = await pidsOf(workers)
    const { state, events } = await train(workers, job, (step) => {
      if (step === 5) for (const pid of pids) killNow(pid)
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(stepsOf(events)).toEqual(allSteps)
    const notice = events.find((event) => event.kind === 'notice')
    expect(notice?.message).toMatch(/All workers were lost, the state after step \d+ with them: on from step 0/)
  })

  test('fails with the cause when no worker can stay alive', async () => {
    const kill = async (): Promise<void> => {
      for (const { pid } of (await workers.status()).workers) if (pid !== undefined) killNow(pid)
    }
    const run = workers.step(job, (event) => {
      if ((event.kind === 'step' && event.step === 5) || (event.kind === 'worker' && event.change === 'replaced'))
        void kill()
    })
    const error = await run.done.then(silent, (cause: unknown) => cause)
    expect(error).toBeInstanceOf(TrainingFailure)
    expect(error).toMatchObject({
      code: 'pool',
      message: expect.stringMatching(/was lost \(\d losses without progress/),
    })
    expect((await train(workers, job)).state.step).toBe(allSteps.length)
  })
})

/** All values of the first output, in order. */
async function joined(blocks: AsyncIterable<readonly TensorData[]>, onBlock: () => void = silent): Promise<number[]> {
  const values: number[] = []
  for await (const [block] of blocks) {
    values.push(...block!.values)
    onBlock()
  }
  return values
}
