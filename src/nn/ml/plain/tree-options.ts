/** Options that all tree models share, and their checks. */
import { checkInteger, checkNumber, checkOneOf } from '../../../core/check.js'
import { keyOf } from '../../../core/random.js'
import type { GrowOptions, Impurity } from './grow-tree.js'

export interface TreeOptions {
  /** Splits from the root to a leaf, at most. Default 5. */
  readonly maxDepth?: number
  /** Ranges of values that a feature is cut into, at most. Default 32. */
  readonly maxBins?: number
  /** Rows of a node, at least. Default 1. */
  readonly minInstancesPerNode?: number
  /** By which a split must lower the impurity. Default 0. */
  readonly minInfoGain?: number
  /** Default 0. */
  readonly seed?: number
}

export function checkTree(
  caller: string,
  options: TreeOptions & { readonly impurity?: string },
  impurities: readonly Impurity[],
): void {
  checkInteger(caller, 'maxDepth', options.maxDepth ?? 5, 0, 60)
  checkInteger(caller, 'maxBins', options.maxBins ?? 32, 2, 65_536)
  checkInteger(caller, 'minInstancesPerNode', options.minInstancesPerNode ?? 1, 1)
  checkNumber(caller, 'minInfoGain', options.minInfoGain ?? 0, 0)
  checkInteger(caller, 'seed', options.seed ?? 0, 0)
  checkOneOf(caller, 'impurity', (options.impurity ?? impurities[0]!) as Impurity, impurities)
}

export function growOptions(options: TreeOptions, impurity: Impurity, classes: number, width: number): GrowOptions {
  const { maxDepth = 5, minInstancesPerNode = 1, minInfoGain = 0, seed = 0 } = options
  const key = keyOf(seed)
  return { maxDepth, minInstancesPerNode, minInfoGain, impurity, classes, featuresPerNode: width, key }
}

export const defaultBins = ({ maxBins = 32 }: TreeOptions): number => maxBins

/** Every row once, or as its weight says. */
export function ones(rows: number, weights: Float64Array | undefined): Float64Array {
  return weights ?? new Float64Array(rows).fill(1)
}
