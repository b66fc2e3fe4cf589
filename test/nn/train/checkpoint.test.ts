import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import {
  latestCheckpoint,
  listCheckpoints,
  removeCheckpoints,
  saveCheckpoint,
} from '../../../src/nn/train/checkpoint.js'
import type { TrainingJob, TrainingState } from '../../../src/nn/train/job.js'
import { makeJob } from './fixture.js'

let job: TrainingJob
let folder: string

beforeAll(async () => {
  job = await makeJob(await openEngine('wasm'))
})
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'checkpoints-'))))
afterEach(async () => rm(folder, { recursive: true }))

const stateAt = (step: number): TrainingState => ({
  ...job.start,
  step,
  progress: {
    totalRows: 70,
    rows: 16,
    sums: [0.1 + step, Number.NaN],
    history: [{ epoch: 1, step: 5, loss: Infinity, metrics: { accuracy: 0.5 }, validation: { loss: 1 / 3 } }],
    rules: [{ bestEpoch: 0, waited: 1, cooldown: 0 }],
    rateFactor: 0.1,
  },
  best: job.start.weights,
})

async function damage(path: string): Promise<void> {
  const bytes = await readFile(path)
  bytes[bytes.length - 3]! ^= 1
  await writeFile(path, bytes)
}

describe('checkpoints', () => {
  test('give back the newest state, to the bit', async () => {
    expect(await latestCheckpoint(folder, job)).toBeUndefined()
    await saveCheckpoint(folder, job, stateAt(3))
    const path = await saveCheckpoint(folder, job, stateAt(12))
    expect(await latestCheckpoint(folder, job)).toEqual({ state: stateAt(12), path, damaged: [] })
    await saveCheckpoint(folder, job, job.start)
    expect((await latestCheckpoint(folder, { ...job, epochs: 50, rates: [1] }))?.state).toEqual(stateAt(12))
    await removeCheckpoints(folder)
    expect(await readdir(folder)).toEqual([])
  })

  test('a damaged one is passed over for the one before, which is told', async () => {
    const first = await saveCheckpoint(folder, job, stateAt(3))
    await damage(await saveCheckpoint(folder, job, stateAt(4)))
    const found = await latestCheckpoint(folder, job)
    expect(found).toMatchObject({
      path: first,
      damaged: [expect.stringMatching(/^The checkpoint step-0{9}4-.*damaged/)],
    })
    expect(found!.state).toEqual(stateAt(3))
    await damage(first)
    await expect(latestCheckpoint(folder, job)).rejects.toThrow(/expected a whole checkpoint in .*got damaged ones/)
  })

  test('only the newest are kept', async () => {
    for (const step of [1, 2, 3, 10, 11]) await saveCheckpoint(folder, job, stateAt(step), { keep: 2 })
    expect(await listCheckpoints(folder)).toHaveLength(2)
    expect((await latestCheckpoint(folder, job))!.state.step).toBe(11)
  })

  test('one of another training is refused, and says in what it differs', async () => {
    await saveCheckpoint(folder, job, stateAt(3))
    const engine = await openEngine('wasm')
    const wider = await makeJob(engine, { layers: [nn.flatten(), nn.dense({ units: 3 })] })
    await expect(latestCheckpoint(folder, wider)).rejects.toThrow(
      /expected a checkpoint with weights of shapes \[64, 3\]/,
    )
    const sgd = await makeJob(engine, { optimiser: nn.sgd() })
    await expect(latestCheckpoint(folder, sgd)).rejects.toThrow(
      /an optimiser with the state \(none\), got \[3, 3, 1, 4\]/,
    )
    await expect(latestCheckpoint(folder, { ...job, seed: 9 })).rejects.toThrow(/the seed 9, got 3/)
    const other = await makeJob(engine, { optimiser: nn.adam({ beta1: 0.5 }) })
    await expect(latestCheckpoint(folder, other)).rejects.toThrow(/the steps of this model/)
    expect(await listCheckpoints(folder)).toHaveLength(1)
  })
})
