import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { displaySymbol } from '../../../src/core/display.js'
import type { MimeBundle } from '../../../src/core/display.js'
import { hostSymbol, terminalHost } from '../../../src/core/host.js'
import type { Host } from '../../../src/core/host.js'
import { openEngine } from '../../../src/engine/index.js'
import * as ml from '../../../src/nn/ml/index.js'
import type { TrainingEvent } from '../../../src/nn/train/event.js'
import { bars } from './fixture.js'

/** A host that keeps what it is given, in place of the terminal. */
class Notebook implements Host {
  readonly kind = 'kernel'
  cell: string | undefined = 'Cell[1]'
  readonly published: { bundle: MimeBundle; id: string | undefined }[] = []
  readonly updates: { bundle: MimeBundle; id: string }[] = []
  readonly tracked: Promise<unknown>[] = []
  readonly listeners = new Set<() => void>()
  readonly openComm: Host['openComm'] = (target) => terminalHost().openComm(target)
  readonly registerTarget: Host['registerTarget'] = () => () => {}
  readonly clearOutput: Host['clearOutput'] = () => {}
  readonly page: Host['page'] = () => {}
  readonly setNextInput: Host['setNextInput'] = () => {}
  publish(bundle: MimeBundle, options: { id?: string } = {}): void {
    this.published.push({ bundle, id: options.id })
  }
  update(id: string, bundle: MimeBundle): void {
    this.updates.push({ bundle, id })
  }
  async prompt(): Promise<string> {
    return ''
  }
  onInterrupt(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
  track(_label: string, work: Promise<unknown>): void {
    this.tracked.push(work)
  }
  interrupt(): void {
    for (const listener of this.listeners) listener()
  }
}

const holder = globalThis as { [hostSymbol]?: Host }
let notebook: Notebook
let before: Host | undefined

beforeAll(async () => void (await openEngine('wasm')))
beforeEach(() => {
  before = holder[hostSymbol]
  notebook = new Notebook()
  holder[hostSymbol] = notebook
})
afterEach(() => {
  if (before === undefined) delete holder[hostSymbol]
  else holder[hostSymbol] = before
})

const data = bars(60)
const fit = (options: { maxIter?: number; stepSize?: number } = {}) =>
  new ml.CNNClassifier({ inputCol: 'image', maxIter: 3, batchSize: 16, ...options }).fit(data, {
    validation: bars(20, 2),
  })

/** Resolves at the first event of a kind. */
const seen = async (training: ReturnType<typeof fit>, kind: TrainingEvent['kind']): Promise<void> =>
  new Promise((resolve) => {
    const off = training.on((event) => {
      if (event.kind !== kind) return
      off()
      resolve()
    })
  })

describe('training', () => {
  test('shows no chart with verbose: false, and learns the same', async () => {
    const quiet = await new ml.CNNClassifier({ inputCol: 'image', maxIter: 1, batchSize: 16 }).fit(data, {
      verbose: false,
    })
    expect(notebook.published).toEqual([])
    const shown = await fit({ maxIter: 1 })
    expect(notebook.published).toHaveLength(1)
    expect(quiet.weights).toEqual(shown.weights)
  })

  test('gives the model, a history by epoch, and every event in order', async () => {
    const training = fit()
    const events: TrainingEvent[] = []
    training.on((event) => void events.push(event))
    const model = await training
    expect(model.network.layers.at(-1)!.output).toEqual([3])
    expect(training.history.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 4],
      [2, 8],
      [3, 12],
    ])
    expect(Object.keys(training.history[0]!)).toEqual([
      'epoch',
      'step',
      'loss',
      'accuracy',
      'validationLoss',
      'validationAccuracy',
    ])
    expect(events.map(({ kind }) => kind).filter((kind) => kind !== 'step')).toEqual([
      'start',
      'epoch',
      'epoch',
      'epoch',
      'end',
    ])
    expect(events.filter(({ kind }) => kind === 'step')).toHaveLength(12)
    expect(events.at(-1)).toMatchObject({ reason: 'done', step: 12 })
  })

  test('shows one live chart at once, which ends with its picture', async () => {
    const training = fit()
    expect(notebook.published).toHaveLength(1)
    const { id } = notebook.published[0]!
    await training
    expect(notebook.published).toHaveLength(1)
    expect(notebook.updates.every((update) => update.id === id)).toBe(true)
    const final = notebook.updates.at(-1)!.bundle
    expect(final).toHaveProperty(['image/png'])
    expect(final).toHaveProperty(['application/vnd.vegalite.v5+json'])
    expect(final['text/plain']).toMatch(/3/)
    expect(await training[displaySymbol]()).toHaveProperty(['text/plain'])
    expect(notebook.tracked).toHaveLength(1)
    await Promise.all(notebook.tracked)
    expect(notebook.listeners.size).toBe(0)
  })

  test('shown in a later cell it is one more output of the same live chart', async () => {
    const training = fit()
    expect(await training[displaySymbol]()).toEqual({})
    expect(notebook.published).toHaveLength(1)
    notebook.cell = 'Cell[2]'
    expect(await training[displaySymbol]()).toEqual({})
    expect(await training[displaySymbol]()).toEqual({})
    expect(notebook.published.map(({ id }) => id)).toEqual([notebook.published[0]!.id, notebook.published[0]!.id])
    await training
  })

  test('an interrupt leaves a training alone that nobody awaits', async () => {
    const training = fit()
    await seen(training, 'step')
    notebook.interrupt()
    await Promise.all(notebook.tracked)
    expect(training.view).toMatchObject({ status: 'done', step: 12 })
  })

  test('an interrupt stops a training that is awaited; its weights so far make a model', async () => {
    const training = fit({ maxIter: 500 })
    await seen(training, 'epoch')
    const awaited = training.then((model) => model)
    notebook.interrupt()
    const model = await awaited
    expect(training.view.status).toBe('stopped')
    expect(training.view.step).toBeLessThan(500 * 4)
    expect(await model.transform(data).count()).toBe(60)
  })

  test('pauses, goes on, and stops', async () => {
    const training = fit({ maxIter: 500 })
    await seen(training, 'step')
    await training.pause()
    const { step } = training.view
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(training.view.step).toBe(step)
    expect(training.view.status).toBe('paused')
    await training.resume()
    await seen(training, 'epoch')
    expect(training.view.status).toBe('running')
    await training.stop()
    await training
    expect(training.view.status).toBe('stopped')
  })

  test('a failure that nobody awaits is shown, not unhandled, and raised when awaited', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      const training = fit({ stepSize: 1e38 })
      await Promise.all(notebook.tracked)
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).toEqual([])
      expect(training.view.status).toBe('failed')
      expect(String(notebook.updates.at(-1)!.bundle['text/plain'])).toContain('expected a finite loss')
      await expect(training).rejects.toThrow(/expected a finite loss/)
    } finally {
      process.off('unhandledRejection', note)
    }
  })

  test('a listener that throws is told of and the training goes on', async () => {
    const training = fit()
    training.on(() => {
      throw new Error('mine')
    })
    await training
    expect(training.view.status).toBe('done')
    const said = notebook.published.map(({ bundle }) => String(bundle['text/plain']))
    expect(said.filter((text) => text.includes('mine'))).toHaveLength(1)
  })
})
