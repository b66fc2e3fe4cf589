/** `quantise` and `prune`: a fitted network with weights of fewer bits, or with fewer of them. */
import { checkNumber, checkOneOf } from '../../../core/check.js'
import type { TensorData } from '../../../core/dtype.js'
import type { NetworkModel } from '../network-model.js'
import type { Transformer } from '../stage.js'
import { bytesOf, checkNetwork, simplified } from './simplified.js'
import type { ScoredOn, Simplified } from './simplified.js'
import { shrinkWeight, weightFormats } from './small-weights.js'
import type { SmallWeight, WeightFormat } from './small-weights.js'

export interface QuantiseOptions {
  /** `'float16'`: half the size; `'int8'`: a quarter, with a scale for each channel of a kernel. */
  readonly to: WeightFormat
  /** Rows on which the loss is measured. */
  readonly on?: ScoredOn
}

/**
 * A network whose weights are rounded to fewer bits, and take less room when it is saved; it loads back to the same bits.
 *
 * Int8 is symmetric with a scale for each channel of the last axis of a kernel; vectors (biases, running averages) become
 * float16. It computes with float32, so it is smaller, not faster.
 *
 * @throws ShardbookError `argument` for another format, and what is no fitted network.
 * @example
 * ```ts
 * const small = await ml.quantise(model, { to: 'int8', on: { frame: validation, evaluator } })
 * small.loss // what the score fell by
 * await small.model.save('digits-int8')
 * ```
 */
export async function quantise<M extends NetworkModel & Transformer>(
  model: M,
  { to, on }: QuantiseOptions,
): Promise<Simplified<M>> {
  const caller = 'ml.quantise'
  checkNetwork(caller, model)
  checkOneOf(caller, 'to', to, weightFormats)
  const weights = model.weights.map((weight) => shrinkWeight(weight, to))
  return simplified(model, to, weights, { before: bytesOf(model.weights), after: bytesOf(weights) }, on)
}

export interface PruneOptions {
  /** Share of the weights of kernels that become zero, in [0, 1). */
  readonly sparsity: number
  /** Whether the smallest of all kernels go, or of each by itself. Default `'global'`. */
  readonly scope?: 'global' | 'layer'
  /** Rows on which the loss is measured. */
  readonly on?: ScoredOn
}

/**
 * A network whose smallest weights are zero (Han and others, 2015). Biases and running averages stay.
 *
 * @throws ShardbookError `argument` for a share outside [0, 1), and what is no fitted network.
 * @example
 * ```ts
 * const sparse = await ml.prune(model, { sparsity: 0.6, on: { frame: validation, evaluator } })
 * ```
 */
export async function prune<M extends NetworkModel & Transformer>(
  model: M,
  { sparsity, scope = 'global', on }: PruneOptions,
): Promise<Simplified<M>> {
  const caller = 'ml.prune'
  checkNetwork(caller, model)
  checkNumber(caller, 'sparsity', sparsity, 0, 1 - 2 ** -20)
  checkOneOf(caller, 'scope', scope, ['global', 'layer'])
  const kernels = model.weights.filter(isKernel)
  const shared = scope === 'global' ? thresholdOf(kernels, sparsity) : undefined
  let dropped = 0
  const weights = model.weights.map((weight): SmallWeight => {
    if (!isKernel(weight)) return weight
    const threshold = shared ?? thresholdOf([weight], sparsity)
    const values = Float32Array.from(weight.values, (value) => (Math.abs(value) < threshold ? 0 : value))
    dropped += values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0)
    return { ...weight, values }
  })
  const before = bytesOf(model.weights)
  return simplified(model, `sparsity ${sparsity}`, weights, { before, after: before - 4 * dropped }, on)
}

function isKernel({ shape, dtype }: TensorData): boolean {
  return dtype === 'float32' && shape.length >= 2
}

/** The magnitude below which a share of the weights lies. */
function thresholdOf(weights: readonly TensorData[], share: number): number {
  const magnitudes = new Float32Array(weights.reduce((sum, { values }) => sum + values.length, 0))
  let at = 0
  for (const { values } of weights) for (const value of values) magnitudes[at++] = Math.abs(value)
  magnitudes.sort()
  return magnitudes[Math.floor(share * magnitudes.length)] ?? 0
}
