/**
 * Stages: what pipelines, tuning and saving know of estimators, models and feature transformers. Spark ML's shape: a stage is
 * immutable, says which columns come out of which before any row is read, and can be saved.
 */
import type { AnyFrame, Schema } from '../../frame/index.js'
import type { Strategy } from '../strategy.js'

export interface Stage {
  /** The name of its class, as it is saved: `'Tokenizer'`, `'CNNClassifierModel'`. */
  readonly kind: string
  /**
   * The columns after this stage.
   *
   * @throws ShardbookError `column` when a column is missing or of another type; the message names the stage.
   */
  transformSchema(schema: Schema): Schema
  /** Saves the stage in a folder, whole or not at all; `ml.load` reads it. */
  save(path: string): Promise<void>
}

/** A stage that adds or replaces columns. */
export interface Transformer extends Stage {
  transform(frame: AnyFrame): AnyFrame
}

export interface StageFitOptions {
  /** Whether stages that train show live charts. Default true. */
  readonly verbose?: boolean
  /** Where it runs: a pool, or this process. */
  readonly on?: Strategy
  /** Rows on which loss and metrics are told; never trained on. */
  readonly validation?: AnyFrame
}

/** A stage that learns from rows and gives a transformer. */
export interface Estimator<M extends Transformer = Transformer> extends Stage {
  readonly options: object
  fit(frame: AnyFrame, options?: StageFitOptions): PromiseLike<M>
  /** The same estimator with some options changed. */
  copy(changes: object): Estimator<M>
}
