/**
 * `smote`: rows between rows. Small classes get made-up rows, each on the line between a row and one of its nearest neighbours of
 * the same class. Rows of the small classes are read into memory; distances are Euclidean over all columns that are interpolated.
 */
import { checkInteger, show } from '../../../core/check.js'
import { numberArrays, sizeOf } from '../../../core/dtype.js'
import { ShardbookError } from '../../../core/errors.js'
import { fold, keyOf, uniform } from '../../../core/random.js'
import type { Key } from '../../../core/random.js'
import { col, findColumn, frame as frameOf } from '../../../frame/index.js'
import type { Column, Frame } from '../../../frame/index.js'
import { describeType } from '../../../frame/schema-spec.js'
import { classSizes } from './balance.js'
import type { ClassSize } from './balance.js'

export interface SmoteOptions<S, Input extends keyof S & string> {
  /** Columns that are interpolated: numbers, vectors, images. */
  readonly inputCols: readonly Input[]
  /** Default `'label'`. */
  readonly labelCol?: keyof S & string
  /** Neighbours to choose from. Default 5. */
  readonly k?: number
  /** Rows of each class at the end; classes that have more keep theirs. Default: of the largest. */
  readonly rows?: number
  /** Default 0. */
  readonly seed?: number
}

const caller = 'ml.smote'

/**
 * The label and the columns to interpolate of all rows, then rows that are made up for the smaller classes (Chawla and others,
 * 2002). Numbers of whole columns and bytes are rounded.
 *
 * @throws ShardbookError `column` for columns that cannot be interpolated, `data` for one class, a class of one row, and nulls.
 * @example
 * ```ts
 * const even = await ml.smote(train, { inputCols: ['amount', 'age'], labelCol: 'fraud', seed: 1 })
 * ```
 */
export async function smote<
  S,
  Input extends keyof S & string,
  Label extends keyof S & string = Extract<keyof S, 'label'>,
>(
  frame: Frame<S>,
  options: SmoteOptions<S, Input> & { readonly labelCol?: Label },
): Promise<Frame<Pick<S, Input | Label>>> {
  const { inputCols, labelCol = 'label' as Label, k = 5, seed = 0 } = options
  checkInteger(caller, 'k', k, 1)
  checkInteger(caller, 'seed', seed, 0)
  if (options.rows !== undefined) checkInteger(caller, 'rows', options.rows, 1)
  if (!Array.isArray(inputCols) || inputCols.length === 0) {
    throw new ShardbookError('argument', `${caller}: expected columns to interpolate, got ${show(inputCols)}.`)
  }
  const given = frame as unknown as Frame
  const columns = inputCols.map((name) => inputColumn(findColumn(caller, given.schema, name)))
  const sizes = await classSizes(caller, given, labelCol)
  const wanted = options.rows ?? Math.max(...sizes.map(({ rows }) => rows))
  const kept = given.select(labelCol, ...inputCols) as unknown as Frame
  const parts = [kept]
  for (const [i, size] of sizes.entries()) {
    if (size.rows >= wanted) continue
    const points = await pointsOf(given, columns, labelCol, size)
    const made = interpolate(points, size.rows, wanted - size.rows, k, fold(keyOf(seed), i))
    parts.push(unpack(made, wanted - size.rows, columns, findColumn(caller, given.schema, labelCol), size))
  }
  const [first, ...others] = parts
  return first!.concat(...(others as never[])) as never
}

interface Part {
  readonly column: Column
  /** Numbers a row. */
  readonly width: number
}

function inputColumn(column: Column): Part {
  const { type } = column
  if (type.kind === 'number') return { column, width: 1 }
  if (type.kind === 'tensor') return { column, width: sizeOf(type.shape) }
  throw new ShardbookError(
    'column',
    `${caller}: expected '${column.name}' to hold numbers or tensors to interpolate, got ${describeType(column)}.`,
  )
}

