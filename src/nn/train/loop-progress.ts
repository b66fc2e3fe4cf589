/**
 * What a loop has seen and decided: sums of the epoch under way, the epochs done, what the rules make of them. It is part of the
 * state, so that a training that goes on from a state decides as the undisturbed one.
 */
import { ShardbookError } from '../../core/errors.js'
import { finishMetric } from '../metric-finish.js'
import type { EpochResult, Progress, RuleState, TrainingJob } from './job.js'
import { decide, initialRule } from './rules.js'

/** What the end of an epoch brings. */
export interface EpochEnd {
  readonly result: EpochResult
  /** Whether this epoch's weights are to be kept. */
  readonly keepBest: boolean
  readonly stop?: string
}

export class LoopProgress {
  readonly #job: TrainingJob
  readonly #totalRows: number
  #rows = 0
  #sums: number[] = []
  #history: EpochResult[] = []
  #rules: RuleState[] = []
  #rateFactor = 1
  #stopped: string | undefined

  constructor(job: TrainingJob, totalRows: number) {
    this.#job = job
    this.#totalRows = totalRows
  }

  /** Why a rule has ended the training, if one has. */
  get stopped(): string | undefined {
    return this.#stopped
  }

  /** Goes on from a state, or from nothing. @throws ShardbookError `state` when it is of other data. */
  restore(progress: Progress | undefined): void {
    if (progress !== undefined && progress.totalRows !== this.#totalRows) {
      throw new ShardbookError(
        'state',
        `training: expected the ${progress.totalRows} rows that this state was trained on, got ${this.#totalRows}.`,
      )
    }
    this.#rows = progress?.rows ?? 0
    this.#sums = [...(progress?.sums ?? [])]
    this.#history = [...(progress?.history ?? [])]
    this.#rules = (this.#job.rules ?? []).map((_, i) => progress?.rules[i] ?? initialRule)
    this.#rateFactor = progress?.rateFactor ?? 1
    this.#stopped = progress?.stopped
  }

  snapshot(): Progress {
    return {
      totalRows: this.#totalRows,
      rows: this.#rows,
      sums: [...this.#sums],
      history: [...this.#history],
      rules: [...this.#rules],
      rateFactor: this.#rateFactor,
      ...(this.#stopped === undefined ? {} : { stopped: this.#stopped }),
    }
  }

  /** Learning rate of a step, from 0. */
  rate(step: number): number {
    const { rates } = this.#job
    return rates[Math.min(step, rates.length - 1)]! * this.#rateFactor
  }

  /** Adds a step's sums: of the loss, then of the metrics. */
  add(rows: number, sums: readonly number[]): void {
    this.#rows += rows
    for (const [i, sum] of sums.entries()) this.#sums[i] = (this.#sums[i] ?? 0) + sum
  }

  /** Ends an epoch and decides; nothing where that was done before. */
  endEpoch(epoch: number, step: number, validation: EpochResult['validation']): EpochEnd | undefined {
    if ((this.#history.at(-1)?.epoch ?? 0) >= epoch || this.#rows === 0) return undefined
    const { loss, ...metrics } = finishSums(this.#job, this.#sums, this.#rows)
    const result = { epoch, step, loss: loss!, metrics, ...(validation === undefined ? {} : { validation }) }
    this.#history.push(result)
    this.#rows = 0
    this.#sums = []
    let keepBest = false
    for (const [i, rule] of (this.#job.rules ?? []).entries()) {
      const { state, better, factor, stop } = decide(rule, this.#rules[i]!, result)
      this.#rules[i] = state
      this.#stopped ??= stop
      if (rule.kind === 'earlyStopping') keepBest ||= better && rule.restoreBest === true
      else if (factor !== undefined) this.#rateFactor = Math.max(this.#rateFactor * factor, rule.floor ?? 0)
    }
    return { result, keepBest, ...(this.#stopped === undefined ? {} : { stop: this.#stopped }) }
  }
}

/** Loss and metrics by name of their sums over rows. */
export function finishSums(
  { metrics, programs }: TrainingJob,
  sums: readonly number[],
  rows: number,
): Readonly<Record<string, number>> {
  let at = 1
  const named = metrics.map(({ name, finish }, i) => {
    const size = sumSize(programs.gradients, i + 1)
    at += size
    return [name, finishMetric(finish, sums.slice(at - size, at), rows)] as const
  })
  return { loss: sums[0]! / rows, ...Object.fromEntries(named) }
}

/** Numbers in an output. */
export function sumSize({ outputs, values }: TrainingJob['programs']['gradients'], output: number): number {
  return values[outputs[output]!.value]!.shape[0] ?? 1
}
