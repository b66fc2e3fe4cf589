/** What more data or another setting would bring: learning curves, and the scores of a cross-validation. */
import { checkOneOf } from '../core/check.js'
import type { Chart } from './chart.js'
import { formatNumber } from './format.js'
import { type JsonObject, round } from './json.js'
import { type Column, type Table, chartOf, heading, inOrder, kindOf, leftOut, numberOf } from './table.js'
import { colours } from './theme.js'

export interface LearningCurvesOptions<R extends object> {
  /** Column of the number of training rows. */
  readonly x: Column<R>
  /** Columns of the score on the training rows and on rows held out. */
  readonly training: Column<R>
  readonly validation: Column<R>
  /** What is scored: the name of the axis. */
  readonly metric?: string
  readonly title?: string
}

export interface CrossValidationOptions<R extends object> {
  /** Column of what was tried: a parameter's value, a model's name. */
  readonly x: Column<R>
  /** Column of the score, a row a fold. */
  readonly y: Column<R>
  /** Which scores are better: `'higher'` by default. */
  readonly better?: 'higher' | 'lower'
  readonly title?: string
}

/**
 * The score on training rows and on rows held out, over the number of training rows; of several runs mean ± deviation.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.learningCurves(
 *   { rows: [100, 200, 400], train: [0.99, 0.97, 0.96], test: [0.7, 0.8, 0.86] },
 *   { x: 'rows', training: 'train', validation: 'test', metric: 'accuracy' },
 * )
 * ```
 */
export function learningCurves<R extends object>(table: Table<R>, options: LearningCurvesOptions<R>): Chart {
  const { x, training, validation, metric = 'score' } = options
  return chartOf('viz.learningCurves', table, (cells) => {
    const sizes = cells.column(x).map(numberOf)
    const lines = [
      { name: 'training', values: cells.column(training).map(numberOf) },
      { name: 'validation', values: cells.column(validation).map(numberOf) },
    ].map(({ name, values }) => ({ name, spreads: spreadsOf(sizes, values) }))
    const data = lines.flatMap(({ name, spreads }) =>
      spreads.map(({ key, mean, deviation, rows }): JsonObject => ({
        x: Number(key),
        y: round(mean),
        low: round(mean - deviation),
        high: round(mean + deviation),
        n: rows,
        c: name,
      })),
    )
    const ends = lines.map(({ spreads }) => spreads.at(-1)?.mean)
    const missing = 2 * sizes.length - lines.flatMap(({ spreads }) => spreads).reduce((sum, { rows }) => sum + rows, 0)
    const { title, text } = heading(options.title ?? 'Learning curves', [
      ...(data.length === 0 ? ['no data'] : []),
      ...(ends[0] === undefined || ends[1] === undefined
        ? []
        : [
            `${metric} at the most rows: training ${formatNumber(ends[0])}, validation ${formatNumber(ends[1])}, ${formatNumber(Math.abs(ends[0] - ends[1]))} apart`,
          ]),
      ...(data.some((point) => Number(point['n']) > 1) ? ['bands: one standard deviation'] : []),
      ...leftOut(missing, 'scores without a number'),
    ])
    const scale = data.length === 0 ? { domain: [0, 1] } : { zero: false, nice: true }
    const color = {
      field: 'c',
      type: 'nominal',
      title: null,
      // Of the lines, not of the bands, which are faint.
      legend: { symbolType: 'stroke', symbolOpacity: 1 },
      scale: { domain: ['training', 'validation'], range: [colours.first, colours.second] },
    }
    const across = { field: 'x', type: 'quantitative', title: `${x} (training rows)`, scale }
    return {
      text,
      spec: {
        title,
        width: 540,
        height: 280,
        data: { values: data },
        encoding: { x: across, color },
        layer: [
          {
            mark: { type: 'area', opacity: 0.18 },
            encoding: { y: { field: 'low', type: 'quantitative', title: metric, scale }, y2: { field: 'high' } },
          },
          {
            mark: { type: 'line', point: { filled: true, size: 36 } },
            encoding: {
              y: { field: 'y', type: 'quantitative', title: metric, scale },
              tooltip: [
                { field: 'x', type: 'quantitative', title: x, format: ',' },
                { field: 'y', type: 'quantitative', title: metric },
                { field: 'n', type: 'quantitative', title: 'runs' },
              ],
            },
          },
        ],
      },
    }
  })
}

