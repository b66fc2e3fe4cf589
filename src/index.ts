/**
 * The public list: everything that `import { … } from 'shardbook'` offers. Importing it loads no vendor; each loads when it
 * is first used.
 */
import { ShardbookError } from './core/errors.js'
import { compile, currentEngine, loadSavedModel, scan, useEngine } from './engine/index.js'
import type { Engine } from './engine/index.js'
import { tfCore } from './engine/tf.js'
import type { Tf } from './engine/tf.js'

export { displaySymbol, type Displayable, type MimeBundle, typeSymbol } from './core/display.js'
export { type ErrorCode, ShardbookError } from './core/errors.js'
export { prompt } from './core/prompt.js'
export { display, type DisplayOptions, type Progress, type Shown } from './core/show-value.js'
export { type Pool, type PoolFunction, type PoolOptions, pool, type SharingOptions } from './distributed/index.js'
export {
  type AnyFrame,
  type BatchOptions,
  col,
  type Column,
  type Columns,
  type Dynamic,
  type Expr,
  datasets,
  type FeedBatch,
  Frame,
  type FrameError,
  frame,
  list,
  lit,
  read,
  type Schema,
  type SchemaSpec,
  type Sparse,
  struct,
  type Tensor,
  type TokenOptions,
  vector,
  when,
} from './frame/index.js'
export * as ml from './nn/ml/index.js'
export * as nn from './nn/index.js'
export type { Strategy } from './nn/strategy.js'
export type { TrainingEvent } from './nn/train/event.js'
export type { SavedModel, SavedModelOptions } from './engine/index.js'
export type { HistoryRow, Training } from './nn/train/training.js'
export * as ui from './ui/index.js'
export * as viz from './viz/index.js'

/** Tensor engines: which one runs, and functions compiled for it. */
export const engine = Object.freeze({
  compile,
  /** A loop inside a compiled function. */
  scan,
  /** Makes an engine the current one, for code of one's own and for trainings in this process. */
  use: useEngine,
  /** The current engine, once one was opened. */
  get current(): Engine | undefined {
    return currentEngine()
  },
  /** Loads a SavedModel of TensorFlow or Keras for inference; it runs on the engine `native`. */
  loadSavedModel,
  /** TensorFlow.js as this process's engines run it. */
  get tf(): Tf {
    const tf = tfCore()
    if (tf.engine().backendNames().length > 0) return tf
    throw new ShardbookError('state', 'engine.tf: expected an open engine, got none.', {
      hint: "Open one first: await engine.use('auto').",
    })
  },
})
