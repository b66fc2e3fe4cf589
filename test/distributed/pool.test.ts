/** The pool's processes, as built: trainings that survive, and that nothing survives them. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { displaySymbol } from '../../src/core/display.js'
import type { TensorData } from '../../src/core/dtype.js'
import { pool, TrainingFailure, type Pool } from '../../src/distributed/index.js'
import type { StepRun } from '../../src/nn/strategy.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import type { TrainingJob, TrainingState } from '../../src/nn/train/job.js'
import { local } from '../../src/nn/train/local.js'
import { childrenOf, poolFolders, runs, within } from './processes.js'
import { bytesOf, distance, smallJob, smallTransform, stepsPerEpoch, writeStripes } from './small-job.js'

const built = pathToFileURL(join(import.meta.dirname, '../../dist/src/distributed/index.js')).href
const sessions: ChildProcess[] = []

// A temporary folder of our own: other pools of this machine are none of our business.
const ownFolder = mkdtempSync(join(tmpdir(), 'pool-test-'))
process.env['TMPDIR'] = ownFolder
writeStripes(ownFolder)
afterAll(() => rmSync(ownFolder, { recursive: true }))

const silent = (): void => {}

/** Runs a job and keeps its events; `onStep` is called as steps are told. */
async function train(
  on: Pool,
  job: TrainingJob,
  onStep: (step: number, run: StepRun) => void = silent,
): Promise<{ state: TrainingState; events: TrainingEvent[] }> {
  const events: TrainingEvent[] = []
  const run: StepRun = on.step(job, (event) => {
    events.push(event)
    if (event.kind === 'step') onStep(event.step, run)
  })
  return { state: await run.done, events }
}

const pidsOf = async (on: Pool): Promise<number[]> => (await on.status()).workers.map(({ pid }) => pid!)
const stepsOf = (events: readonly TrainingEvent[]): number[] =>
  events.flatMap((event) => (event.kind === 'step' ? [event.step] : []))
const changesOf = (events: readonly TrainingEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'worker' ? [`${event.change} ${event.rank}`] : []))

