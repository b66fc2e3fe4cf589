/**
 * The training view as data: a fold over a training's events, bounded in size however long the training is.
 *
 * Pure: every event gives a new view and leaves the old one as it was.
 */
import { thin } from '../thin.js'
import type { TrainingEpoch, TrainingValidation, TrainingViewEvent, WorkerChange, WorkerLane } from './event.js'

/** A step that is kept for the lines. */
export interface TrainingPoint {
  readonly step: number
  readonly loss: number
  /** Loss, smoothed exponentially over the steps before. */
  readonly smoothLoss: number
  readonly learningRate: number
  readonly metrics: Readonly<Record<string, number>>
  readonly smoothMetrics: Readonly<Record<string, number>>
  /** As it was then, smoothed. */
  readonly rowsPerSecond: number
  readonly gradientNorm?: number
}

export interface TrainingMark {
  /** Steps done when it happened. */
  readonly step: number
  readonly change: WorkerChange | 'checkpoint' | 'stopped'
  /** Of a worker. */
  readonly rank?: number
  readonly message: string
}

/** Where a training stands and how it came there. */
export interface TrainingView {
  readonly name: string
  readonly status: 'running' | 'paused' | 'done' | 'stopped' | 'failed'
  readonly epochs: number
  readonly stepsPerEpoch: number
  readonly workers: number
  readonly engine: string
  /** Steps done. */
  readonly step: number
  /** Steps in ascending order, thinned: at most `pointsKept`. */
  readonly steps: readonly TrainingPoint[]
  readonly epochsDone: readonly TrainingEpoch[]
  /** Between the ends of epochs, thinned: at most `validationsKept`. */
  readonly validations: readonly TrainingValidation[]
  readonly events: readonly TrainingMark[]
  /** The workers, as they were last heard of. */
  readonly lanes: readonly WorkerLane[]
  readonly stepsPerSecond: number
  readonly rowsPerSecond: number
  /** Unknown before the second step. */
  readonly secondsLeft?: number
  readonly elapsedSeconds: number
  /** Steps and seconds that the time left is judged by: all but the first step, which also builds the graph. */
  readonly timed: { readonly steps: number; readonly seconds: number }
  /** First step whose loss was not finite. */
  readonly divergedAt?: number
  /** Why it ended. */
  readonly message?: string
}

/** Most steps that a view keeps. */
export const pointsKept = 2000

/** Most validations within epochs that a view keeps. */
const validationsKept = 400

/** Most marks (worker changes, checkpoints) that a view keeps: the latest. */
const marksKept = 50

/** The view of a training of which nothing is known yet. */
export const emptyTraining: TrainingView = Object.freeze({
  name: 'Training',
  status: 'running',
  epochs: 0,
  stepsPerEpoch: 0,
  workers: 1,
  engine: '',
  step: 0,
  steps: [],
  epochsDone: [],
  validations: [],
  events: [],
  lanes: [],
  stepsPerSecond: 0,
  rowsPerSecond: 0,
  elapsedSeconds: 0,
  timed: { steps: 0, seconds: 0 },
})

/**
 * The view after an event.
 *
 * A step that was done before means that the training went back to it (a lost worker): what came after it is forgotten.
 *
 * @example
 * ```ts
 * const start = { kind: 'start', name: 'digits', epochs: 2, stepsPerEpoch: 10, workers: 1, engine: 'wasm' }
 * const step = { kind: 'step', step: 1, epoch: 1, loss: 2.3, metrics: {}, learningRate: 0.01, rows: 64, stepMs: 20 }
 * const view = [start, step].reduce(viz.reduceTraining, viz.emptyTraining)
 * ```
 */
export function reduceTraining(view: TrainingView, event: TrainingViewEvent): TrainingView {
  switch (event.kind) {
    case 'start': {
      const { name, epochs, stepsPerEpoch, workers, engine } = event
      return { ...view, name, epochs, stepsPerEpoch, workers, engine, status: 'running' }
    }
    case 'step':
      return afterStep(view, event)
    case 'epoch': {
      const { epoch, step, loss, metrics, validation, stop } = event
      const done = { epoch, step, loss, metrics, ...(validation === undefined ? {} : { validation }) }
      const next = { ...view, epochsDone: [...view.epochsDone.filter((other) => other.epoch < epoch), done] }
      return stop === undefined ? next : marked(next, { step, change: 'stopped', message: stop })
    }
    case 'validation': {
      const all = [...view.validations, { step: event.step, validation: event.validation }]
      // Every second one goes when there are too many.
      const kept = all.length <= validationsKept ? all : all.filter((_, i) => i % 2 === 1)
      return { ...view, validations: kept }
    }
    case 'worker': {
      const { change, rank, message } = event
      return marked(view, { step: view.step, change, rank, message })
    }
    case 'checkpoint':
      return marked(view, { step: event.step, change: 'checkpoint', message: event.path })
    case 'workers':
      return { ...view, lanes: event.workers }
    // It is told beside the chart.
    case 'notice':
      return view
    case 'end': {
      const { secondsLeft: _, ...rest } = view
      // Before its planned end: by the user, or because it did not get better.
      const isMarked = view.events.some(({ change }) => change === 'stopped')
      const early = event.reason === 'stopped' && !isMarked && event.step < view.epochs * view.stepsPerEpoch
      const mark: TrainingMark = { step: event.step, change: 'stopped', message: event.message ?? 'stopped' }
      return {
        ...(early ? marked(rest, mark) : rest),
        status: event.reason,
        elapsedSeconds: event.seconds,
        ...(event.message === undefined ? {} : { message: event.message }),
      }
    }
    default:
      // An event of a later version says nothing to this chart.
      event satisfies never
      return view
  }
}

