/**
 * A running search as its user sees it: a promise of what it finds, with one table of trials that changes in place.
 *
 * It starts at once. An interrupt stops it when somebody awaits it; a failure that nobody awaits is raised when it is awaited.
 */
import { displaySymbol } from '../../../core/display.js'
import type { Displayable, MimeBundle } from '../../../core/display.js'
import { host } from '../../../core/host.js'
import { showingItself } from '../../../core/quiet.js'
import type { AnyFrame } from '../../../frame/index.js'
import type { Strategy } from '../../strategy.js'
import { local } from '../../train/local.js'
import type { Estimator, Transformer } from '../stage.js'
import { metricOf } from './scorer.js'
import type { Scorer } from './scorer.js'
import type { Fold } from './folds.js'
import { describeStage, labelled, withParams } from './params.js'
import type { ParamMap } from './params.js'
import { fingerprintOf, quietly, TrialQueue } from './queue.js'
import { TrialStore } from './trial-store.js'
import { bundleOf, TrialTable } from './trial-table.js'
import type { CandidateRow } from './trial-table.js'
import { scoresOf } from './trial.js'
import type { Trial, TrialResult } from './trial.js'

/** What a search does; the queue, the table and the store are the same for all. */
export interface TuningPlan<R> {
  /** In the table and in errors: `CrossValidator`. */
  readonly name: string
  readonly estimator: Estimator
  readonly candidates: readonly ParamMap[]
  readonly evaluator: Scorer
  readonly frame: AnyFrame
  readonly on: Strategy | undefined
  readonly parallelism: number | undefined
  /** Folder of finished trials. */
  readonly resume: string | undefined
  readonly collectSubModels: boolean
  /** What else makes a run another one: folds, seed. */
  readonly identity: unknown
  folds(): Promise<readonly Fold[]>
  /** A candidate and rows with what halving gives. */
  shrink?(params: ParamMap, rows: Fold, resource: number): { params: ParamMap; rows: Fold }
  /** Runs trials in the order that the search wants. */
  search(search: Search): Promise<readonly TrialResult[]>
  /** What the search gives. `models[fold][candidate]` holds the trials' models where they were asked for. */
  finish(found: Found): Promise<R>
}

export interface Search {
  readonly folds: readonly Fold[]
  /** Values of the candidates by name. */
  readonly params: readonly Readonly<Record<string, unknown>>[]
  readonly run: (trials: readonly Trial[]) => Promise<readonly TrialResult[]>
  /** How many trials there will be. */
  readonly expect: (trials: number) => void
  /** Candidates that get no more trials. */
  readonly drop: (candidates: readonly number[]) => void
}

export interface Found {
  readonly results: readonly TrialResult[]
  readonly seconds: number
  readonly models: readonly (readonly Transformer[])[]
  /** Fits a candidate on all rows. */
  readonly refit: (candidate: number) => Promise<Transformer>
}

/**
 * A running search: `await` it for its result.
 *
 * @example
 * ```ts
 * const tuning = crossValidator.fit(train, { on: workers })
 * const tuned = await tuning
 * ```
 */
export class Tuning<R> implements PromiseLike<R>, Displayable {
  readonly name: string
  readonly #result: Promise<R>
  readonly #table: TrialTable
  readonly #began = performance.now()
  #queue: TrialQueue | undefined
  #refitting: { stop?: () => Promise<void> } | undefined
  #awaited = false
  #ended = false

