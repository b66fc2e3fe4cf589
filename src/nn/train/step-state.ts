/** The state of a step on an engine, to and from plain data. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { allocate, type TensorData } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { Step } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { TrainingState } from './job.js'

export async function readState(program: Step): Promise<TensorData[]> {
  const state = program.state()
  const values = await Promise.all(
    state.map(async (tensor) => ({
      shape: [...tensor.shape],
      dtype: tensor.dtype as TensorData['dtype'],
      values: (await tensor.data<'float32' | 'int32'>()).slice(),
    })),
  )
  for (const tensor of state) tensor.dispose()
  return values
}

export function writeState(tf: Tf, program: Step, values: readonly TensorData[]): void {
  const state: Tensor[] = values.map((data) => tf.tensor(data.values.slice(), [...data.shape], data.dtype))
  program.restore(state)
  for (const tensor of state) tensor.dispose()
}

/** A state's shapes alone. */
export function withoutValues({ step, weights, slots }: TrainingState): TrainingState {
  const outline = ({ shape, dtype }: TensorData): TensorData => ({ shape, dtype, values: allocate(dtype, 0) })
  return { step, weights: weights.map(outline), slots: slots.map(outline) }
}

/** @throws ShardbookError `state` when tensors are not of the shapes that are expected. */
export function checkShapes(what: string, expected: readonly TensorData[], got: readonly TensorData[]): void {
  const shapes = (list: readonly TensorData[]): string => list.map(({ shape }) => `[${shape.join(', ')}]`).join(' ')
  if (shapes(expected) === shapes(got)) return
  throw new ShardbookError(
    'state',
    `training: expected ${what} of shapes ${shapes(expected)}, got ${shapes(got)}: this is the state of another model.`,
  )
}
