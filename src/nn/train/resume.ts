/** Where a job begins: at its start, or where checkpoints of it say. */
import { resolve } from 'node:path'
import { ShardbookError } from '../../core/errors.js'
import { latestCheckpoint, listCheckpoints } from './checkpoint.js'
import type { FoundCheckpoint } from './checkpoint.js'
import type { CheckpointPlan, TrainingJob } from './job.js'
import type { FitOptions } from './options.js'

/**
 * The job as `fit` is to run it: with its checkpoints, and from the state that it resumes. Checkpoints that are damaged are
 * warned of.
 *
 * @throws ShardbookError `state` when the folder to resume from has no checkpoint, or one of another training, and when the folder
 *   to write to has some that this training does not resume from.
 */
export async function placeJob(caller: string, job: TrainingJob, options: FitOptions): Promise<TrainingJob> {
  const plan = checkpointPlan(options)
  const from = options.backup ?? options.resume
  const found = from === undefined ? undefined : await latestCheckpoint(resolve(from), job)
  if (options.resume !== undefined && found === undefined) {
    throw new ShardbookError(
      'state',
      `${caller}: expected checkpoints to resume from in ${options.resume}, got none.`,
      {
        hint: 'Leave resume out to begin anew, or name the folder that checkpoint.path named.',
      },
    )
  }
  if (plan !== undefined && plan.path !== (from === undefined ? undefined : resolve(from)))
    await checkUnused(caller, plan)
  for (const damage of found?.damaged ?? []) {
    console.warn(`${caller}: ${damage} The training goes on from step ${found!.state.step}.`)
  }
  return { ...job, ...(plan === undefined ? {} : { checkpoint: plan }), ...startOf(found) }
}

function startOf(found: FoundCheckpoint | undefined): Pick<TrainingJob, 'start'> | undefined {
  return found === undefined ? undefined : { start: found.state }
}

/** Workers may have another working directory: the path is absolute. */
function checkpointPlan({ checkpoint, backup }: FitOptions): CheckpointPlan | undefined {
  if (backup !== undefined) return { path: resolve(backup), keep: 2 }
  if (checkpoint === undefined) return undefined
  return { keep: 3, ...checkpoint, path: resolve(checkpoint.path) }
}

/** A newer checkpoint of another training would be taken for one of this. */
async function checkUnused(caller: string, { path }: CheckpointPlan): Promise<void> {
  const [first] = await listCheckpoints(path)
  if (first === undefined) return
  throw new ShardbookError('state', `${caller}: expected a folder without checkpoints, got ${path}, which has some.`, {
    hint: `Go on from them with resume: '${path}', or name another folder.`,
  })
}
