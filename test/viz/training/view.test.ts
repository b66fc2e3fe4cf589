import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyTraining, reduceTraining } from '../../../src/viz/index.js'
import type { TrainingView, TrainingViewEvent } from '../../../src/viz/index.js'
import type { TrainingEvent } from '../../../src/nn/train/event.js'
import { pointsKept } from '../../../src/viz/training/view.js'
import { trainingEvents, viewOf } from '../samples.js'

const start: TrainingViewEvent = { kind: 'start', name: 't', epochs: 5, stepsPerEpoch: 20, workers: 2, engine: 'wasm' }
const stepEvent = (step: number, loss = 1, stepMs = 10): TrainingViewEvent => ({
  kind: 'step',
  step,
  epoch: Math.ceil(step / 20),
  loss,
  metrics: { accuracy: 1 / (1 + loss) },
  learningRate: 0.1,
  rows: 64,
  stepMs,
})
const losses = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 2, maxLength: 60 })
const after = (from: TrainingView, events: readonly TrainingViewEvent[]): TrainingView =>
  events.reduce(reduceTraining, from)

describe('reduceTraining', () => {
  it('takes the events that a training tells', () => {
    // By type: what nn tells is what charts understand.
    const told: TrainingEvent = { kind: 'end', reason: 'done', step: 0, seconds: 0 }
    const understood: TrainingViewEvent = told
    expect(reduceTraining(emptyTraining, understood).status).toBe('done')
  })

  it('leaves the view before as it was', () => {
    fc.assert(
      fc.property(losses, (list) => {
        const before = after(emptyTraining, [start, ...list.map((loss, i) => stepEvent(i + 1, loss))])
        const copy = structuredClone(before)
        reduceTraining(before, stepEvent(list.length + 1))
        reduceTraining(before, { kind: 'worker', rank: 0, change: 'lost', message: '' })
        reduceTraining(before, { kind: 'end', reason: 'failed', step: 1, seconds: 1 })
        expect(before).toEqual(copy)
      }),
    )
  })

  it('holds the last step, ascending steps, and a smooth loss within what was seen', () => {
    fc.assert(
      fc.property(losses, (list) => {
        const view = after(emptyTraining, [start, ...list.map((loss, i) => stepEvent(i + 1, loss))])
        expect(view.step).toBe(list.length)
        expect(view.steps.map((point) => point.step)).toEqual(list.map((_, i) => i + 1))
        for (const point of view.steps) {
          expect(point.smoothLoss).toBeGreaterThanOrEqual(Math.min(...list) - 1e-9)
          expect(point.smoothLoss).toBeLessThanOrEqual(Math.max(...list) + 1e-9)
        }
      }),
    )
  })

  it('forgets what came after a step that is done again', () => {
    fc.assert(
      fc.property(losses, losses, fc.nat(), (first, second, at) => {
        const back = 1 + (at % first.length)
        const again = second.map((loss, i) => stepEvent(back + i, loss))
        const undisturbed = after(emptyTraining, [
          start,
          ...first.slice(0, back - 1).map((loss, i) => stepEvent(i + 1, loss)),
          ...again,
        ])
        const disturbed = after(emptyTraining, [start, ...first.map((loss, i) => stepEvent(i + 1, loss)), ...again])
        expect(disturbed.steps).toEqual(undisturbed.steps)
        expect(disturbed.step).toBe(undisturbed.step)
      }),
    )
  })

  it('forgets the epochs after a step that is done again', () => {
    const epoch: TrainingViewEvent = { kind: 'epoch', epoch: 1, step: 3, loss: 1, metrics: {} }
    const view = after(emptyTraining, [start, stepEvent(1), stepEvent(2), stepEvent(3), epoch])
    expect(view.epochsDone).toHaveLength(1)
    expect(reduceTraining(view, stepEvent(2)).epochsDone).toHaveLength(0)
  })

  it('judges speed and time left without the first step, which builds the graph', () => {
    const view = after(emptyTraining, [start, stepEvent(1, 1, 5000), ...[2, 3, 4, 5, 6].map((i) => stepEvent(i))])
    expect(view.stepsPerSecond).toBeCloseTo(100)
    expect(view.rowsPerSecond).toBeCloseTo(6400)
    expect(view.secondsLeft).toBeCloseTo(0.94)
    expect(view.elapsedSeconds).toBeCloseTo(5.05)
  })

  it('does not know the time left before the second step, nor has any at the end', () => {
    const one = after(emptyTraining, [start, stepEvent(1)])
    expect(one.secondsLeft).toBeUndefined()
    const ended = after(one, [stepEvent(2), { kind: 'end', reason: 'stopped', step: 2, seconds: 7, message: 'by you' }])
    expect(ended).not.toHaveProperty('secondsLeft')
    expect(ended).toMatchObject({ status: 'stopped', elapsedSeconds: 7, message: 'by you' })
  })

  it('keeps a loss that is not finite out of the lines and says when it began', () => {
    const view = after(emptyTraining, [
      start,
      stepEvent(1, 2),
      stepEvent(2, NaN),
      stepEvent(3, Infinity),
      stepEvent(4, 2),
    ])
    expect(view.divergedAt).toBe(2)
    expect(view.steps.map((point) => point.step)).toEqual([1, 4])
    expect(view.steps.at(-1)!.smoothLoss).toBe(2)
  })

  it('stays bounded, keeping the beginning', () => {
    const view = viewOf(trainingEvents({ epochs: 10, stepsPerEpoch: 3000 }))
    expect(view.steps.length).toBeLessThanOrEqual(pointsKept)
    expect(view.steps[0]!.step).toBe(1)
    expect(view.steps.at(-1)!.step).toBe(30_000)
    expect(view.steps.filter((point) => point.step < 3000).length).toBeGreaterThan(50)
    expect(view.epochsDone).toHaveLength(10)
  })

  it('marks a worker where it was lost', () => {
    const view = after(emptyTraining, [
      start,
      stepEvent(1),
      { kind: 'worker', rank: 1, change: 'lost', message: 'gone' },
    ])
    expect(view.events).toEqual([{ step: 1, change: 'lost', rank: 1, message: 'gone' }])
  })
})

