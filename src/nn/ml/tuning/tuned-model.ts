/** What tuners fit: the model of the best candidate, and how all of them did. */
import { displaySymbol } from '../../../core/display.js'
import type { Displayable, MimeBundle } from '../../../core/display.js'
import { frame } from '../../../frame/index.js'
import type { Frame, Schema } from '../../../frame/index.js'
import { saveStage } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Stage, Transformer } from '../stage.js'
import { showValue } from './params.js'
import { bundleOf } from './trial-table.js'
import type { CandidateScore, TrialResult } from './trial.js'

/** How a run of trials came out, as plain data. */
export interface TuningReport {
  /** The tuner: `'CrossValidator'`. */
  readonly name: string
  readonly metric: string
  readonly largerIsBetter: boolean
  readonly seconds: number
  readonly results: readonly TrialResult[]
  /** Of each candidate, in the order of the grid; of halving, of those in the last round it was in. */
  readonly scores: readonly CandidateScore[]
  /** The chosen candidate's place in `scores`. */
  readonly bestIndex: number
}

/**
 * The best candidate's model, fitted on all rows: immutable.
 *
 * @example
 * ```ts
 * const tuned = await crossValidator.fit(train)
 * tuned.avgMetrics
 * const predictions = tuned.transform(test)
 * viz.crossValidation(tuned.trials, { x: 'regParam', y: 'areaUnderROC' })
 * ```
 */
export class TunedModel<M extends Transformer = Transformer> implements Transformer, Displayable {
  readonly kind = 'TunedModel'
  readonly bestModel: M
  /** As the best model's. */
  readonly transform: M['transform']
  /** `subModels[fold][candidate]`, where they were asked for. */
  readonly subModels: readonly (readonly M[])[] | undefined
  readonly report: TuningReport

  constructor(bestModel: M, report: TuningReport, subModels?: readonly (readonly M[])[]) {
    this.bestModel = bestModel
    this.transform = bestModel.transform.bind(bestModel) as M['transform']
    this.report = report
    this.subModels = subModels
  }

  static load({ params }: Pick<LoadedStage, 'params'>, stages: readonly Stage[]): TunedModel {
    return new TunedModel(stages[0] as Transformer, params['report'] as TuningReport)
  }

  /** Mean scores over the folds, one a candidate. */
  get avgMetrics(): readonly number[] {
    return this.report.scores.map(({ mean }) => mean)
  }

  /** Standard deviations over the folds, one a candidate. */
  get stdMetrics(): readonly number[] {
    return this.report.scores.map(({ deviation }) => deviation)
  }

  /** Candidates with their values, means and deviations, as `ml.oneStandardError` takes them. */
  get scores(): readonly CandidateScore[] {
    return this.report.scores
  }

  /** The chosen candidate's place in `scores`. */
  get bestIndex(): number {
    return this.report.bestIndex
  }

  /** The chosen candidate's values. */
  get bestParams(): Readonly<Record<string, unknown>> {
    return this.report.scores[this.report.bestIndex]!.params
  }

  /** A row a trial: its number, candidate, fold, values, score (named as the metric) and seconds. */
  get trials(): Frame {
    return trialFrame(this.report)
  }

  transformSchema(schema: Schema): Schema {
    return this.bestModel.transformSchema(schema)
  }

  /** Saves the best model with the report; models of folds are not kept. */
  async save(path: string): Promise<void> {
    await saveStage(path, { kind: this.kind, params: { report: plain(this.report) }, stages: [this.bestModel] })
  }

  [displaySymbol](): MimeBundle {
    const { name, metric, largerIsBetter, seconds, results, scores } = this.report
    const view = {
      name,
      metric,
      largerIsBetter,
      total: results.length,
      done: results.length,
      resumed: 0,
      seconds,
      phase: '',
      candidates: scores.map((score) => ({ ...score, state: 'done' as const, score })),
    }
    return bundleOf(view, true)
  }
}

/** Trials as a frame; values that are no numbers, texts or booleans as text. */
export function trialFrame({ results, metric }: Pick<TuningReport, 'results' | 'metric'>): Frame {
  const hasResource = results.some(({ trial }) => trial.resource !== undefined)
  const rows = results.map(({ trial, score, seconds }, i) => ({
    trial: i,
    candidate: trial.candidate,
    fold: trial.fold,
    ...(hasResource ? { resource: trial.resource ?? null } : {}),
    ...Object.fromEntries(Object.entries(trial.params).map(([name, value]) => [name, cellOf(value)])),
    [metric]: score,
    seconds,
  }))
  return frame(rows) as unknown as Frame
}

function cellOf(value: unknown): number | string | boolean | null {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || value === null)
    return value
  return showValue(value)
}

/** Values that are no JSON as text: a report is for reading. */
function plain(report: TuningReport): unknown {
  const params = (own: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(own).map(([name, value]) => [name, cellOf(value)]))
  return {
    ...report,
    results: report.results.map(({ trial, ...rest }) => ({
      ...rest,
      trial: { ...trial, params: params(trial.params) },
    })),
    scores: report.scores.map((score) => ({ ...score, params: params(score.params) })),
  }
}
