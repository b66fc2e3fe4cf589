/** `ClusteringEvaluator`: how much closer rows are to their own cluster than to the next. */
import { checkOneOf } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { col } from '../../../frame/index.js'
import type { Frame, Schema } from '../../../frame/index.js'
import type { NumberRows, RowFunction, SparseRows, TensorRows } from '../../../frame/row-function.js'
import { computed, inputColumn, isNumber, isVector } from '../column-stage.js'
import { dot } from '../features/kernels/vectors.js'
import type { Col, Vector } from '../stage-types.js'
import { eachComponent, readVectors } from '../vectors.js'
import { aggregated, Evaluator, projected, weightExpr } from './evaluator.js'

export interface ClusteringEvaluatorOptions<Features extends string = string, Prediction extends string = string> {
  /** Default `'features'`. */
  readonly featuresCol?: Features
  /** Default `'prediction'`. */
  readonly predictionCol?: Prediction
  /** Column of each row's weight. */
  readonly weightCol?: string
  readonly metricName?: 'silhouette'
  /** Default `'squaredEuclidean'`. */
  readonly distanceMeasure?: 'squaredEuclidean' | 'cosine'
}

const caller = 'ClusteringEvaluator'

/**
 * Measures clusters by the silhouette, in [-1, 1]: the mean of `(b - a) / max(a, b)`, where `a` is a row's mean distance from
 * the others of its cluster and `b` that from the rows of the nearest other one. Two passes, whatever the number of rows: mean
 * distances follow from each cluster's sum of vectors.
 *
 * Reference: pyspark.ml.evaluation.ClusteringEvaluator; scikit-learn's `silhouette_score` with `metric='sqeuclidean'`.
 *
 * @throws ShardbookError `argument` for an unknown distance.
 * @example
 * ```ts
 * const silhouette = await new ml.ClusteringEvaluator().evaluate(kMeansModel.transform(points))
 * ```
 */
export class ClusteringEvaluator<
  Features extends string = 'features',
  Prediction extends string = 'prediction',
> extends Evaluator<Col<Features, Vector> & Col<Prediction, number>> {
  readonly kind = caller
  readonly options: ClusteringEvaluatorOptions<Features, Prediction>

  constructor(options: ClusteringEvaluatorOptions<Features, Prediction> = {}) {
    super()
    checkOneOf(caller, 'metricName', options.metricName ?? 'silhouette', ['silhouette'])
    checkOneOf(caller, 'distanceMeasure', options.distanceMeasure ?? 'squaredEuclidean', ['squaredEuclidean', 'cosine'])
    this.options = Object.freeze({ ...options })
  }

  get isLargerBetter(): boolean {
    return true
  }

  protected check(where: string, schema: Schema): void {
    const { featuresCol = 'features', predictionCol = 'prediction' } = this.options
    inputColumn(where, schema, featuresCol, 'vectors', isVector)
    inputColumn(where, schema, predictionCol, 'numbers of clusters', isNumber)
  }

  protected async measure(frame: Frame, weightCol: string | undefined): Promise<number> {
    const { featuresCol = 'features', predictionCol = 'prediction' } = this.options
    const cosine = this.options.distanceMeasure === 'cosine'
    const clusters = await sumClusters(frame, featuresCol, predictionCol, weightCol, cosine)
    const gives = { type: { kind: 'number', storage: 'float64' }, nullable: false } as const
    const args = [featuresCol, predictionCol, weightExpr(weightCol)]
    const rows = projected(caller, frame, {
      value: computed('value', silhouette, { clusters, cosine }, args, gives).expr,
      weight: weightExpr(weightCol),
    })
    const sums = await aggregated(caller, rows, {
      value: col('value').mul(col('weight')).sum(),
      weight: col('weight').sum(),
    })
    return sums.value / sums.weight
  }
}

interface Cluster {
  readonly label: number
  weight: number
  /** Of the vectors, and of their squared lengths. */
  readonly sum: Float64Array
  squares: number
}

async function sumClusters(
  frame: Frame,
  featuresCol: string,
  predictionCol: string,
  weightCol: string | undefined,
  cosine: boolean,
): Promise<Cluster[]> {
  const clusters = new Map<number, Cluster>()
  const others = [predictionCol, ...(weightCol === undefined ? [] : [weightCol])]
  for await (const { rows, vectors, numbers } of readVectors(caller, frame, featuresCol, others)) {
    const width = vectors.kind === 'sparse' ? vectors.size : vectors.width
    for (let row = 0; row < rows; row++) {
      const label = numbers[0]![row]!
      const weight = numbers[1]?.[row] ?? 1
      let cluster = clusters.get(label)
      if (cluster === undefined) {
        cluster = { label, weight: 0, sum: new Float64Array(width), squares: 0 }
        clusters.set(label, cluster)
      }
      const square = squareOf(vectors, row)
      const scale = cosine ? weight / lengthOf(square) : weight
      cluster.weight += weight
      cluster.squares += cosine ? weight : weight * square
      const { sum } = cluster
      eachComponent(vectors, row, (j, value) => {
        sum[j]! += scale * value
      })
    }
  }
  if (clusters.size === 0) throw new ShardbookError('data', `${caller}: expected rows to evaluate, got an empty frame.`)
  if (clusters.size === 1) {
    throw new ShardbookError('data', `${caller}: expected at least two clusters, got one.`)
  }
  return [...clusters.values()].sort((a, b) => a.label - b.label)
}

function squareOf(vectors: TensorRows | SparseRows, row: number): number {
  let square = 0
  eachComponent(vectors, row, (_, value) => {
    square += value * value
  })
  return square
}

function lengthOf(square: number): number {
  if (square > 0) return Math.sqrt(square)
  throw new ShardbookError('data', `${caller}: expected vectors with a direction for cosine, got one of zeros.`)
}

const silhouette = {
  kind: 'silhouette',
  make: ({ clusters, cosine }: { clusters: readonly Cluster[]; cosine: boolean }): RowFunction => {
    return ([features, predictions, weights], rows) => {
      const vectors = features as TensorRows | SparseRows
      const [labels, weight] = [(predictions as NumberRows).values, (weights as NumberRows).values]
      const values = new Float64Array(rows)
      for (let row = 0; row < rows; row++) {
        const length = squareOf(vectors, row)
        const square = cosine ? 1 : length
        const by = cosine ? 1 / lengthOf(length) : 1
        let [own, next, alone] = [0, Infinity, false]
        for (const cluster of clusters) {
          // The sum of the distances to all rows of the cluster.
          const across = by * dot(vectors, row, cluster.sum, 0)
          const sum = cosine ? cluster.weight - across : square * cluster.weight + cluster.squares - 2 * across
          if (cluster.label === labels[row]) {
            alone = cluster.weight <= weight[row]!
            own = sum / (cluster.weight - weight[row]!)
          } else if (cluster.weight > 0) next = Math.min(next, sum / cluster.weight)
        }
        values[row] = alone || !Number.isFinite(next) || own === next ? 0 : (next - own) / Math.max(own, next)
      }
      return { kind: 'numbers', values, valid: null }
    }
  },
}