describe('what accompanies the steps', () => {
  const begun = trainingEvents({ epochs: 2, stepsPerEpoch: 5, steps: 3, inside: true })

  it('is kept by step: speed, and the norm of the gradients where it is told', () => {
    const point = viewOf(begun).steps.at(-1)!
    expect(point.gradientNorm).toBeGreaterThan(0)
    expect(point.rowsPerSecond).toBeCloseTo(128 / 0.022, -3)
    expect(viewOf(trainingEvents({ epochs: 1, stepsPerEpoch: 2 })).steps[0]).not.toHaveProperty('gradientNorm')
  })

  it('marks checkpoints and an early end, and no end that was planned', () => {
    const checkpoint = { kind: 'checkpoint', step: 3, path: 'runs/3' } as const
    const end = { kind: 'end', reason: 'stopped', step: 3, seconds: 1, message: 'no better' } as const
    expect(viewOf([...begun, checkpoint, end]).events).toEqual([
      { step: 3, change: 'checkpoint', message: 'runs/3' },
      { step: 3, change: 'stopped', message: 'no better' },
    ])
    expect(viewOf([...begun, { ...end, step: 10 }]).events).toEqual([])
  })

  it('keeps validations within an epoch, and the epoch that ends the training', () => {
    const validation = { loss: 0.5 }
    const told = viewOf([
      ...begun,
      { kind: 'validation', epoch: 1, step: 2, validation },
      { kind: 'epoch', epoch: 1, step: 3, loss: 1, metrics: {}, stop: 'No better loss for 2 epochs.' },
      { kind: 'end', reason: 'stopped', step: 3, seconds: 1 },
    ])
    expect(told.validations).toEqual([{ step: 2, validation }])
    expect(told.events).toEqual([{ step: 3, change: 'stopped', message: 'No better loss for 2 epochs.' }])
    const many = Array.from(
      { length: 5000 },
      (_, step) => ({ kind: 'validation', epoch: 1, step, validation }) as const,
    )
    expect(viewOf([...begun, ...many]).validations.length).toBeLessThanOrEqual(400)
  })

  it('has the lanes of the workers as they were last told', () => {
    const lane = { rank: 0, rowsPerSecond: 10, inputShare: 0, reduceShare: 0, memoryBytes: 1 }
    const told = [{ ...lane }, { ...lane, rank: 1 }]
    expect(viewOf([...begun, { kind: 'workers', workers: [lane] }, { kind: 'workers', workers: told }]).lanes).toEqual(
      told,
    )
  })

  it('makes the lane of a lone process of what its steps tell', () => {
    const [first, ...rest] = begun
    const alone = [
      { ...first!, workers: 1 } as TrainingViewEvent,
      ...rest.map((own) => ({ ...own, inputMs: 11, stepMs: 22 })),
    ]
    expect(viewOf(alone).lanes).toMatchObject([{ rank: 0, inputShare: 0.5, reduceShare: 0 }])
  })
})
