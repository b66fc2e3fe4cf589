/**
 * The programs of a training, recorded from a model: what `job.ts` describes. A step is recorded on the current engine with
 * tensors of zeros: only shapes matter, as every number that changes is an input.
 */
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/dtype.js'
import type { DType, TensorData } from '../../core/dtype.js'
import { isReadRefusal, record, standFor, withRandom } from '../../engine/index.js'
import type { RecordedInput, RecordedOutput, Trace } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'
import type { LayerContext, Shape, WeightSpec } from '../layers/layer.js'
import type { Loss } from '../loss.js'
import { sumMetric } from '../metric.js'
import type { Metric } from '../metric.js'
import type { Optimiser } from '../optimiser.js'
import type { TrainingJob } from './job.js'

/** A column as it reaches a program: `[rows, ...shape]`. */
export interface ProgramColumn {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
}

/** What is minimised, as functions of tensors: a model with its loss, seen from the columns of a frame. */
export interface Objective {
  readonly weights: readonly WeightSpec[]
  readonly columns: readonly ProgramColumn[]
  readonly loss: Loss
  readonly metrics: readonly Metric[]
  /** What the model puts out for the columns of a batch, and what was expected. */
  forward(
    context: LayerContext,
    weights: readonly Tensor[],
    columns: readonly Tensor[],
  ): { readonly output: Tensor; readonly target: Tensor }
  /** What the losses of rows are multiplied by: `[rows]`. */
  readonly rowFactor?: (tf: Tf, columns: readonly Tensor[], target: Tensor, training: boolean) => Tensor1D | undefined
  /** What is added to the mean loss. */
  readonly penalty?: (tf: Tf, weights: readonly Tensor[]) => Scalar
}

/** Records the three programs of a training whose slices have `rows` rows. */
export function recordPrograms(
  tf: Tf,
  objective: Objective,
  optimiser: Optimiser,
  start: { readonly weights: readonly TensorData[]; readonly slots: readonly TensorData[] },
  rows: number,
): TrainingJob['programs'] {
  return {
    gradients: recordGradients(tf, objective, optimiser, rows),
    update: recordUpdate(tf, objective, optimiser, start),
    evaluate: recordEvaluate(tf, objective, rows),
  }
}

function recordGradients(tf: Tf, objective: Objective, optimiser: Optimiser, rows: number): Trace {
  return withInputs(tf, (input) => {
    const weights = objective.weights.map(({ name, shape }) => input(name, shape, 'float32'))
    const factor = optimiser.scalesLoss ? (input('slot0', [], 'float32') as Scalar) : undefined
    const columns = objective.columns.map(({ name, shape, dtype }) => input(name, [rows, ...shape], dtype, true))
    const rowWeight = input('rowWeight', [rows], 'float32', true) as Tensor1D
    const rowIndex = input('rowIndex', [rows], 'int32', true)
    const scale = input('scale', [], 'float32') as Scalar
    const key = input('key', [], 'int32')
    return () =>
      withRandom({ key, rows: rowIndex }, (random) => {
        const kept: Tensor[] = []
        const scaled = (value: Scalar): Scalar => (factor === undefined ? value : tf.mul<Scalar>(value, factor))
        const training = {
          mask: tf.cast<Tensor1D>(tf.greater(rowWeight, 0), 'float32'),
          share: scaled(tf.mul<Scalar>(tf.sum(rowWeight), scale)),
        }
        const weightedLoss = (...current: Tensor[]): Scalar => {
          const { output, target } = objective.forward({ tf, random, training }, current, columns)
          const parts = { weights: current, columns, output, target, rowWeight, training: true }
          const loss = tf.mul<Scalar>(lossSum(tf, objective, parts), scale)
          kept.push(...[output, target, loss].map((tensor) => tf.keep(tf.clone(tensor))))
          return scaled(loss)
        }
        const { grads } = tf.valueAndGrads(weightedLoss)(weights)
        const [output, target, loss] = kept
        const metrics = metricSums(tf, objective, output!, target!, rowWeight)
        const value = tf.clone(loss!)
        for (const tensor of kept) tensor.dispose()
        return [
          { name: 'loss', tensor: value, merge: 'sum' },
          ...metrics,
          ...grads.map((tensor, i): RecordedOutput => ({ name: objective.weights[i]!.name, tensor, merge: 'sum' })),
        ]
      })
  })
}

function recordEvaluate(tf: Tf, objective: Objective, rows: number): Trace {
  return withInputs(tf, (input) => {
    const weights = objective.weights.map(({ name, shape }) => input(name, shape, 'float32'))
    const columns = objective.columns.map(({ name, shape, dtype }) => input(name, [rows, ...shape], dtype, true))
    const rowWeight = input('rowWeight', [rows], 'float32', true) as Tensor1D
    return () => {
      const { output, target } = objective.forward({ tf }, weights, columns)
      const loss = lossSum(tf, objective, { weights, columns, output, target, rowWeight, training: false })
      return [{ name: 'loss', tensor: loss, merge: 'sum' }, ...metricSums(tf, objective, output, target, rowWeight)]
    }
  })
}

