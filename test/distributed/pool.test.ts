/** What a pool does, and what it survives, on its processes as built. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { displaySymbol } from '../../src/core/display.js'
import type { TensorData } from '../../src/core/dtype.js'
import { pool, TrainingFailure, type Pool } from '../../src/distributed/index.js'
import type { TrainingJob } from '../../src/nn/train/job.js'
import { local } from '../../src/nn/train/local.js'
import { killNow, runs, until } from './processes.js'
import { allSteps, bytesOf, distance, smallJob, smallTransform } from './small-job.js'
import {
  begin,
  changesOf,
  disturb,
  endless,
  firstSteps,
  noticesOf,
  ownTemporaryFolder,
  pidsOf,
  silent,
  stepsOf,
  train,
  upTo,
} from './trainings.js'

const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

describe('a pool', () => {
  let workers: Pool
  let job: TrainingJob

  beforeAll(async () => {
    job = await smallJob(ownFolder, 'wasm')
    workers = await pool({ niceness: 0, workers: 2, engine: 'wasm', name: 'tested', checkpoints: { everyMs: 1e9 } })
  })
  afterAll(async () => workers.close())

  test('comes to the same bits when a worker is killed while it trains, and one in a pause', async () => {
    const { state, events, expected } = await disturb(workers, job, async (training) => {
      const [first, second] = await pidsOf(workers)
      killNow(second!)
      await training.reach(() => changesOf(training.events).includes('replaced 1'))
      await training.run.pause()
      killNow(first!)
      await until(() => !runs(first!))
      await training.run.resume()
      await training.reach(() => changesOf(training.events).includes('replaced 0'))
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(changesOf(events)).toEqual(['lost 1', 'replaced 1', 'lost 0', 'replaced 0'])
  })

  test('pauses between two steps, goes on, and stops', async () => {
    let last = 0
    const run = workers.step(endless(job), (event) => {
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
  })

  test('trains on one worker alone while another training goes on beside it, and one over all workers after both', async () => {
    let begun = false
    const first = workers.step(endless(job), ({ kind }) => void (begun ||= kind === 'step'), { workers: 1 })
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
    const { run } = await begin(workers, job)
    await run.stop()
    const middle = await run.done
    const longer = upTo(job, middle.step + 25)
    const { state: whole } = await train(workers, longer)
    const { state } = await train(workers, { ...longer, start: middle })
    expect(bytesOf(state).equals(bytesOf(whole))).toBe(true)
  })

  test('trains on while the session is blocked', async () => {
    const sampleLogs = mkdtempSync(join(ownFolder, 'samples-'))
    const { run } = await begin(workers.with({ sampleLogs }), job)
    const computed = (): number => readFileSync(join(sampleLogs, 'rank-0.log'), 'utf8').split('\n').length
    const [before, began] = [computed(), performance.now()]
    // A step is two lines. Some may have been in flight; more are taken by nobody who waits for the session.
    while (computed() < before + 20 && performance.now() - began < 100_000) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
    expect(computed()).toBeGreaterThanOrEqual(before + 20)
    await run.stop()
    await run.done
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
    const plain = await smallJob(ownFolder, 'wasm', { optimiser: 'sgd' })
    const { run, events, reach, nextStep } = await begin(workers, plain)
    let killed = 0
    await whileKilled(
      workers,
      [1],
      reach(() => noticesOf(events).length > 0),
      () => killed++,
    )
    await nextStep()
    await run.stop()
    const state = await run.done
    // One more for each time that a step was made before the kill.
    expect(killed).toBeGreaterThanOrEqual(4)
    const lost = events.flatMap((event) => (event.kind === 'worker' ? [event.message] : [])).join('\n')
    expect(lost).toMatch(/worker rank 1 .* was lost \(4 losses without progress\)/)
    expect(noticesOf(events)).toEqual([expect.stringMatching(/goes on with 1 of its workers: rank 1 was given up/)])
    const alone = await (await local('wasm')).step(upTo(plain, state.step), silent).done
    expect(distance(alone, state)).toBeLessThan(1e-3)
    expect((await train(workers, job)).events[0]).toMatchObject({ kind: 'start', workers: 2 })
  })

  test('goes on with the same bits when all workers die at once', async () => {
    const { state, events, expected } = await disturb(workers, job, async ({ events: told, reach }) => {
      for (const pid of await pidsOf(workers)) killNow(pid)
      await reach(() => noticesOf(told).length > 0)
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(stepsOf(events)).toEqual(firstSteps(state.step))
    expect(noticesOf(events)).toEqual([
      expect.stringMatching(/All workers were lost, the state after step \d+ with them: on from step 0/),
    ])
  })

  test('fails with the cause when no worker can stay alive', async () => {
    const { run } = await begin(workers, job)
    const failed = run.done.then(silent, (cause: unknown) => cause)
    await whileKilled(workers, [0, 1], failed)
    const error = await failed
    expect(error).toBeInstanceOf(TrainingFailure)
    expect(error).toMatchObject({
      code: 'pool',
      message: expect.stringMatching(/was lost \(\d losses without progress/),
    })
    expect((await train(workers, job)).state.step).toBe(allSteps.length)
  })
})

/** Kills these ranks as soon as they run, again and again, until something has come to pass. */
async function whileKilled(on: Pool, ranks: readonly number[], passed: Promise<unknown>, onKill = silent) {
  let isOver = false
  const over = passed.finally(() => (isOver = true))
  over.catch(silent)
  const killed = new Set<number>()
  const kill = async (): Promise<boolean> => {
    const pids = await pidsOf(on)
    for (const pid of ranks.map((rank) => pids[rank])) {
      if (pid === undefined || killed.has(pid)) continue
      killNow(pid)
      killed.add(pid)
      onKill()
    }
    return isOver
  }
  await vi.waitUntil(kill, { timeout: 250_000, interval: 10 })
  await over
}

/** All values of the first output, in order. */
async function joined(blocks: AsyncIterable<readonly TensorData[]>, onBlock: () => void = silent): Promise<number[]> {
  const values: number[] = []
  for await (const [block] of blocks) {
    values.push(...block!.values)
    onBlock()
  }
  return values
}
