/**
 * Linear models by their loss: weights `[outputs, width]` and intercepts that minimise the weighted mean loss of the products
 * plus Spark's elastic net, `regParam ((1 - elasticNetParam) / 2 |w|^2 + elasticNetParam |w|_1)`.
 *
 * Features are standardised on the way, so that the optimiser converges fast; `standardization` says whether the penalty is on
 * the standardised weights, or on those of the features as they are. Intercepts bear no penalty.
 */
import { dot } from '../features/kernels/vectors.js'
import { eachComponent } from '../vectors.js'
import type { Matrix } from '../vectors.js'
import { minimise } from './lbfgs.js'

export interface LinearOptions {
  readonly regParam: number
  readonly elasticNetParam: number
  readonly maxIter: number
  readonly tol: number
  readonly fitIntercept: boolean
  readonly standardization: boolean
}

/** The loss of a row's products `z`, whose derivatives it writes over them. */
export type RowLoss = (z: Float64Array, label: number) => number

export interface LinearFit {
  /** `[outputs, width]`, row-major. */
  readonly coefficients: Float64Array
  readonly intercepts: Float64Array
  readonly history: readonly number[]
}

export function fitLinear(
  matrix: Matrix,
  labels: Float64Array,
  rowWeights: Float64Array | undefined,
  outputs: number,
  loss: RowLoss,
  options: LinearOptions & { readonly startIntercepts?: Float64Array | undefined },
): LinearFit {
  const { regParam, elasticNetParam, fitIntercept, standardization, maxIter, tol } = options
  const total = rowWeights?.reduce((sum, weight) => sum + weight, 0) ?? matrix.rows
  const all = moments(matrix, rowWeights, total)
  // Features that are the same in all rows get no weight; of hashed text most are.
  const varying = Int32Array.from(all.std.keys()).filter((j) => all.std[j]! > 0)
  const { rows, width, vectors } = narrowed(matrix, varying)
  const [mean, std] = [all.mean, all.std].map((each) => Float64Array.from(varying, (j) => each[j]!)) as [
    Float64Array,
    Float64Array,
  ]
  // Products of standardised features are those of the features themselves with these weights, less a constant.
  const scaled = new Float64Array(outputs * width)
  const shifts = new Float64Array(outputs)
  const z = new Float64Array(outputs)
  const inverse = std.map((s) => (s > 0 ? 1 / s : 0))
  const centre = fitIntercept ? mean : new Float64Array(width)
  const size = outputs * width + (fitIntercept ? outputs : 0)
  const weightOf = (weight: number): Float64Array => {
    const each = new Float64Array(size)
    for (let k = 0; k < outputs; k++) {
      for (let j = 0; j < width; j++) {
        if (inverse[j]! > 0) each[k * width + j] = weight * (standardization ? 1 : inverse[j]!)
      }
    }
    return each
  }
  const l2 = weightOf(1).map((factor) => factor * factor * regParam * (1 - elasticNetParam))
  const l1 = regParam * elasticNetParam > 0 ? weightOf(regParam * elasticNetParam) : undefined

  const objective = (x: Float64Array, gradient: Float64Array): number => {
    unscale(x)
    gradient.fill(0)
    const sums = new Float64Array(outputs)
    let value = 0
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < outputs; k++) z[k] = dot(vectors, row, scaled, k * width) + shifts[k]!
      const weight = (rowWeights?.[row] ?? 1) / total
      value += weight * loss(z, labels[row]!)
      for (let k = 0; k < outputs; k++) {
        const by = weight * z[k]!
        sums[k]! += by
        if (by !== 0) addRow(vectors, row, by, gradient, k * width)
      }
    }
    for (let k = 0; k < outputs; k++) {
      for (let j = 0; j < width; j++) {
        const i = k * width + j
        gradient[i] = (gradient[i]! - centre[j]! * sums[k]!) * inverse[j]!
      }
      if (fitIntercept) gradient[outputs * width + k] = sums[k]!
    }
    for (let i = 0; i < l2.length; i++) {
      if (l2[i] === 0) continue
      value += 0.5 * l2[i]! * x[i]! * x[i]!
      gradient[i]! += l2[i]! * x[i]!
    }
    return value
  }
  const unscale = (x: Float64Array): void => {
    for (let k = 0; k < outputs; k++) {
      let shift = fitIntercept ? x[outputs * width + k]! : 0
      for (let j = 0; j < width; j++) {
        const weight = x[k * width + j]! * inverse[j]!
        scaled[k * width + j] = weight
        shift -= weight * centre[j]!
      }
      shifts[k] = shift
    }
  }
  const start = new Float64Array(size)
  if (fitIntercept && options.startIntercepts !== undefined) start.set(options.startIntercepts, outputs * width)
  const { x, history } = minimise(objective, start, { maxIter, tol, l1 })
  unscale(x)
  const coefficients = new Float64Array(outputs * matrix.width)
  for (let k = 0; k < outputs; k++) {
    varying.forEach((j, i) => (coefficients[k * matrix.width + j] = scaled[k * width + i]!))
  }
  return { coefficients, intercepts: shifts.slice(), history }
}

