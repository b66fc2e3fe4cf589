import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { displaySymbol } from '../../../../src/core/display.js'
import { col, frame } from '../../../../src/frame/index.js'
import type { Frame } from '../../../../src/frame/index.js'
import * as ml from '../../../../src/nn/ml/index.js'
import { foldsOf } from '../../../../src/nn/ml/tuning/folds.js'
import { roundsOf } from '../../../../src/nn/ml/tuning/successive-halving.js'
import * as viz from '../../../../src/viz/index.js'
import { Threshold, twoClasses } from './threshold.js'

const folder = mkdtempSync(join(tmpdir(), 'tuning-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const estimator = new Threshold({ inputCol: 'x' })
const evaluator = new ml.MulticlassClassificationEvaluator({ metricName: 'accuracy' })
const shifts = new ml.ParamGridBuilder().addGrid(estimator, 'shift', [-0.6, 0, 0.6]).build()
const data = twoClasses(300)

describe('folds', () => {
  test('hold out every row once, in parts of equal size, the same for a seed', async () => {
    const ids = frame({ id: Int32Array.from({ length: 101 }, (_, i) => i) })
    const heldOut = async (seed: number): Promise<number[][]> => {
      const folds = await foldsOf('test', ids, { numFolds: 4, seed })
      return Promise.all(
        folds.map(async ({ train, validation }) => {
          const own = (await (validation as Frame).toRows()).map((row) => (row as { id: number }).id)
          const rest = (await (train as Frame).toRows()).map((row) => (row as { id: number }).id)
          expect([...own, ...rest].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 101 }, (_, i) => i))
          expect((validation as Frame).columns).toEqual(['id'])
          return own
        }),
      )
    }
    const parts = await heldOut(1)
    expect(parts.map((part) => part.length).toSorted((a, b) => a - b)).toEqual([25, 25, 25, 26])
    expect(new Set(parts.flat()).size).toBe(101)
    expect(await heldOut(1)).toEqual(parts)
    expect(await heldOut(2)).not.toEqual(parts)
  })

  test('spread the values of a column evenly', async () => {
    const rare = frame({ label: Int32Array.from({ length: 90 }, (_, i) => (i < 9 ? 1 : 0)) })
    const folds = await foldsOf('test', rare, { numFolds: 3, seed: 1, stratify: 'label' })
    for (const { validation } of folds) {
      expect(await (validation as Frame).filter(col('label').eq(1)).count()).toBe(3)
    }
  })

  test('are those of a column where one says', async () => {
    const folds = await foldsOf('test', data, { numFolds: 3, seed: 1, foldCol: 'fold' })
    for (const [i, { train, validation }] of folds.entries()) {
      const held = (await (validation as Frame).select('fold').distinct().toRows()) as { fold: number }[]
      expect(held).toEqual([{ fold: i }])
      expect(await train.count()).toBe(200)
    }
  })
})