/** The numbers of a class, a row after the other: `[rows, width]`. */
async function pointsOf(
  frame: Frame,
  inputs: readonly Part[],
  labelCol: string,
  { label, rows }: ClassSize,
): Promise<Float64Array> {
  if (rows < 2) {
    throw new ShardbookError('data', `${caller}: expected classes of at least two rows, got one with ${show(label)}.`, {
      hint: 'A row has no neighbour to go towards: drop that class, or repeat its row with ml.oversample.',
    })
  }
  const width = inputs.reduce((sum, input) => sum + input.width, 0)
  const points = new Float64Array(rows * width)
  const own = frame.filter(col(labelCol).eq(label as number)).select(...inputs.map(({ column }) => column.name))
  let row = 0
  for await (const batch of own.batches({ rows: 4096 })) {
    let at = 0
    for (const { column, width: size } of inputs) {
      const { values } = batch.columns[column.name]!
      for (let i = 0; i < batch.rows; i++) {
        for (let j = 0; j < size; j++) points[(row + i) * width + at + j] = Number(values[i * size + j])
      }
      at += size
    }
    row += batch.rows
  }
  return points
}

/** `count` points on lines between neighbours: bases take turns, neighbours and places are drawn. */
function interpolate(points: Float64Array, rows: number, count: number, k: number, key: Key): Float64Array {
  const width = points.length / rows
  const near = Math.min(k, rows - 1)
  const neighbours = new Map<number, readonly number[]>()
  const made = new Float64Array(count * width)
  for (let i = 0; i < count; i++) {
    const base = i % rows
    const others = neighbours.get(base) ?? nearestTo(points, rows, base, near)
    neighbours.set(base, others)
    const other = others[Math.floor(uniform(key, 2 * i) * near)]!
    const share = uniform(key, 2 * i + 1)
    for (let j = 0; j < width; j++) {
      const from = points[base * width + j]!
      made[i * width + j] = from + share * (points[other * width + j]! - from)
    }
  }
  return made
}

/** The nearest rows, the nearest first; of equally near ones the first. */
function nearestTo(points: Float64Array, rows: number, base: number, count: number): readonly number[] {
  const width = points.length / rows
  const distances = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    let sum = 0
    for (let j = 0; j < width; j++) sum += (points[row * width + j]! - points[base * width + j]!) ** 2
    distances[row] = sum
  }
  return Array.from(distances.keys())
    .filter((row) => row !== base)
    .sort((a, b) => distances[a]! - distances[b]! || a - b)
    .slice(0, count)
}

/** Points as a frame with columns of the given types. */
function unpack(points: Float64Array, rows: number, inputs: readonly Part[], label: Column, size: ClassSize): Frame {
  const width = points.length / rows
  const columns: Record<string, unknown> = {
    [label.name]:
      label.type.kind === 'number'
        ? packed(label.type.storage, rows).fill(Number(size.label))
        : Array<unknown>(rows).fill(size.label),
  }
  let at = 0
  for (const { column, width: own } of inputs) {
    const { type } = column
    const storage = type.kind === 'number' ? type.storage : type.kind === 'tensor' ? type.dtype : 'float64'
    const values = packed(storage, rows * own)
    const rounds = !(values instanceof Float32Array || values instanceof Float64Array)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < own; j++) {
        const value = points[i * width + at + j]!
        values[i * own + j] = rounds ? Math.round(value) : value
      }
    }
    columns[column.name] = type.kind === 'tensor' ? { shape: [rows, ...type.shape], dtype: type.dtype, values } : values
    at += own
  }
  return frameOf(columns as Readonly<Record<string, Float64Array>>) as unknown as Frame
}

function packed(storage: string, length: number) {
  const made = Object.hasOwn(numberArrays, storage) ? numberArrays[storage as keyof typeof numberArrays] : undefined
  if (made !== undefined) return new made(length)
  throw new ShardbookError('column', `${caller}: expected numbers of up to 32 bits or float64, got ${storage}.`)
}
