import { describe, expect, it } from 'vitest'
import * as viz from '../../../src/viz/index.js'
import { lightBundle } from '../../../src/viz/chart.js'
import { trainingEvents, viewOf } from '../samples.js'

const size = (chart: viz.Chart): number => JSON.stringify(lightBundle(chart)).length
const words = (view: viz.TrainingView): string => viz.training(view).text

describe('viz.training', () => {
  it('stays under 60 kB over 100,000 steps with all that it shows, and saved under 150 kB', async () => {
    const events = trainingEvents({
      epochs: 100,
      stepsPerEpoch: 1000,
      metrics: ['accuracy', 'precision', 'recall'],
      decay: true,
      inside: true,
    })
    const lane = { rowsPerSecond: 1234.5, inputShare: 0.123, reduceShare: 0.0456, memoryBytes: 412e6 }
    const workers = Array.from({ length: 16 }, (_, rank) => ({ rank, ...lane }))
    const marks = Array.from(
      { length: 60 },
      (_, i) => ({ kind: 'checkpoint', step: 1000 * i, path: `runs/${i}` }) as const,
    )
    const chart = viz.training(viewOf([...events, ...marks, { kind: 'workers', workers }]))
    expect(size(chart)).toBeLessThan(60_000)
    expect(size(chart)).toBeGreaterThan(10_000)
    expect(JSON.stringify(await chart.bundle()).length).toBeLessThan(150_000)
  })

  it('says in one line where it stands', () => {
    const view = viewOf(trainingEvents({ epochs: 4, stepsPerEpoch: 10, steps: 25 }))
    const text = words(view)
    expect(text).not.toContain('\n')
    expect(text).toContain(
      'digits [█████████████░░░░░░░] Epoch 3 of 4 · step 25 of 40 · 50 steps/s · 6,400 rows/s · 0.3 s left',
    )
    expect(text).toMatch(/loss 0\.\d+ \(validation 0\.\d+\) · accuracy 0\.\d+ \(validation 0\.\d+\)/)
  })

  it('has a legend only where there are two lines to tell apart', () => {
    const legends = (events: readonly viz.TrainingViewEvent[]): boolean =>
      JSON.stringify(viz.training(viewOf(events)).spec).includes('"who":"validation"')
    const events = trainingEvents({ epochs: 2, stepsPerEpoch: 10 })
    expect(legends(events)).toBe(true)
    const without = events.map((event) => {
      if (event.kind !== 'epoch') return event
      const { validation: _, ...rest } = event
      return rest
    })
    expect(legends(without)).toBe(false)
  })

  it('says how it ended', () => {
    const view = viewOf(trainingEvents({ epochs: 2, stepsPerEpoch: 10 }))
    const end = (reason: 'done' | 'stopped' | 'failed', message?: string): string =>
      words(
        viz.reduceTraining(view, {
          kind: 'end',
          reason,
          step: 20,
          seconds: 75,
          ...(message === undefined ? {} : { message }),
        }),
      )
    expect(end('done')).toContain('Done in 1 min 15 s · 2 epochs · 20 steps')
    expect(end('stopped')).toContain('Stopped after 1 min 15 s · step 20 of 20')
    expect(end('failed', 'no worker is left')).toContain('no worker is left')
    expect(words({ ...view, status: 'paused' })).toContain('Paused · Epoch 2 of 2')
  })

  it('says that the loss is not finite', () => {
    const [start, first] = trainingEvents({ epochs: 1, stepsPerEpoch: 10, steps: 1 })
    const bad = { ...(first as Extract<viz.TrainingViewEvent, { kind: 'step' }>), loss: NaN }
    expect(words(viewOf([start!, bad]))).toContain('loss not finite since step 1')
  })

  it('keeps its step axis while it grows, always at least half full after twenty steps', () => {
    const ends = Array.from({ length: 100 }, (_, i) => {
      const view = viewOf(trainingEvents({ epochs: 1, stepsPerEpoch: 100, steps: i + 1 }))
      const [end] = [...JSON.stringify(viz.training(view).spec).matchAll(/"domain":\[0,(\d+)\],"nice":false/g)].map(
        (m) => Number(m[1]),
      )
      return end!
    })
    expect(new Set(ends)).toEqual(new Set([25, 50, 100]))
    expect(ends.every((end, i) => end >= i + 1 && (i < 20 || end <= 2.1 * (i + 1)))).toBe(true)
  })

  it('shows the learning rate only where it varies', () => {
    const steady = viz.training(viewOf(trainingEvents({ epochs: 1, stepsPerEpoch: 9 })))
    const varying = viz.training(viewOf(trainingEvents({ epochs: 1, stepsPerEpoch: 9, decay: true })))
    expect(JSON.stringify(steady.spec)).not.toContain('learning rate')
    expect(JSON.stringify(varying.spec)).toContain('learning rate')
  })

  it('shows lost and replaced workers', async () => {
    const view = viewOf([
      ...trainingEvents({ epochs: 1, stepsPerEpoch: 9 }),
      { kind: 'worker', rank: 3, change: 'lost', message: 'ended by SIGKILL' },
    ])
    expect(await viz.training(view).svg()).toContain('worker 3 lost')
  })
})
