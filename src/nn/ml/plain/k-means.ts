/** `KMeans`: rows by the nearest of `k` centres. */
import { checkInteger, checkNumber, checkOneOf } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { fold, keyOf, uniform } from '../../../core/random.js'
import type { AnyFrame, Plan } from '../../../frame/index.js'
import type { NumberRows, RowFunction, SparseRows, TensorRows } from '../../../frame/row-function.js'
import { ColumnEstimator, ColumnStage, inputColumn, isVector } from '../column-stage.js'
import { dot } from '../features/kernels/vectors.js'
import { savedArray } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col, Vector } from '../stage-types.js'
import { eachComponent, readMatrix } from '../vectors.js'
import type { Matrix } from '../vectors.js'
import { checkSize, predicted, unfitted } from './predictor.js'

export interface KMeansOptions<Features extends string = string, Prediction extends string = string> {
  /** Column of vectors. Default `'features'`. */
  readonly featuresCol?: Features
  /** Column of cluster numbers that `transform` adds. Default `'prediction'`. */
  readonly predictionCol?: Prediction
  /** Clusters. Default 2. */
  readonly k?: number
  /** Iterations. Default 20. */
  readonly maxIter?: number
  /** Ends when no centre moves farther. Default 1e-4. */
  readonly tol?: number
  /** How the first centres are drawn: far from each other, or as they come. Default `'k-means++'`. */
  readonly initMode?: 'k-means++' | 'random'
  /** Default `'euclidean'`. */
  readonly distanceMeasure?: 'euclidean' | 'cosine'
  /** Column of each row's weight. */
  readonly weightCol?: string
  /** Default 0. */
  readonly seed?: number
}

const kind = 'KMeans'

/**
 * Fits centres by Lloyd's algorithm: each row goes to its nearest centre, each centre to the mean of its rows. The same seed
 * gives the same centres. All rows are read into memory.
 *
 * Reference: pyspark.ml.clustering.KMeans; from the same first centres, scikit-learn's `KMeans`.
 *
 * @throws ShardbookError `argument` for options out of range.
 * @example
 * ```ts
 * const model = await new ml.KMeans({ k: 3, seed: 1 }).fit(rows)
 * model.clusterCenters
 * ```
 */
export class KMeans<
  Features extends string = 'features',
  Prediction extends string = 'prediction',