describe('a cross-validator', () => {
  test('finds the best of a grid, and fits it on all rows', async () => {
    const tuned = await new ml.CrossValidator({ estimator, estimatorParamMaps: shifts, evaluator }).fit(data)
    expect(tuned.avgMetrics).toHaveLength(3)
    expect(tuned.bestIndex).toBe(1)
    expect(tuned.bestParams).toEqual({ shift: 0 })
    const whole = await estimator.fit(data)
    expect(tuned.bestModel.threshold).toBe(whole.threshold)
    expect(tuned.stdMetrics.every((deviation) => deviation > 0 && deviation < 0.1)).toBe(true)
    expect(await evaluator.evaluate(tuned.transform(data))).toBeGreaterThan(tuned.avgMetrics[0]!)
    // Means are of the trials.
    const trials = (await tuned.trials.toRows()) as {
      candidate: number
      accuracy: number
      fold: number
      shift: number
    }[]
    expect(trials).toHaveLength(9)
    const own = trials.filter(({ candidate }) => candidate === 2).map(({ accuracy }) => accuracy)
    expect(own.reduce((a, b) => a + b) / 3).toBeCloseTo(tuned.avgMetrics[2]!, 12)
    expect(trials[8]).toMatchObject({ shift: 0.6, fold: 2 })
  })

  test('gives the same for the same seed, however many trials run side by side', async () => {
    const validator = new ml.CrossValidator({ estimator, estimatorParamMaps: shifts, evaluator, numFolds: 4, seed: 5 })
    const one = await validator.fit(data)
    const three = await validator.copy({ parallelism: 3 }).fit(data)
    expect(three.avgMetrics).toEqual(one.avgMetrics)
    expect((await validator.copy({ seed: 6 }).fit(data)).avgMetrics).not.toEqual(one.avgMetrics)
  })

  test('keeps the models of all trials when asked to', async () => {
    const options = { estimator, estimatorParamMaps: shifts, evaluator, numFolds: 2, collectSubModels: true }
    const tuned = await new ml.CrossValidator(options).fit(data)
    expect(tuned.subModels?.map((models) => models.length)).toEqual([3, 3])
    expect(tuned.subModels![1]![2]!.threshold - tuned.subModels![1]![1]!.threshold).toBeCloseTo(0.6, 12)
  })

  test('is an estimator that can be tuned itself', async () => {
    const inner = new ml.TrainValidationSplit({ estimator, estimatorParamMaps: shifts, evaluator })
    const tuned = await new ml.CrossValidator({ estimator: inner, evaluator, numFolds: 2 }).fit(data)
    expect(tuned.bestModel.bestParams).toEqual({ shift: 0 })
    expect(tuned.transformSchema(data.schema).at(-1)!.name).toBe('prediction')
  })

  test('shows trials sorted, the best marked, as text and HTML; its trials feed the charts', async () => {
    const tuned = await new ml.CrossValidator({ estimator, estimatorParamMaps: shifts, evaluator }).fit(data)
    const bundle = tuned[displaySymbol]()
    const [title, , first] = String(bundle['text/plain']).split('\n')
    expect(title).toMatch(/^CrossValidator: 9 of 9 trials · .* s · best accuracy 0\.\d{4}: shift 0$/)
    expect(first).toMatch(/^★ +0 +0\.\d{4} +0\.\d{4} +3$/)
    expect(String(bundle['text/html'])).toContain('<td style="text-align:center;padding:.15em .7em">★</td>')
    const chart = await viz.crossValidation(tuned.trials, { x: 'shift', y: 'accuracy' }).ready()
    expect(chart.text).toContain('best: shift 0')
    const lines = await viz.parallel(tuned.trials, { columns: ['shift'], color: 'accuracy' }).ready()
    expect(lines.text).toContain('9 trials')
  })
})

test('a simpler candidate wins within one standard error of the best', () => {
  const score = (candidate: number, mean: number, deviation: number): ml.CandidateScore => ({
    candidate,
    params: { depth: candidate + 1 },
    mean,
    deviation,
    folds: 4,
  })
  const scores = [score(0, 0.7, 0.02), score(1, 0.89, 0.02), score(2, 0.9, 0.04), score(3, 0.895, 0.01)]
  expect(ml.oneStandardError(scores)).toBe(1)
  expect(ml.oneStandardError(scores, { complexity: ({ depth }) => -Number(depth) })).toBe(3)
  const losses = scores.map((own) => ({ ...own, mean: -own.mean }))
  expect(ml.oneStandardError(losses, { largerIsBetter: false })).toBe(1)
})

