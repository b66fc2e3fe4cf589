/** Neural classifiers: softmax cross entropy over class numbers 0, 1, 2, ... */
import { ShardbookError } from '../../core/errors.js'
import type { AnyFrame, Column } from '../../frame/index.js'
import { softmaxCrossEntropy } from '../loss.js'
import { accuracy } from '../metric.js'
import { countClasses } from './classes.js'
import { ClassifierModel } from './classifier-model.js'
import { outputColumn } from './columns.js'
import type { ClassifierOptions } from './options.js'
import { PredictorEstimator } from './predictor.js'
import type { Task } from './predictor.js'

export abstract class ClassifierEstimator<
  O extends ClassifierOptions,
  Needs,
  M extends ClassifierModel,
> extends PredictorEstimator<O, Needs, M> {
  protected readonly labels = 'class numbers 0, 1, 2, ...'

  protected async task(frame: AnyFrame, validation: AnyFrame | undefined): Promise<Task<ClassifierModel>> {
    const { kind, labelCol } = this
    const [{ classes, rows, sizes }, held] = await Promise.all([
      countClasses(kind, frame, labelCol, 2),
      validation === undefined ? undefined : countClasses(`${kind}, validation`, validation, labelCol, 1),
    ])
    if (held !== undefined && held.classes > classes) {
      throw new ShardbookError(
        'data',
        `${kind}: expected validation labels below ${classes}, the number of classes to train on, got ${held.classes - 1}.`,
      )
    }
    return {
      loss: softmaxCrossEntropy,
      metrics: [accuracy],
      rows,
      classRows: sizes,
      outputs: classes,
      tail: [],
      oneFor: 'one number a class',
      finish: async (network, weights, input) => {
        const { inputCol } = this
        const { rawPredictionCol, probabilityCol } = this.#columns
        const params = { inputCol, input, outputCol: this.outputCol, rawPredictionCol, probabilityCol }
        return ClassifierModel.make(`${kind}Model`, network, weights, params)
      },
    }
  }

  protected addedColumns(): readonly Column[] {
    const { rawPredictionCol, probabilityCol } = this.#columns
    // The number of classes is not known yet.
    const vectors = [rawPredictionCol, probabilityCol].flatMap((name) =>
      name === null ? [] : [outputColumn(name, [0])],
    )
    return [...vectors, outputColumn(this.outputCol, [], 'int32')]
  }

  get #columns() {
    const {
      rawPrediction = true,
      rawPredictionCol = 'rawPrediction',
      probabilityCol = null,
    } = this.options as ClassifierOptions
    return { rawPredictionCol: rawPrediction ? rawPredictionCol : null, probabilityCol }
  }
}
