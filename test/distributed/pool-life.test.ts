/** The beginning and the end of a pool's processes, as built: clear errors, and nothing left behind. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { pool } from '../../src/distributed/index.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import { childrenOf, killNow, poolFolders, runs, until } from './processes.js'
import { bytesOf, smallJob } from './small-job.js'
import { disturb, endless, firstSteps, ownTemporaryFolder, pidsOf, silent, stepsOf } from './trainings.js'

const built = pathToFileURL(join(import.meta.dirname, '../../dist/src/distributed/index.js')).href
const sessions: ChildProcess[] = []
const ownFolder = ownTemporaryFolder()
afterAll(() => rmSync(ownFolder, { recursive: true }))

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
    const job = endless(await smallJob(ownFolder, 'wasm'))
    const events: TrainingEvent[] = []
    const { done } = workers.step(job, (event) => events.push(event))
    const outcome = done.catch((error: unknown) => error)
    await until(() => events.length > 3)
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

  test('starts the coordinator again when it dies, and what was open goes on with the same bits', async () => {
    const workers = await pool({ workers: 2, engine: 'wasm', checkpoints: { everyMs: 0 } })
    const { state, events, expected } = await disturb(workers, await smallJob(ownFolder, 'wasm'), async () => {
      const [coordinator] = childrenOf(process.pid).filter(runs)
      const lost = [coordinator!, ...(await pidsOf(workers))]
      killNow(coordinator!)
      await until(() => !lost.some(runs))
    })
    expect(bytesOf(state).equals(bytesOf(expected))).toBe(true)
    expect(stepsOf(events)).toEqual(firstSteps(state.step))
    await workers.close()
    expect(poolFolders()).toEqual([])
  })

  test('fails its trainings when coordinators keep dying, and leaves nothing', async () => {
    const workers = await pool({ workers: 1, engine: 'wasm' })
    const { done } = workers.step(endless(await smallJob(ownFolder, 'wasm')), silent)
    const outcome = done.catch((error: unknown) => error)
    const killed = new Set<number>()
    const kill = setInterval(() => {
      for (const pid of childrenOf(process.pid).filter(runs)) {
        if (!killed.has(pid)) killNow(pid)
        killed.add(pid)
      }
    }, 50)
    expect(await outcome).toMatchObject({
      code: 'pool',
      message: expect.stringMatching(/its coordinator to run, but it was ended by SIGKILL|could not be started/),
    })
    clearInterval(kill)
    expect(killed.size).toBeGreaterThan(1)
    expect(String(await workers.status())).toContain('failed')
    await workers.close()
    await until(() => poolFolders().length === 0)
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
    await until(() => !pids.some(runs))
    await until(() => poolFolders().length === 0)
  })

  test('lets a session end by itself, and goes with it', async () => {
    const script = `const { pool } = await import(${JSON.stringify(built)})
      const workers = await pool({ workers: 1, engine: 'wasm' })
      console.log(JSON.stringify((await workers.status()).workers.map(({ pid }) => pid)))`
    const { session, line } = startSession(script)
    const exit = new Promise((resolve) => session.once('exit', resolve))
    const pids = JSON.parse(await line) as number[]
    expect(await exit).toBe(0)
    await until(() => !pids.some(runs))
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
