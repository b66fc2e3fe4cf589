/**
 * Minimises a smooth convex function, with or without an L1 penalty, from its values and gradients: limited-memory BFGS
 * (Nocedal and Wright, Numerical Optimization, algorithm 7.4) with a backtracking line search, and OWL-QN (Andrew and Gao
 * 2007) where components have an L1 weight.
 */

/** Writes the gradient at `x` to `gradient` and gives the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number

export interface MinimiseOptions {
  readonly maxIter: number
  /** Ends where the gradient's largest component is at most this, times the greater of 1 and the value. */
  readonly tol: number
  /** L1 weight of each component. */
  readonly l1?: Float64Array | undefined
}

export interface Minimum {
  readonly x: Float64Array
  readonly value: number
  /** The value before the first iteration and after each. */
  readonly history: readonly number[]
}

const memory = 10

export function minimise(objective: Objective, start: Float64Array, { maxIter, tol, l1 }: MinimiseOptions): Minimum {
  const n = start.length
  const penalty = (x: Float64Array): number =>
    l1 === undefined ? 0 : x.reduce((sum, v, i) => sum + l1[i]! * Math.abs(v), 0)
  let x: Float64Array = start.slice()
  let gradient: Float64Array = new Float64Array(n)
  let value = objective(x, gradient) + penalty(x)
  const history = [value]
  const steps: Float64Array[] = []
  const changes: Float64Array[] = []
  for (let iteration = 0; iteration < maxIter; iteration++) {
    const slope = l1 === undefined ? gradient : pseudoGradient(x, gradient, l1)
    if (largest(slope) <= tol * Math.max(1, Math.abs(value))) break
    const direction = twoLoops(slope, steps, changes)
    // A step of OWL-QN stays where the slope points to.
    if (l1 !== undefined) for (let i = 0; i < n; i++) if (direction[i]! * slope[i]! >= 0) direction[i] = 0
    let descent = inner(direction, slope)
    if (!(descent < 0)) {
      steps.length = 0
      changes.length = 0
      for (let i = 0; i < n; i++) direction[i] = -slope[i]!
      descent = -inner(slope, slope)
    }
    const search = backtrack({ objective, penalty, x, value, direction, descent, slope, l1, first: steps.length === 0 })
    if (search === undefined) {
      if (steps.length === 0) break
      // The curvature that was remembered misled; once more along the slope.
      steps.length = 0
      changes.length = 0
      continue
    }
    const step = search.x.map((v, i) => v - x[i]!)
    const change = search.gradient.map((v, i) => v - gradient[i]!)
    if (inner(step, change) > 1e-300) {
      steps.push(step)
      changes.push(change)
      if (steps.length > memory) {
        steps.shift()
        changes.shift()
      }
    }
    ;({ x, gradient, value } = search)
    history.push(value)
  }
  return { x, value, history }
}

interface Search {
  readonly objective: Objective
  readonly penalty: (x: Float64Array) => number
  readonly x: Float64Array
  readonly value: number
  readonly direction: Float64Array
  readonly descent: number
  readonly slope: Float64Array
  readonly l1: Float64Array | undefined
  readonly first: boolean
}

/** The first point along the direction that lowers the value enough; `undefined` where none does. */
function backtrack(search: Search): { x: Float64Array; gradient: Float64Array; value: number } | undefined {
  const { objective, penalty, x, value, direction, descent, slope, l1, first } = search
  const gradient = new Float64Array(x.length)
  let length = first ? Math.min(1, 1 / Math.sqrt(inner(direction, direction))) : 1
  // A first step has no scale yet: it grows while that helps.
  let best: { x: Float64Array; gradient: Float64Array; value: number } | undefined
  for (let tries = 0; tries < 60; tries++) {
    const next = x.map((v, i) => {
      const moved = v + length * direction[i]!
      if (l1 === undefined || l1[i] === 0) return moved
      const orthant = v === 0 ? -Math.sign(slope[i]!) : Math.sign(v)
      return Math.sign(moved) === orthant ? moved : 0
    })
    const at = objective(next, gradient) + penalty(next)
    const enough = Number.isFinite(at) && at <= value + 1e-4 * length * descent
    if (best !== undefined) {
      if (!enough || at >= best.value) return best
      best = { x: next, gradient: gradient.slice(), value: at }
      length *= 2
    } else if (enough) {
      if (at >= value) return undefined
      best = { x: next, gradient: gradient.slice(), value: at }
      if (!first) return best
      length *= 2
    } else length /= 2
  }
  return best
}

function twoLoops(slope: Float64Array, steps: readonly Float64Array[], changes: readonly Float64Array[]): Float64Array {
  const direction = slope.map((v) => -v)
  const weights = steps.map(() => 0)
  for (let k = steps.length - 1; k >= 0; k--) {
    weights[k] = inner(steps[k]!, direction) / inner(steps[k]!, changes[k]!)
    addTo(direction, changes[k]!, -weights[k]!)
  }
  const last = steps.length - 1
  if (last >= 0) {
    const scale = inner(steps[last]!, changes[last]!) / inner(changes[last]!, changes[last]!)
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale
  }
  for (let k = 0; k < steps.length; k++) {
    const weight = inner(changes[k]!, direction) / inner(steps[k]!, changes[k]!)
    addTo(direction, steps[k]!, weights[k]! - weight)
  }
  return direction
}

/** The gradient with the penalty's, where that has one; else the smallest of its directional derivatives. */
function pseudoGradient(x: Float64Array, gradient: Float64Array, l1: Float64Array): Float64Array {
  return gradient.map((g, i) => {
    const weight = l1[i]!
    if (x[i]! !== 0) return g + Math.sign(x[i]!) * weight
    if (g + weight < 0) return g + weight
    return g - weight > 0 ? g - weight : 0
  })
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function addTo(a: Float64Array, b: Float64Array, scale: number): void {
  for (let i = 0; i < a.length; i++) a[i]! += scale * b[i]!
}

function largest(a: Float64Array): number {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]!))
  return most
}
