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

/** What it has reached: the latest smoothed values, and those of the last epoch's validation. */
export function reached(view: TrainingView): readonly string[] {
  const point = view.steps.at(-1)
  const last = view.epochsDone.at(-1)
  const validation = view.epochsDone.findLast((epoch) => epoch.validation !== undefined)?.validation ?? {}
  const training: Readonly<Record<string, number>> = {
    ...(last === undefined ? {} : { loss: last.loss, ...last.metrics }),
    ...(point === undefined ? {} : { loss: point.smoothLoss, ...point.smoothMetrics }),
  }
  return [...new Set([...Object.keys(training), ...Object.keys(validation)])].map((name) => {
    const [here, there] = [training[name], validation[name]]
    if (there === undefined) return `${name} ${formatNumber(here!)}`
    return here === undefined
      ? `validation ${name} ${formatNumber(there)}`
      : `${name} ${formatNumber(here)} (validation ${formatNumber(there)})`
  })
}

/** What went wrong, if anything did. */
export function trouble({ status, message, divergedAt }: TrainingView): readonly string[] {
  if (message !== undefined && status !== 'done') return [message]
  return divergedAt === undefined ? [] : [`loss not finite since step ${formatCount(divergedAt)}`]
}

/** Where it runs. */
export function place({ workers, engine }: TrainingView): string {
  return [`${workers} ${workers === 1 ? 'worker' : 'workers'}`, ...(engine === '' ? [] : [engine])].join(', ')
}

/** The view in one line, with a bar. */
export function describeTraining(view: TrainingView): string {
  const filled = Math.round(20 * progress(view))
  const bar = `[${'█'.repeat(filled)}${'░'.repeat(20 - filled)}]`
  return [`${view.name} ${bar} ${standing(view)}`, ...reached(view), ...trouble(view)].join(' · ')
}