/** The matrix with these features only. */
function narrowed({ rows, width, vectors, numbers }: Matrix, features: Int32Array): Matrix {
  if (features.length === width) return { rows, width, vectors, numbers }
  const places = new Int32Array(width).fill(-1)
  features.forEach((j, i) => (places[j] = i))
  if (vectors.kind === 'tensors') {
    const values = new Float64Array(rows * features.length)
    for (let row = 0; row < rows; row++) {
      features.forEach((j, i) => (values[row * features.length + i] = vectors.values[row * width + j]!))
    }
    return { rows, width: features.length, vectors: { ...vectors, width: features.length, values }, numbers }
  }
  const { starts, ends } = vectors
  const [indices, values] = [new Int32Array(vectors.indices.length), new Float32Array(vectors.values.length)]
  const bounds = { starts: new Uint32Array(rows), ends: new Uint32Array(rows) }
  let at = 0
  for (let row = 0; row < rows; row++) {
    bounds.starts[row] = at
    for (let i = starts[row]!; i < ends[row]!; i++) {
      const place = places[vectors.indices[i]!]!
      if (place < 0) continue
      indices[at] = place
      values[at++] = vectors.values[i]!
    }
    bounds.ends[row] = at
  }
  const size = features.length
  return { rows, width: size, vectors: { ...vectors, size, ...bounds, indices, values }, numbers }
}

function addRow(vectors: Matrix['vectors'], row: number, by: number, into: Float64Array, at: number): void {
  if (vectors.kind === 'sparse') {
    const { starts, ends, indices, values } = vectors
    for (let i = starts[row]!; i < ends[row]!; i++) into[at + indices[i]!]! += by * values[i]!
    return
  }
  const { width, values } = vectors
  for (let j = 0, i = row * width; j < width; j++, i++) into[at + j]! += by * values[i]!
}

/** Weighted mean and sample standard deviation of each feature. */
function moments(
  { rows, width, vectors }: Pick<Matrix, 'rows' | 'width' | 'vectors'>,
  rowWeights: Float64Array | undefined,
  total: number,
): { mean: Float64Array; std: Float64Array } {
  const [mean, squares, seen] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)]
  for (let row = 0; row < rows; row++) {
    const weight = rowWeights?.[row] ?? 1
    eachComponent(vectors, row, (j, value) => {
      mean[j]! += weight * value
    })
  }
  for (let j = 0; j < width; j++) mean[j]! /= total
  for (let row = 0; row < rows; row++) {
    const weight = rowWeights?.[row] ?? 1
    eachComponent(vectors, row, (j, value) => {
      squares[j]! += weight * (value - mean[j]!) ** 2
      seen[j]! += weight
    })
  }
  const freedom = rowWeights === undefined ? Math.max(1, total - 1) : total * (1 - 1 / Math.max(2, rows))
  // What a sparse vector leaves out is zero.
  const std = squares.map((sum, j) => Math.sqrt((sum + Math.max(0, total - seen[j]!) * mean[j]! ** 2) / freedom))
  return { mean, std }
}