  /** Begins at once. */
  constructor(plan: TuningPlan<R>) {
    this.name = plan.name
    const params = plan.candidates.map((own) => labelled(own, plan.candidates))
    this.#table = new TrialTable({
      name: plan.name,
      metric: metricOf(plan.evaluator),
      largerIsBetter: plan.evaluator.isLargerBetter,
      total: 0,
      done: 0,
      resumed: 0,
      seconds: 0,
      phase: 'preparing',
      candidates: params.map((own, candidate) => ({ candidate, params: own, state: 'waiting' })),
    })
    this.#result = showingItself(async () => this.#run(plan, params))
    const offInterrupt = host().onInterrupt(() => {
      if (this.#awaited) void this.stop()
    })
    const settled = this.#result.then(
      () => offInterrupt(),
      () => offInterrupt(),
    )
    host().track(plan.name, settled)
  }

  /** Gives out no more trials and stops those that run; the search then rejects, and what is done is kept by `resume`. */
  async stop(): Promise<void> {
    await this.#queue?.stop()
    await this.#refitting?.stop?.()
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a search is awaited like any promise
  async then<A = R, B = never>(
    onFulfilled?: ((result: R) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#awaited = true
    return this.#result.then(onFulfilled, onRejected)
  }

  /** While it runs this is one more output of the table. */
  [displaySymbol](): MimeBundle {
    if (this.#ended) return bundleOf(this.#table.view, true)
    this.#table.showHere()
    return {}
  }

  async #run(plan: TuningPlan<R>, params: readonly Readonly<Record<string, unknown>>[]): Promise<R> {
    try {
      const result = await this.#search(plan, params)
      this.#end('')
      return result
    } catch (error) {
      this.#end(`failed: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    }
  }

  async #search(plan: TuningPlan<R>, params: readonly Readonly<Record<string, unknown>>[]): Promise<R> {
    const { name, estimator, evaluator, frame, candidates } = plan
    // Whatever a column or a parameter makes impossible is found before anything is fitted.
    const estimators = candidates.map((own) => withParams(`${name}.fit`, estimator, own))
    for (const each of estimators) each.transformSchema(frame.schema)
    const [folds, whole, store] = await Promise.all([plan.folds(), plan.on ?? local(), this.#store(plan)])
    const on = quietly(whole, { alone: true })
    const models: Transformer[][] = folds.map(() => [])
    const results: TrialResult[] = []
    const queue = new TrialQueue({
      caller: `${name}.fit`,
      evaluator,
      on,
      // One more than workers, so that none waits while a trial is prepared or scored in this process.
      parallelism: plan.parallelism ?? (whole.workers === 1 ? 1 : whole.workers + 1),
      store,
      fittingOf: ({ candidate, fold, resource }) => {
        const rows = folds[fold]!
        if (resource === undefined) return { estimator: estimators[candidate]!, rows }
        const shrunk = plan.shrink!(candidates[candidate]!, rows, resource)
        return { estimator: withParams(`${name}.fit`, estimator, shrunk.params), rows: shrunk.rows }
      },
      onBegin: ({ candidate, resource }) =>
        this.#row(candidate, { state: 'running', ...(resource === undefined ? {} : { resource }) }),
      onDone: (result, model, kept) => {
        results.push(result)
        const { candidate, fold } = result.trial
        if (plan.collectSubModels && model !== undefined) models[fold]![candidate] = model
        this.#scored(result, results, kept)
      },
    })
    this.#queue = queue
    this.#update({ phase: '' })
    const kept = await plan.search({
      folds,
      params,
      run: async (trials) => queue.run(trials),
      expect: (total) => this.#update({ total }),
      drop: (dropped) => dropped.forEach((candidate) => this.#row(candidate, { state: 'out' })),
    })
    const refit = async (candidate: number): Promise<Transformer> => {
      this.#update({ phase: 'fitting the best on all rows' })
      const fitting = estimators[candidate]!.fit(frame, { on: quietly(whole, { alone: false }) })
      this.#refitting = fitting as { stop?: () => Promise<void> }
      return fitting
    }
    return plan.finish({ results: kept, seconds: this.#seconds, models, refit })
  }

  async #store({ name, resume, estimator, evaluator, frame, identity, collectSubModels }: TuningPlan<R>) {
    if (resume === undefined) return undefined
    const measure = { kind: evaluator.kind, options: evaluator.options }
    const data = await fingerprintOf(frame)
    const run = JSON.stringify([name, describeStage(estimator), measure, identity, data])
    return TrialStore.open(`${name}.fit`, resume, run, collectSubModels)
  }

  #scored({ trial }: TrialResult, results: readonly TrialResult[], kept: boolean): void {
    const { candidate, resource } = trial
    const own = results.filter((other) => other.trial.candidate === candidate && other.trial.resource === resource)
    const [score] = scoresOf(own)
    this.#row(candidate, { state: 'done', ...(score && { score }), ...(resource === undefined ? {} : { resource }) })
    const { resumed } = this.#table.view
    this.#update({ done: results.length, resumed: resumed + (kept ? 1 : 0) })
  }

  #row(candidate: number, change: Partial<CandidateRow>): void {
    const { candidates } = this.#table.view
    this.#update({ candidates: candidates.with(candidate, { ...candidates[candidate]!, ...change }) })
  }

  #update(change: Parameters<TrialTable['update']>[0]): void {
    this.#table.update({ ...change, seconds: this.#seconds })
  }

  #end(phase: string): void {
    this.#ended = true
    this.#table.end({ phase, seconds: this.#seconds })
  }

  get #seconds(): number {
    return (performance.now() - this.#began) / 1000
  }
}
