/**
 * Soft labels for any estimator that weighs its rows: a row becomes one for each class, weighted by the class's probability. The
 * cross entropy over them is that of the probabilities themselves; a tree counts with them as with rows.
 */
import { show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { col, findColumn, Frame, lit } from '../../../frame/index.js'
import type { AnyFrame } from '../../../frame/index.js'
import type { RowFunction, TensorRows } from '../../../frame/row-function.js'
import { computed, inputColumn, isVector, withColumns } from '../column-stage.js'
import type { Estimator, Stage } from '../stage.js'
import { paramsOf } from '../tuning/param-names.js'
import { vectorSize } from '../vectors.js'

const weight = 'soft label weight'
const soft = 'soft label'
/** Less probable classes are left out: they would be rows that count for nothing. */
const leastProbability = 1e-6

export interface SoftLabels {
  readonly temperature: number
  readonly labelCol: string
  /** Columns to keep. */
  readonly inputs: readonly string[]
}

/** The rows that a teacher's predictions teach, a row a class, with a column of weights. */
export function softened(caller: string, predicted: AnyFrame, { temperature, labelCol, inputs }: SoftLabels): Frame {
  const { schema } = predicted
  const has = (name: string): boolean => schema.some((column) => column.name === name)
  const name = has('probability') ? 'probability' : 'rawPrediction'
  if (!has(name)) {
    throw new ShardbookError(
      'column',
      `${caller}: expected the teacher to add 'probability' or 'rawPrediction' for soft labels, got neither.`,
      { hint: 'Without a temperature the student learns its classes.' },
    )
  }
  const classes = vectorSize(inputColumn(caller, schema, name, 'vectors', isVector))
  const gives = {
    type: { kind: 'tensor', dtype: 'float64', shape: [classes], held: 'inline' },
    nullable: findColumn(caller, schema, name).nullable,
  } as const
  const payload = { temperature, isLogit: name === 'rawPrediction' }
  const spread = withColumns(caller, predicted.plan, computed(soft, soften, payload, [name], gives))
  const rows = Frame.fromPlan(spread)
    .select(...inputs, soft)
    .cache()
  const number = { type: { kind: 'number', storage: 'float64' }, nullable: gives.nullable } as const
  const parts = Array.from({ length: classes }, (_, index) => {
    const own = withColumns(caller, rows.plan, computed(weight, component, { index }, [soft], number))
    return Frame.fromPlan(own)
      .filter(col(weight).gt(leastProbability))
      .select(...inputs, weight)
      .withColumns({ [labelCol]: lit(index) })
  })
  return parts[0]!.concat(...(parts.slice(1) as never[]))
}

/** A student that weighs its rows by that column. @throws `argument` for one that cannot */
export function weighing(caller: string, student: Estimator): Estimator {
  const stages = (student.options as { stages?: readonly Stage[] }).stages
  const last = stages?.at(-1) as Estimator | undefined
  if (stages !== undefined && last !== undefined) {
    return student.copy({ stages: [...stages.slice(0, -1), weighing(caller, last)] })
  }
  const given = (student.options as { weightCol?: string }).weightCol
  if (given === undefined && Object.hasOwn(paramsOf(student.kind) ?? { weightCol: true }, 'weightCol')) {
    return student.copy({ weightCol: weight })
  }
  throw new ShardbookError(
    'argument',
    `${caller}: expected a student whose rows can be weighted for soft labels, got a ${student.kind}${given === undefined ? '' : ` with weightCol ${show(given)}`}.`,
  )
}

/** `p^(1 / temperature)`, with the sum of 1. */
const soften = {
  kind: 'soften',
  make:
    ({ temperature, isLogit }: { temperature: number; isLogit: boolean }): RowFunction =>
    ([input], rows) => {
      const { values: x, width, valid } = input as TensorRows
      const values = new Float64Array(rows * width)
      for (let row = 0; row < rows; row++) {
        const own = values.subarray(row * width, (row + 1) * width)
        for (let k = 0; k < width; k++) {
          const value = x[row * width + k]!
          own[k] = (isLogit ? value : Math.log(value)) / temperature
        }
        const most = own.reduce((a, b) => Math.max(a, b), -Infinity)
        let sum = 0
        for (let k = 0; k < width; k++) sum += own[k] = Math.exp(own[k]! - most)
        for (let k = 0; k < width; k++) own[k]! /= sum
      }
      return { kind: 'tensors', width, values, valid }
    },
}

const component = {
  kind: 'component',
  make:
    ({ index }: { index: number }): RowFunction =>
    ([input], rows) => {
      const { values: x, width, valid } = input as TensorRows
      return {
        kind: 'numbers',
        values: Float64Array.from({ length: rows }, (_, row) => x[row * width + index]!),
        valid,
      }
    },
}
