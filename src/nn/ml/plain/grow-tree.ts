/**
 * Grows a decision tree: at each node the split of one feature that lowers the impurity most, found from histograms of the
 * node's rows over the feature's bins. Of equal splits the first feature's and the lowest is taken, so that the same rows give
 * the same tree.
 */
import { fold, uniform } from '../../../core/random.js'
import type { Key } from '../../../core/random.js'
import type { Bins } from './bins.js'

export type Impurity = 'gini' | 'entropy' | 'variance'

export interface GrowOptions {
  readonly impurity: Impurity
  /** Classes; 0 for numbers. */
  readonly classes: number
  readonly maxDepth: number
  readonly minInstancesPerNode: number
  readonly minInfoGain: number
  /** Features that are tried at a node, drawn at random. */
  readonly featuresPerNode: number
  readonly key: Key
}

/** Nodes in the order in which they were made; the root is 0. */
export interface Tree {
  /** The feature that a node splits by; -1: a leaf. */
  readonly feature: number[]
  /** Values up to here go left. */
  readonly threshold: number[]
  readonly left: number[]
  readonly right: number[]
  /** Of each node: the weight of each class, or the mean. */
  readonly value: number[][]
  /** How much each feature lowered the impurity, weighted by rows. */
  readonly importance: Float64Array
}

interface Pending {
  readonly node: number
  readonly from: number
  readonly to: number
  readonly depth: number
}

interface Split {
  readonly feature: number
  /** The last bin that goes left. */
  readonly bin: number
  readonly gain: number
}

export function growTree(bins: Bins, targets: Float64Array, weights: Float64Array, options: GrowOptions): Tree {
  const { classes, maxDepth, minInstancesPerNode, minInfoGain, featuresPerNode, key, impurity } = options
  const tree: Tree = {
    feature: [],
    threshold: [],
    left: [],
    right: [],
    value: [],
    importance: new Float64Array(bins.width),
  }
  const rows = Uint32Array.from(weights.keys()).filter((row) => weights[row]! > 0)
  // Sums: the weight, then the weight by class, or of targets and their squares.
  const stats = classes === 0 ? 3 : classes + 1
  const scratch = new Uint32Array(rows.length)
  const widest = bins.least.reduce((n, { length }) => Math.max(n, length), 1)
  const sums = new Float64Array(widest * stats)
  const counts = new Int32Array(widest)
  // Squares of numbers far from zero cancel.
  const origin = classes === 0 ? mean(targets, weights) : 0
  const total = new Float64Array(stats)
  const left = new Float64Array(stats)
  const right = new Float64Array(stats)
  const pending: Pending[] = []

  const add = (from: number, to: number, depth: number): number => {
    const node = tree.feature.length
    tree.feature.push(-1)
    tree.threshold.push(0)
    tree.left.push(-1)
    tree.right.push(-1)
    total.fill(0)
    for (let i = from; i < to; i++) addTo(total, 0, rows[i]!)
    tree.value.push(classes === 0 ? [origin + total[1]! / total[0]!] : [...total.subarray(1)])
    pending.push({ node, from, to, depth })
    return node
  }
  const addTo = (into: Float64Array, at: number, row: number): void => {
    const weight = weights[row]!
    into[at]! += weight
    if (classes === 0) {
      const target = targets[row]! - origin
      into[at + 1]! += weight * target
      into[at + 2]! += weight * target * target
    } else into[at + 1 + targets[row]!]! += weight
  }

  const bestSplit = (from: number, to: number, node: number): Split | undefined => {
    total.fill(0)
    for (let i = from; i < to; i++) addTo(total, 0, rows[i]!)
    const before = impurityOf(impurity, total)
    if (before <= 0) return undefined
    let best: Split | undefined
    for (const feature of drawn(bins.width, featuresPerNode, fold(key, node))) {
      const of = bins.of[feature]!
      const length = bins.least[feature]!.length
      if (length < 2) continue
      sums.fill(0, 0, length * stats)
      counts.fill(0, 0, length)
      for (let i = from; i < to; i++) {
        const row = rows[i]!
        counts[of[row]!]! += 1
        addTo(sums, of[row]! * stats, row)
      }
      left.fill(0)
      let count = 0
      for (let bin = 0; bin < length - 1; bin++) {
        if (counts[bin] === 0) continue
        count += counts[bin]!
        for (let s = 0; s < stats; s++) left[s]! += sums[bin * stats + s]!
        if (count === to - from) break
        if (count < minInstancesPerNode || to - from - count < minInstancesPerNode) continue
        for (let s = 0; s < stats; s++) right[s] = total[s]! - left[s]!
        const after = (left[0]! * impurityOf(impurity, left) + right[0]! * impurityOf(impurity, right)) / total[0]!
        const gain = before - after
        // A gain within rounding of the best one's is the same.
        if (gain > minInfoGain && gain > (best === undefined ? 1e-14 : best.gain + 1e-12 * before)) {
          best = { feature, bin, gain }
        }
      }
    }
    return best
  }

  add(0, rows.length, 0)
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, from, to, depth } = next
    if (depth >= maxDepth || to - from < 2 * minInstancesPerNode) continue
    const split = bestSplit(from, to, node)
    if (split === undefined) continue
    const { feature, bin, gain } = split
    const of = bins.of[feature]!
    let [at, over, below, above] = [from, 0, 0, Infinity]
    for (let i = from; i < to; i++) {
      const row = rows[i]!
      if (of[row]! <= bin) {
        below = Math.max(below, of[row]!)
        rows[at++] = row
      } else {
        above = Math.min(above, of[row]!)
        scratch[over++] = row
      }
    }
    rows.set(scratch.subarray(0, over), at)
    tree.feature[node] = feature
    // Half way between the nearest values that the node has.
    tree.threshold[node] = (bins.most[feature]![below]! + bins.least[feature]![above]!) / 2
    tree.importance[feature]! += gain * total[0]!
    tree.left[node] = add(from, at, depth + 1)
    tree.right[node] = add(at, to, depth + 1)
  }
  return tree
}

/** From sums: weight, then by class or of targets and squares. */
function impurityOf(impurity: Impurity, sums: Float64Array): number {
  const weight = sums[0]!
  if (weight <= 0) return 0
  if (impurity === 'variance') return Math.max(0, sums[2]! / weight - (sums[1]! / weight) ** 2)
  let value = impurity === 'gini' ? 1 : 0
  for (let k = 1; k < sums.length; k++) {
    const share = sums[k]! / weight
    if (share <= 0) continue
    value -= impurity === 'gini' ? share * share : share * Math.log2(share)
  }
  return value < 1e-15 ? 0 : value
}

function mean(targets: Float64Array, weights: Float64Array): number {
  let [sum, total] = [0, 0]
  for (let row = 0; row < targets.length; row++) {
    sum += weights[row]! * targets[row]!
    total += weights[row]!
  }
  return total > 0 ? sum / total : 0
}

/** Features in their order: all, or some drawn without replacement. */
function drawn(width: number, count: number, key: Key): readonly number[] {
  const all = Array.from({ length: width }, (_, j) => j)
  if (count >= width) return all
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(uniform(key, i) * (width - i))
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all.slice(0, count).sort((a, b) => a - b)
}