function marked<V extends Pick<TrainingView, 'events'>>(view: V, mark: TrainingMark): V {
  return { ...view, events: [...view.events, mark].slice(-marksKept) }
}

function afterStep(view: TrainingView, event: Extract<TrainingViewEvent, { kind: 'step' }>): TrainingView {
  const { step, loss, metrics, learningRate, rows, stepMs, gradientNorm } = event
  const again = step <= view.step
  const before = again ? view.steps.filter((point) => point.step < step) : view.steps
  const epochsDone = again ? view.epochsDone.filter((epoch) => epoch.step < step) : view.epochsDone
  const validations = again ? view.validations.filter((own) => own.step < step) : view.validations
  const last = before.at(-1)
  // A running mean at first; then a window of a fortieth of the training.
  const rate = Math.max(2 / (window(view) + 1), 1 / step)
  const pace = speed(view, rows, stepMs, step)
  const point: TrainingPoint = {
    step,
    loss,
    smoothLoss: toward(last?.smoothLoss, loss, rate),
    learningRate,
    metrics,
    smoothMetrics: Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, toward(last?.smoothMetrics[name], value, rate)]),
    ),
    rowsPerSecond: pace.rowsPerSecond,
    ...(gradientNorm === undefined ? {} : { gradientNorm }),
  }
  const finite = Number.isFinite(loss)
  const steps = finite ? bounded([...before, point]) : before
  const diverged = view.divergedAt ?? (finite ? undefined : step)
  return {
    ...view,
    status: 'running',
    step,
    steps,
    epochsDone,
    validations,
    elapsedSeconds: view.elapsedSeconds + stepMs / 1000,
    ...pace,
    ...(view.workers > 1 ? {} : { lanes: ownLane(view, event, pace.rowsPerSecond) }),
    ...(diverged === undefined ? {} : { divergedAt: diverged }),
  }
}

/** The lane of the one process, from what its steps tell of their time. */
function ownLane(
  view: TrainingView,
  { inputMs, reduceMs = 0, stepMs }: Extract<TrainingViewEvent, { kind: 'step' }>,
  rowsPerSecond: number,
): readonly WorkerLane[] {
  if (inputMs === undefined) return view.lanes
  const before = view.lanes[0]
  const share = (ms: number): number => Math.min(1, ms / Math.max(stepMs, 1e-3))
  const inputShare = toward(before?.inputShare, share(inputMs), 0.08)
  const reduceShare = toward(before?.reduceShare, share(reduceMs), 0.08)
  return [{ rank: 0, rowsPerSecond, inputShare, reduceShare, memoryBytes: before?.memoryBytes ?? 0 }]
}

function speed(
  view: TrainingView,
  rows: number,
  stepMs: number,
  step: number,
): Pick<TrainingView, 'stepsPerSecond' | 'rowsPerSecond' | 'timed' | 'secondsLeft'> {
  const first = view.step === 0
  const timed = first
    ? view.timed
    : { steps: view.timed.steps + 1, seconds: view.timed.seconds + Math.max(stepMs, 1e-3) / 1000 }
  const fresh = first || view.timed.steps === 0
  const [ms, rowsNow] = fresh
    ? [stepMs, rows]
    : [toward(1000 / view.stepsPerSecond, stepMs, 0.08), toward(view.rowsPerSecond / view.stepsPerSecond, rows, 0.08)]
  const stepsPerSecond = 1000 / Math.max(ms, 1e-3)
  const left = Math.max(0, view.epochs * view.stepsPerEpoch - step)
  return {
    timed,
    stepsPerSecond,
    rowsPerSecond: rowsNow * stepsPerSecond,
    ...(timed.steps === 0 ? {} : { secondsLeft: (left * timed.seconds) / timed.steps }),
  }
}

function window({ epochs, stepsPerEpoch }: TrainingView): number {
  return Math.max(1, Math.min(400, (epochs * stepsPerEpoch) / 40))
}

function toward(from: number | undefined, to: number, rate: number): number {
  if (from === undefined || !Number.isFinite(from)) return to
  return Number.isFinite(to) ? from + rate * (to - from) : from
}

function bounded(points: readonly TrainingPoint[]): readonly TrainingPoint[] {
  if (points.length <= pointsKept) return points
  return thin(
    points,
    pointsKept / 2,
    (point) => point.step,
    (point) => point.loss,
  )
}
