import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { uniform } from '../../../src/core/random.js'
import { openEngine } from '../../../src/engine/index.js'
import type { Engine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import { latestCheckpoint, listCheckpoints } from '../../../src/nn/train/checkpoint.js'
import type { TrainingEvent } from '../../../src/nn/train/event.js'
import type { TrainingJob } from '../../../src/nn/train/job.js'
import { onEngines } from '../on-engines.js'
import { fitBars, loneLoop, makeJob, numbersOf, trainWith } from './fixture.js'

let folder: string
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'resume-'))))
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true, force: true })
})

const told = (events: readonly TrainingEvent[]) =>
  events.flatMap((event): object[] => {
    if (event.kind === 'step') return [{ step: event.step, loss: event.loss, rate: event.learningRate }]
    return event.kind === 'epoch' || event.kind === 'validation' ? [event] : []
  })

onEngines('resuming', (name) => {
  let engine: Engine
  let job: TrainingJob
  beforeAll(async () => {
    engine = await openEngine(name)
    const made = await makeJob(engine, {
      epochs: 6,
      validationRows: 20,
      optimiser: nn.movingAverage(nn.accumulate(nn.clip(nn.adam(), { globalNorm: 1 }), { steps: 2 }), { decay: 0.9 }),
      layers: [
        nn.flatten(),
        nn.dense({ units: 8, activation: 'relu' }),
        nn.dropout({ rate: 0.3 }),
        nn.dense({ units: 3 }),
      ],
    })
    job = {
      ...made,
      rates: Array.from({ length: 30 }, (_, step) => 0.03 / (step + 1) ** 0.5),
      validateEvery: 3,
      rules: [
        nn.reduceOnPlateau({ patience: 1, factor: 0.5, minDelta: 0.1 }),
        nn.earlyStopping({ patience: 2, restoreBest: true, minDelta: 0.05 }),
      ],
    }
  })

  test('from checkpoints at random steps gives the bits, the events and the decisions of the undisturbed run', async () => {
    const events: TrainingEvent[] = []
    const whole = await loneLoop(engine, job, { report: (event) => void events.push(event) })
    await whole.run()
    const expected = await whole.snapshot()
    await whole.dispose()
    expect(expected.best).toBeDefined()
    const factors = events.flatMap((event) =>
      event.kind === 'step' ? [event.learningRate / job.rates[event.step - 1]!] : [],
    )
    expect(new Set(factors).size).toBeGreaterThan(1)

    for (const seed of [1, 2, 3]) {
      const stops = [0, 1, 2].map((i) => Math.floor(uniform(seed, i) * expected.step)).toSorted((x, y) => x - y)
      const parts: TrainingEvent[] = []
      let start = job.start
      let last = start
      for (const stop of [...stops, Infinity]) {
        const loop = await loneLoop(
          engine,
          { ...job, start },
          {
            gate: async (step) => (step < stop ? 'go' : 'stop'),
            report: (event) => void parts.push(event),
          },
        )
        await loop.run()
        const state = await loop.snapshot()
        await loop.dispose()
        last = state
        if (stop !== Infinity) start = await stateAfter(job, stop)
      }
      expect(last).toEqual(expected)
      expect(told(parts)).toEqual(told(events))
    }
  })

  /** The state after a number of steps, through a file. */
  async function stateAfter(undisturbed: TrainingJob, steps: number) {
    if (steps === 0) return undisturbed.start
    const path = join(folder, `${Math.random()}`)
    const loop = await loneLoop(
      engine,
      { ...undisturbed, checkpoint: { path, everySteps: 1, keep: 2 } },
      {
        gate: async (step) => (step < steps ? 'go' : 'stop'),
      },
    )
    await loop.run()
    await loop.dispose()
    const found = await latestCheckpoint(path, undisturbed)
    expect(found!.state.step).toBe(steps)
    return found!.state
  }

  test('workers that share steps decide alike, and go on from a checkpoint of one process', async () => {
    const undisturbed = await trainWith(engine, job, 2)
    for (const state of undisturbed.states) expect(state).toEqual(undisturbed.state)
    const middle = await stateAfter(job, 7)
    const resumed = await trainWith(engine, { ...job, start: middle }, 2)
    expect(resumed.state.step).toBe(undisturbed.state.step)
    for (const [i, value] of numbersOf(resumed.state).entries()) {
      expect(value).toBeCloseTo(numbersOf(undisturbed.state)[i]!, 4)
    }
  })

  test('other data are refused', async () => {
    const state = await stateAfter(job, 4)
    const other = await makeJob(engine, { rows: 60 })
    await expect(loneLoop(engine, { ...job, data: other.data, start: state })).rejects.toThrow(
      /expected the 70 rows that this state was trained on, got 60/,
    )
  })
})