describe.each(['wasm', 'native'] as const)('a pool of two on %s', (engine) => {
  let workers: Pool
  let job: TrainingJob
  let undisturbed: { state: TrainingState; events: TrainingEvent[] }

  beforeAll(async () => {
    job = await smallJob(ownFolder, engine)
    workers = await pool({ workers: 2, engine, name: 'tested' })
    undisturbed = await train(workers, job)
  })
  afterAll(async () => workers.close())

  test('trains to the weights of one process on the same batches', async () => {
    const sgd = await smallJob(ownFolder, engine, { optimiser: 'sgd', epochs: 5 })
    const alone = await (await local(engine)).step(sgd, silent).done
    const { state } = await train(workers, sgd)
    expect(state.step).toBe(5 * stepsPerEpoch)
    expect(distance(alone, state)).toBeLessThan(1e-5)
  })

  test('tells of every step and epoch once, in order', () => {
    const { events } = undisturbed
    expect(stepsOf(events)).toEqual(Array.from({ length: 3 * stepsPerEpoch }, (_, i) => i + 1))
    expect(events[0]).toMatchObject({ kind: 'start', workers: 2, stepsPerEpoch })
    expect(events.at(-1)).toMatchObject({ kind: 'end', reason: 'done', step: 3 * stepsPerEpoch })
    const epochs = events.filter((event) => event.kind === 'epoch')
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3])
    expect(epochs[2]!.validation!['accuracy']).toBeGreaterThan(epochs[0]!.validation!['accuracy']!)
  })

  test('gives the same bits again', async () => {
    const { state } = await train(workers, job)
    expect(bytesOf(state).equals(bytesOf(undisturbed.state))).toBe(true)
  })

  test.each([0, 1])('ends with the same bits when rank %d is killed', async (rank) => {
    const pids = await pidsOf(workers)
    const { state, events } = await train(workers, job, (step) => {
      if (step === 13) process.kill(pids[rank]!, 'SIGKILL')
    })
    expect(bytesOf(state).equals(bytesOf(undisturbed.state))).toBe(true)
    expect(changesOf(events)).toEqual([`lost ${rank}`, `replaced ${rank}`])
    expect(stepsOf(events)).toEqual(stepsOf(undisturbed.events))
    expect(events.filter(({ kind }) => kind === 'epoch')).toHaveLength(3)
    const replaced = await pidsOf(workers)
    expect(replaced[rank]).not.toBe(pids[rank])
    expect(replaced[1 - rank]).toBe(pids[1 - rank])
  })
})

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
      if (step === 10) void workers.status().then((status) => process.kill(status.workers[1]!.pid!, 'SIGKILL'))
      if (step !== 15) return
      void run.pause().then(async () => {
        const [pid] = await pidsOf(workers)
        process.kill(pid!, 'SIGKILL')
        await within(10_000, () => !runs(pid!))
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
    await within(10_000, () => last > 3)
    await run.pause()
    // A status comes behind every event that was told before it.
    await workers.status()
    const paused = last
    await new Promise((resolve) => setTimeout(resolve, 200))
    await workers.status()
    expect(last).toBe(paused)
    await run.resume()
    expect(await within(10_000, () => last > paused)).toBe(true)
    await run.stop()
    const state = await run.done
    expect(state.step).toBe(last)
    expect(state.step).toBeLessThan(1000 * stepsPerEpoch)
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
    const run = workers.step(await smallJob(ownFolder, 'wasm', { epochs: 1000 }), (event) => events.push(event))
    const events: TrainingEvent[] = []
    await within(10_000, () => events.some(({ kind }) => kind === 'step'))
    const before = stepsOf(events).at(-1)!
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
    await workers.status()
    expect(stepsOf(events).at(-1)! - before).toBeGreaterThan(10)
    await run.stop()
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
      if (event.kind === 'step' && event.step === 5 && index === 0) process.kill(pid!, 'SIGKILL')
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
      if (++blocks === 2) process.kill(pid!, 'SIGKILL')
    })
    expect(got).toEqual(expected)
  })

  test('lets a transform be left early', async () => {
    const { state } = await train(workers, job)
    for await (const [block] of workers.transform(await smallTransform(job, state))) {
      expect(block!.shape).toEqual([32, 10])
      break
    }
    expect((await train(workers, job)).state.step).toBe(30)
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
    expect((await train(workers, job)).state.step).toBe(30)
  })

  test('gives up when workers keep dying, and hands over the state that a survivor has', async () => {
    let killed = 0
    const kill = async (): Promise<void> => {
      const pid = (await workers.status()).workers[1]!.pid
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      killed++
    }
    const run = workers.step(job, (event) => {
      if ((event.kind === 'step' && event.step === 5) || (event.kind === 'worker' && event.change === 'replaced'))
        void kill()
    })
    const error = await run.done.then(silent, (cause: unknown) => cause)
    expect(error).toBeInstanceOf(TrainingFailure)
    expect(error).toMatchObject({
      code: 'pool',
      message: expect.stringMatching(/worker rank 1 .* was lost \(4 losses without progress\)/),
    })
    expect(killed).toBe(4)
    expect((error as TrainingFailure).state!.step).toBeGreaterThanOrEqual(5)
    expect((await train(workers, job)).state.step).toBe(30)
  })

  test('fails clearly when all workers die at once, and works again afterwards', async () => {
    const pids = await pidsOf(workers)
    const run = workers.step(job, (event) => {
      if (event.kind === 'step' && event.step === 5) for (const pid of pids) process.kill(pid, 'SIGKILL')
    })
    await expect(run.done).rejects.toMatchObject({
      code: 'pool',
      message: expect.stringMatching(/all 2 workers were lost/),
    })
    expect((await train(workers, job)).state.step).toBe(30)
  })
})