function recordUpdate(
  tf: Tf,
  objective: Objective,
  optimiser: Optimiser,
  start: { readonly slots: readonly TensorData[] },
): Trace {
  return withInputs(tf, (input) => {
    const { weights: specs } = objective
    const weights = specs.map(({ name, shape }) => input(name, shape, 'float32'))
    const slots = start.slots.map(({ shape, dtype }, i) => input(`slot${i}`, shape, dtype))
    const gradients = specs.map(({ name, shape }) => input(`${name}/gradient`, shape, 'float32'))
    const learningRate = input('learningRate', [], 'float32') as Scalar
    const step = input('step', [], 'float32') as Scalar
    return () => {
      const trained = gradients.map((gradient, i) =>
        specs[i]!.momentum === undefined ? gradient : tf.zerosLike(gradient),
      )
      const next = optimiser.update(tf, { weights, slots, gradients: trained, learningRate, step })
      // A running average moves by its gradient alone, whatever the optimiser and its rate.
      const moved = (i: number, momentum: number): Tensor => {
        const gradient = optimiser.scalesLoss ? tf.div(gradients[i]!, slots[0]!) : gradients[i]!
        return tf.sub(weights[i]!, tf.mul(gradient, 1 - momentum))
      }
      const outputs = next.weights.map((tensor, i) => {
        const { momentum } = specs[i]!
        return momentum === undefined ? tensor : moved(i, momentum)
      })
      return [
        ...outputs.map((tensor, i): RecordedOutput => ({ name: specs[i]!.name, tensor, merge: 'sum' })),
        ...next.slots.map((tensor, i): RecordedOutput => ({ name: `slot${i}`, tensor, merge: 'sum' })),
      ]
    }
  })
}

/** Records inference: weights..., columns... [rows, ...] split -> named outputs [rows, ...]. */
export function recordTransform(
  tf: Tf,
  { weights, columns }: Pick<Objective, 'weights' | 'columns'>,
  rows: number,
  outputs: (
    context: LayerContext,
    weights: readonly Tensor[],
    columns: readonly Tensor[],
  ) => Readonly<Record<string, Tensor>>,
): Trace {
  return withInputs(tf, (input) => {
    const weightInputs = weights.map(({ name, shape }) => input(name, shape, 'float32'))
    const columnInputs = columns.map(({ name, shape, dtype }) => input(name, [rows, ...shape], dtype, true))
    return () =>
      Object.entries(outputs({ tf }, weightInputs, columnInputs)).map(([name, tensor]) => ({
        name,
        tensor,
        merge: 'concat',
      }))
  })
}

/** The sum of the losses of a slice's rows; a penalty counts once a row, so that the mean has it once. */
function lossSum(
  tf: Tf,
  { loss, rowFactor, penalty }: Objective,
  parts: {
    readonly weights: readonly Tensor[]
    readonly columns: readonly Tensor[]
    readonly output: Tensor
    readonly target: Tensor
    readonly rowWeight: Tensor1D
    readonly training: boolean
  },
): Scalar {
  const { weights, columns, output, target, rowWeight, training } = parts
  const factor = rowFactor?.(tf, columns, target, training)
  const weight = factor === undefined ? rowWeight : tf.mul(rowWeight, factor)
  const sum = tf.sum<Scalar>(tf.mul(loss.rows(tf, output, target), weight))
  return penalty === undefined ? sum : tf.add(sum, tf.mul(penalty(tf, weights), tf.sum(rowWeight)))
}

function metricSums(
  tf: Tf,
  { metrics }: Objective,
  output: Tensor,
  target: Tensor,
  rowWeight: Tensor1D,
): RecordedOutput[] {
  return metrics.map((metric) => ({
    name: metric.name,
    tensor: sumMetric(tf, metric, output, target, rowWeight),
    merge: 'sum',
  }))
}

type AddInput = (name: string, shape: Shape, dtype: DType, split?: boolean) => Tensor

/**
 * Makes the inputs that `prepare` asks for, records the step that it returns, and disposes the inputs. A step that reads values
 * cannot be recorded: its trace then stands for the step itself, which `prepare` makes anew from the inputs of each run.
 */
function withInputs(tf: Tf, prepare: (input: AddInput) => () => RecordedOutput[]): Trace {
  const inputs: RecordedInput[] = []
  try {
    const step = prepare((name, shape, dtype, split = false) => {
      // A kernel's zeros may share a buffer with others; values given one by one never do.
      const values = dtype === 'float32' ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape))
      const tensor = tf.tensor(values, [...shape], dtype)
      inputs.push({ name, tensor, split })
      return tensor
    })
    try {
      return record(inputs, step)
    } catch (error) {
      if (!isReadRefusal(error)) throw error
      const again = (given: readonly Tensor[]): RecordedOutput[] => {
        let next = 0
        return prepare(() => given[next++]!)()
      }
      return standFor(inputs, again, error)
    }
  } finally {
    for (const { tensor } of inputs) tensor.dispose()
  }
}