onEngines('fit with checkpoints', (name) => {
  beforeAll(async () => void (await openEngine(name)))
  const weightsOf = async (training: ReturnType<typeof fitBars>) => (await training).weights

  test('goes on where a killed training was, to the same bits and history', async () => {
    const undisturbed = fitBars({}, { validation: true })
    const expected = await weightsOf(undisturbed)
    const dying = fitBars(
      {},
      {
        validation: true,
        checkpoint: { path: folder, everySteps: 2, keep: 2 },
        callbacks: [(event) => (event.kind === 'step' && event.step === 12 ? 'stop' : undefined)],
      },
    )
    await dying
    expect(dying.view.step).toBeLessThan(20)
    expect(await listCheckpoints(folder)).toHaveLength(2)
    const resumed = fitBars({}, { validation: true, resume: folder, checkpoint: { path: folder } })
    expect(await weightsOf(resumed)).toEqual(expected)
    expect(resumed.history).toEqual(undisturbed.history)
    expect(resumed.view.epochsDone).toHaveLength(4)
  })

  test('a folder of another training, an empty one, and one in use are errors that leave it as it was', async () => {
    await expect(fitBars({}, { resume: folder })).rejects.toThrow(/Bars.fit: expected checkpoints to resume from/)
    await fitBars({}, { epochs: 1, checkpoint: { path: folder } })
    const files = await listCheckpoints(folder)
    expect(files).toHaveLength(1)
    await expect(fitBars({ optimiser: nn.sgd() }, { resume: folder })).rejects.toThrow(
      /an optimiser with the state \(none\)/,
    )
    await expect(fitBars({}, { resume: folder, layers: [nn.flatten(), nn.dense({ units: 3 })] })).rejects.toThrow(
      /weights of shapes \[64, 3\]/,
    )
    await expect(fitBars({}, { checkpoint: { path: folder } })).rejects.toThrow(/expected a folder without checkpoints/)
    await expect(fitBars({}, { backup: folder, optimiser: undefined, batchRows: 8 } as never)).rejects.toThrow(
      /batches of 8 rows, got 16/,
    )
    expect(await listCheckpoints(folder)).toEqual(files)
  })

  test('a backup is taken up by itself and removed when the training is done', async () => {
    const expected = await weightsOf(fitBars())
    await fitBars(
      {},
      { backup: folder, callbacks: [(event) => (event.kind === 'epoch' && event.epoch === 2 ? 'stop' : undefined)] },
    )
    expect(await listCheckpoints(folder)).not.toEqual([])
    const steps: number[] = []
    const resumed = fitBars(
      {},
      { backup: folder, callbacks: [(event) => void (event.kind === 'step' && steps.push(event.step))] },
    )
    expect(await weightsOf(resumed)).toEqual(expected)
    expect(steps[0]).toBe(11)
    expect(await listCheckpoints(folder)).toEqual([])
  })

  test('a damaged checkpoint is told of and the one before taken', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const expected = await weightsOf(fitBars())
    const training = fitBars(
      {},
      {
        epochs: 4,
        checkpoint: { path: folder },
        callbacks: [(event) => (event.kind === 'epoch' && event.epoch === 3 ? 'stop' : undefined)],
      },
    )
    await training
    const newest = (await listCheckpoints(folder)).at(-1)!
    const bytes = await readFile(newest)
    bytes[100]! ^= 255
    await writeFile(newest, bytes)
    expect(await weightsOf(fitBars({}, { resume: folder }))).toEqual(expected)
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^Bars.fit: The checkpoint step-.*damaged.*goes on from step 10/)],
    ])
  })

  test('may go on for longer', async () => {
    await fitBars({}, { epochs: 1, checkpoint: { path: folder } })
    const longer = fitBars({}, { epochs: 3, resume: folder })
    await longer
    expect(longer.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3])
  })
})

test('a checkpoint that cannot be written ends the training with an error', async () => {
  await openEngine('wasm')
  await writeFile(join(folder, 'file'), 'not a folder')
  await expect(fitBars({}, { checkpoint: { path: join(folder, 'file') } })).rejects.toThrow(/put: .*file/)
})
