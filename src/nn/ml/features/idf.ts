/** `IDF`: counts of terms weighted by how few rows have them. */
import { checkInteger } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { findColumn } from '../../../frame/index.js'
import type { AnyFrame, Plan } from '../../../frame/index.js'
import { checkNames, ColumnEstimator, ColumnStage, inputColumn, isVector } from '../column-stage.js'
import { savedArray } from '../saved-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col, SameAs, Vector } from '../stage-types.js'
import { readVectors, vectorSize } from '../vectors.js'
import type { VectorRows } from '../vectors.js'
import { scaled } from './scaled.js'

export interface IDFOptions<Input extends string = string, Output extends string = string> {
  /** Column of vectors of counts. */
  readonly inputCol: Input
  readonly outputCol: Output
  /** A component that is in fewer rows gets weight 0. Default 0. */
  readonly minDocFreq?: number
}

/**
 * Learns in how many rows each component is not zero: `idf = log((rows + 1) / (rowsWithIt + 1))`.
 *
 * Reference: pyspark.ml.feature.IDF.
 *
 * @throws ShardbookError `argument` for `minDocFreq` below 0.
 * @example
 * ```ts
 * const idf = await new ml.IDF({ inputCol: 'counts', outputCol: 'features' }).fit(counted)
 * const weighted = idf.transform(counted)
 * ```
 */
export class IDF<Input extends string = string, Output extends string = string> extends ColumnEstimator<
  Col<Input, Vector>,
  Col<Output, SameAs<Input>>,
  IDFModel<Input, Output>
> {
  readonly kind = 'IDF'
  readonly options: IDFOptions<Input, Output>

  constructor(options: IDFOptions<Input, Output>) {
    super()
    checkNames('IDF', options, 'inputCol', 'outputCol')
    checkInteger('IDF', 'minDocFreq', options.minDocFreq ?? 0, 0)
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const column = inputColumn(caller, input.schema, inputCol, 'vectors', isVector)
    return scaled(caller, input, column, outputCol, {})
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<IDFModel<Input, Output>> {
    const { inputCol, minDocFreq = 0 } = this.options
    const counts = new Float64Array(vectorSize(findColumn(caller, frame.schema, inputCol)))
    let rows = 0
    for await (const { rows: own, vectors } of readVectors(caller, frame, inputCol)) {
      rows += own
      addDocuments(vectors, own, counts)
    }
    if (rows === 0) throw new ShardbookError('data', `${caller}: expected rows to learn from, got an empty frame.`)
    const idf = counts.map((count) => (count < minDocFreq ? 0 : Math.log((rows + 1) / (count + 1))))
    return new IDFModel(this.options, { idf, docFreq: counts, numDocs: rows })
  }
}

/** Adds 1 for each component of each row that is above zero. */
function addDocuments(vectors: VectorRows, rows: number, counts: Float64Array): void {
  if (vectors.kind === 'sparse') {
    const { starts, ends, indices, values } = vectors
    for (let row = 0; row < rows; row++) {
      for (let i = starts[row]!; i < ends[row]!; i++) if (values[i]! > 0) counts[indices[i]!]! += 1
    }
    return
  }
  const { width, values } = vectors
  for (let i = 0; i < rows * width; i++) if (values[i]! > 0) counts[i % width]! += 1
}

/** What `IDF` fits: multiplies each component by its weight. */
export class IDFModel<Input extends string = string, Output extends string = string> extends ColumnStage<
  Col<Input, Vector>,
  Col<Output, SameAs<Input>>
> {
  readonly kind = 'IDFModel'
  readonly options: IDFOptions<Input, Output>
  /** The weight of each component. */
  readonly idf: Float64Array
  /** Rows that have each component. */
  readonly docFreq: Float64Array
  /** Rows that were learnt from. */
  readonly numDocs: number
  readonly #payload: { readonly scale: Float64Array }

  constructor(
    options: IDFOptions<Input, Output>,
    { idf, docFreq, numDocs }: { idf: Float64Array; docFreq: Float64Array; numDocs: number },
  ) {
    super()
    this.options = options
    this.idf = idf
    this.docFreq = docFreq
    this.numDocs = numDocs
    this.#payload = { scale: idf }
  }

  static load(saved: LoadedStage): IDFModel {
    const { numDocs, ...options } = saved.params as unknown as IDFOptions & { numDocs: number }
    const [idf, docFreq] = [savedArray(saved, 'idf', 'float64'), savedArray(saved, 'docFreq', 'float64')]
    return new IDFModel(options, { idf, docFreq, numDocs })
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCol, outputCol } = this.options
    const column = inputColumn(caller, input.schema, inputCol, 'vectors', isVector)
    return scaled(caller, input, column, outputCol, this.#payload)
  }

  protected override params() {
    return { ...this.options, numDocs: this.numDocs }
  }

  protected override learnt() {
    const shape = [this.idf.length]
    return {
      idf: { dtype: 'float64', shape, values: this.idf },
      docFreq: { dtype: 'float64', shape, values: this.docFreq },
    } as const
  }
}
