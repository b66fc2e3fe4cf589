/**
 * What evaluators share: one number for a frame, the same with an interval, or for each value of a column. The frame's engine
 * computes them by aggregates; rows are not collected.
 */
import { checkInteger, checkNumber } from '../../../core/check.js'
import { displaySymbol, type Displayable, type MimeBundle } from '../../../core/display.js'
import { ShardbookError } from '../../../core/errors.js'
import { col, Frame } from '../../../frame/index.js'
import type { AnyFrame } from '../../../frame/index.js'
import { extend, filter, project } from '../../../frame/build.js'
import type { ExprNode } from '../../../frame/expr/node.js'
import { literalNode } from '../../../frame/expr/literal.js'
import { describeStage, inputColumn, isNumber, withoutRows } from '../column-stage.js'
import type { Takes } from '../stage-types.js'
import { numbered, resampler, resampleRow, resampleWeight, tallied } from './bootstrap.js'
import type { Tally } from './bootstrap.js'

export interface BootstrapOptions {
  /** Resamples of the rows. Default 200. */
  readonly samples?: number
  /** Default 0. */
  readonly seed?: number
  /** Share of the resamples' metrics within the interval. Default 0.95. */
  readonly level?: number
}

/** A metric with the interval that resampling its rows gives. */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
  readonly level: number
}

/** A metric of the rows that share a value. */
export interface SliceMetric {
  readonly slice: unknown
  readonly rows: number
  readonly value: number
}

/** More values than this is no column to slice by. */
const mostSlices = 1000

export abstract class Evaluator<Needs> implements Displayable {
  /** The name of its class. */
  abstract readonly kind: string
  abstract readonly options: { readonly metricName?: string; readonly weightCol?: string }
  /** Whether a greater value is better: what a search for the best goes by. */
  abstract get isLargerBetter(): boolean

  /**
   * The metric over all rows; with an interval by resampling them (`bootstrap`), or for the rows of each value of a column
   * (`by`).
   *
   * @throws ShardbookError `column` when a column is missing or of another type, `data` for nulls and an empty frame.
   * @example
   * ```ts
   * await evaluator.evaluate(predictions) // 0.93
   * await evaluator.evaluate(predictions, { bootstrap: { samples: 200, seed: 1 } }) // { value: 0.93, low: 0.91, high: 0.95, … }
   * await evaluator.evaluate(predictions, { by: 'country' }) // [{ slice: 'NZ', rows: 120, value: 0.9 }, …]
   * ```
   */
  async evaluate<S>(frame: Takes<S, Needs>): Promise<number>
  async evaluate<S>(
    frame: Takes<S, Needs>,
    options: { readonly bootstrap: BootstrapOptions; readonly by: keyof S & string },
  ): Promise<readonly (SliceMetric & Interval)[]>
  async evaluate<S>(frame: Takes<S, Needs>, options: { readonly bootstrap: BootstrapOptions }): Promise<Interval>
  async evaluate<S>(frame: Takes<S, Needs>, options: { readonly by: keyof S & string }): Promise<readonly SliceMetric[]>
  async evaluate(
    frame: AnyFrame,
    options: { readonly bootstrap?: BootstrapOptions; readonly by?: string } = {},
  ): Promise<unknown> {
    const { by, bootstrap } = options
    const rows = Frame.fromPlan(frame.plan)
    this.check(`${this.kind}.evaluate`, withoutRows(frame.schema).schema)
    const measure = async (part: Frame): Promise<number | Interval> =>
      bootstrap === undefined ? this.measured(part) : this.#interval(part, bootstrap)
    return by === undefined ? measure(rows) : this.#slices(rows, by, measure)
  }

  /** @throws `column` when a column is missing or of another type. */
  protected abstract check(caller: string, schema: AnyFrame['schema']): void

  /** The metric over all rows, each as often as `weightCol` says. */
  protected abstract measure(frame: Frame, weightCol: string | undefined): Promise<number>

  /** The same for resamples in one pass: the rows that a tally takes, with their weights. Absent where sums do not tell it. */
  protected tally?(
    frame: Frame,
    weightCol: string | undefined,
    samples: number,
  ): { readonly rows: Frame; readonly tally: Tally }

  protected async measured(frame: Frame): Promise<number> {
    const { weightCol } = this.options
    if (weightCol !== undefined) inputColumn(`${this.kind}.evaluate`, frame.schema, weightCol, 'numbers', isNumber)
    return this.measure(frame, weightCol)
  }

