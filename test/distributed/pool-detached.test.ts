/** Detached pools: they outlive the session that started them, and another finds them by name. */
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engine, pool } from '../../src/index.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import { killNow, runs, until } from './processes.js'
import { ownTemporaryFolder, pidsOf, stepsOf } from './trainings.js'

const built = pathToFileURL(join(import.meta.dirname, '../../dist/src/index.js')).href
const ownFolder = ownTemporaryFolder()
const cache = mkdtempSync(join(ownFolder, 'cache-'))
const before = process.env['SHARDBOOK_CACHE']
const sessions: ChildProcess[] = []

beforeAll(() => {
  process.env['SHARDBOOK_CACHE'] = cache
})
afterAll(async () => {
  for (const session of sessions) session.kill('SIGKILL')
  for (const name of pool.list()) await (await pool.attach(name)).close()
  if (before === undefined) delete process.env['SHARDBOOK_CACHE']
  else process.env['SHARDBOOK_CACHE'] = before
  rmSync(ownFolder, { recursive: true })
})

/** A session that starts a pool with a training without an end, and is killed once that has been saved. */
async function leaveTraining(name: string): Promise<void> {
  const file = join(ownFolder, `${name}.mjs`)
  writeFileSync(
    file,
    `const { datasets, engine, ml, pool } = await import(${JSON.stringify(built)})
    await engine.use('wasm')
    const workers = await pool({ niceness: 0, workers: 2, engine: 'wasm', name: ${JSON.stringify(name)}, detached: true, checkpoints: { everyMs: 200 } })
    const glyphs = await datasets.glyphs({ rows: 160, seed: 1 })
    const cnn = new ml.CNNClassifier({ inputCol: 'image', batchSize: 32, maxIter: 100_000, seed: 3 })
    const training = cnn.fit(glyphs, { on: workers })
    training.on((event) => {
      if (event.kind === 'step' && event.step === 1) void training.checkpoint()
      if (event.kind === 'checkpoint') console.error('UNDER WAY')
    })
    setInterval(() => {}, 1000)`,
  )
  const session = spawn(process.execPath, [file], { stdio: ['ignore', 'ignore', 'pipe'] })
  sessions.push(session)
  let text = ''
  await new Promise<void>((resolve, reject) => {
    session.stderr.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      if (text.includes('UNDER WAY')) resolve()
    })
    session.once('exit', () => reject(new Error(text)))
  })
  session.removeAllListeners('exit')
  session.kill('SIGKILL')
  await new Promise((resolve) => session.once('exit', resolve))
}

describe('a detached pool', () => {
  test('outlives its session; another finds its training, the chart goes on, and the model comes', async () => {
    await leaveTraining('first')
    const entry = join(cache, 'pools', 'first.json')
    expect(statSync(entry).mode & 0o777).toBe(0o600)
    expect(statSync(join(cache, 'pools')).mode & 0o777).toBe(0o700)
    expect(pool.list()).toEqual(['first'])
    await expect(pool({ name: 'first', detached: true, engine: 'wasm' })).rejects.toThrow(
      /expected a name that is free, got "first", a pool that runs.*pool\.attach\("first"\)/,
    )
    const workers = await pool.attach('first')
    const pids = await pidsOf(workers)
    expect(await workers.tasks()).toMatchObject([{ name: 'CNNClassifier', kind: 'step', state: 'running' }])
    const training = workers.training()
    const events: TrainingEvent[] = []
    training.on((event) => events.push(event))
    await until(() => stepsOf(events).length > 0)
    await training.stop()
    const model = await training
    expect(training.view).toMatchObject({ status: 'stopped', step: stepsOf(events).at(-1), workers: 2 })
    expect(training.view.steps[0]!.step).toBe(1)
    await engine.use('wasm')
    const path = join(ownFolder, 'model')
    await model.save(path)
    expect(JSON.parse(readFileSync(join(path, 'model.json'), 'utf8'))).toMatchObject({ kind: 'CNNClassifierModel' })
    // Who comes later still gets the result.
    await workers.detach()
    const again = await pool.attach('first')
    expect(await again.training('CNNClassifier')).toHaveProperty('save')
    await expect(again.training('other')).rejects.toMatchObject({ code: 'argument' })
    await again.close()
    await again.close()
    await until(() => !pids.some(runs))
    expect(existsSync(entry)).toBe(false)
    expect(existsSync(join(cache, 'pools', 'first.state'))).toBe(false)
    await expect(pool.attach('first')).rejects.toMatchObject({ code: 'argument' })
  })

  test('is started again from its checkpoints when its coordinator was lost too', async () => {
    await leaveTraining('second')
    const { pid } = JSON.parse(readFileSync(join(cache, 'pools', 'second.json'), 'utf8')) as { pid: number }
    killNow(pid)
    await until(() => !runs(pid))
    await expect(pool({ name: 'second', detached: true, engine: 'wasm' })).rejects.toThrow(
      /was lost with its trainings/,
    )
    const workers = await pool.attach('second')
    const training = workers.training('CNNClassifier')
    await until(() => training.view.step > 0)
    await training.stop()
    await training
    expect(training.view).toMatchObject({ status: 'stopped' })
    // It did not begin anew.
    expect(training.view.steps[0]!.step).toBeGreaterThan(1)
    await workers.close()
  })

  test('ends by itself when it has had nothing to do for long enough', async () => {
    const workers = await pool({ niceness: 0, name: 'idle', detached: true, engine: 'wasm', workers: 1, idleMs: 500 })
    const pids = await pidsOf(workers)
    await workers.detach()
    expect(() => workers.training()).toThrow(/expected an open pool, got "idle", which is detached/)
    await until(() => !pids.some(runs) && pool.list().length === 0)
  })

  test('is refused when its entry is of another version, or open to others', async () => {
    const workers = await pool({ niceness: 0, name: 'old', detached: true, engine: 'wasm', workers: 1 })
    const entry = join(cache, 'pools', 'old.json')
    const content = readFileSync(entry, 'utf8')
    writeFileSync(entry, JSON.stringify({ ...(JSON.parse(content) as object), protocol: 1 }))
    await expect(pool.attach('old')).rejects.toThrow(/expected the pool "old" to speak protocol version \d+, got 1/)
    writeFileSync(entry, content)
    chmodSync(entry, 0o644)
    await expect(pool.attach('old')).rejects.toThrow(/expected .*old\.json to be its owner's alone/)
    chmodSync(entry, 0o600)
    await workers.close()
  })

  test('cannot be left when it is not detached', async () => {
    const workers = await pool({ niceness: 0, engine: 'wasm', workers: 1 })
    await expect(workers.detach()).rejects.toMatchObject({ code: 'state' })
    await workers.close()
  })
})
