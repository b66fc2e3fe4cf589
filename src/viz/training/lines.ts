/** What the training view's lines are drawn from: thinned points, and the scales that hold them. */
import { type JsonObject, round } from '../json.js'
import { thin } from '../thin.js'
import type { TrainingEpoch } from './event.js'
import type { TrainingPoint, TrainingView } from './view.js'

const pointsALine = 280

/** The lines of one quantity, each as points `{ x: step, y }`. */
export interface Lines {
  readonly raw: readonly JsonObject[]
  readonly smooth: readonly JsonObject[]
  readonly validation: readonly JsonObject[]
  readonly epochs: readonly JsonObject[]
}

/** The lines of the loss or of a metric; the more metrics there are, the fewer points each has. */
export function linesOf(view: TrainingView, name: string): Lines {
  const isLoss = name === 'loss'
  const limit = Math.floor(pointsALine / (isLoss ? 1 : Math.max(1, metricNames(view).length)))
  return {
    raw: stepLine(view.steps, (point) => (isLoss ? point.loss : point.metrics[name]), limit),
    // The smoothed line bends less and needs fewer points.
    smooth: stepLine(view.steps, (point) => (isLoss ? point.smoothLoss : point.smoothMetrics[name]), limit / 2),
    validation: validationLine(view, name),
    epochs: epochLine(view.epochsDone, (epoch) => (isLoss ? epoch.loss : epoch.metrics[name])),
  }
}

/** The learning rate by step, if it is not the same all the time. */
export function rateLine(view: TrainingView): readonly JsonObject[] | undefined {
  const first = view.steps[0]?.learningRate
  if (view.steps.every((point) => point.learningRate === first)) return undefined
  return stepLine(view.steps, (point) => point.learningRate, 120)
}

/** Rows a second by step, from the second on: the first also builds the graph. */
export function paceLine(view: TrainingView): readonly JsonObject[] {
  return stepLine(view.steps.slice(1), (point) => point.rowsPerSecond, 80)
}

/** The norm of the gradients by step, if it is told. */
export function normLine(view: TrainingView): readonly JsonObject[] {
  return stepLine(view.steps, (point) => point.gradientNorm, 100)
}

/** Names of all metrics, the loss left out. */
export function metricNames(view: TrainingView): readonly string[] {
  const epoch = view.epochsDone.at(-1)
  const names = [
    view.steps.at(-1)?.metrics,
    epoch?.metrics,
    epoch?.validation,
    view.validations.at(-1)?.validation,
  ].flatMap((some) => Object.keys(some ?? {}))
  return [...new Set(names)].filter((name) => name !== 'loss')
}

/** From 0 to a power-of-two part of the planned steps; an ended training shows what it did. */
export function stepDomain(view: TrainingView): readonly [number, number] {
  if (view.status !== 'running' && view.status !== 'paused') return [0, Math.max(1, view.step)]
  let end = Math.max(view.epochs * view.stepsPerEpoch, view.step, 1)
  while (end / 2 >= Math.max(20, view.step)) end /= 2
  return [0, Math.ceil(end)]
}

/** A scale for all of the smoothed lines and dots, and for the single steps but the rare outliers. */
export function valueScale(lines: Lines, isLoss: boolean): JsonObject {
  const values = (points: readonly JsonObject[]): number[] => points.map((point) => Number(point['y']))
  const smooth = values(lines.smooth)
  const raw = values(lines.raw).toSorted((a, b) => a - b)
  const usual = raw.slice(Math.floor(raw.length * 0.01), Math.ceil(raw.length * 0.99))
  const all = [...usual, ...smooth, ...values(lines.validation), ...values(lines.epochs)]
  if (all.length === 0) return { domain: [0, 1] }
  const [low, high] = [Math.min(...all), Math.max(...all)]
  if (low === high) {
    const around = (Math.abs(low) || 1) * 0.1
    return { domain: [round(low - around), round(high + around)] }
  }
  // A loss that falls by orders of magnitude is read on a logarithmic axis.
  if (isLoss && low > 0 && Math.max(...smooth) / Math.min(...smooth) > 200) {
    return { type: 'log', domain: [round(low, 2), round(high, 2)], nice: false }
  }
  if (isLoss && low > 0 && low < high / 2) return { domain: [0, high], nice: true }
  return { domain: [low, high], nice: true, zero: false }
}

function stepLine(
  points: readonly TrainingPoint[],
  of: (point: TrainingPoint) => number | undefined,
  limit: number,
): readonly JsonObject[] {
  return thinned(
    points.map((point) => ({ x: point.step, y: of(point) ?? NaN })),
    Math.floor(limit),
  )
}

function validationLine(view: TrainingView, name: string): readonly JsonObject[] {
  const all = [...view.validations, ...view.epochsDone].toSorted((a, b) => a.step - b.step)
  return thinned(
    all.map(({ step, validation }) => ({ x: step, y: validation?.[name] ?? NaN })),
    pointsALine / 4,
  )
}

function epochLine(
  epochs: readonly TrainingEpoch[],
  of: (epoch: TrainingEpoch) => number | undefined,
): readonly JsonObject[] {
  return thinned(
    epochs.map((epoch) => ({ x: epoch.step, y: of(epoch) ?? NaN })),
    pointsALine / 4,
  )
}

function thinned(points: readonly { readonly x: number; readonly y: number }[], limit: number): readonly JsonObject[] {
  const finite = points.filter((point) => Number.isFinite(point.y))
  return thin(
    finite,
    limit,
    (point) => point.x,
    (point) => point.y,
  ).map(({ x, y }) => ({ x, y: round(y, 4) }))
}