/**
 * The score of every fold and their mean ± one standard deviation, by what was tried; the best mean stands out.
 *
 * @throws `column` for a column that is not there
 * @example
 * ```ts
 * viz.crossValidation(
 *   [{ depth: 2, accuracy: 0.8 }, { depth: 2, accuracy: 0.84 }, { depth: 4, accuracy: 0.9 }],
 *   { x: 'depth', y: 'accuracy' },
 * )
 * ```
 */
export function crossValidation<R extends object>(table: Table<R>, options: CrossValidationOptions<R>): Chart {
  const { x, y, better = 'higher' } = options
  checkOneOf('viz.crossValidation', 'better', better, ['higher', 'lower'])
  return chartOf('viz.crossValidation', table, (cells) => {
    const column = cells.column(x)
    const names = column.map(String)
    const scores = cells.column(y).map(numberOf)
    const spreads = spreadsOf(names, scores)
    const order = [...new Set(names)]
    if (kindOf(column) === 'quantitative') order.sort(inOrder)
    const sign = better === 'higher' ? 1 : -1
    const best = spreads.reduce<Spread | undefined>(
      (a, b) => (a === undefined || sign * (b.mean - a.mean) > 0 ? b : a),
      undefined,
    )
    const folds = names.flatMap((name, i) => (Number.isFinite(scores[i]!) ? [{ x: name, y: round(scores[i]!) }] : []))
    const { title, text } = heading(options.title ?? `${y} by ${x}, cross-validated`, [
      best === undefined
        ? 'no data'
        : `best: ${x} ${best.key}, ${y} ${formatNumber(best.mean)} ± ${formatNumber(best.deviation)} over ${best.rows} ${best.rows === 1 ? 'fold' : 'folds'}`,
      ...leftOut(scores.length - folds.length, 'scores without a number'),
    ])
    const scale = best === undefined ? { domain: [0, 1] } : { zero: false, nice: true }
    const length = (field: string): JsonObject => ({ field, type: 'quantitative', title: y, scale })
    const color = { condition: { test: 'datum.best', value: colours.second }, value: colours.first }
    const axis = { labelAngle: order.length > 12 ? -45 : 0, labelLimit: 120 }
    return {
      text,
      spec: {
        title,
        width: { step: Math.max(16, Math.min(64, 600 / Math.max(1, order.length))) },
        height: 260,
        data: {
          values: spreads.map(({ key, mean, deviation, rows }) => ({
            x: key,
            y: round(mean),
            low: round(mean - deviation),
            high: round(mean + deviation),
            n: rows,
            best: key === best?.key,
          })),
        },
        encoding: {
          x: {
            field: 'x',
            type: 'nominal',
            title: x,
            sort: null,
            scale: { domain: order.length === 0 ? [''] : order },
            axis,
          },
        },
        layer: [
          {
            data: { values: folds },
            mark: { type: 'circle', size: 28, opacity: 0.5, color: colours.quiet },
            encoding: { y: length('y'), tooltip: { field: 'y', type: 'quantitative', title: `${y} of a fold` } },
          },
          { mark: { type: 'rule', strokeWidth: 2 }, encoding: { y: length('low'), y2: { field: 'high' }, color } },
          {
            mark: { type: 'point', filled: true, size: 80, opacity: 1 },
            encoding: {
              y: length('y'),
              color,
              tooltip: [
                { field: 'x', type: 'nominal', title: x },
                { field: 'y', type: 'quantitative', title: `mean ${y}` },
                { field: 'n', type: 'quantitative', title: 'folds' },
              ],
            },
          },
        ],
      },
    }
  })
}

interface Spread {
  readonly key: string
  readonly mean: number
  /** Standard deviation of the sample; 0 of one value. */
  readonly deviation: number
  readonly rows: number
}

/** Mean and deviation of the finite values of each key, keys in their order. */
function spreadsOf(keys: readonly (string | number)[], values: readonly number[]): readonly Spread[] {
  const groups = new Map<string, number[]>()
  for (const [i, key] of keys.entries()) {
    if (!Number.isFinite(values[i]!) || Number.isNaN(key)) continue
    const own = groups.get(String(key))
    if (own === undefined) groups.set(String(key), [values[i]!])
    else own.push(values[i]!)
  }
  return [...groups]
    .toSorted(([a], [b]) => inOrder(a, b))
    .map(([key, own]) => {
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length
      const squares = own.reduce((sum, value) => sum + (value - mean) ** 2, 0)
      return { key, mean, deviation: Math.sqrt(squares / Math.max(1, own.length - 1)), rows: own.length }
    })
}
