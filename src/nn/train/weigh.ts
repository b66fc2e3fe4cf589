/**
 * What the options of learning make of an objective: weights of rows and classes, smoothed labels and a penalty on the weights,
 * all in the recorded loss, so that every engine and worker does the same.
 */
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../../core/errors.js'
import type { Tf } from '../../engine/tf.js'
import { labelSmoothing } from '../loss.js'
import { weightsOfClasses } from './class-weights.js'
import type { ClassWeights } from './class-weights.js'
import type { TrainingOptions } from './options.js'
import type { Objective } from './programs.js'

/**
 * The objective under the options.
 *
 * @param classRows rows of each class, where classes are learnt
 * @throws ShardbookError `argument` for class weights where targets are no classes, labels of a loss that cannot be smoothed, and
 *   metrics that are there already.
 */
export function weighObjective(
  caller: string,
  objective: Objective,
  options: TrainingOptions,
  classRows?: readonly number[],
): Objective {
  const { weightCol, classWeights, regParam = 0, elasticNetParam = 0, metrics = [], precision = 'float32' } = options
  const { columns, loss, weights } = objective
  if (classWeights === 'balanced' && classRows === undefined) {
    throw new ShardbookError('argument', `${caller}: expected classes to learn for classWeights 'balanced', got none.`)
  }
  const table = classTable(classWeights, classRows)
  if (
    metrics.length + objective.metrics.length >
    new Set([...metrics, ...objective.metrics].map(({ name }) => name)).size
  ) {
    const names = objective.metrics.map(({ name }) => name).join(', ')
    throw new ShardbookError('argument', `${caller}: expected metrics besides its own (${names}), got one of these.`)
  }
  return {
    ...objective,
    metrics: [...objective.metrics, ...metrics],
    ...(precision === 'float32'
      ? {}
      : { forward: (context, ...given) => objective.forward({ ...context, precision }, ...given) }),
    columns: weightCol === undefined ? columns : [...columns, { name: weightCol, dtype: 'float32', shape: [] }],
    loss: options.labelSmoothing ? labelSmoothing(loss, options.labelSmoothing) : loss,
    ...(weightCol === undefined && classWeights === undefined
      ? {}
      : {
          rowFactor: (tf, given, target, training) => {
            const factors: Tensor1D[] = weightCol === undefined ? [] : [given.at(-1) as Tensor1D]
            if (training && table !== undefined) factors.push(classFactors(caller, tf, table, target))
            return factors.length === 0 ? undefined : factors.reduce((a, b) => tf.mul(a, b))
          },
        }),
    ...(regParam === 0
      ? {}
      : {
          penalty: (tf, current) => {
            const trained = current.filter((_, i) => weights[i]!.momentum === undefined && weights[i]!.shape.length > 1)
            const sum = (of: (w: Tensor) => Tensor): Tensor => tf.addN(trained.map((w) => tf.sum(of(w))))
            const parts: Tensor[] = []
            if (elasticNetParam > 0)
              parts.push(
                tf.mul(
                  sum((w) => tf.abs(w)),
                  regParam * elasticNetParam,
                ),
              )
            if (elasticNetParam < 1)
              parts.push(
                tf.mul(
                  sum((w) => tf.square(w)),
                  (regParam * (1 - elasticNetParam)) / 2,
                ),
              )
            return tf.addN(parts) as Scalar
          },
        }),
  }
}

/** Weights by class, the last one for all classes from there on. */
function classTable(
  classWeights: ClassWeights | undefined,
  classRows: readonly number[] | undefined,
): readonly number[] | undefined {
  if (classWeights === undefined) return undefined
  const named = classWeights === 'balanced' ? 0 : Math.max(...Object.keys(classWeights).map(Number)) + 1
  const sizes = classRows ?? Array.from({ length: named }, () => 0)
  return [...weightsOfClasses(classWeights, sizes), 1]
}

function classFactors(caller: string, tf: Tf, table: readonly number[], target: Tensor): Tensor1D {
  const rows = target.shape[0]
  if (target.size !== rows) {
    throw new ShardbookError(
      'argument',
      `${caller}: expected classes to learn for classWeights, got targets of shape [${target.shape.slice(1).join(', ')}].`,
    )
  }
  const classes = tf.minimum(tf.cast(tf.reshape(target, [rows]), 'int32'), tf.scalar(table.length - 1, 'int32'))
  return tf.gather(tf.tensor1d([...table]), classes)
}
