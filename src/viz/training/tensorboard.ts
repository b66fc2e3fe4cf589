/**
 * A training as TensorBoard event files, written while it runs: `train` and `validation` are runs below one folder, as
 * Keras writes them, so that their curves lie in one chart.
 *
 * A file is records of TFRecord (length, masked CRC-32C of it, bytes, masked CRC-32C of them), each an `Event` of
 * tensorboard/compat/proto/event.proto: wall time, step, and a summary of scalars.
 */
import { randomUUID } from 'node:crypto'
import { appendFile, mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { eventRecord, type Scalar } from './event-record.js'
import type { TrainingViewEvent } from './event.js'

/** What tells its events: a training. */
export interface Watched {
  readonly name: string
  on(listener: (event: TrainingViewEvent) => void): () => void
}

export interface TensorBoardLog {
  /** The folder, as `tensorboard --logdir` takes it. */
  readonly folder: string
  /**
   * Writes what is there and stops listening; the end of the training does so too.
   *
   * @throws `io` when the files cannot be written
   */
  close(): Promise<void>
}

/** Records are written together, at most so often. */
const intervalMs = 1000

/**
 * Writes the training's scalars for TensorBoard from now on: loss and metrics of steps and of validations, learning rate,
 * rows a second, norm of the gradients.
 *
 * @param folder made when it is missing; each training gets files of its own
 * @throws `argument` for what is no training
 * @example
 * ```ts
 * const training = { name: 'digits', on: () => () => {} }
 * const log = viz.tensorboard(training, '/tmp/runs/digits')
 * await log.close()
 * ```
 */
export function tensorboard(training: Watched, folder: string): TensorBoardLog {
  if (typeof training?.on !== 'function') {
    throw new ShardbookError('argument', `viz.tensorboard: expected a training, got ${show(training)}.`)
  }
  const name = `events.out.tfevents.${Math.floor(Date.now() / 1000)}.${hostname()}.${process.pid}.${randomUUID().slice(0, 8)}`
  const runs = {
    train: new EventFile(join(folder, 'train'), name),
    validation: new EventFile(join(folder, 'validation'), name),
  }
  let timer: NodeJS.Timeout | undefined
  let failure: unknown
  let writing: Promise<void> = Promise.resolve()

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    writing = writing
      .then(() => Promise.all([runs.train.flush(), runs.validation.flush()]))
      .then(
        () => undefined,
        (error: unknown) => void (failure ??= error),
      )
  }
  const off = training.on((event) => {
    for (const { run, step, scalars } of scalarsOf(event)) runs[run].add(step, scalars)
    if (event.kind === 'end') flush()
    else timer ??= setTimeout(flush, intervalMs).unref()
  })
  return {
    folder,
    async close() {
      off()
      flush()
      await writing
      if (failure === undefined) return
      const message = failure instanceof Error ? failure.message : String(failure)
      throw new ShardbookError('io', `viz.tensorboard: expected to write below ${folder}, got ${message}.`, {
        cause: failure,
      })
    },
  }
}

interface Scalars {
  readonly run: 'train' | 'validation'
  readonly step: number
  readonly scalars: readonly Scalar[]
}

function scalarsOf(event: TrainingViewEvent): readonly Scalars[] {
  const list = (values: Readonly<Record<string, number | undefined>>): Scalar[] =>
    Object.entries(values).flatMap(([tag, value]) => (value === undefined ? [] : [{ tag, value }]))
  if (event.kind === 'step') {
    const { step, loss, metrics, learningRate, rows, stepMs, gradientNorm } = event
    const own = { loss, ...metrics, learning_rate: learningRate, gradient_norm: gradientNorm }
    return [{ run: 'train', step, scalars: list({ ...own, rows_per_second: (1000 * rows) / Math.max(stepMs, 1e-3) }) }]
  }
  if (event.kind === 'validation') return [{ run: 'validation', step: event.step, scalars: list(event.validation) }]
  if (event.kind !== 'epoch') return []
  const { step, loss, metrics, validation } = event
  const prefixed = Object.fromEntries(
    Object.entries({ loss, ...metrics }).map(([tag, value]) => [`epoch_${tag}`, value]),
  )
  const validated = Object.entries(validation ?? {}).flatMap(([tag, value]) => [
    [tag, value],
    [`epoch_${tag}`, value],
  ])
  return [
    { run: 'train', step, scalars: list(prefixed) },
    ...(validation === undefined
      ? []
      : [{ run: 'validation', step, scalars: list(Object.fromEntries(validated) as Record<string, number>) } as const]),
  ]
}

/** A file of events that begins with its first one. */
class EventFile {
  readonly #folder: string
  readonly #name: string
  #pending: Buffer[] = []
  #begun = false

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
  }

  add(step: number, scalars: readonly Scalar[]): void {
    this.#pending.push(eventRecord({ seconds: Date.now() / 1000, step, scalars }))
  }

  async flush(): Promise<void> {
    const records = this.#pending
    if (records.length === 0) return
    this.#pending = []
    if (!this.#begun) {
      await mkdir(this.#folder, { recursive: true })
      records.unshift(eventRecord({ seconds: Date.now() / 1000, version: 'brain.Event:2' }))
      this.#begun = true
    }
    await appendFile(join(this.#folder, this.#name), Buffer.concat(records))
  }
}
