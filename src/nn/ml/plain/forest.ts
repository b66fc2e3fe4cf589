/** Fitted trees as flat arrays: how they are saved, how they predict, and what they say of features. */
import { ShardbookError } from '../../../core/errors.js'
import type { RowFunction, SparseRows, TensorRows } from '../../../frame/row-function.js'
import { savedArray } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Tree } from './grow-tree.js'

/** All nodes of all trees one behind the other; `left` and `right` are positions among them. */
export interface Forest {
  /** Numbers of a leaf: one a class, or one. */
  readonly outputs: number
  readonly numFeatures: number
  readonly roots: Int32Array
  /** -1: a leaf. */
  readonly feature: Int32Array
  readonly threshold: Float64Array
  readonly left: Int32Array
  readonly right: Int32Array
  /** `[nodes, outputs]`. */
  readonly value: Float64Array
  /** Of each tree. */
  readonly weights: Float64Array
  /** Of each feature; they add up to 1. */
  readonly importances: Float64Array
}

/** `shares`: leaves hold the shares of the classes rather than their weights. */
export function forestOf(
  trees: readonly Tree[],
  numFeatures: number,
  options: { readonly weights?: readonly number[]; readonly shares?: boolean } = {},
): Forest {
  const bases = trees.map((_, t) => trees.slice(0, t).reduce((n, { feature }) => n + feature.length, 0))
  const all = (of: (tree: Tree) => readonly number[]): number[] => trees.flatMap((tree) => [...of(tree)])
  const moved = (of: (tree: Tree) => readonly number[]): Int32Array =>
    Int32Array.from(trees.flatMap((tree, t) => of(tree).map((node) => (node < 0 ? -1 : node + bases[t]!))))
  const outputs = trees[0]!.value[0]!.length
  const importances = new Float64Array(numFeatures)
  for (const { importance } of trees) {
    const sum = importance.reduce((a, b) => a + b, 0)
    if (sum > 0) importance.forEach((value, j) => (importances[j]! += value / sum))
  }
  const total = importances.reduce((a, b) => a + b, 0)
  const leaf = (values: readonly number[]): readonly number[] => {
    if (options.shares !== true) return values
    const sum = values.reduce((a, b) => a + b, 0)
    return sum > 0 ? values.map((value) => value / sum) : values
  }
  return {
    outputs,
    numFeatures,
    roots: Int32Array.from(bases),
    feature: Int32Array.from(all(({ feature }) => feature)),
    threshold: Float64Array.from(all(({ threshold }) => threshold)),
    left: moved(({ left }) => left),
    right: moved(({ right }) => right),
    value: Float64Array.from(trees.flatMap(({ value }) => value.flatMap(leaf))),
    weights: Float64Array.from(options.weights ?? trees.map(() => 1)),
    importances: total > 0 ? importances.map((value) => value / total) : importances,
  }
}

/** The leaf of a tree for values of the features. */
function leafOf({ feature, threshold, left, right }: Forest, root: number, x: Float64Array): number {
  let node = root
  while (feature[node]! >= 0) node = x[feature[node]!]! <= threshold[node]! ? left[node]! : right[node]!
  return node
}

/** How leaves make a row's result: the sum of their numbers, that of a binary classifier's margin, or their mean. */
export type Combine = 'scores' | 'margins' | 'number'

export const forestScores = {
  kind: 'forestScores',
  make: ({ forest, combine }: { forest: Forest; combine: Combine }): RowFunction => {
    const { outputs, roots, value, weights, numFeatures } = forest
    const width = combine === 'margins' ? 2 : outputs
    return ([input], rows) => {
      const vectors = input as TensorRows | SparseRows
      const values = new Float64Array(rows * width)
      const x = new Float64Array(numFeatures)
      for (let row = 0; row < rows; row++) {
        spread(vectors, row, x)
        for (let t = 0; t < roots.length; t++) {
          const leaf = leafOf(forest, roots[t]!, x)
          if (combine === 'margins') values[row * 2 + 1]! += weights[t]! * value[leaf]!
          else for (let k = 0; k < outputs; k++) values[row * width + k]! += weights[t]! * value[leaf * outputs + k]!
        }
        if (combine === 'margins') values[row * 2] = -values[row * 2 + 1]!
      }
      if (combine === 'number') return { kind: 'numbers', values, valid: vectors.valid }
      return { kind: 'tensors', width, values, valid: vectors.valid }
    }
  },
}

/** The result of a forest of numbers for one row. */
export function forestNumber(forest: Forest, x: Float64Array): number {
  let sum = 0
  for (let t = 0; t < forest.roots.length; t++) {
    sum += forest.weights[t]! * forest.value[leafOf(forest, forest.roots[t]!, x)]!
  }
  return sum
}

/** A row's features, zeros included. */
export function spread(vectors: TensorRows | SparseRows, row: number, into: Float64Array): void {
  if (vectors.kind === 'tensors') {
    const { width, values } = vectors
    for (let j = 0; j < width; j++) into[j] = values[row * width + j]!
    return
  }
  into.fill(0)
  for (let i = vectors.starts[row]!; i < vectors.ends[row]!; i++) into[vectors.indices[i]!] = vectors.values[i]!
}

/** A tree as text, a line a node. */
export function printTree({ feature, threshold, left, right, value, outputs, roots }: Forest, tree = 0): string {
  const lines: string[] = []
  const print = (node: number, indent: string): void => {
    if (feature[node]! < 0) {
      const numbers = [...value.subarray(node * outputs, (node + 1) * outputs)].map((v) => Number(v.toPrecision(4)))
      lines.push(`${indent}predict ${outputs === 1 ? numbers[0] : `[${numbers.join(', ')}]`}`)
      return
    }
    const at = Number(threshold[node]!.toPrecision(6))
    lines.push(`${indent}if feature ${feature[node]} <= ${at}`)
    print(left[node]!, `${indent}  `)
    lines.push(`${indent}else`)
    print(right[node]!, `${indent}  `)
  }
  if (roots[tree] === undefined) {
    throw new ShardbookError('argument', `toDebugString: expected a tree below ${roots.length}, got ${tree}.`)
  }
  print(roots[tree], '')
  return lines.join('\n')
}

export function saveForest(forest: Forest) {
  const int = (values: Int32Array) => ({ dtype: 'int32' as const, shape: [values.length], values })
  const float = (values: Float64Array) => ({ dtype: 'float64' as const, shape: [values.length], values })
  const { roots, feature, left, right, threshold, value, weights, importances } = forest
  return {
    roots: int(roots),
    feature: int(feature),
    left: int(left),
    right: int(right),
    threshold: float(threshold),
    value: float(value),
    weights: float(weights),
    importances: float(importances),
  }
}

export function loadForest(saved: LoadedStage): Forest {
  const int = (name: string): Int32Array => savedArray(saved, name, 'int32')
  const float = (name: string): Float64Array => savedArray(saved, name, 'float64')
  const [value, feature, importances] = [float('value'), int('feature'), float('importances')]
  return {
    outputs: value.length / feature.length,
    numFeatures: importances.length,
    roots: int('roots'),
    feature,
    left: int('left'),
    right: int('right'),
    threshold: float('threshold'),
    value,
    weights: float('weights'),
    importances,
  }
}
