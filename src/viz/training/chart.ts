/**
 * The training view as one chart: title and state in words, a progress bar, the loss by step, a panel a metric, and the
 * learning rate where it varies.
 *
 * It is drawn many times while it grows, so nothing may jump: widths, axes and legends are fixed, and the step axis ends
 * at a power-of-two part of the planned steps, so that it changes rarely and is always at least half full. The thin lines
 * are single steps, the thick ones smoothed; dots are epochs. Lines are thinned; the specification stays under 60 kB.
 */
import { Chart } from '../chart.js'
import { type Json, type JsonObject, round } from '../json.js'
import { thin } from '../thin.js'
import { chartWidth, colours } from '../theme.js'
import type { TrainingPoint, TrainingView } from './view.js'
import { describeTraining, place, progress, reached, standing } from './words.js'

const axisWidth = 42
const panelGap = 26
const panelHeight = 200
const fullWidth = chartWidth - 20 - axisWidth
const halfWidth = (fullWidth - axisWidth - panelGap) / 2
const pointsALine = 400
const metricsShown = 3

/**
 * The chart of a training, running or ended.
 *
 * @example
 * ```ts
 * viz.training(events.reduce(viz.reduceTraining, viz.emptyTraining))
 * ```
 */
export function training(view: TrainingView): Chart {
  const metrics = metricNames(view).slice(0, metricsShown)
  const panels = ['loss', ...metrics].map((name) => panel(view, name, metrics.length === 0 ? fullWidth : halfWidth))
  const rows: JsonObject[] = []
  for (let i = 0; i < panels.length; i += 2) rows.push({ hconcat: panels.slice(i, i + 2), spacing: panelGap })
  const rate = learningRate(view)
  const state =
    view.message === undefined || view.status === 'done' ? standing(view) : `${standing(view)} · ${view.message}`
  return new Chart({
    text: describeTraining(view),
    spec: {
      title: {
        text: view.name,
        subtitle: [state, [...reached(view), place(view)].filter((text) => text !== '').join(' · ') || ' '],
        limit: chartWidth - 20,
        ...(view.status === 'failed' || view.divergedAt !== undefined ? { subtitleColor: colours.bad } : {}),
      },
      spacing: 16,
      vconcat: [bar(view), ...rows, ...(rate === undefined ? [] : [rate])],
    },
  })
}

function bar(view: TrainingView): JsonObject {
  const done = Math.max(0, fullWidth * progress(view))
  const colour = {
    running: colours.first,
    paused: colours.quiet,
    done: colours.good,
    stopped: colours.quiet,
    failed: colours.bad,
  }[view.status]
  const strip = (width: number, color: string): JsonObject => ({
    data: { values: [{}] },
    mark: { type: 'rect', color, cornerRadius: 3 },
    encoding: { x: { value: 0 }, x2: { value: round(width, 4) }, y: { value: 0 }, y2: { value: 6 } },
  })
  // Gaps at the ends of the epochs, while there are few enough to be told apart.
  const gaps = view.epochs > 1 && view.epochs <= 40 ? Array.from({ length: view.epochs - 1 }, (_, i) => i + 1) : []
  return {
    width: fullWidth,
    height: 6,
    layer: [
      strip(fullWidth, colours.grid),
      ...(done > 0 ? [strip(done, colour)] : []),
      ...gaps.map((epoch) => ({
        data: { values: [{}] },
        mark: { type: 'rect', color: colours.ground },
        encoding: {
          x: { value: round((fullWidth * epoch) / view.epochs, 5) },
          x2: { value: round((fullWidth * epoch) / view.epochs + 1.5, 5) },
          y: { value: 0 },
          y2: { value: 6 },
        },
      })),
    ],
  }
}

interface Series {
  readonly raw: readonly JsonObject[]
  readonly smooth: readonly JsonObject[]
  readonly validation: readonly JsonObject[]
  readonly epochs: readonly JsonObject[]
}