> extends ColumnEstimator<Col<Features, Vector>, Col<Prediction, number>, KMeansModel<Features, Prediction>> {
  readonly kind = kind
  readonly options: KMeansOptions<Features, Prediction>

  constructor(options: KMeansOptions<Features, Prediction> = {}) {
    super()
    const { k = 2, maxIter = 20, tol = 1e-4, seed = 0 } = options
    checkInteger(kind, 'k', k, 1)
    checkInteger(kind, 'maxIter', maxIter, 0)
    checkNumber(kind, 'tol', tol, 0)
    checkInteger(kind, 'seed', seed, 0)
    checkOneOf(kind, 'initMode', options.initMode ?? 'k-means++', ['k-means++', 'random'])
    checkOneOf(kind, 'distanceMeasure', options.distanceMeasure ?? 'euclidean', ['euclidean', 'cosine'])
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    const features = inputColumn(caller, input.schema, this.options.featuresCol ?? 'features', 'vectors', isVector)
    return predicted(caller, input, features, this.options, unfitted)
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<KMeansModel<Features, Prediction>> {
    const { featuresCol = 'features', weightCol, k = 2, maxIter = 20, tol = 1e-4 } = this.options
    const matrix = await readMatrix(caller, frame, featuresCol, weightCol === undefined ? [] : [weightCol])
    if (matrix.rows < k) {
      throw new ShardbookError(
        'data',
        `${caller}: expected at least as many rows as clusters (${k}), got ${matrix.rows}.`,
      )
    }
    const cosine = this.options.distanceMeasure === 'cosine'
    const weights = matrix.numbers[0]
    const centres = firstCentres(matrix, weights, k, this.options)
    let moved = Infinity
    let cost = 0
    for (let iteration = 0; iteration <= maxIter; iteration++) {
      const sums = new Float64Array(centres.length)
      const sizes = new Float64Array(k)
      const nearest = nearestCentre(centres, k, cosine)
      cost = 0
      for (let row = 0; row < matrix.rows; row++) {
        const { cluster, distance, scale } = nearest(matrix.vectors, row)
        const weight = weights?.[row] ?? 1
        cost += weight * distance
        sizes[cluster]! += weight
        eachComponent(matrix.vectors, row, (j, value) => {
          sums[cluster * matrix.width + j]! += weight * scale * value
        })
      }
      if (moved <= tol * tol || iteration === maxIter) break
      moved = move(centres, sums, sizes, matrix.width, cosine)
    }
    return new KMeansModel(this.options, { centres, trainingCost: cost, numFeatures: matrix.width })
  }
}

/** Moves each centre to the mean of its rows; the farthest that one went, squared. One without rows stays. */
function move(centres: Float64Array, sums: Float64Array, sizes: Float64Array, width: number, cosine: boolean): number {
  let most = 0
  for (let c = 0; c < sizes.length; c++) {
    if (sizes[c]! <= 0) continue
    const mean = sums.subarray(c * width, (c + 1) * width).map((sum) => sum / sizes[c]!)
    if (cosine) {
      const length = Math.hypot(...mean) || 1
      for (let j = 0; j < width; j++) mean[j]! /= length
    }
    let distance = 0
    for (let j = 0; j < width; j++) {
      distance += (mean[j]! - centres[c * width + j]!) ** 2
      centres[c * width + j] = mean[j]!
    }
    most = Math.max(most, distance)
  }
  return most
}

type Nearest = (
  vectors: TensorRows | SparseRows,
  row: number,
) => { readonly cluster: number; readonly distance: number; readonly scale: number }

/** The nearest centre by squared Euclidean distance, or by 1 less the cosine. */
function nearestCentre(centres: Float64Array, k: number, cosine: boolean): Nearest {
  const width = centres.length / k
  const squares = Float64Array.from({ length: k }, (_, c) => {
    return centres.subarray(c * width, (c + 1) * width).reduce((sum, value) => sum + value * value, 0)
  })
  return (vectors, row) => {
    let own = 0
    eachComponent(vectors, row, (_, value) => {
      own += value * value
    })
    if (cosine && own === 0) {
      throw new ShardbookError('data', `${kind}: expected vectors with a direction for cosine, got one of zeros.`)
    }
    const scale = cosine ? 1 / Math.sqrt(own) : 1
    let [cluster, distance] = [0, Infinity]
    for (let c = 0; c < k; c++) {
      const across = dot(vectors, row, centres, c * width)
      const next = cosine
        ? 1 - (across * scale) / (Math.sqrt(squares[c]!) || 1)
        : Math.max(0, own + squares[c]! - 2 * across)
      if (next < distance) [cluster, distance] = [c, next]
    }
    return { cluster, distance, scale }
  }
}

function firstCentres(
  matrix: Matrix,
  weights: Float64Array | undefined,
  k: number,
  options: KMeansOptions,
): Float64Array {
  const { rows, width, vectors } = matrix
  const key = keyOf(options.seed ?? 0)
  const centres = new Float64Array(k * width)
  const put = (c: number, row: number): void => {
    eachComponent(vectors, row, (j, value) => {
      centres[c * width + j] = value
    })
  }
  // The chance of a row is its weight, times how far it is from the centres so far.
  const chances = new Float64Array(rows).map((_, row) => weights?.[row] ?? 1)
  const distances = new Float64Array(rows).fill(1)
  for (let c = 0; c < k; c++) {
    let total = 0
    for (let row = 0; row < rows; row++) total += chances[row]! * distances[row]!
    let at = uniform(fold(key, c), 0) * total
    let row = 0
    while (row < rows - 1 && (at -= chances[row]! * distances[row]!) >= 0) row++
    put(c, row)
    if (options.initMode === 'random') {
      distances[row] = 0
      continue
    }
    const nearest = nearestCentre(centres.subarray(c * width, (c + 1) * width), 1, options.distanceMeasure === 'cosine')
    for (let r = 0; r < rows; r++) {
      const { distance } = nearest(vectors, r)
      if (c === 0 || distance < distances[r]!) distances[r] = distance
    }
  }
  return centres
}

/** What `KMeans` fits. */
export class KMeansModel<Features extends string = string, Prediction extends string = string> extends ColumnStage<
  Col<Features, Vector>,
  Col<Prediction, number>
> {
  readonly kind = 'KMeansModel'
  readonly options: KMeansOptions
  readonly numFeatures: number
  /** Sum of the distances of the rows that were learnt from. */
  readonly trainingCost: number
  readonly #centres: Float64Array
  readonly #payload: { readonly centres: Float64Array; readonly k: number; readonly cosine: boolean }

  constructor(
    options: KMeansOptions,
    fit: { readonly centres: Float64Array; readonly trainingCost: number; readonly numFeatures: number },
  ) {
    super()
    this.options = options
    this.numFeatures = fit.numFeatures
    this.trainingCost = fit.trainingCost
    this.#centres = fit.centres
    const k = fit.centres.length / fit.numFeatures
    this.#payload = { centres: fit.centres, k, cosine: options.distanceMeasure === 'cosine' }
  }

  static load(saved: LoadedStage): KMeansModel {
    const { trainingCost, numFeatures, ...options } = saved.params as unknown as KMeansOptions & {
      trainingCost: number
      numFeatures: number
    }
    return new KMeansModel(options, { centres: savedArray(saved, 'centres', 'float64'), trainingCost, numFeatures })
  }

  /** The centre of each cluster. */
  get clusterCenters(): readonly Float64Array[] {
    const { numFeatures } = this
    return Array.from({ length: this.#payload.k }, (_, c) =>
      this.#centres.slice(c * numFeatures, (c + 1) * numFeatures),
    )
  }

  protected extend(caller: string, input: Plan): Plan {
    const features = inputColumn(caller, input.schema, this.options.featuresCol ?? 'features', 'vectors', isVector)
    checkSize(caller, features, this.numFeatures)
    return predicted(caller, input, features, this.options, { fn: clusterOf, payload: this.#payload })
  }

  protected override params() {
    return { ...this.options, trainingCost: this.trainingCost, numFeatures: this.numFeatures }
  }

  protected override learnt() {
    const shape = [this.#payload.k, this.numFeatures]
    return { centres: { dtype: 'float64', shape, values: this.#centres } } as const
  }
}

const clusterOf = {
  kind: 'clusterOf',
  make: ({ centres, k, cosine }: { centres: Float64Array; k: number; cosine: boolean }): RowFunction => {
    const nearest = nearestCentre(centres, k, cosine)
    return ([input], rows) => {
      const vectors = input as TensorRows | SparseRows
      const { valid } = vectors
      const values = Float64Array.from({ length: rows }, (_, row) =>
        valid !== null && valid[row] === 0 ? 0 : nearest(vectors, row).cluster,
      )
      return { kind: 'numbers', values, valid } satisfies NumberRows
    }
  },
}
