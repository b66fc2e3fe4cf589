/**
 * Classes of unequal size: weights, or rows left out or repeated, so that each class counts as much. Done by the frame's engine;
 * only the sizes of the classes are read.
 */
import { checkInteger, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import { col, findColumn, lit, when } from '../../../frame/index.js'
import type { Frame } from '../../../frame/index.js'
import type { With } from '../columns.js'

/** How many rows a class has. */
export interface ClassSize {
  readonly label: number | string | boolean | bigint
  readonly rows: number
}

export interface BalanceOptions<S> {
  /** Default `'label'`. */
  readonly labelCol?: keyof S & string
}

export interface SamplingOptions<S> extends BalanceOptions<S> {
  /** Rows of each class. Default: of the largest for `oversample`, of the smallest for `undersample`. */
  readonly rows?: number
  /** Default 0. */
  readonly seed?: number
}

/**
 * The sizes of the classes, by one aggregation.
 *
 * @throws ShardbookError `data` for an empty frame, one class, and rows without a label.
 */
export async function classSizes(caller: string, frame: Frame, labelCol: string): Promise<readonly ClassSize[]> {
  findColumn(caller, frame.schema, labelCol)
  const total = `rows of ${labelCol}`
  const counts = (await frame
    .groupBy(labelCol)
    .agg({ [total]: col.count() })
    .toRows()) as Readonly<Record<string, unknown>>[]
  const sizes = counts.map((row) => ({ label: row[labelCol] as ClassSize['label'], rows: Number(row[total]) }))
  const unknown = sizes.find(({ label }) => label === null)
  if (unknown !== undefined) {
    throw new ShardbookError('data', `${caller}: expected a label in every row, got ${unknown.rows} rows without.`, {
      hint: `Drop them: frame.dropNulls('${labelCol}').`,
    })
  }
  if (sizes.length >= 2) return sizes
  throw new ShardbookError(
    'data',
    `${caller}: expected at least two classes in '${labelCol}', got ${sizes.length === 0 ? 'no rows' : show(sizes[0]!.label)}.`,
  )
}

/**
 * Adds a weight to every row, `rows / (classes * rows of its class)`: all classes then weigh the same, and rows 1 on average.
 * Estimators take it as `weightCol`.
 *
 * Reference: scikit-learn's `class_weight='balanced'` (King and Zeng, 2001).
 *
 * @throws ShardbookError `data` for one class, and rows without a label.
 * @example
 * ```ts
 * const weighted = await ml.balanceWeights(train, { labelCol: 'label', weightCol: 'weight' })
 * ```
 */
export async function balanceWeights<S, const Weight extends string = 'weight'>(
  frame: Frame<S>,
  options: BalanceOptions<S> & { readonly weightCol?: Weight } = {},
): Promise<Frame<With<S, { readonly [K in Weight]: number }>>> {
  const { labelCol = 'label', weightCol = 'weight' } = options
  const given = frame as unknown as Frame
  const sizes = await classSizes('ml.balanceWeights', given, labelCol)
  const rows = sizes.reduce((sum, size) => sum + size.rows, 0)
  const weightOf = ({ rows: own }: ClassSize): number => rows / (sizes.length * own)
  const [first, ...others] = sizes
  const weight = others.reduce(
    (branches, size) => branches.when(col(labelCol).eq(size.label as number)).then(weightOf(size)),
    when(col(labelCol).eq(first!.label as number)).then(weightOf(first!)),
  )
  return given.withColumns({ [weightCol]: weight.otherwise(lit(0)) }) as never
}

/**
 * All classes with as many rows as the largest: rows of the others are repeated, each as often as any other of its class or
 * once more.
 *
 * @throws ShardbookError `data` for one class, and rows without a label.
 * @example
 * ```ts
 * const even = await ml.oversample(train, { labelCol: 'label', seed: 1 })
 * ```
 */
export async function oversample<S>(frame: Frame<S>, options: SamplingOptions<S> = {}): Promise<Frame<S>> {
  return resize('ml.oversample', frame, options, (sizes) => Math.max(...sizes))
}

/**
 * All classes with as many rows as the smallest: rows of the others are left out at random.
 *
 * @throws ShardbookError `data` for one class, and rows without a label.
 * @example
 * ```ts
 * const even = await ml.undersample(train, { labelCol: 'label', seed: 1 })
 * ```
 */
export async function undersample<S>(frame: Frame<S>, options: SamplingOptions<S> = {}): Promise<Frame<S>> {
  return resize('ml.undersample', frame, options, (sizes) => Math.min(...sizes))
}

async function resize<S>(
  caller: string,
  frame: Frame<S>,
  { labelCol = 'label' as keyof S & string, rows, seed = 0 }: SamplingOptions<S>,
  sizeOf: (sizes: readonly number[]) => number,
): Promise<Frame<S>> {
  if (rows !== undefined) checkInteger(caller, 'rows', rows, 1)
  checkInteger(caller, 'seed', seed, 0)
  const given = frame as unknown as Frame
  const sizes = await classSizes(caller, given, labelCol)
  const wanted = rows ?? sizeOf(sizes.map((size) => size.rows))
  const parts = sizes.flatMap(({ label, rows: own }) => {
    const all = given.filter(col<string>(labelCol).eq(label as number))
    const whole = Array.from({ length: Math.floor(wanted / own) }, () => all)
    return wanted % own === 0 ? whole : [...whole, all.sample({ rows: wanted % own, seed })]
  })
  return parts[0]!.concat(...(parts.slice(1) as never[])) as unknown as Frame<S>
}