function panel(view: TrainingView, name: string, width: number): JsonObject {
  const series = seriesOf(view, name)
  const isLoss = name === 'loss'
  const x = {
    field: 'x',
    type: 'quantitative',
    scale: { domain: stepDomain(view), nice: false },
    axis: { title: 'step', tickCount: 5, format: '~s', grid: false },
  }
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: valueScale(series, isLoss),
    axis: { title: null, minExtent: axisWidth - 8, maxExtent: axisWidth - 8, tickCount: 5, format: '~g' },
  }
  const tooltip = (what: string): Json[] => [
    { field: 'x', type: 'quantitative', title: 'step', format: ',' },
    { field: 'y', type: 'quantitative', title: what },
  ]
  const layer = (values: readonly JsonObject[], who: string, mark: JsonObject, what: string): JsonObject => ({
    data: { values },
    mark: { clip: true, ...mark },
    encoding: {
      x,
      y,
      color: {
        datum: who,
        type: 'nominal',
        scale: { domain: ['training', 'validation'], range: [colours.first, colours.second] },
        // One legend, where a falling line leaves room.
        legend: isLoss ? { title: null, orient: 'top-right', symbolType: 'stroke', offset: 4 } : null,
      },
      tooltip: tooltip(what),
    },
  })
  const dots = { type: 'line', point: { filled: true, size: 34 }, strokeWidth: 2 }
  return {
    title: { text: name, fontSize: 12, offset: 8 },
    width,
    height: panelHeight,
    layer: [
      layer(series.raw, 'training', { type: 'line', strokeWidth: 1, opacity: 0.3 }, `${name} of the step`),
      layer(series.smooth, 'training', { type: 'line', strokeWidth: 2 }, `${name}, smoothed`),
      // Where steps have no metrics of their own, the epochs do.
      ...(series.smooth.length === 0 ? [layer(series.epochs, 'training', dots, `${name} of the epoch`)] : []),
      layer(series.validation, 'validation', dots, `validation ${name}`),
      ...(isLoss ? workerMarks(view, x) : []),
    ],
  }
}

function workerMarks(view: TrainingView, x: JsonObject): JsonObject[] {
  const marks = view.events.filter((event) => event.change !== 'up')
  if (marks.length === 0) return []
  const values = marks.map(({ step, change, rank, message }) => ({
    x: step,
    change,
    label: `worker ${rank} ${change}`,
    message,
    row: change === 'lost' ? panelHeight - 18 : panelHeight - 6,
  }))
  const color = {
    condition: { test: "datum.change === 'lost'", value: colours.bad },
    value: colours.good,
  }
  const tooltip = [
    { field: 'label', type: 'nominal', title: 'event' },
    { field: 'message', type: 'nominal' },
    { field: 'x', type: 'quantitative', title: 'step' },
  ]
  const late = `datum.x > ${stepDomain(view)[1] * 0.7}`
  const label = (test: string, align: string, dx: number): JsonObject => ({
    data: { values },
    transform: [{ filter: test }],
    mark: { type: 'text', align, dx, baseline: 'bottom', fontSize: 10, clip: true },
    encoding: {
      x,
      y: { field: 'row', type: 'quantitative', scale: null, axis: null },
      text: { field: 'label', type: 'nominal' },
      color,
    },
  })
  return [
    {
      data: { values },
      mark: { type: 'rule', strokeDash: [4, 3], strokeWidth: 1.5, clip: true },
      encoding: { x, color, tooltip },
    },
    label(`!(${late})`, 'left', 5),
    label(late, 'right', -5),
  ]
}

function learningRate(view: TrainingView): JsonObject | undefined {
  const first = view.steps[0]?.learningRate
  if (first === undefined || view.steps.every((point) => point.learningRate === first)) return undefined
  const values = line(view.steps, (point) => point.learningRate, 120)
  return {
    title: { text: 'learning rate', fontSize: 12, offset: 8 },
    width: fullWidth,
    height: 44,
    data: { values },
    mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.5, color: colours.quiet, clip: true },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        scale: { domain: stepDomain(view), nice: false },
        axis: { title: 'step', tickCount: 8, format: '~s', grid: false },
      },
      y: {
        field: 'y',
        type: 'quantitative',
        scale: { zero: true },
        axis: { title: null, minExtent: axisWidth - 8, maxExtent: axisWidth - 8, tickCount: 2, format: '~g' },
      },
    },
  }
}

