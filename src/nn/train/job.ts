/**
 * A training job: everything that a training needs, as plain data. It runs in this process or travels to workers;
 * either way the same loop (`loop.ts`) runs it.
 *
 * The global batch of `batchRows` rows is made of `slices` slices, whatever the number of workers: slice `k` of the data
 * holds the rows whose ordinal is `k` modulo `slices`. A worker owns some of the slices, computes its gradients, and all
 * workers add them up. So a global batch holds the same samples for every number of workers.
 *
 * Signatures of the programs (inputs in order -> outputs in order; R = batchRows / slices rows a slice):
 * - `gradients`: weights..., slot 0 where the optimiser scales the loss, batch columns... [R, ...] split, `rowWeight` [R] split, `rowIndex` int32 [R] split (ordinal of
 *   the sample in the data set: random masks are keyed by it), `scale` [] (1 / sum of row weights of the global batch),
 *   `key` int32 [] (fresh each step) -> `loss` [], metric sums..., gradients (one a trainable weight), state updates; all merge by sum
 * - `update`: weights..., slots..., gradients..., `learningRate` [], `step` [] (1 for the first) -> weights..., slots...
 * - `evaluate`: weights..., batch columns... split, `rowWeight` split -> `loss` sum [], metric sums... ; all merge by sum
 */
import type { EngineName } from '../../engine/engine.js'
import type { Trace } from '../../engine/trace.js'
import type { TensorData } from '../../core/dtype.js'
import type { FrameSource } from '../../frame/index.js'
import type { MetricData } from '../metric.js'
import type { Rule } from './rules.js'

export interface TrainingJob {
  readonly version: 1
  /** Shown in charts and logs. */
  readonly name: string
  readonly engine: EngineName
  readonly seed: number
  readonly epochs: number
  readonly batchRows: number
  readonly slices: number
  /** The metrics whose sums follow the loss in `gradients` and `evaluate`: a scalar or vector each. */
  readonly metrics: readonly MetricData[]
  readonly programs: { readonly gradients: Trace; readonly update: Trace; readonly evaluate: Trace }
  readonly start: TrainingState
  readonly data: FrameSource
  readonly validation?: FrameSource
  /** Learning rate of step `s` (from 0): `rates[min(s, rates.length - 1)]`. */
  readonly rates: readonly number[]
  /** Whether `gradients` takes slot 0, by which it multiplies the gradients. */
  readonly scalesLoss?: true
  /** The training ends after so many steps, if not before. */
  readonly maxSteps?: number
  /** What is decided at the end of each epoch. */
  readonly rules?: readonly Rule[]
  /** Validates after every so many steps too. */
  readonly validateEvery?: number
  readonly checkpoint?: CheckpointPlan
  /** Step events tell the norm of the gradients but for those of these weights, running averages. */
  readonly gradientNorm?: { readonly without: readonly number[] }
  /** Step events tell the time of each phase. */
  readonly profile?: true
}

/** Where states are saved, and after how many steps; none: after every epoch. */
export interface CheckpointPlan {
  readonly path: string
  readonly everySteps?: number
  readonly everyEpochs?: number
  readonly keep: number
}

/** Where a training stands: enough to go on from, bit for bit. */
export interface TrainingState {
  /** Steps done since the start. */
  readonly step: number
  readonly weights: readonly TensorData[]
  readonly slots: readonly TensorData[]
  /** What the loop has seen and decided; none before the first step. */
  readonly progress?: Progress
  /** Weights and slots that were best so far, where the training is to end with those. */
  readonly best?: readonly TensorData[]
}

/** What a loop decides from besides the number of steps: plain JSON. */
export interface Progress {
  /** Rows of the data: a training goes on with the same ones. */
  readonly totalRows: number
  /** Rows of the epoch under way and, for loss and metrics one after the other, the sums over them. */
  readonly rows: number
  readonly sums: readonly number[]
  /** The epochs done. */
  readonly history: readonly EpochResult[]
  /** What each rule of the job remembers, in their order. */
  readonly rules: readonly RuleState[]
  /** What the rules have made of the learning rate. */
  readonly rateFactor: number
  /** Why a rule has ended the training. */
  readonly stopped?: string
}

export interface EpochResult {
  readonly epoch: number
  readonly step: number
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
  readonly validation?: Readonly<Record<string, number>>
}

/** The best value that was seen, none at first, the epochs since then, and how many of them not to count yet. */
export interface RuleState {
  readonly best?: number
  readonly bestEpoch: number
  readonly waited: number
  readonly cooldown: number
}
