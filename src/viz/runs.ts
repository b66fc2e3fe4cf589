/** Several trainings compared: a panel a quantity with a line a run, and a table of what each reached. */
import { checkOneOf, show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { Chart } from './chart.js'
import { formatNumber } from './format.js'
import { type JsonObject, type Spec, round } from './json.js'
import { colours } from './theme.js'
import { thin } from './thin.js'

/** A training's name and its rows, one an epoch: what `training.history` gives. */
export interface Run {
  readonly name: string
  readonly history: readonly Readonly<Record<string, number>>[]
}

export interface RunsOptions {
  /** Quantities drawn; by default the first four that any history holds, the loss and its validation first. */
  readonly metrics?: readonly string[]
  /** Column of the axis: `'epoch'` by default. */
  readonly x?: string
  /** What the table is sorted by: the last of the metrics by default. */
  readonly by?: string
  /** Which values are better: `'lower'` by default where the name says loss or error, else `'higher'`. */
  readonly better?: 'higher' | 'lower'
  readonly title?: string
}

const runsShown = 10
const pointsALine = 300

/**
 * Histories overlaid, and a table of the runs, the best first; of two runs it also tells the difference.
 *
 * @throws `argument` for two runs of one name, `column` for a quantity that no history holds
 * @example
 * ```ts
 * viz.runs([
 *   { name: 'small', history: [{ epoch: 1, loss: 0.9 }, { epoch: 2, loss: 0.6 }] },
 *   { name: 'large', history: [{ epoch: 1, loss: 0.8 }, { epoch: 2, loss: 0.4 }] },
 * ])
 * ```
 */
export function runs(list: readonly Run[], options: RunsOptions = {}): Chart {
  const caller = 'viz.runs'
  const odd = Array.isArray(list) ? list.find((run) => !Array.isArray(run?.history)) : list
  if (!Array.isArray(list) || odd !== undefined) {
    throw new ShardbookError('argument', `${caller}: expected runs { name, history }, got ${show(odd)}.`)
  }
  const all = list as readonly Run[]
  const twice = all.find((run, i) => all.findIndex((other) => other.name === run.name) !== i)
  if (twice !== undefined) {
    throw new ShardbookError('argument', `${caller}: expected a name for each run, got ${show(twice.name)} twice.`)
  }
  const { x = 'epoch' } = options
  const known = [...new Set(all.flatMap((run) => run.history.flatMap((row) => Object.keys(row))))]
  const values = known.filter((name) => !['epoch', 'step', x].includes(name))
  const metrics = options.metrics ?? values.slice(0, 4)
  const by = options.by ?? metrics.at(-1) ?? 'loss'
  const unknown = known.length === 0 ? undefined : [...metrics, by, x].find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new ShardbookError('column', `${caller}: expected one of ${known.join(', ')}, got ${show(unknown)}.`)
  }
  const better = options.better ?? (/loss|error|mse|mae/i.test(by) ? 'lower' : 'higher')
  checkOneOf(caller, 'better', better, ['higher', 'lower'])
  const sign = better === 'lower' ? 1 : -1
  const ranked = all
    .map((run) => ({ run, ...bestOf(run, by, x, sign) }))
    .toSorted((a, b) => (Number.isNaN(a.best) ? 1 : Number.isNaN(b.best) ? -1 : sign * (a.best - b.best)))
  const shown = ranked.slice(0, runsShown)
  const first = shown[0]
  const title = options.title ?? 'Runs'
  const summary = [
    all.length === 0 ? 'no runs' : `${all.length} ${all.length === 1 ? 'run' : 'runs'}`,
    ...(first === undefined || Number.isNaN(first.best)
      ? []
      : [`best ${by}: ${first.run.name}, ${formatNumber(first.best)} at ${x} ${first.at}`]),
    ...(ranked.length > shown.length ? [`best ${shown.length} shown`] : []),
  ].join(' · ')
  const names = all.map((run) => run.name).filter((name) => shown.some(({ run }) => run.name === name))
  const half = metrics.length > 1
  const panels = (metrics.length === 0 ? ['loss'] : metrics).map((metric) =>
    panelOf(
      names.map((name) => all.find((run) => run.name === name)!),
      metric,
      x,
      half ? 240 : 540,
    ),
  )
  return new Chart({
    text: [
      title,
      summary,
      ...shown.map(({ run, best, at }) => `${run.name}: best ${by} ${formatNumber(best)} at ${x} ${at}`),
    ].join('\n'),
    spec: {
      title: { text: title, subtitle: summary },
      vconcat: [{ columns: 2, concat: panels }, ...(shown.length === 0 ? [] : [tableOf(shown, { by, x, metrics })])],
      spacing: 24,
    },
  })
}

