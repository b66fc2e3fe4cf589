/** Trials over the workers of a pool, on its processes as built: side by side, and through a kill of all of it. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pool, type Pool } from '../../../../src/distributed/index.js'
import { datasets } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'
import * as nn from '../../../../src/nn/index.js'
import { local } from '../../../../src/nn/train/local.js'

const folder = mkdtempSync(join(tmpdir(), 'tuning-pool-'))
const built = new URL('../../../../dist/src/index.js', import.meta.url).href
afterAll(() => rmSync(folder, { recursive: true }))

const rows = 240

function validator(): ml.CrossValidator {
  const layers = [nn.flatten(), nn.dense({ units: 10 })]
  const cnn = new ml.CNNClassifier({ inputCol: 'image', layers, maxIter: 3, batchSize: 32 })
  const estimatorParamMaps = new ml.ParamGridBuilder().addGrid(cnn, 'stepSize', [0.001, 0.004, 0.01, 0.03]).build()
  const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
  return new ml.CrossValidator({ estimator: cnn, estimatorParamMaps, evaluator, numFolds: 3 })
}

/** The same search in a process of its own, which kills itself once so many trials are finished. */
const script = (resume: string, most: number): string => `
  import { existsSync, readdirSync } from 'node:fs'
  import { datasets, ml, nn, pool } from ${JSON.stringify(built)}
  const layers = [nn.flatten(), nn.dense({ units: 10 })]
  const cnn = new ml.CNNClassifier({ inputCol: 'image', layers, maxIter: 3, batchSize: 32 })
  const estimatorParamMaps = new ml.ParamGridBuilder().addGrid(cnn, 'stepSize', [0.001, 0.004, 0.01, 0.03]).build()
  const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
  const workers = await pool({ niceness: 0, workers: 2, engine: 'wasm' })
  const trials = ${JSON.stringify(join(resume, 'trials'))}
  setInterval(() => {
    const count = existsSync(trials) ? readdirSync(trials).filter((name) => name.endsWith('.json')).length : 0
    if (count >= ${most}) process.kill(process.pid, 'SIGKILL')
  }, 1).unref()
  const validator = new ml.CrossValidator({ estimator: cnn, estimatorParamMaps, evaluator, numFolds: 3 })
  const tuned = await validator.fit(await datasets.glyphs({ rows: ${rows}, seed: 1 }), { on: workers, resume: ${JSON.stringify(resume)} })
  console.log('RESULT ' + JSON.stringify({ metrics: tuned.avgMetrics, seconds: tuned.report.results.map(({ seconds }) => seconds) }))
  await workers.close()
`

function start(resume: string, most: number) {
  const file = join(folder, `session-${readdirSync(folder).length}.mjs`)
  writeFileSync(file, script(resume, most))
  const session = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  session.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  const exit = new Promise<number | null>((resolve) => session.once('exit', resolve))
  return { exit, output: () => output }
}

function finished(resume: string): string[] {
  const trials = join(resume, 'trials')
  return existsSync(trials) ? readdirSync(trials).filter((name) => name.endsWith('.json')) : []
}

describe('trials over a pool', () => {
  let workers: Pool
  beforeAll(async () => {
    workers = await pool({ niceness: 0, workers: 2, engine: 'wasm' })
  })
  afterAll(async () => workers.close())

  test('score as in one process, to the bit', async () => {
    const data = await datasets.glyphs({ rows, seed: 1 })
    const alone = await validator().fit(data, { on: await local('wasm') })
    const together = await validator().fit(data, { on: workers })
    expect(together.avgMetrics).toEqual(alone.avgMetrics)
    expect(together.bestIndex).toBe(alone.bestIndex)
    const own = (model: ml.TunedModel): number[] =>
      (model.bestModel as unknown as ml.ClassifierModel).weights.flatMap(({ values }) => [...values])
    expect(own(together)).toEqual(own(alone))
  })

  test('stop when they are stopped, and the pool works on', async () => {
    const data = await datasets.glyphs({ rows, seed: 1 })
    const long = new ml.CNNClassifier({ inputCol: 'image', maxIter: 1000, batchSize: 32 })
    const evaluator = new ml.MulticlassClassificationEvaluator()
    const tuning = new ml.CrossValidator({ estimator: long, evaluator, numFolds: 2 }).fit(data, { on: workers })
    const stopped = tuning.then(
      () => undefined,
      (error: unknown) => error,
    )
    await expect.poll(async () => (await workers.status()).workers.map(({ state }) => state)).toContain('busy')
    await tuning.stop()
    expect(await stopped).toMatchObject({ code: 'interrupted' })
    expect((await validator().fit(data, { on: workers })).avgMetrics).toHaveLength(4)
  })
})

test('a run of 12 trials that is killed half-way goes on without repeating a finished one', async () => {
  const resume = join(folder, 'kept')
  const first = start(resume, 5)
  expect(await first.exit).toBe(null)
  const kept = finished(resume)
  expect(kept.length).toBeGreaterThanOrEqual(5)
  expect(kept.length).toBeLessThan(12)
  const before = kept.map((name) => statSync(join(resume, 'trials', name)).mtimeMs)
  const seconds = kept.map(
    (name) => (JSON.parse(readFileSync(join(resume, 'trials', name), 'utf8')) as { seconds: number }).seconds,
  )
  const second = start(resume, Infinity)
  expect(await second.exit).toBe(0)
  expect(second.output()).toContain(`12 of 12 trials, ${kept.length} of them kept`)
  expect(finished(resume)).toHaveLength(12)
  expect(kept.map((name) => statSync(join(resume, 'trials', name)).mtimeMs)).toEqual(before)
  const result = JSON.parse(/RESULT (.*)/.exec(second.output())![1]!) as { metrics: number[]; seconds: number[] }
  expect(seconds.every((own) => result.seconds.includes(own))).toBe(true)
  const data = await datasets.glyphs({ rows, seed: 1 })
  expect(result.metrics).toEqual((await validator().fit(data, { on: await local('wasm') })).avgMetrics)
})
