/** The interface that every tensor engine implements; `test/conformance/engine` runs over all of them. */
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Step, StepTraces } from './step.js'
import type { Trace } from './trace.js'

export const engineNames = ['native', 'pjrt', 'wasm'] as const
export type EngineName = (typeof engineNames)[number]

/** A trace made ready to run. Weights and results stay on the engine. */
export interface Program {
  /**
   * Runs the program. Inputs in the trace's order: split inputs carry `slices` times the traced rows.
   * Results in the trace's order, already merged; the caller owns them. Inputs are not disposed.
   */
  run(inputs: readonly Tensor[]): Tensor[]
  dispose(): void
}

export interface Engine {
  readonly name: EngineName
  /** One line for `doctor` and `engine list`: library, version, devices. */
  readonly description: string
  /** Makes a trace ready to run over `slices` slices at once (independent chains of one graph where the engine has graphs). */
  load(trace: Trace, options?: { slices?: number }): Program
  /** Makes a training step ready to run, its state still to be restored; gradients over `slices` slices at once. */
  loadStep(traces: StepTraces, options?: { slices?: number }): Step
  /** Loads the SavedModel in a folder; engines without TensorFlow have none of this. */
  loadSavedModel?(folder: string, options?: SavedModelOptions): Promise<SavedModel>
  /** Number of live tensors and the bytes they hold. */
  memory(): { tensors: number; bytes: number }
  /** Memory of the device, where the engine has one of its own that counts it. */
  deviceMemory?(): { readonly usedBytes: number; readonly peakBytes?: number; readonly limitBytes?: number } | undefined
}

export interface SavedModelOptions {
  /** Default: `serve`. */
  readonly tags?: readonly string[]
  /** Default: `serving_default`. */
  readonly signature?: string
}

/** A model for inference that TensorFlow or Keras wrote. */
export interface SavedModel {
  readonly inputs: Readonly<Record<string, { readonly dtype: string; readonly shape: readonly (number | null)[] }>>
  readonly outputs: SavedModel['inputs']
  /** Results by name; the caller owns them. Inputs are not disposed. */
  predict(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
  dispose(): void
}

/** How an engine is started; workers get theirs from the pool. */
export interface EngineOptions {
  /** Operations that may run at once; default: the number of cores. */
  readonly threads?: number
  /** Of `native`: threads of one operation. Default 1, with which results do not depend on the number of cores. */
  readonly threadsPerOperation?: number
  /**
   * The number of the device, counted from 0. Of `pjrt`; default: `SHARDBOOK_DEVICE`, else 0. Of `native` the number of a GPU, or
   * `cpu` for none; default: the first GPU where there is one.
   */
  readonly device?: number | 'cpu'
  /** Of `pjrt`: what compiled steps multiply in; weights, sums and losses are in single precision always. Default `float32`. */
  readonly precision?: 'float32' | 'bfloat16'
}