test('a random search draws the same candidates for a seed, within their ranges', async () => {
  const space = new ml.ParamSpace().addUniform(estimator, 'shift', -0.5, 0.5).addInteger(estimator, 'seed', 1, 3)
  const drawn = space
    .sample(200, { seed: 4 })
    .map(([shift, seed]) => [Number(shift!.value), Number(seed!.value)] as const)
  expect(drawn.every(([shift, seed]) => shift >= -0.5 && shift < 0.5 && [1, 2, 3].includes(seed))).toBe(true)
  expect(new Set(drawn.map(([, seed]) => seed)).size).toBe(3)
  const log = new ml.ParamSpace().addLogUniform(estimator, 'noise', 1e-4, 1).sample(400, { seed: 1 })
  expect(log.filter(([noise]) => Number(noise!.value) < 1e-2).length / 400).toBeCloseTo(0.5, 1)
  const search = new ml.RandomSearch({ estimator, space, numCandidates: 6, evaluator, seed: 4 })
  const [once, again] = [await search.fit(data), await search.fit(data)]
  expect(again.avgMetrics).toEqual(once.avgMetrics)
  expect(once.scores.map(({ params }) => params['shift'])).toEqual(drawn.slice(0, 6).map(([shift]) => shift))
  expect(once.avgMetrics[once.bestIndex]).toBe(Math.max(...once.avgMetrics))
})

test('halving gives the better candidates more rows, and the last ones all', async () => {
  expect(roundsOf(9, 225, 3)).toEqual([
    { candidates: 9, resource: 25 },
    { candidates: 3, resource: 75 },
    { candidates: 1, resource: 225 },
  ])
  const estimatorParamMaps = new ml.ParamGridBuilder()
    .addGrid(estimator, 'shift', [-0.8, -0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8])
    .build()
  const tuned = await new ml.SuccessiveHalving({ estimator, estimatorParamMaps, evaluator }).fit(data)
  const trials = (await tuned.trials.toRows()) as { candidate: number; resource: number }[]
  expect(trials.map(({ resource }) => resource)).toEqual([...Array<number>(9).fill(25), 75, 75, 75, 225])
  expect(Math.abs(Number(tuned.bestParams['shift']))).toBeLessThanOrEqual(0.2)
  expect(tuned.scores).toHaveLength(1)
  const more = new ml.SuccessiveHalving({
    estimator,
    estimatorParamMaps,
    evaluator,
    resource: { stage: estimator, param: 'seed' },
    maxResource: 27,
  })
  expect(((await (await more.fit(data)).trials.toRows()) as { resource: number }[]).at(-1)!.resource).toBe(27)
})

test('stability tells how far scores lie apart between seeds', async () => {
  const noisy = estimator.copy({ noise: 1.5 })
  const spread = await ml.stability(noisy, data, { seeds: [1, 2, 3, 4, 5], evaluator })
  expect(spread.scores).toHaveLength(5)
  expect(spread.deviation).toBeGreaterThan(0)
  expect(spread.min).toBe(Math.min(...spread.scores))
  expect(String(spread)).toMatch(/^accuracy 0\.\d{4} ± 0\.\d{4} over 5 seeds, 0\.\d{4} to 0\.\d{4}$/)
  const quiet = await ml.stability(estimator, data, { seeds: [1, 2], evaluator })
  expect(quiet.deviation).toBe(0)
  expect(((await spread.trials.toRows()) as { seed: number }[]).map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5])
})

describe('finished trials in a folder', () => {
  test('are not repeated, and those of added candidates are done', async () => {
    const resume = join(folder, 'added')
    const validator = new ml.CrossValidator({ estimator, estimatorParamMaps: shifts, evaluator })
    const first = await validator.fit(data, { resume })
    expect(readdirSync(join(resume, 'trials'))).toHaveLength(9)
    const before = Threshold.fits
    const second = await validator.fit(data, { resume })
    expect(second.avgMetrics).toEqual(first.avgMetrics)
    expect(Threshold.fits - before).toBe(1)
    const estimatorParamMaps = new ml.ParamGridBuilder().addGrid(estimator, 'shift', [-0.6, 0, 0.3, 0.6]).build()
    const third = await validator.copy({ estimatorParamMaps }).fit(data, { resume })
    expect(Threshold.fits - before).toBe(1 + 3 + 1)
    expect(third.avgMetrics.toSpliced(2, 1)).toEqual(first.avgMetrics)
  })

  test('of another run are refused', async () => {
    const resume = join(folder, 'other')
    const validator = new ml.CrossValidator({ estimator, estimatorParamMaps: shifts, evaluator })
    await validator.fit(data, { resume })
    await expect(validator.copy({ seed: 1 }).fit(data, { resume })).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('expected trials of this run in'),
    })
    await expect(validator.fit(twoClasses(301), { resume })).rejects.toMatchObject({ code: 'state' })
  })
})

