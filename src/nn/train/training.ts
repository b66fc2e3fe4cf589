/**
 * A training as its user sees it: a promise of the model that can be watched, paused and stopped, and shows itself as one
 * live chart.
 *
 * It starts at once and goes on by itself. An interrupt stops it only when somebody awaits it; a failure that nobody awaits
 * is shown in the chart and raised when the training is awaited, never as an unhandled rejection.
 */
import { displaySymbol } from '../../core/display.js'
import type { Displayable, MimeBundle } from '../../core/display.js'
import { ShardbookError } from '../../core/errors.js'
import { host } from '../../core/host.js'
import { showingItself } from '../../core/quiet.js'
import { emptyTraining, live, reduceTraining, training as chartOf } from '../../viz/index.js'
import type { LiveChart, TrainingView } from '../../viz/index.js'
import type { StepRun, Strategy } from '../strategy.js'
import type { TrainingEvent } from './event.js'
import type { EpochResult, TrainingJob, TrainingState } from './job.js'
import { ProfileSums } from './profile.js'
import type { Profile } from './profile.js'
import { epochRow } from './rules.js'

/** An epoch as a plain row: `loss`, the metrics, and the same with `validation` in front where there are validation rows. */
export type HistoryRow = Readonly<{ epoch: number; step: number; loss: number } & Record<string, number>>

/** Work that can be saved once it is done. */
export interface Savable {
  save(path: string): Promise<void>
}

/** What a training needs to begin, and how its result becomes a model. */
export interface Prepared<M> {
  readonly strategy: Strategy
  readonly job: TrainingJob
  readonly finish: (state: TrainingState) => Promise<M> | M
  /** Says more of what went wrong. */
  readonly explain?: (error: unknown) => Promise<unknown>
}

/** The chart of a training that somebody else shows. */
const unseen: LiveChart = { id: '', update: () => {}, show: () => {}, end: async () => {} }

/**
 * A running training: `await` it for the model.
 *
 * @example
 * ```ts
 * const training = cnn.fit(train, { validation: test })
 * training.on((event) => event.kind === 'epoch' && console.log(event.loss))
 * const model = await training
 * ```
 */
export class Training<M extends Savable> implements Promise<M>, Displayable {
  readonly name: string
  readonly [Symbol.toStringTag] = 'Training'
  readonly #result: Promise<M>
  readonly #run: Promise<StepRun>
  /** The run, once it has begun. */
  #begun: StepRun | undefined
  readonly #listeners = new Set<(event: TrainingEvent) => unknown>()
  readonly #history: HistoryRow[] = []
  readonly #profile = new ProfileSums()
  readonly #chart: LiveChart
  #view: TrainingView
  #awaited = false
  /** The last pause that was asked for, unless it was taken back. */
  #pauseAsked: symbol | undefined
  #ended = false

  /** Begins: `prepare` is called at once. Users get trainings from `fit`. A quiet one shows no chart. */
  constructor(
    name: string,
    prepare: () => Promise<Prepared<M>>,
    callbacks: readonly ((event: TrainingEvent, training: Training<M>) => unknown)[] = [],
    { quiet = false }: { readonly quiet?: boolean } = {},
  ) {
    this.name = name
    for (const callback of callbacks) this.#listeners.add((event) => callback(event, this))
    this.#view = { ...emptyTraining, name }
    this.#chart = quiet ? unseen : live(chartOf(this.#view))
    // The chart says how far it is.
    const prepared = showingItself(prepare)
    this.#run = showingItself(async () => this.#begin(await prepared))
    this.#result = showingItself(async () => this.#finish(prepared))
    const offInterrupt = host().onInterrupt(() => {
      if (this.#awaited) void this.stop()
    })
    // Whoever awaits gets the failure from #result; these two only keep it from counting as unhandled.
    this.#run.catch(() => undefined)
    const settled = this.#result.then(
      () => offInterrupt(),
      () => offInterrupt(),
    )
    host().track(name, settled)
  }

  /** Rows of the epochs done, in order. */
  get history(): readonly HistoryRow[] {
    return this.#history
  }

  /** Where the training stands, as the chart shows it. */
  get view(): TrainingView {
    return this.#view
  }

  /** Where the time of a step goes so far: by phase where `fit` was given `profile: true`. */
  get profile(): Profile {
    return this.#profile.profile()
  }

