/** Neural regressors: the mean squared error of one number. */
import { ShardbookError } from '../../core/errors.js'
import { col } from '../../frame/index.js'
import type { AnyFrame, Column, Frame } from '../../frame/index.js'
import { rescale } from '../layers/activation.js'
import { meanAbsoluteError, meanSquaredError } from '../loss.js'
import { outputColumn } from './columns.js'
import type { PredictorOptions } from './options.js'
import { PredictorEstimator } from './predictor.js'
import type { Task } from './predictor.js'
import { RegressorModel } from './regressor-model.js'

export abstract class RegressorEstimator<
  O extends PredictorOptions,
  Needs,
  M extends RegressorModel,
> extends PredictorEstimator<O, Needs, M> {
  protected readonly labels = 'numbers'
  protected override readonly outputs = 1

  protected async task(frame: AnyFrame, validation: AnyFrame | undefined): Promise<Task<RegressorModel>> {
    const { kind, labelCol } = this
    const { rows, mean, deviation } = await moments(kind, frame, labelCol)
    if (validation !== undefined) await moments(`${kind}, validation`, validation, labelCol)
    return {
      loss: meanSquaredError,
      metrics: [{ name: 'meanAbsoluteError', rows: meanAbsoluteError.rows }],
      rows,
      outputs: 1,
      // The network's own numbers are about one in size, whatever the label's unit.
      tail: [rescale({ scale: deviation, offset: mean, name: 'unit' })],
      oneFor: 'the number that is predicted',
      finish: async (network, weights, input) => {
        const params = { inputCol: this.inputCol, input, outputCol: this.outputCol }
        return RegressorModel.make(`${kind}Model`, network, weights, params)
      },
    }
  }

  protected addedColumns(): readonly Column[] {
    return [outputColumn(this.outputCol, [])]
  }
}

async function moments(caller: string, frame: AnyFrame, labelCol: string) {
  const label = col(labelCol)
  const over = (frame as Frame).groupBy()
  const [found] = await over.agg({ rows: col.count(), given: label.count(), mean: label.mean() }).toRows()
  const { rows, given, mean } = found as unknown as { rows: number; given: number; mean: number | null }
  if (rows === 0 || mean === null) {
    throw new ShardbookError('data', `${caller}: expected rows to train on with numbers in '${labelCol}', got none.`)
  }
  if (given !== rows) {
    throw new ShardbookError(
      'data',
      `${caller}: expected numbers in '${labelCol}', got null in ${rows - given} rows.`,
      { hint: 'Drop those rows: frame.dropNulls.' },
    )
  }
  if (!Number.isFinite(mean)) {
    throw new ShardbookError('data', `${caller}: expected finite numbers in '${labelCol}', got a mean of ${mean}.`, {
      hint: 'Drop rows whose label is NaN or infinite.',
    })
  }
  // Only now: of numbers that are not finite there is none.
  const [spread] = await over.agg({ deviation: label.std() }).toRows()
  const { deviation } = spread as unknown as { deviation: number | null }
  return { rows, mean, deviation: deviation === null || deviation === 0 ? 1 : deviation }
}
