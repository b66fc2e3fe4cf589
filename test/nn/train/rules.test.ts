import { beforeAll, describe, expect, test } from 'vitest'
import { openEngine } from '../../../src/engine/index.js'
import * as nn from '../../../src/nn/index.js'
import type { TrainingEvent } from '../../../src/nn/train/event.js'
import type { EpochResult, RuleState } from '../../../src/nn/train/job.js'
import { decide, initialRule } from '../../../src/nn/train/rules.js'
import { distance, fitBars, loneLoop, makeJob, trainWith } from './fixture.js'

/** What a rule decides over epochs with these validation losses. */
function decisions(rule: nn.Rule, losses: readonly number[]) {
  let state: RuleState = initialRule
  return losses.map((loss, i) => {
    const epoch: EpochResult = { epoch: i + 1, step: i, loss: 1, metrics: { accuracy: -loss }, validation: { loss } }
    const decision = decide(rule, state, epoch)
    state = decision.state
    if (decision.stop !== undefined) return decision.stop
    return decision.factor ?? (decision.better ? 'better' : 'wait')
  })
}

describe('rules', () => {
  test('early stopping counts epochs without improvement by more than minDelta', () => {
    expect(decisions(nn.earlyStopping({ patience: 2 }), [3, 2, 2.5, 1, 1, 1.5])).toEqual([
      'better',
      'better',
      'wait',
      'better',
      'wait',
      'No better validationLoss for 2 epochs, the best was 1.000 in epoch 4.',
    ])
    expect(decisions(nn.earlyStopping({ patience: 1, minDelta: 0.5 }), [3, 2.6])).toEqual([
      'better',
      'No better validationLoss for 1 epoch, the best was 3.000 in epoch 1.',
    ])
    expect(decisions(nn.earlyStopping({ monitor: 'accuracy', patience: 1 }), [2, 1, 3]).slice(0, 2)).toEqual([
      'better',
      'better',
    ])
    expect(decisions(nn.earlyStopping({ monitor: 'accuracy', mode: 'min', patience: 3 }), [2, 1, 3])).toEqual([
      'better',
      'wait',
      'better',
    ])
    expect(decisions(nn.earlyStopping({ patience: 2 }), [Number.NaN, 1, Number.NaN])).toEqual([
      'wait',
      'better',
      'wait',
    ])
  })

  test('a plateau lowers the rate, and epochs of the cooldown do not count', () => {
    const rule = nn.reduceOnPlateau({ patience: 2, factor: 0.5, cooldown: 2 })
    expect(decisions(rule, [1, 1, 1, 1, 1, 1, 1, 0.5])).toEqual([
      'better',
      'wait',
      0.5,
      'wait',
      'wait',
      'wait',
      0.5,
      'better',
    ])
  })

  test('refuse numbers out of range', () => {
    expect(() => nn.earlyStopping({ patience: 0 })).toThrow(/nn.earlyStopping: expected patience/)
    expect(() => nn.earlyStopping({ mode: 'up' as 'max' })).toThrow(/expected mode to be one of "min", "max"/)
    expect(() => nn.reduceOnPlateau({ factor: 2 })).toThrow(/nn.reduceOnPlateau: expected factor/)
  })
})