function panelOf(list: readonly Run[], metric: string, x: string, width: number): Spec {
  const values = list.flatMap((run) => {
    const points = run.history
      .map((row) => ({ x: row[x] ?? NaN, y: row[metric] ?? NaN }))
      .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y))
      .toSorted((a, b) => a.x - b.x)
    return thin(
      points,
      pointsALine,
      (point) => point.x,
      (point) => point.y,
    ).map((point) => ({
      x: point.x,
      y: round(point.y, 4),
      run: run.name,
    }))
  })
  const scale = { scale: values.length === 0 ? { domain: [0, 1] } : { zero: false, nice: true } }
  const few = values.length <= 25 * Math.max(1, list.length)
  return {
    width,
    height: 180,
    data: { values },
    mark: { type: 'line', ...(few ? { point: { filled: true, size: 26 } } : {}) },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: x, axis: { tickMinStep: 1, tickCount: 6 }, ...scale },
      y: { field: 'y', type: 'quantitative', title: metric, axis: { tickCount: 5 }, ...scale },
      color: {
        field: 'run',
        type: 'nominal',
        title: 'run',
        ...(list.length === 0 ? { legend: null } : {}),
        sort: null,
        scale: { domain: list.map((run) => run.name) },
      },
      tooltip: [
        { field: 'run', type: 'nominal' },
        { field: 'x', type: 'quantitative', title: x },
        { field: 'y', type: 'quantitative', title: metric },
      ],
    },
  }
}

interface Ranked {
  readonly run: Run
  readonly best: number
  readonly at: string
}

function tableOf(
  list: readonly Ranked[],
  { by, x, metrics }: { readonly by: string; readonly x: string; readonly metrics: readonly string[] },
): Spec {
  const heads = ['run', `best ${by}`, `at ${x}`, ...metrics.map((name) => `last ${name}`)]
  const rows = list.map(({ run, best, at }) => [
    run.name,
    formatNumber(best),
    at,
    ...metrics.map((name) => formatNumber(run.history.at(-1)?.[name] ?? NaN)),
  ])
  // Two are compared: what the second of the table has more than the first.
  const [a, b] = list
  if (list.length === 2) {
    const less = (of: (run: Ranked) => number): string => {
      const difference = of(b!) - of(a!)
      return Number.isFinite(difference) ? `${difference > 0 ? '+' : ''}${formatNumber(difference)}` : '–'
    }
    rows.push([
      'difference',
      less((own) => own.best),
      '',
      ...metrics.map((name) => less((own) => own.run.history.at(-1)?.[name] ?? NaN)),
    ])
  }
  const width = 540
  const column = (width - 130) / (heads.length - 1)
  const cells = [heads, ...rows].flatMap((texts, row) =>
    texts.map((text, i): JsonObject => ({
      x: i === 0 ? 0 : round(130 + column * (i - 1)),
      y: row * 20 + 10,
      text: text === 'NaN' ? '–' : text,
      head: row === 0,
    })),
  )
  const at = (field: string): JsonObject => ({ field, type: 'quantitative', scale: null, axis: null })
  return {
    width,
    height: 20 * (rows.length + 1),
    layer: [
      {
        data: { values: [{}] },
        mark: { type: 'rule', color: colours.line },
        encoding: { x: { value: 0 }, x2: { value: width }, y: { value: 20 } },
      },
      {
        data: { values: cells },
        mark: { type: 'text', align: 'left', baseline: 'middle', limit: Math.max(50, Math.min(125, column - 6)) },
        encoding: {
          x: at('x'),
          y: at('y'),
          text: { field: 'text', type: 'nominal' },
          color: { condition: { test: 'datum.head', value: colours.quiet }, value: colours.ink },
        },
      },
    ],
  }
}

function bestOf(run: Run, by: string, x: string, sign: number): { readonly best: number; readonly at: string } {
  const finite = run.history.filter((row) => Number.isFinite(row[by]))
  if (finite.length === 0) return { best: NaN, at: '–' }
  const row = finite.reduce((a, b) => (sign * (b[by]! - a[by]!) < 0 ? b : a))
  return { best: row[by]!, at: String(row[x] ?? '–') }
}