  /** Calls `listener` with every event from now on; returns how to stop that. */
  on(listener: (event: TrainingEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Waits before the next step until `resume()`. */
  async pause(): Promise<void> {
    const asked = (this.#pauseAsked = Symbol('pause'))
    await (await this.#run).pause()
    if (!this.#ended && this.#pauseAsked === asked) this.#show({ ...this.#view, status: 'paused' })
  }

  async resume(): Promise<void> {
    this.#pauseAsked = undefined
    await (await this.#run).resume()
    if (!this.#ended && this.#view.status === 'paused') this.#show({ ...this.#view, status: 'running' })
  }

  /** Ends after the step in flight; the training then gives the model with the weights so far. */
  async stop(): Promise<void> {
    // At once where it can be: no other step begins.
    const run = this.#begun ?? (await this.#run.catch(() => undefined))
    await run?.stop()
  }

  /**
   * Saves the state now, between two steps; the path of the checkpoint.
   *
   * @throws ShardbookError `state` where it runs in this process, or is over.
   */
  async checkpoint(): Promise<string> {
    const path = await (await this.#run).checkpoint?.()
    if (path !== undefined) return path
    throw new ShardbookError('state', 'training.checkpoint: expected a training in a pool, got one in this process.')
  }

  /** Saves the model, once the training has ended or was stopped. */
  async save(path: string): Promise<void> {
    await (await this.#result).save(path)
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a training is awaited like any promise
  async then<A = M, B = never>(
    onFulfilled?: ((model: M) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#awaited = true
    return this.#result.then(onFulfilled, onRejected)
  }

  async catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<M | B> {
    return this.then(undefined, onRejected)
  }

  async finally(onFinally?: (() => void) | null): Promise<M> {
    this.#awaited = true
    return this.#result.finally(onFinally)
  }

  /** While it runs this is one more output of the live chart. */
  [displaySymbol](): MimeBundle | Promise<MimeBundle> {
    if (!this.#ended) {
      this.#chart.show(chartOf(this.#view))
      return {}
    }
    return chartOf(this.#view)[displaySymbol]()
  }

  #begin({ strategy, job, finish }: Prepared<M>): StepRun {
    for (const result of job.start.progress?.history ?? []) {
      this.#remember(result)
      this.#view = reduceTraining(this.#view, { kind: 'epoch', ...result })
    }
    return (this.#begun = strategy.step(job, (event) => this.#take(event), { finish }))
  }

  async #finish(prepared: Promise<Prepared<M>>): Promise<M> {
    const began = performance.now()
    try {
      const { finish, explain = async (error) => error } = await prepared
      const run = await this.#run
      const state = await run.done.catch(async (error: unknown) => {
        throw await explain(error)
      })
      const model = await finish(state)
      await this.#end()
      return model
    } catch (error) {
      if (!this.#ended) {
        const seconds = (performance.now() - began) / 1000
        const message = error instanceof Error ? error.message : String(error)
        this.#take({ kind: 'end', reason: 'failed', step: this.#view.step, seconds, message })
      }
      // Perhaps more is known of the failure than when it was told.
      if (error instanceof Error) this.#view = { ...this.#view, message: error.message }
      await this.#end()
      throw error
    }
  }

  async #end(): Promise<void> {
    this.#ended = true
    await this.#chart.end(chartOf(this.#view))
  }

  #take(event: TrainingEvent): void {
    this.#show(reduceTraining(this.#view, event))
    if (event.kind === 'end') this.#ended = true
    if (event.kind === 'epoch') this.#remember(event)
    if (event.kind === 'step') this.#profile.add(event)
    for (const listener of this.#listeners) {
      try {
        if (listener(event) === 'stop') void this.stop()
      } catch (cause) {
        // A listener is the user's: it is told of its failure and the training goes on.
        this.#listeners.delete(listener)
        const message = `training.on: a listener of "${this.name}" failed and is not called any more: ${String(cause)}`
        host().publish({ 'text/plain': new ShardbookError('argument', message, { cause }).message })
      }
    }
  }

  #remember(event: EpochResult): void {
    const row = epochRow(event) as HistoryRow
    // After the loss of a worker an epoch may end a second time.
    const at = this.#history.findIndex((other) => other.epoch >= row.epoch)
    this.#history.splice(at < 0 ? this.#history.length : at, Infinity, row)
  }

  #show(view: TrainingView): void {
    this.#view = view
    this.#chart.update(() => chartOf(view))
  }
}
