/** `VectorAssembler`: numbers and vectors as one vector. */
import { checkOneOf, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Plan } from '../../../frame/index.js'
import { dropNulls } from '../../../frame/build.js'
import { checkNames, computed, FeatureStage, inputColumn, isNumber, isVector, withColumns } from '../column-stage.js'
import type { Assembled, Col, Vector } from '../stage-types.js'
import { vectorSize } from '../vectors.js'
import type { InvalidPolicy } from './kernels/categories.js'
import { assemble } from './kernels/vectors.js'

export interface VectorAssemblerOptions<Input extends string = string, Output extends string = string> {
  /** Columns of numbers, booleans and vectors, in the order of their components. */
  readonly inputCols: readonly Input[]
  readonly outputCol: Output
  /** For null and NaN: an error, no row, or NaN. Default `'error'`. */
  readonly handleInvalid?: InvalidPolicy
}

const kind = 'VectorAssembler'

/**
 * Puts columns one behind the other: a sparse vector where one of them is sparse, else a tensor of float64.
 *
 * Reference: pyspark.ml.feature.VectorAssembler.
 *
 * @throws ShardbookError `argument` without columns.
 * @example
 * ```ts
 * const assembler = new ml.VectorAssembler({ inputCols: ['height', 'weight'], outputCol: 'features' })
 * const rows = assembler.transform(people)
 * ```
 */
export class VectorAssembler<Input extends string = string, Output extends string = string> extends FeatureStage<
  Col<Input, number | boolean | Vector | null>,
  Col<Output, Assembled<Input>>
> {
  readonly kind = kind
  readonly options: VectorAssemblerOptions<Input, Output>
  /** One for each size, so that a function is made once. */
  readonly #payloads = new Map<string, object>()

  constructor(options: VectorAssemblerOptions<Input, Output>) {
    super()
    const { inputCols, handleInvalid = 'error' } = options
    checkNames(kind, options, 'outputCol')
    if (!Array.isArray(inputCols) || inputCols.length === 0) {
      throw new ShardbookError('argument', `${kind}: expected inputCols to name columns, got ${show(inputCols)}.`)
    }
    checkOneOf(kind, 'handleInvalid', handleInvalid, ['error', 'skip', 'keep'])
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    const { inputCols, outputCol, handleInvalid: invalid = 'error' } = this.options
    const columns = inputCols.map((name) =>
      inputColumn(caller, input.schema, name, 'numbers or vectors', (column) => isNumber(column) || isVector(column)),
    )
    const size = columns.reduce((n, column) => n + vectorSize(column), 0)
    const sparse = columns.some(({ type }) => type.kind === 'sparse')
    const key = `${size} ${sparse}`
    const payload = this.#payloads.get(key) ?? { names: inputCols, size, sparse, invalid, caller: kind }
    this.#payloads.set(key, payload)
    const type = sparse
      ? ({ kind: 'sparse', size } as const)
      : ({ kind: 'tensor', dtype: 'float64', shape: [size], held: 'inline' } as const)
    const gives = { type, nullable: invalid === 'skip' }
    const plan = withColumns(caller, input, computed(outputCol, assemble, payload, inputCols, gives))
    return invalid === 'skip' ? dropNulls(caller, plan, [outputCol]) : plan
  }
}
