/**
 * A loss that is not finite: the error, and where it came from. The step is computed again from the state before it, layer by
 * layer, in the process that began the training.
 */
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import { fold, keyOf } from '../../core/random.js'
import { loadTf, withRandom } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import { openFeed } from '../../frame/index.js'
import { watchLayers } from '../layers/watch.js'
import { BatchReader } from './batch-reader.js'
import type { Batch } from './batch-reader.js'
import type { TrainingJob, TrainingState } from './job.js'
import type { Objective } from './programs.js'

/** A training that ended because its loss was not finite, with the state before that step. */
export class Divergence extends ShardbookError {
  readonly state: TrainingState

  constructor(error: ShardbookError, state: TrainingState) {
    super(error.code, error.message, { cause: error })
    this.state = state
  }
}

export function divergence(step: number, loss: number, learningRate: number): ShardbookError {
  return new ShardbookError(
    'data',
    `training: expected a finite loss, got ${loss} at step ${step + 1} (learning rate ${learningRate}).`,
    { hint: 'Lower stepSize, or look for NaN and infinite values in the data. The weights are as before that step.' },
  )
}

export function isDivergence(error: unknown): error is ShardbookError {
  return error instanceof ShardbookError && error.message.includes('expected a finite loss, got')
}

/**
 * The error with the layer that is to blame, where it can be found: errors of other kinds, and those that came without the state
 * before them, as they are.
 */
export async function blameLayer(error: unknown, job: TrainingJob, objective: Objective): Promise<unknown> {
  const state = (error as { state?: TrainingState }).state
  if (!isDivergence(error) || state === undefined) return error
  const blame = blameWeights(objective, state) ?? (await blameOutput(job, objective, state))
  const at = error.message.indexOf(' (learning rate')
  return new ShardbookError(error.code, `${error.message.slice(0, at)}: ${blame}${error.message.slice(at)}`, {
    cause: error,
  })
}

/** A gradient that is not finite spoils its layer's weights and, as it goes on, those of the layers before. */
function blameWeights({ weights }: Objective, state: TrainingState): string | undefined {
  const spoilt = weights.filter((_, i) => state.weights[i]!.values.some((value) => !Number.isFinite(value))).at(-1)
  if (spoilt === undefined) return undefined
  const layer = spoilt.name.slice(0, Math.max(spoilt.name.lastIndexOf('/'), 0)) || spoilt.name
  return `the gradient of the layer "${layer}" was not finite at the step before`
}

async function blameOutput(job: TrainingJob, objective: Objective, state: TrainingState): Promise<string> {
  const tf = await loadTf()
  const { slices, batchRows, seed } = job
  const owned = Array.from({ length: slices }, (_, slice) => slice)
  const options = { slices, rowsPerSlice: batchRows / slices, program: job.programs.gradients }
  const reader = await BatchReader.open(tf, job.data, { owned, open: openFeed }, options)
  const weights = state.weights.map(({ values, shape, dtype }) => tf.tensor(values.slice(), [...shape], dtype))
  try {
    const [epoch, skip] = [Math.floor(state.step / reader.stepsPerEpoch), state.step % reader.stepsPerEpoch]
    for await (const batch of reader.batches({ seed, epoch, skip })) {
      for (const slice of owned) {
        const found = findLayer(tf, job, objective, weights, batch, slice, state.step)
        if (found !== undefined) return found
      }
      break
    }
    return 'the outputs of all layers are finite, their loss is not'
  } finally {
    for (const tensor of weights) tensor.dispose()
    await reader.close()
  }
}

/** The first layer whose output over a slice is not finite, and the row. */
function findLayer(
  tf: Tf,
  job: TrainingJob,
  objective: Objective,
  weights: readonly Tensor[],
  batch: Batch,
  slice: number,
  step: number,
): string | undefined {
  const rows = job.batchRows / job.slices
  const own = (tensor: Tensor): Tensor =>
    tf.slice(tensor, [slice * rows, ...tensor.shape.slice(1).map(() => 0)], [rows, ...tensor.shape.slice(1)])
  return tf.tidy(() => {
    const columns = batch.columns.map(own)
    const [rowWeight, rowIndex] = [own(batch.rowWeight) as Tensor1D, own(batch.rowIndex)]
    const key = tf.scalar(fold(keyOf(job.seed), step) | 0, 'int32')
    let found: string | undefined
    const look = (what: string, output: Tensor): void => {
      if (found !== undefined) return
      const perRow = output.shape[0] === rows ? tf.reshape(output, [rows, -1]) : tf.reshape(output, [1, -1])
      // Zero times what is not finite is not a number.
      const row = [...tf.sum(tf.mul(perRow, 0), 1).dataSync()].findIndex((sum) => Number.isNaN(sum))
      if (row < 0) return
      const ordinal = output.shape[0] === rows ? `, in row ${rowIndex.dataSync()[row]}` : ''
      found = `${what} is not finite${ordinal}`
    }
    withRandom({ key, rows: rowIndex }, (random) => {
      const training = {
        mask: tf.cast<Tensor1D>(tf.greater(rowWeight, 0), 'float32'),
        share: tf.mul<Scalar>(tf.sum(rowWeight), 1 / batch.globalRows),
      }
      for (const [i, column] of columns.entries()) look(`the column '${job.data.columns[i]}'`, column)
      watchLayers(
        (layer, output) => look(`the output of the layer "${layer}"`, output),
        () => objective.forward({ tf, random, training }, weights, columns),
      )
    })
    return found
  })
}
