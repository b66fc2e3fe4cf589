/**
 * Running, watching and disturbing the trainings of the pool's tests. Their pools do not stand back behind other processes
 * (`niceness: 0`): on a busy machine a worker that does hardly runs.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from '../../src/distributed/index.js'
import type { StepRun } from '../../src/nn/strategy.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import type { TrainingJob, TrainingState } from '../../src/nn/train/job.js'
import { until } from './processes.js'
import { writeStripes } from './small-job.js'

export const silent = (): void => {}

/** Makes a temporary folder this process's own, with the data in it: other pools of the machine are none of our business. */
export function ownTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pool-test-'))
  process.env['TMPDIR'] = folder
  writeStripes(folder)
  return folder
}

/** Runs a job and keeps its events. */
export async function train(
  on: Pick<Pool, 'step'>,
  job: TrainingJob,
): Promise<{ state: TrainingState; events: TrainingEvent[] }> {
  const events: TrainingEvent[] = []
  const state = await on.step(job, (event) => events.push(event)).done
  return { state, events }
}

/** The job without an end: it is stopped by who began it. */
export const endless = (job: TrainingJob): TrainingJob => ({ ...job, epochs: 1e6 })

/** The job up to a step. */
export const upTo = (job: TrainingJob, steps: number): TrainingJob => ({ ...endless(job), maxSteps: steps })

/** A training without an end that is under way. */
export interface UnderWay {
  readonly run: StepRun
  readonly events: readonly TrainingEvent[]
  /** Waits for what the training comes to; it must not end before. */
  readonly reach: (condition: () => boolean) => Promise<void>
  /** Waits for a step that is told from now on. */
  readonly nextStep: () => Promise<void>
}

/** Begins a training without an end; resolves once it has made a step. */
export async function begin(on: Pick<Pool, 'step'>, job: TrainingJob): Promise<UnderWay> {
  const events: TrainingEvent[] = []
  const run = on.step(endless(job), (event) => events.push(event))
  const ended = run.done.then(() => {
    throw new Error('the training is over')
  })
  ended.catch(silent)
  const reach = async (condition: () => boolean): Promise<void> => Promise.race([until(condition), ended])
  const nextStep = async (): Promise<void> => {
    const told = stepsOf(events).length
    await reach(() => stepsOf(events).length > told)
  }
  await nextStep()
  return { run, events, reach, nextStep }
}

/**
 * Does something to a training that is under way, for certain: it has no end, goes on afterwards and is then stopped, at whatever
 * step that is. `expected` is the state of the training that is left alone for as many steps.
 */
export async function disturb(
  on: Pick<Pool, 'step'>,
  job: TrainingJob,
  disturbance: (training: UnderWay) => Promise<void>,
): Promise<{ state: TrainingState; events: readonly TrainingEvent[]; expected: TrainingState }> {
  const training = await begin(on, job)
  await disturbance(training)
  await training.nextStep()
  await training.run.stop()
  const state = await training.run.done
  const { state: expected } = await train(on, upTo(job, state.step))
  return { state, events: training.events, expected }
}

export const pidsOf = async (on: Pool): Promise<number[]> => (await on.status()).workers.map(({ pid }) => pid!)
export const stepsOf = (events: readonly TrainingEvent[]): number[] =>
  events.flatMap((event) => (event.kind === 'step' ? [event.step] : []))
/** The numbers of the first steps. */
export const firstSteps = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)
export const changesOf = (events: readonly TrainingEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'worker' ? [`${event.change} ${event.rank}`] : []))
export const noticesOf = (events: readonly TrainingEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'notice' ? [event.message] : []))
