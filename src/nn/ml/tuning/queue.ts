/**
 * The queue that all tuners share: trials in, scores out. A trial is fitted on one worker of a strategy, or in this process, and
 * scored on the rows that it did not see; as many run side by side as `parallelism` says.
 */
import { ShardbookError } from '../../../core/errors.js'
import { col } from '../../../frame/index.js'
import type { AnyFrame, Frame } from '../../../frame/index.js'
import type { Strategy } from '../../strategy.js'
import type { Estimator, Transformer } from '../stage.js'
import type { Scorer } from './scorer.js'
import type { Fold } from './folds.js'
import { showParams } from './params.js'
import type { TrialStore } from './trial-store.js'
import type { Trial, TrialResult } from './trial.js'

export interface QueueOptions {
  /** In errors. */
  readonly caller: string
  readonly evaluator: Scorer
  /** Where trials are fitted, each on one worker. */
  readonly on: Strategy
  readonly parallelism: number
  readonly store: TrialStore | undefined
  /** What a trial fits, on which rows. */
  readonly fittingOf: (trial: Trial) => { readonly estimator: Estimator; readonly rows: Fold }
  /** Called when a trial begins, and when it is done; `kept` when an earlier run did it. */
  readonly onBegin: (trial: Trial) => void
  readonly onDone: (result: TrialResult, model: Transformer | undefined, kept: boolean) => void
}

export class TrialQueue {
  readonly #options: QueueOptions
  readonly #running = new Set<{ stop?: () => Promise<void> }>()
  #stopped = false

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /**
   * Runs trials, those first that stand first; results in their order.
   *
   * @throws the first failure, with the trial's name, once nothing runs any more; trials that are done are kept
   */
  async run(trials: readonly Trial[]): Promise<readonly TrialResult[]> {
    const results: TrialResult[] = []
    const waiting = [...trials.entries()]
    let failure: { readonly error: unknown } | undefined
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined && failure === undefined; next = waiting.shift()) {
        if (this.#stopped) break
        const [i, trial] = next
        try {
          results[i] = await this.#do(trial)
        } catch (error) {
          failure ??= { error: this.#stopped ? error : this.#named(trial, error) }
        }
      }
    }
    await Promise.all(Array.from({ length: this.#options.parallelism }, work))
    if (this.#stopped) {
      throw new ShardbookError('interrupted', `${this.#options.caller}: interrupted with trials left to do.`, {
        hint: "With the option 'resume' finished trials are kept.",
      })
    }
    if (failure !== undefined) throw failure.error
    return results
  }

  /** Gives out no more trials and stops those that run. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#running].map(async (fitting) => fitting.stop?.()))
  }

  async #do(trial: Trial): Promise<TrialResult> {
    const { caller, evaluator, on, store, fittingOf, onBegin, onDone } = this.#options
    const kept = await store?.find(caller, trial)
    if (kept !== undefined) {
      onDone(kept.result, kept.model, true)
      return kept.result
    }
    onBegin(trial)
    const began = performance.now()
    const { estimator, rows } = fittingOf(trial)
    const fitting = estimator.fit(rows.train, { on })
    const entry = fitting as { stop?: () => Promise<void> }
    this.#running.add(entry)
    try {
      const model = await fitting
      if (this.#stopped) throw new ShardbookError('interrupted', `${caller}: interrupted.`)
      const score = await evaluator.evaluate(model.transform(rows.validation))
      const result: TrialResult = { trial, score, seconds: (performance.now() - began) / 1000 }
      await store?.keep(result, model)
      onDone(result, model, false)
      return result
    } finally {
      this.#running.delete(entry)
    }
  }

  #named({ params, fold, resource }: Trial, error: unknown): ShardbookError {
    const { caller } = this.#options
    const message = error instanceof Error ? error.message : String(error)
    const code = error instanceof ShardbookError ? error.code : 'internal'
    const with_ = resource === undefined ? '' : `, resource ${resource}`
    return new ShardbookError(code, `${caller}: trial ${showParams(params)}, fold ${fold}${with_}: ${message}`, {
      cause: error,
    })
  }
}

/**
 * How a strategy serves trials: each on one worker, shown by whoever asked and not by itself. Without `alone` a training takes all
 * workers where its batch has a slice for each.
 */
export function quietly(whole: Strategy, { alone }: { readonly alone: boolean }): Strategy {
  return Object.freeze({
    workers: 1,
    engine: whole.engine,
    ...(whole.inProcess ? { inProcess: true as const } : {}),
    quiet: true as const,
    step: (...[job, listener]: Parameters<Strategy['step']>) =>
      whole.step(job, listener, alone || job.slices < whole.workers ? { workers: 1 } : {}),
    map: async (...args: Parameters<Strategy['map']>) => whole.map(...args),
    transform: (...args: Parameters<Strategy['transform']>) => whole.transform(...args),
  })
}

/** Text that differs when the data do: their columns, their number, and the ends of the columns of numbers. */
export async function fingerprintOf(frame: AnyFrame): Promise<string> {
  const ends = frame.schema
    .filter(({ type }) => type.kind === 'number')
    .flatMap(({ name }, i) => [
      [`least${i}`, col(name).min()],
      [`most${i}`, col(name).max()],
    ])
  const [row] = await (frame as Frame).agg({ rows: col.count(), ...Object.fromEntries(ends) }).toRows()
  return JSON.stringify([frame.schema, row], (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}