describe('starting and ending', () => {
  afterAll(() => {
    for (const session of sessions) session.kill('SIGKILL')
  })

  test.each([
    [{ workers: 0 }, 'expected workers to be an integer in [1, 256], got 0'],
    [{ workers: 1.5 }, 'got 1.5'],
    [{ workers: 2, engine: 'wasmm' as never }, 'Did you mean "wasm"?'],
    [{ workers: 2, name: '' }, 'expected name to be text, got ""'],
  ])('refuses %j', async (options, message) => {
    await expect(pool(options)).rejects.toMatchObject({ code: 'argument', message: expect.stringContaining(message) })
  })

  test('tells which worker cannot start and why, and leaves nothing', async () => {
    const before = process.env['SHARDBOOK_CACHE']
    const folder = mkdtempSync(join(tmpdir(), 'empty-cache-'))
    process.env['SHARDBOOK_CACHE'] = folder
    try {
      await expect(pool({ workers: 2, engine: 'native' })).rejects.toMatchObject({
        code: 'missing',
        message: expect.stringMatching(/pool: worker rank \d \(pid \d+\) could not start: .*engine install native/),
      })
    } finally {
      if (before === undefined) delete process.env['SHARDBOOK_CACHE']
      else process.env['SHARDBOOK_CACHE'] = before
      rmSync(folder, { recursive: true })
    }
    expect(childrenOf(process.pid).filter(runs)).toEqual([])
  })

  test('leaves no process and no file when it is closed, twice, in the middle of a training', async () => {
    const workers = await pool({ workers: 2, engine: 'wasm' })
    const [coordinator] = childrenOf(process.pid).filter(runs)
    const pids = await pidsOf(workers)
    const job = await smallJob(ownFolder, 'wasm', { epochs: 1000 })
    const events: TrainingEvent[] = []
    const { done } = workers.step(job, (event) => events.push(event))
    const outcome = done.catch((error: unknown) => error)
    await within(10_000, () => events.length > 3)
    await Promise.all([workers.close(), workers.close()])
    await workers.close()
    expect(await outcome).toMatchObject({ code: 'state', message: expect.stringMatching(/"pool".*was closed/) })
    expect(events.at(-1)).toMatchObject({ kind: 'end', reason: 'failed' })
    expect([coordinator!, ...pids].filter(runs)).toEqual([])
    expect(poolFolders()).toEqual([])
    expect(() => workers.step(job, silent)).toThrow(/expected an open pool, got "pool", which is closed/)
    await expect(workers.map([job])).rejects.toMatchObject({ code: 'state' })
    expect(String(await workers.status())).toContain('closed')
  })

  test('fails its trainings when the coordinator dies, and leaves nothing', async () => {
    const workers = await pool({ workers: 2, engine: 'wasm' })
    const [coordinator] = childrenOf(process.pid).filter(runs)
    const pids = await pidsOf(workers)
    const { done } = workers.step(await smallJob(ownFolder, 'wasm', { epochs: 1000 }), silent)
    process.kill(coordinator!, 'SIGKILL')
    await expect(done).rejects.toMatchObject({
      code: 'pool',
      message: expect.stringMatching(/its coordinator to run, but it was ended by SIGKILL/),
    })
    expect(await within(5000, () => !pids.some(runs))).toBe(true)
    expect(await within(1000, () => poolFolders().length === 0)).toBe(true)
    expect(String(await workers.status())).toContain('failed')
    await workers.close()
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)('does not outlive a session ended by %s', async (signal) => {
    const script = `const { pool } = await import(${JSON.stringify(built)})
      const workers = await pool({ workers: 2, engine: 'wasm' })
      console.log(JSON.stringify((await workers.status()).workers.map(({ pid }) => pid)))
      setInterval(() => {}, 1000)`
    const { session, line } = startSession(script)
    const workers = JSON.parse(await line) as number[]
    const pids = [...childrenOf(session.pid!), ...workers]
    expect(pids.filter(runs)).toHaveLength(3)
    session.kill(signal)
    expect(await within(5000, () => !pids.some(runs))).toBe(true)
    expect(await within(1000, () => poolFolders().length === 0)).toBe(true)
  })

  test('lets a session end by itself, and goes with it', async () => {
    const script = `const { pool } = await import(${JSON.stringify(built)})
      const workers = await pool({ workers: 1, engine: 'wasm' })
      console.log(JSON.stringify((await workers.status()).workers.map(({ pid }) => pid)))`
    const { session, line } = startSession(script)
    const exit = new Promise((resolve) => session.once('exit', resolve))
    const pids = JSON.parse(await line) as number[]
    expect(await exit).toBe(0)
    expect(await within(5000, () => !pids.some(runs))).toBe(true)
  })
})

function startSession(script: string): { session: ChildProcess; line: Promise<string> } {
  const folder = mkdtempSync(join(tmpdir(), 'session-test-'))
  const file = join(folder, 'session.mjs')
  writeFileSync(file, script)
  const session = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = new Promise<string>((resolve) =>
    session.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString())),
  )
  session.once('exit', () => rmSync(folder, { recursive: true }))
  sessions.push(session)
  return { session, line }
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