describe('mistakes', () => {
  const make = (options: object): ml.CrossValidator =>
    new ml.CrossValidator({ estimator, estimatorParamMaps: shifts, evaluator, ...options })

  test('are found when a tuner is built', () => {
    expect(() => make({ estimatorParamMaps: [] })).toThrow('CrossValidator: expected candidates, got an empty grid.')
    expect(() => make({ numFolds: 1 })).toThrow('CrossValidator: expected numFolds to be an integer >= 2, got 1.')
    expect(() => make({ estimator: 3 })).toThrow('CrossValidator: expected an estimator, got 3.')
    expect(() => make({ estimator: new Threshold({ inputCol: 'x' }) })).toThrow(
      "CrossValidator: expected parameters of stages within the estimator, got 'shift' of a Threshold that is not in it.",
    )
    const lr = new ml.LogisticRegression({})
    for (const [param, value, type] of [
      ['regParam', 'much', 'number'],
      ['featuresCol', 3, 'string'],
      ['standardization', 'yes', 'boolean'],
    ] as const) {
      const message = `expected values of type ${type} for '${param}' of LogisticRegression, got ${JSON.stringify(value)}.`
      expect(() => new ml.ParamGridBuilder().addGrid(lr, param, [value as never])).toThrow(
        `ParamGridBuilder.addGrid: ${message}`,
      )
      expect(() => new ml.ParamSpace().addChoice(lr, param, [value as never])).toThrow(
        `ParamSpace.addChoice: ${message}`,
      )
    }
    expect(() => new ml.ParamGridBuilder().addGrid(estimator, 'shift', [])).toThrow(
      "ParamGridBuilder.addGrid: expected values for 'shift' of Threshold, got [].",
    )
    expect(
      () =>
        new ml.SuccessiveHalving({
          estimator,
          estimatorParamMaps: shifts,
          evaluator,
          resource: { stage: estimator, param: 'seed' },
        }),
    ).toThrow("SuccessiveHalving: expected maxResource, the greatest 'seed' of the last round.")
    expect(() => new ml.ParamSpace().sample(3)).toThrow('ParamSpace.sample: expected ranges to draw from')
  })

  test('in the data are told before anything is fitted, and name the stage or the fold', async () => {
    const before = Threshold.fits
    await expect(make({ estimator: estimator, numFolds: 400 }).fit(data)).rejects.toThrow(
      'CrossValidator.fit: expected at least 400 rows, one a fold, got 300.',
    )
    await expect(make({ foldCol: 'fold', numFolds: 2 }).fit(data)).rejects.toThrow(
      "CrossValidator.fit: expected the fold column 'fold' to hold 0, ..., 1, got 2.",
    )
    await expect(make({ foldCol: 'fold', numFolds: 4 }).fit(data)).rejects.toThrow(
      "CrossValidator.fit: expected rows in every fold of 'fold', got none in fold 3.",
    )
    await expect(make({}).fit(data.drop('x'))).rejects.toThrow('Threshold.fit')
    expect(Threshold.fits).toBe(before)
  })

  test('within a trial name the trial', async () => {
    const sorted = data.withColumns({ half: col('label') })
    await expect(make({ foldCol: 'half', numFolds: 2 }).fit(sorted)).rejects.toThrow(
      'CrossValidator.fit: trial shift -0.6, fold 0: Threshold.fit: expected two classes, got one.',
    )
  })
})
