import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pythonEnv } from '../../../tools/python-env.mjs'
import * as viz from '../../../src/viz/index.js'
import { missing } from '../../needs.js'
import { trainingEvents } from '../samples.js'

const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** A training that tells what it is made to tell. */
function watched(): viz.Watched & { tell(event: viz.TrainingViewEvent): void; readonly listeners: number } {
  const listeners = new Set<(event: viz.TrainingViewEvent) => void>()
  return {
    name: 'digits',
    on(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    tell: (event) => listeners.forEach((listener) => listener(event)),
    get listeners() {
      return listeners.size
    },
  }
}

describe('viz.tensorboard', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tensorboard-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it.skipIf(missing('python'))("writes what TensorBoard's own reader reads", { timeout: 600_000 }, async () => {
    const training = watched()
    const log = viz.tensorboard(training, folder)
    const events = trainingEvents({ epochs: 2, stepsPerEpoch: 300, inside: true })
    for (const event of events) training.tell(event)
    training.tell({ kind: 'end', reason: 'done', step: 600, seconds: 1 })
    await log.close()
    expect(training.listeners).toBe(0)
    const python = await pythonEnv({ requirements: beside('../readers.txt'), log: () => {} })
    const read = JSON.parse(
      execFileSync(python, [beside('../read-events.py'), folder], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as Record<string, Record<string, [number, number][]>>
    const steps = events.filter((event) => event.kind === 'step')
    const float = (value: number): number => Math.fround(value)
    expect(Object.keys(read).toSorted()).toEqual(['train', 'validation'])
    expect(Object.keys(read['train']!).toSorted()).toEqual([
      'accuracy',
      'epoch_accuracy',
      'epoch_loss',
      'gradient_norm',
      'learning_rate',
      'loss',
      'rows_per_second',
    ])
    expect(read['train']!['loss']).toEqual(steps.map(({ step, loss }) => [step, float(loss)]))
    expect(read['train']!['gradient_norm']).toEqual(steps.map(({ step, gradientNorm }) => [step, float(gradientNorm!)]))
    const epochs = events.filter((event) => event.kind === 'epoch')
    expect(read['validation']!['accuracy']).toEqual(
      epochs.map(({ step, validation }) => [step, float(validation!['accuracy']!)]),
    )
  })

  it('writes nothing of a training that tells nothing', async () => {
    await viz.tensorboard(watched(), folder).close()
    expect(readdirSync(folder)).toEqual([])
  })

  it('raises when it cannot write, and for what is no training', async () => {
    writeFileSync(join(folder, 'taken'), '')
    const training = watched()
    const log = viz.tensorboard(training, join(folder, 'taken'))
    training.tell(trainingEvents({ epochs: 1, stepsPerEpoch: 1 })[1]!)
    await expect(log.close()).rejects.toThrow('viz.tensorboard: expected to write below')
    expect(() => viz.tensorboard({} as never, folder)).toThrow('viz.tensorboard: expected a training, got {  }.')
  })
})
