/**
 * What neural estimators share: frozen options, checks before anything runs, a training, a copy with other options, and how
 * they are saved before they are fitted.
 */
import type { AnyFrame, Column, Schema } from '../../frame/index.js'
import { checkNumberColumn, withColumns } from './columns.js'
import type { Training, Savable } from '../train/training.js'
import { beginTraining } from './fit.js'
import type { FitPlan } from './fit.js'
import { checkNetworkOptions } from './options.js'
import type { Changes, FitOptions, InputColumns, NetworkOptions } from './options.js'
import { saveEstimator } from './saved-estimator.js'
import type { Transformer } from './stage.js'
import type { StageTypes, stageTypes } from './stage-types.js'

export abstract class NeuralEstimator<O extends NetworkOptions & InputColumns, Needs, Adds> implements StageTypes<
  Needs,
  Adds
> {
  declare readonly [stageTypes]: { readonly needs: Needs; readonly adds: Adds }
  readonly kind: string
  readonly options: O

  /** @param several whether it takes several columns */
  protected constructor(kind: string, options: O, several = false) {
    checkNetworkOptions(kind, options, several)
    this.kind = kind
    this.options = Object.freeze({ ...options })
  }

  /**
   * The columns after `transform` of the fitted model.
   *
   * @throws ShardbookError `column` when a column is missing or of another type.
   */
  transformSchema(schema: Schema): Schema {
    this.checkColumns(this.kind, schema)
    return withColumns(schema, this.addedColumns(schema))
  }

  /**
   * The same estimator with some options changed.
   *
   * @throws ShardbookError `argument` for options out of range.
   */
  copy(changes: Changes<O>): this {
    return new (this.constructor as new (options: O) => this)({ ...this.options, ...changes })
  }

  /**
   * Saves the estimator in a folder, whole or not at all; `ml.load` reads it.
   *
   * @throws ShardbookError `argument` for options that are functions of your own, `io` when the folder cannot be written.
   */
  async save(path: string): Promise<void> {
    await saveEstimator(path, this.kind, this.options)
  }

  /** The training of a `fit`; epochs and step size are the default ones. */
  protected begin<M extends Savable & Transformer>(
    frame: AnyFrame,
    fit: FitOptions,
    { epochs, stepSize, batch, prepare }: Pick<FitPlan<M>, 'epochs' | 'stepSize' | 'batch' | 'prepare'>,
  ): Training<M> {
    const caller = `${this.kind}.fit`
    for (const { schema } of fit.validation === undefined ? [frame] : [frame, fit.validation]) {
      this.checkColumns(caller, schema)
      if (this.options.weightCol !== undefined) checkNumberColumn(caller, schema, this.options.weightCol, 'weights')
    }
    const { maxIter = epochs, stepSize: rate = stepSize, seed = 0 } = this.options
    const plan = { name: this.kind, epochs: maxIter, stepSize: rate, seed, training: this.options }
    return beginTraining({ ...plan, frame, fit, batch, prepare })
  }

  /** @throws ShardbookError `column` when a column is missing or of another type; the message begins with the caller. */
  protected abstract checkColumns(caller: string, schema: Schema): void

  /** The columns that the model adds, as far as they are known before it is fitted. */
  protected abstract addedColumns(schema: Schema): readonly Column[]
}
