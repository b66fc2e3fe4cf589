/** What a training survives besides kills: stopped and swollen workers, full disks, damaged states. No sample is lost. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { pool, type Pool, type PoolOptions } from '../../src/distributed/index.js'
import { killNow, runs, until } from './processes.js'
import { allSteps, bytesOf, smallJob, stepsPerEpoch } from './small-job.js'
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
} from './trainings.js'

const ownFolder = ownTemporaryFolder()
const open: Pool[] = []
afterAll(async () => {
  await Promise.all(open.map(async (workers) => workers.close()))
  rmSync(ownFolder, { recursive: true })
})

async function start(options: PoolOptions): Promise<Pool> {
  const workers = await pool({ niceness: 0, workers: 2, engine: 'wasm', ...options })
  open.push(workers)
  return workers
}

describe('a pool', () => {
  test('replaces a worker that is stopped, with the same bits; one that wakes is turned away', async () => {
    const workers = await start({ heartbeatMs: 4000 })
    const job = await smallJob(ownFolder, 'wasm')
    const pids = await pidsOf(workers)
    const { state, events, expected } = await disturb(workers, job, async ({ events: told, reach }) => {
      process.kill(pids[1]!, 'SIGSTOP')
      await reach(() => changesOf(told).includes('replaced 1'))
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(changesOf(events)).toEqual(['lost 1', 'replaced 1'])
    expect(events.find((event) => event.kind === 'worker')!.message).toMatch(/it gave no sign of life for \d+\.\d s/)
    await until(() => !runs(pids[1]!))
  })

  test('ends a worker that uses more memory than it may, and says so', async () => {
    const workers = await start({ workers: 1, memoryBytes: 1e8 })
    const run = workers.step(endless(await smallJob(ownFolder, 'wasm')), silent)
    await expect(run.done).rejects.toMatchObject({
      code: 'pool',
      message: expect.stringMatching(/it used \d+ MB of memory, more than the 100 MB it may/),
    })
  })

  test('goes on from the last checkpoint when all are lost, and from the one before when that is damaged', async () => {
    const workers = await start({ checkpoints: { everyMs: 1e9 } })
    const job = await smallJob(ownFolder, 'wasm')
    const { state, events, expected } = await disturb(workers, job, async (training) => {
      const { run } = training
      await run.pause()
      const older = await run.checkpoint!()
      await run.resume()
      await training.nextStep()
      await run.pause()
      const newest = await run.checkpoint!()
      expect(newest).not.toBe(older)
      writeFileSync(newest, readFileSync(newest).fill(7, 100, 140))
      for (const pid of await pidsOf(workers)) killNow(pid)
      await run.resume()
      await training.reach(() => noticesOf(training.events).length > 1)
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(noticesOf(events).join('\n')).toMatch(/The checkpoint step-\S+ is damaged/)
    expect(noticesOf(events).join('\n')).toMatch(/on from step [1-9]\d*\./)
    expect(stepsOf(events)).toEqual(firstSteps(state.step))
  })

  test.skipIf(process.getuid?.() !== 0)('trains on when the disk is full at a checkpoint, and says so', async () => {
    const disk = join(ownFolder, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk])
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = disk
    try {
      const workers = await start({ checkpoints: { everyMs: 0 } })
      const job = await smallJob(ownFolder, 'wasm')
      const { state, events } = await train(workers, job)
      expect(state.step).toBe(allSteps.length)
      expect(noticesOf(events).join('\n')).toMatch(/The state after step \d+ could not be saved; the training goes on/)
      await workers.close()
    } finally {
      process.env['TMPDIR'] = before
      execFileSync('umount', ['-l', disk])
    }
  })

  test('computes every sample of an epoch once, whoever is killed', async () => {
    const workers = await start({})
    const sampleLogs = join(ownFolder, 'samples')
    mkdirSync(sampleLogs)
    const job = await smallJob(ownFolder, 'wasm')
    const { run, events, reach, nextStep } = await begin(workers.with({ sampleLogs }), job)
    for (const killed of [1, 2, 3, 4]) {
      killNow((await pidsOf(workers))[killed % 2]!)
      await reach(() => changesOf(events).length === 2 * killed)
      await nextStep()
    }
    await reach(() => stepsOf(events).at(-1)! > 2 * stepsPerEpoch)
    await run.stop()
    const epochs = Math.floor((await run.done).step / stepsPerEpoch)
    const bySlice = new Map<string, string>()
    for (const file of readdirSync(sampleLogs)) {
      for (const line of readFileSync(join(sampleLogs, file), 'utf8').trim().split('\n')) {
        const [step, slice, ordinals] = line.split(' ')
        // A step that is repeated has the same samples.
        expect(bySlice.get(`${step} ${slice}`) ?? ordinals).toBe(ordinals)
        bySlice.set(`${step} ${slice}`, ordinals!)
      }
    }
    for (let epoch = 0; epoch < epochs; epoch++) {
      const samples = [...bySlice].flatMap(([key, ordinals]) => {
        const step = Number(key.split(' ')[0])
        return Math.floor(step / stepsPerEpoch) === epoch ? ordinals.split(',').map(Number) : []
      })
      expect(samples.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 240 }, (_, i) => i))
    }
  })

  test('tells what workers wrote, each line behind its rank', async () => {
    const workers = await start({})
    await expect(workers.logs({ rank: 2 })).rejects.toMatchObject({ code: 'argument' })
    expect(typeof (await workers.logs({ rank: 1, lines: 5 }))).toBe('string')
  })

  test('tells of the load of its workers while they train', async () => {
    const workers = await start({})
    const { run, events, reach } = await begin(workers, await smallJob(ownFolder, 'wasm'))
    await reach(() => events.some((event) => event.kind === 'workers' && event.workers.length === 2))
    const status = await workers.status()
    await run.stop()
    const told = events.findLast((event) => event.kind === 'workers')!
    expect(told.workers.map(({ rank }) => rank)).toEqual([0, 1])
    for (const { rowsPerSecond, inputShare, reduceShare, memoryBytes } of told.workers) {
      expect(rowsPerSecond).toBeGreaterThan(0)
      expect(inputShare + reduceShare).toBeLessThanOrEqual(1.05)
      expect(memoryBytes).toBeGreaterThan(20e6)
    }
    expect(String(status)).toMatch(/rows\/s +input +communication\n0 .* \d+ %/)
    expect(String(status)).toMatch(/small +training +running/)
  })
})
