/** Running and watching the trainings of the pool's tests. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from '../../src/distributed/index.js'
import type { StepRun } from '../../src/nn/strategy.js'
import type { TrainingEvent } from '../../src/nn/train/event.js'
import type { TrainingJob, TrainingState } from '../../src/nn/train/job.js'
import { writeStripes } from './small-job.js'

export const silent = (): void => {}

/** Makes a temporary folder this process's own, with the data in it: other pools of the machine are none of our business. */
export function ownTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pool-test-'))
  process.env['TMPDIR'] = folder
  writeStripes(folder)
  return folder
}

/** Runs a job and keeps its events; `onStep` is called as steps are told. */
export async function train(
  on: Pick<Pool, 'step'>,
  job: TrainingJob,
  onStep: (step: number, run: StepRun) => void = silent,
): Promise<{ state: TrainingState; events: TrainingEvent[] }> {
  const events: TrainingEvent[] = []
  const run: StepRun = on.step(job, (event) => {
    events.push(event)
    if (event.kind === 'step') onStep(event.step, run)
  })
  return { state: await run.done, events }
}

export const pidsOf = async (on: Pool): Promise<number[]> => (await on.status()).workers.map(({ pid }) => pid!)
export const stepsOf = (events: readonly TrainingEvent[]): number[] =>
  events.flatMap((event) => (event.kind === 'step' ? [event.step] : []))
export const changesOf = (events: readonly TrainingEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'worker' ? [`${event.change} ${event.rank}`] : []))
export const noticesOf = (events: readonly TrainingEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'notice' ? [event.message] : []))
