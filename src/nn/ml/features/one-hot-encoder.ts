/** `OneHotEncoder`: category numbers as vectors with a single 1. */
import { checkOneOf } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { col, Frame } from '../../../frame/index.js'
import type { AnyFrame, Plan, Sparse } from '../../../frame/index.js'
import { aggregate } from '../../../frame/build.js'
import { ColumnEstimator, ColumnStage, computed, inputColumn, isNumber, withColumns } from '../column-stage.js'
import type { LoadedStage } from '../saved-stage.js'
import type { Col } from '../stage-types.js'
import { pairsOf, type ColumnsOptions } from './columns-of.js'
import { oneHot } from './kernels/categories.js'

export interface OneHotEncoderOptions<
  Input extends string = string,
  Output extends string = string,
> extends ColumnsOptions<Input, Output> {
  /** Whether the last category is a vector of zeros, so that components add up to no constant. Default true. */
  readonly dropLast?: boolean
  /** For a category that was not learnt, or null: an error, or a category of its own after all others. Default `'error'`. */
  readonly handleInvalid?: 'error' | 'keep'
}

const kind = 'OneHotEncoder'

/**
 * Learns how many categories columns have: one more than the greatest number.
 *
 * Reference: pyspark.ml.feature.OneHotEncoder.
 *
 * @throws ShardbookError `argument` unless there are as many inputs as outputs.
 * @example
 * ```ts
 * const encoder = new ml.OneHotEncoder({ inputCols: ['species'], outputCols: ['speciesVector'] })
 * ```
 */
export class OneHotEncoder<Input extends string = string, Output extends string = string> extends ColumnEstimator<
  Col<Input, number | null>,
  Col<Output, Sparse>,
  OneHotEncoderModel<Input, Output>
> {
  readonly kind = kind
  readonly options: OneHotEncoderOptions<Input, Output>

  constructor(options: OneHotEncoderOptions<Input, Output>) {
    super()
    pairsOf(kind, options)
    checkOneOf(kind, 'handleInvalid', options.handleInvalid ?? 'error', ['error', 'keep'])
    this.options = Object.freeze({ ...options })
  }

  protected extend(caller: string, input: Plan): Plan {
    return encoded(caller, input, this.options, [])
  }

  protected async learn(caller: string, frame: AnyFrame): Promise<OneHotEncoderModel<Input, Output>> {
    const pairs = pairsOf(kind, this.options)
    const bounds = pairs.flatMap(([name], i) => [
      { name: `least${i}`, expr: col(name).min().node },
      { name: `most${i}`, expr: col(name).max().node },
    ])
    const [row] = (await Frame.fromPlan(aggregate(caller, frame.plan, [], bounds)).toRows()) as readonly Record<
      string,
      number | null
    >[]
    const categorySizes = pairs.map(([name], i) => {
      const [least, most] = [row?.[`least${i}`], row?.[`most${i}`]]
      if (typeof least === 'number' && typeof most === 'number' && least >= 0 && most < 1e6) return Math.floor(most) + 1
      throw new ShardbookError(
        'data',
        `${caller}: expected category numbers 0, 1, 2, ... in '${name}', got ${least ?? 'none'}.`,
        { hint: 'ml.StringIndexer gives each category a number.' },
      )
    })
    return new OneHotEncoderModel({ ...this.options, categorySizes })
  }
}

/** What `OneHotEncoder` fits. */
export class OneHotEncoderModel<Input extends string = string, Output extends string = string> extends ColumnStage<
  Col<Input, number | null>,
  Col<Output, Sparse>
> {
  readonly kind = 'OneHotEncoderModel'
  readonly options: OneHotEncoderOptions<Input, Output> & { readonly categorySizes: readonly number[] }
  readonly #payloads: ReturnType<typeof payloadsOf>

  constructor(options: OneHotEncoderOptions<Input, Output> & { readonly categorySizes: readonly number[] }) {
    super()
    this.options = Object.freeze({ ...options })
    this.#payloads = payloadsOf(options, options.categorySizes)
  }

  static load({ params }: LoadedStage): OneHotEncoderModel {
    return new OneHotEncoderModel(params as never)
  }

  /** Categories of each column. */
  get categorySizes(): readonly number[] {
    return this.options.categorySizes
  }

  protected extend(caller: string, input: Plan): Plan {
    return encoded(caller, input, this.options, this.categorySizes, this.#payloads)
  }
}

function payloadsOf(options: OneHotEncoderOptions, sizes: readonly number[]) {
  const { dropLast = true, handleInvalid = 'error' } = options
  const keep = handleInvalid === 'keep'
  return pairsOf(kind, options).map(([name], i) => {
    const categories = sizes[i] ?? 2
    const size = Math.max(1, categories + (keep ? 1 : 0) - (dropLast ? 1 : 0))
    return { categories, size, keep, where: `${kind}: '${name}'` }
  })
}

function encoded(
  caller: string,
  input: Plan,
  options: OneHotEncoderOptions,
  sizes: readonly number[],
  payloads = payloadsOf(options, sizes),
): Plan {
  const columns = pairsOf(kind, options).map(([name, output], i) => {
    inputColumn(caller, input.schema, name, 'category numbers', isNumber)
    const payload = payloads[i]!
    return computed(output, oneHot, payload, [name], { type: { kind: 'sparse', size: payload.size }, nullable: false })
  })
  return withColumns(caller, input, ...columns)
}