  async #interval(frame: Frame, { samples = 200, seed = 0, level = 0.95 }: BootstrapOptions): Promise<Interval> {
    const caller = `${this.kind}.evaluate`
    checkInteger(caller, 'samples', samples, 2, 100_000)
    checkInteger(caller, 'seed', seed, 0)
    checkNumber(caller, 'level', level, 0, 1)
    const rows = numbered(frame).cache()
    const value = await this.measured(rows)
    const { weightCol } = this.options
    const sums = this.tally?.(rows, weightCol, samples)
    const metrics =
      sums === undefined
        ? await this.#resampled(rows, { samples, seed })
        : await tallied(sums.rows, { samples, seed }, sums.tally)
    metrics.sort()
    return { value, low: quantile(metrics, (1 - level) / 2), high: quantile(metrics, (1 + level) / 2), level }
  }

  async #resampled(rows: Frame, { samples, seed }: { samples: number; seed: number }): Promise<Float64Array> {
    const resample = resampler(rows, seed, this.options.weightCol)
    const metrics = new Float64Array(samples)
    for (let sample = 0; sample < samples; sample++) {
      metrics[sample] = await this.measure(resample(sample), resampleWeight)
    }
    return metrics
  }

  async #slices(
    frame: Frame,
    by: string,
    measure: (part: Frame) => Promise<number | Interval>,
  ): Promise<SliceMetric[]> {
    const caller = `${this.kind}.evaluate`
    const total = `rows of ${by}`
    const counted = (await frame
      .groupBy(by)
      .agg({ [total]: col.count() })
      .toRows()) as readonly Record<string, unknown>[]
    if (counted.length > mostSlices) {
      throw new ShardbookError('argument', `${caller}: expected at most ${mostSlices} values in '${by}', got more.`)
    }
    if (counted.length === 0) throw new ShardbookError('data', `${caller}: expected rows to evaluate, got none.`)
    const column: ExprNode = { kind: 'column', name: by }
    const found: SliceMetric[] = []
    for (const group of counted) {
      const slice = group[by]
      const predicate: ExprNode =
        slice === null
          ? { kind: 'call', op: 'isNull', args: [column] }
          : { kind: 'call', op: 'eq', args: [column, literalNode(caller, slice)] }
      const part = Frame.fromPlan(filter(caller, frame.plan, predicate))
      const value = await measure(part)
      const told = typeof value === 'number' ? { value } : value
      found.push({ slice, rows: Number(group[total]), ...told })
    }
    return found
  }

  [displaySymbol](): MimeBundle {
    return describeStage(this.kind, this.options)
  }
}

/** The value below which a share of sorted values lies, between neighbours by their distance. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!]
  return below + (above - below) * (at - Math.floor(at))
}

/** A frame with these computed columns only. */
export function projected(caller: string, frame: Frame, columns: Readonly<Record<string, ExprNode>>): Frame {
  const named = Object.entries(columns).map(([name, expr]) => ({ name, expr }))
  return Frame.fromPlan(project(caller, frame.plan, named))
}

/** The columns that a tally takes, with the number of each row. */
export function talliedRows(caller: string, frame: Frame, columns: Readonly<Record<string, ExprNode>>): Frame {
  return projected(caller, frame, { ...columns, [resampleRow]: asNumber({ kind: 'column', name: resampleRow }) })
}

/** A frame with computed columns added. */
export function extended(caller: string, frame: Frame, columns: Readonly<Record<string, ExprNode>>): Frame {
  const named = Object.entries(columns).map(([name, expr]) => ({ name, expr }))
  return Frame.fromPlan(extend(caller, frame.plan, named))
}

/** A row's weight: 1 without a column of them. */
export function weightExpr(weightCol: string | undefined): ExprNode {
  return weightCol === undefined ? literalNode('weight', 1) : asNumber({ kind: 'column', name: weightCol })
}

/** As a number: booleans are 0 and 1. */
export function asNumber(expr: ExprNode): ExprNode {
  return { kind: 'cast', input: expr, to: { kind: 'number', storage: 'float64' } }
}

/** The one row of aggregates of a frame. @throws `data` when the frame is empty, or a value of it is null */
export async function aggregated<K extends string>(
  caller: string,
  frame: Frame,
  aggregates: Readonly<Record<K, unknown>>,
): Promise<Readonly<Record<K, number>>> {
  const [row] = (await frame.agg({ ...aggregates, 'row count': col.count() } as never).toRows()) as readonly Readonly<
    Record<string, number | null>
  >[]
  if (row === undefined || Number(row['row count']) === 0) {
    throw new ShardbookError('data', `${caller}: expected rows to evaluate, got an empty frame.`)
  }
  const found: Record<string, number> = {}
  for (const name of Object.keys(aggregates)) {
    const value = row[name]
    if (value === null || value === undefined) {
      throw new ShardbookError('data', `${caller}: expected numbers in every row, got nulls only.`)
    }
    found[name] = value
  }
  return found as Readonly<Record<K, number>>
}

/** @throws `data` when rows lack a value that the metric needs */
export function refuseNulls(caller: string, nulls: number): void {
  if (nulls === 0) return
  throw new ShardbookError('data', `${caller}: expected numbers in every row, got null or NaN in ${nulls} rows.`, {
    hint: 'Drop those rows: dropNulls.',
  })
}
