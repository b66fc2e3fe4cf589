/** The training view in words: the lines under the chart's title, and the one line that a terminal shows. */
import { formatCount, formatDuration, formatNumber, formatRate } from '../format.js'
import type { TrainingView } from './view.js'

/** How far a training is, in [0, 1]. */
export function progress(view: TrainingView): number {
  const total = view.epochs * view.stepsPerEpoch
  if (view.status === 'done') return 1
  return total > 0 ? Math.min(1, view.step / total) : 0
}

/** Where it stands: epoch, step, speed, time. */
export function standing(view: TrainingView): string {
  const { status, epochs, stepsPerEpoch, step, stepsPerSecond, rowsPerSecond, elapsedSeconds, secondsLeft } = view
  const total = epochs * stepsPerEpoch
  const epoch = Math.min(epochs, Math.floor(Math.max(0, step - 1) / Math.max(1, stepsPerEpoch)) + 1)
  const speed = `${formatRate(stepsPerSecond)} steps/s · ${formatRate(rowsPerSecond)} rows/s`
  const steps = total > 0 ? `step ${formatCount(step)} of ${formatCount(total)}` : `step ${formatCount(step)}`
  switch (status) {
    case 'running':
    case 'paused': {
      if (step === 0) return status === 'paused' ? 'Paused before the first step' : 'Preparing the first step …'
      const left = secondsLeft === undefined ? [] : [`${formatDuration(secondsLeft)} left`]
      const where = epochs > 0 ? [`Epoch ${epoch} of ${epochs}`] : []
      if (status === 'paused') return ['Paused', ...where, steps].join(' · ')
      return [...where, steps, speed, ...left].join(' · ')
    }
    case 'done':
      return `Done in ${formatDuration(elapsedSeconds)} · ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} · ${formatCount(step)} steps · ${speed}`
    case 'stopped':
      return `Stopped after ${formatDuration(elapsedSeconds)} · ${steps}`
    case 'failed':
      return `Failed after ${formatDuration(elapsedSeconds)} · ${steps}`
    default:
      return status satisfies never
  }
}

/** What it has reached: the latest values, smoothed for training, of the last epoch for validation. */
export function reached(view: TrainingView): readonly string[] {
  const point = view.steps.at(-1)
  const validation = view.epochsDone.findLast((epoch) => epoch.validation !== undefined)?.validation
  const values = [
    ...(point === undefined ? [] : [`loss ${formatNumber(point.smoothLoss)}`]),
    ...Object.entries(point?.smoothMetrics ?? {}).map(([name, value]) => `${name} ${formatNumber(value)}`),
    ...Object.entries(validation ?? {}).map(([name, value]) => `validation ${name} ${formatNumber(value)}`),
  ]
  return view.divergedAt === undefined
    ? values
    : [...values, `loss not finite since step ${formatCount(view.divergedAt)}`]
}

/** Where it runs. */
export function place({ workers, engine }: TrainingView): string {
  return [...(workers > 1 ? [`${workers} workers`] : []), ...(engine === '' ? [] : [`${engine} engine`])].join(' · ')
}

/** The view in one line, with a bar. */
export function describeTraining(view: TrainingView): string {
  const filled = Math.round(20 * progress(view))
  const bar = `[${'█'.repeat(filled)}${'░'.repeat(20 - filled)}]`
  const end = view.message === undefined || view.status === 'done' ? [] : [view.message]
  return [`${view.name} ${bar} ${standing(view)}`, ...reached(view), ...end].join(' · ')
}
