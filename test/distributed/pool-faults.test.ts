/** What a training survives besides kills: stopped and swollen workers, full disks, damaged states. No sample is lost. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { pool, type Pool, type PoolOptions } from '../../src/distributed/index.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import { killNow, runs, until } from './processes.js'
import { allSteps, bytesOf, epochs, smallJob, stepsPerEpoch } from './small-job.js'
import { changesOf, noticesOf, ownTemporaryFolder, pidsOf, stepsOf, train } from './trainings.js'

const ownFolder = ownTemporaryFolder()
const open: Pool[] = []
afterAll(async () => {
  await Promise.all(open.map(async (workers) => workers.close()))
  rmSync(ownFolder, { recursive: true })
})

async function start(options: PoolOptions): Promise<Pool> {
  const workers = await pool({ workers: 2, engine: 'wasm', ...options })
  open.push(workers)
  return workers
}

describe('a pool', () => {
  test('replaces a worker that is stopped, with the same bits; one that wakes is turned away', async () => {
    const workers = await start({ heartbeatMs: 4000 })
    const job = await smallJob(ownFolder, 'wasm')
    const { state: expected } = await train(workers, job)
    const pids = await pidsOf(workers)
    const { state, events } = await train(workers, job, (step) => {
      if (step === 13) process.kill(pids[1]!, 'SIGSTOP')
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(changesOf(events)).toEqual(['lost 1', 'replaced 1'])
    expect(events.find((event) => event.kind === 'worker')!.message).toMatch(/it gave no sign of life for \d+\.\d s/)
    await until(() => !runs(pids[1]!))
  })

  test('ends a worker that uses more memory than it may, and says so', async () => {
    const workers = await start({ workers: 1, memoryBytes: 1e8 })
    const job = await smallJob(ownFolder, 'wasm', { epochs: 1000 })
    const events: TrainingEvent[] = []
    const run = workers.step(job, (event) => events.push(event))
    await expect(run.done).rejects.toMatchObject({
      code: 'pool',
      message: expect.stringMatching(/it used \d+ MB of memory, more than the 100 MB it may/),
    })
  })

  test('goes on from the last checkpoint when all are lost, and from the one before when that is damaged', async () => {
    const workers = await start({ checkpoints: { everyMs: 1e9 } })
    const job = await smallJob(ownFolder, 'wasm')
    const { state: expected } = await train(workers, job)
    const events: TrainingEvent[] = []
    const run = workers.step(job, (event) => events.push(event))
    const pausedCheckpoint = async (): Promise<string> => {
      const steps = stepsOf(events).length
      await until(() => stepsOf(events).length > steps)
      await run.pause()
      return run.checkpoint!()
    }
    const older = await pausedCheckpoint()
    await run.resume()
    const newest = await pausedCheckpoint()
    expect(newest).not.toBe(older)
    writeFileSync(newest, readFileSync(newest).fill(7, 100, 140))
    for (const pid of await pidsOf(workers)) killNow(pid)
    await run.resume()
    const state = await run.done
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(noticesOf(events).join('\n')).toMatch(/The checkpoint step-\S+ is damaged/)
    expect(noticesOf(events).join('\n')).toMatch(/on from step [1-9]\d*\./)
    expect(stepsOf(events)).toEqual(allSteps)
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
    let killed = 0
    await new Promise<void>((resolve, reject) => {
      const run = workers.with({ sampleLogs }).step(job, (event) => {
        if (event.kind !== 'step' || event.step % 9 !== 0) return
        const rank = killed++ % 2
        void pidsOf(workers).then((pids) => pids[rank] !== undefined && killNow(pids[rank]))
      })
      run.done.then(() => resolve(), reject)
    })
    expect(killed).toBeGreaterThan(1)
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
    const events: TrainingEvent[] = []
    const run = workers.step(await smallJob(ownFolder, 'wasm', { epochs: 10_000 }), (event) => events.push(event))
    await until(() => events.some(({ kind }) => kind === 'workers'))
    await until(() => events.some((event) => event.kind === 'workers' && event.workers.length === 2))
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