describe('rules in a training', () => {
  beforeAll(async () => void (await openEngine('wasm')))

  test('the best weights come back, whether it stops early or not', async () => {
    const engine = await openEngine('wasm')
    const job = await makeJob(engine, {
      epochs: 8,
      validationRows: 20,
      rate: 0.3,
      optimiser: nn.sgd({ momentum: 0.9 }),
    })
    const rule = nn.earlyStopping({ patience: 2, restoreBest: true })
    const events: TrainingEvent[] = []
    const stopped = await loneLoop(engine, { ...job, rules: [rule] }, { report: (event) => void events.push(event) })
    expect(await stopped.run()).toBe('stopped')
    expect(stopped.stopped).toMatch(/^No better validationLoss for 2 epochs/)
    const epochs = events.filter((event) => event.kind === 'epoch')
    expect(epochs.at(-1)!.stop).toBe(stopped.stopped)
    expect(epochs.slice(0, -1).every(({ stop }) => stop === undefined)).toBe(true)
    const best = epochs.toSorted((a, b) => a.validation!['loss']! - b.validation!['loss']!)[0]!
    expect(best.epoch).toBeLessThan(epochs.length)
    const until = await trainWith(engine, { ...job, epochs: best.epoch }, 1)
    expect((await stopped.snapshot()).weights).toEqual(until.state.weights)
    await stopped.dispose()
    const patient = { ...job, epochs: epochs.length, rules: [nn.earlyStopping({ patience: 50, restoreBest: true })] }
    expect((await trainWith(engine, patient, 1)).state.weights).toEqual(until.state.weights)
    // Workers that share the steps decide the same.
    const shared = await trainWith(engine, { ...job, rules: [rule] }, 3)
    expect(shared.state.step).toBe(epochs.length * 5)
    expect(distance(shared.state, until.state)).toBeLessThan(1e-3)
  })

  test('the rate of the schedule is lowered from the next epoch on, not below the floor', async () => {
    const rates: number[] = []
    await fitBars(
      { schedule: nn.constant(0.01) },
      {
        epochs: 5,
        callbacks: [
          nn.reduceOnPlateau({ monitor: 'loss', minDelta: 100, patience: 1, factor: 0.5, floor: 0.2 }),
          (event) => void (event.kind === 'step' && rates.push(event.learningRate)),
        ],
      },
    )
    expect(rates.filter((_, step) => step % 5 === 0)).toEqual([0.01, 0.01, 0.005, 0.0025, 0.002])
    expect(rates.filter((_, step) => step % 5 === 4)).toEqual([0.01, 0.01, 0.005, 0.0025, 0.002])
  })

  test('one that watches what is not told is an error before anything runs', async () => {
    await expect(fitBars({}, { callbacks: [nn.earlyStopping({ monitor: 'acuracy' })] })).rejects.toThrow(
      /Bars.fit: expected earlyStopping to monitor one of loss, accuracy, got "acuracy". Did you mean "accuracy"/,
    )
    await expect(fitBars({}, { callbacks: [nn.earlyStopping({ monitor: 'validationLoss' })] })).rejects.toThrow(
      /Give fit validation rows/,
    )
    await expect(fitBars({}, { validateEvery: 2 })).rejects.toThrow(/expected validation rows for validateEvery/)
  })
})

describe('callbacks', () => {
  beforeAll(async () => void (await openEngine('wasm')))

  test('get every event with the training, and end it after an epoch at once', async () => {
    const kinds: string[] = []
    const training = fitBars(
      {},
      {
        validation: true,
        callbacks: [
          (event, of) => {
            kinds.push(event.kind)
            expect(of.name).toBe('Bars')
            return event.kind === 'epoch' && of.history.length === 2 ? 'stop' : undefined
          },
        ],
      },
    )
    await training
    expect(training.view).toMatchObject({ status: 'stopped', step: 10 })
    expect(kinds.filter((kind) => kind !== 'step')).toEqual(['start', 'epoch', 'epoch', 'end'])
  })

  test('end it within an epoch after the step in flight', async () => {
    const training = fitBars(
      {},
      { callbacks: [(event) => (event.kind === 'step' && event.step === 7 ? 'stop' : undefined)] },
    )
    await training
    expect(training.view.status).toBe('stopped')
    expect([7, 8]).toContain(training.view.step)
  })

  test('validation within an epoch is told at the steps that were asked for', async () => {
    const seen: [number, boolean][] = []
    await fitBars(
      {},
      {
        epochs: 2,
        validation: true,
        validateEvery: 2,
        callbacks: [
          (event) => void (event.kind === 'validation' && seen.push([event.step, event.validation['loss']! > 0])),
        ],
      },
    )
    expect(seen).toEqual([
      [2, true],
      [4, true],
      [6, true],
      [8, true],
    ])
  })

  test('the norm of the gradients and the times of phases are told when they are asked for', async () => {
    const steps: Extract<TrainingEvent, { kind: 'step' }>[] = []
    const plain = await fitBars({}, { epochs: 1 })
    const told = await fitBars(
      {},
      {
        epochs: 1,
        gradientNorm: true,
        profile: true,
        callbacks: [(event) => void (event.kind === 'step' && steps.push(event))],
      },
    )
    expect(told.weights).toEqual(plain.weights)
    expect(steps).toHaveLength(5)
    for (const { gradientNorm, phases, stepMs, inputMs } of steps) {
      expect(gradientNorm).toBeGreaterThan(0)
      expect(Object.values(phases!).every((ms) => ms >= 0)).toBe(true)
      expect(phases!.compute + phases!.update).toBeLessThanOrEqual(stepMs)
      expect(inputMs).toBeLessThanOrEqual(stepMs)
    }
    const engine = await openEngine('wasm')
    const job = await makeJob(engine, { epochs: 1, rows: 16 })
    const norms = await Promise.all(
      [1, 2].map(async (workers) => {
        const { events } = await trainWith(engine, { ...job, gradientNorm: { without: [] } }, workers)
        return events.flatMap((event) => (event.kind === 'step' ? [event.gradientNorm!] : []))
      }),
    )
    expect(norms[0]).toHaveLength(1)
    expect(norms[1]![0]).toBeCloseTo(norms[0]![0]!, 5)
  })
})