function seriesOf(view: TrainingView, name: string): Series {
  const isLoss = name === 'loss'
  const share = isLoss ? 1 : Math.max(1, metricNames(view).length)
  const limit = Math.floor(pointsALine / share)
  const raw = (point: TrainingPoint): number => (isLoss ? point.loss : (point.metrics[name] ?? NaN))
  const smooth = (point: TrainingPoint): number => (isLoss ? point.smoothLoss : (point.smoothMetrics[name] ?? NaN))
  return {
    raw: line(view.steps, raw, limit),
    // The smoothed line bends less and needs fewer points.
    smooth: line(view.steps, smooth, Math.floor(limit / 2)),
    validation: epochLine(view, (epoch) => epoch.validation?.[name]),
    epochs: epochLine(view, (epoch) => (isLoss ? epoch.loss : epoch.metrics[name])),
  }
}

function line(points: readonly TrainingPoint[], of: (point: TrainingPoint) => number, limit: number): JsonObject[] {
  const finite = points.filter((point) => Number.isFinite(of(point)))
  return thin(finite, limit, (point) => point.step, of).map((point) => ({ x: point.step, y: round(of(point), 4) }))
}

function epochLine(
  view: TrainingView,
  of: (epoch: TrainingView['epochsDone'][number]) => number | undefined,
): JsonObject[] {
  const done = view.epochsDone.flatMap((epoch) => {
    const value = of(epoch)
    return value === undefined || !Number.isFinite(value) ? [] : [{ x: epoch.step, y: round(value, 4) }]
  })
  return [
    ...thin(
      done,
      pointsALine / 4,
      (point) => point.x,
      (point) => point.y,
    ),
  ]
}

/** From 0 to a power-of-two part of the planned steps; an ended training shows what it did. */
function stepDomain(view: TrainingView): [number, number] {
  const total = view.epochs * view.stepsPerEpoch
  if (view.status !== 'running' && view.status !== 'paused') return [0, Math.max(1, view.step)]
  let end = Math.max(total, view.step, 1)
  while (end / 2 >= Math.max(20, view.step)) end /= 2
  return [0, Math.ceil(end)]
}

/** A domain of round numbers: of the smoothed lines in full, of the single steps without the rare outliers. */
function valueScale(series: Series, isLoss: boolean): JsonObject {
  const values = (points: readonly JsonObject[]): number[] => points.map((point) => Number(point['y']))
  const raw = values(series.raw).toSorted((a, b) => a - b)
  const usual = [raw[Math.floor(raw.length * 0.01)], raw[Math.ceil(raw.length * 0.99) - 1]].filter(
    (value) => value !== undefined,
  )
  const all = [...usual, ...values(series.smooth), ...values(series.validation), ...values(series.epochs)]
  if (all.length === 0) return { domain: [0, 1] }
  const [low, high] = [Math.min(...all), Math.max(...all)]
  if (low === high)
    return { domain: [round(low - (Math.abs(low) || 1) * 0.1), round(high + (Math.abs(high) || 1) * 0.1)] }
  // A loss that falls by orders of magnitude is read on a logarithmic axis.
  if (isLoss && low > 0 && high / low > 100) return { type: 'log', domain: [low, high], nice: true }
  if (isLoss && low > 0 && low < high / 2) return { domain: [0, high], nice: true }
  return { domain: [low, high], nice: true, zero: false }
}

function metricNames(view: TrainingView): readonly string[] {
  const epoch = view.epochsDone.at(-1)
  const names = [
    ...Object.keys(view.steps.at(-1)?.metrics ?? {}),
    ...Object.keys(epoch?.metrics ?? {}),
    ...Object.keys(epoch?.validation ?? {}),
  ]
  return [...new Set(names)].filter((name) => name !== 'loss')
}
