/** `PCA`: vectors by the directions in which they differ most. */
import { checkInteger } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { findColumn } from '../../../frame/index.js'
import type { AnyFrame, Column, Plan, Tensor } from '../../../frame/index.js'
import {
  checkNames,
  ColumnEstimator,
  ColumnStage,
  computed,
  inputColumn,
  isVector,
  withColumns,
} from '../column-stage.js'
import { eigen } from '../plain/eigen.js'
import { savedArray } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col, Vector } from '../stage-types.js'
import { eachComponent, readVectors, vectorSize } from '../vectors.js'
import { project } from './kernels/vectors.js'

export interface PCAOptions<Input extends string = string, Output extends string = string> {
  /** Column of vectors. */
  readonly inputCol: Input
  readonly outputCol: Output
  /** Directions that are kept. */
  readonly k: number
}

/** A matrix of more components takes minutes. */
const mostComponents = 4096

/**
 * Learns the `k` directions of greatest variance: eigenvectors of the covariance, each with its greatest component positive.
 * Like Spark's, the model projects vectors as they are, without taking their mean off.
 *
 * Reference: pyspark.ml.feature.PCA; scikit-learn's `PCA(svd_solver='covariance_eigh')` has the same components.
 *
 * @throws ShardbookError `argument` for `k` below 1.
 * @example
 * ```ts
 * const pca = await new ml.PCA({ k: 2, inputCol: 'features', outputCol: 'components' }).fit(rows)
 * pca.explainedVariance // [0.92, 0.05]
 * ```
 */
export class PCA<Input extends string = string, Output extends string = string> extends ColumnEstimator<
  Col<Input, Vector>,
  Col<Output, Tensor>,
  PCAModel<Input, Output>
> {
  readonly kind = 'PCA'
  readonly options: PCAOptions<Input, Output>

  constructor(options: PCAOptions<Input, Output>) {
    super()
    checkNames('PCA', options, 'inputCol', 'outputCol')
    checkInteger('PCA', 'k', options.k, 1)
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    const column = inputColumn(caller, input.schema, this.options.inputCol, 'vectors', isVector)
    const size = vectorSize(column)
    if (this.options.k > size || size > mostComponents) {
      const what = size > mostComponents ? `at most ${mostComponents} components` : `k of at most ${size}`
      throw new ShardbookError(
        'column',
        `${caller}: expected ${what} in '${column.name}', got ${size > mostComponents ? size : this.options.k}.`,
      )
    }
    return projected(caller, input, column, this.options, { matrix: new Float64Array(0), outputs: this.options.k })
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<PCAModel<Input, Output>> {
    const { inputCol, k } = this.options
    const width = vectorSize(findColumn(caller, frame.schema, inputCol))
    const { covariance, mean } = await covarianceOf(caller, frame, inputCol, width)
    let total = 0
    for (let j = 0; j < width; j++) total += covariance[j * width + j]!
    const { values, vectors } = eigen(covariance, width)
    const pc = new Float64Array(k * width)
    const explainedVariance = new Float64Array(k)
    for (let i = 0; i < k; i++) {
      const from = width - 1 - i
      explainedVariance[i] = total > 0 ? Math.max(0, values[from]!) / total : 0
      let most = 0
      for (let j = 0; j < width; j++) {
        const value = vectors[j * width + from]!
        if (Math.abs(value) > Math.abs(most) + 1e-12) most = value
        pc[i * width + j] = value
      }
      if (most < 0) for (let j = 0; j < width; j++) pc[i * width + j]! *= -1
    }
    return new PCAModel(this.options, { pc, explainedVariance, mean })
  }
}

/** One pass: sums of products of components less those of the first row, so that nothing cancels. */
async function covarianceOf(caller: string, frame: AnyFrame, inputCol: string, width: number) {
  const covariance = new Float64Array(width * width)
  const [mean, centred] = [new Float64Array(width), new Float64Array(width)]
  let first: Float64Array | undefined
  let rows = 0
  for await (const { rows: own, vectors } of readVectors(caller, frame, inputCol)) {
    rows += own
    for (let row = 0; row < own; row++) {
      centred.fill(0)
      eachComponent(vectors, row, (j, value) => {
        centred[j] = value
      })
      first ??= centred.slice()
      for (let j = 0; j < width; j++) mean[j]! += centred[j]! -= first[j]!
      for (let i = 0; i < width; i++) {
        const value = centred[i]!
        if (value === 0) continue
        for (let j = 0; j <= i; j++) covariance[i * width + j]! += value * centred[j]!
      }
    }
  }
  if (first === undefined || rows < 2) {
    throw new ShardbookError('data', `${caller}: expected at least two rows to learn from, got ${rows}.`)
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      const value = (covariance[i * width + j]! - (mean[i]! * mean[j]!) / rows) / (rows - 1)
      covariance[i * width + j] = value
      covariance[j * width + i] = value
    }
  }
  for (let j = 0; j < width; j++) mean[j] = first[j]! + mean[j]! / rows
  return { covariance, mean }
}

/** What `PCA` fits. */
export class PCAModel<Input extends string = string, Output extends string = string> extends ColumnStage<
  Col<Input, Vector>,
  Col<Output, Tensor>
> {
  readonly kind = 'PCAModel'
  readonly options: PCAOptions<Input, Output>
  /** Directions `[k, components]`, row-major. */
  readonly pc: Float64Array
  /** Share of the variance along each direction. */
  readonly explainedVariance: Float64Array
  /** Of the vectors that were learnt from. */
  readonly mean: Float64Array
  readonly #payload: { readonly matrix: Float64Array; readonly outputs: number }

  constructor(
    options: PCAOptions<Input, Output>,
    learnt: { readonly pc: Float64Array; readonly explainedVariance: Float64Array; readonly mean: Float64Array },
  ) {
    super()
    this.options = options
    this.pc = learnt.pc
    this.explainedVariance = learnt.explainedVariance
    this.mean = learnt.mean
    this.#payload = { matrix: learnt.pc, outputs: options.k }
  }

  static load(saved: LoadedStage): PCAModel {
    return new PCAModel(saved.params as unknown as PCAOptions, {
      pc: savedArray(saved, 'pc', 'float64'),
      explainedVariance: savedArray(saved, 'explainedVariance', 'float64'),
      mean: savedArray(saved, 'mean', 'float64'),
    })
  }

  protected extend(caller: string, input: Plan): Plan {
    const column = inputColumn(caller, input.schema, this.options.inputCol, 'vectors', isVector)
    const expected = this.mean.length
    if (vectorSize(column) !== expected) {
      throw new ShardbookError(
        'column',
        `${caller}: expected '${column.name}' to hold vectors of ${expected} components, got ${vectorSize(column)}.`,
      )
    }
    return projected(caller, input, column, this.options, this.#payload)
  }

  protected override learnt() {
    const { pc, explainedVariance, mean } = this
    return {
      pc: { dtype: 'float64', shape: [explainedVariance.length, mean.length], values: pc },
      explainedVariance: { dtype: 'float64', shape: [explainedVariance.length], values: explainedVariance },
      mean: { dtype: 'float64', shape: [mean.length], values: mean },
    } as const
  }
}

function projected(caller: string, input: Plan, column: Column, { outputCol, k }: PCAOptions, payload: object): Plan {
  const type = { kind: 'tensor', dtype: 'float64', shape: [k], held: 'inline' } as const
  const { name, nullable } = column
  return withColumns(caller, input, computed(outputCol, project, payload, [name], { type, nullable }))
}
