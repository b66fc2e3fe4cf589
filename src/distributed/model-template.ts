/**
 * How a training that another session began becomes a model: that session saves the model of the weights it began with, which
 * holds all that a model is but the numbers; the weights at the end then take their place by name.
 */
import { join } from 'node:path'
import { ShardbookError } from '../core/errors.js'
import { load } from '../nn/ml/load.js'
import { readStage, saveStage } from '../nn/ml/saved-stage.js'
import type { FinishModel } from '../nn/strategy.js'
import type { TrainingJob, TrainingState } from '../nn/train/job.js'
import type { Savable } from '../nn/train/training.js'
import { localStore } from '../store/index.js'

const refusal = 'refusal.txt'

/** Saves what a model needs besides its weights; a model that cannot be saved leaves the reason instead. */
export async function saveTemplate(folder: string, job: TrainingJob, finish: FinishModel): Promise<void> {
  try {
    const model = await finish(job.start)
    await model.save(join(folder, 'template'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    await localStore().put(join(folder, refusal), new TextEncoder().encode(reason))
  }
}

/** The model of a state. @throws ShardbookError `state` when the model is of a kind that cannot be saved. */
export async function modelFrom(folder: string, job: TrainingJob, state: TrainingState): Promise<Savable> {
  const saved = await readStage(join(folder, 'template')).catch(async (cause: unknown) => {
    const reason = await localStore()
      .get(join(folder, refusal))
      .then(
        (bytes) => new TextDecoder().decode(bytes),
        () => 'Its session ended before the model was described.',
      )
    throw new ShardbookError('state', `pool.training: expected a model that can be saved, got: ${reason}`, {
      hint: 'The weights are in the checkpoints of the training: fit again with them.',
      cause,
    })
  })
  const { kind, params, network, tensors } = saved
  const weights = { ...tensors }
  for (const [i, data] of state.weights.entries()) weights[job.programs.update.outputs[i]!.name] = data
  const path = join(folder, 'model')
  await saveStage(path, { kind, params, tensors: weights, ...(network === undefined ? {} : { network }) })
  return await load(path)
}
