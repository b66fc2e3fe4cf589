/** Vectors to vectors, dense and sparse, as row functions. */
import { ShardbookError } from '../../../../core/errors.js'
import { allValid } from '../../../../frame/row-function.js'
import type { RowFunction, RowValues, SparseRows, TensorRows } from '../../../../frame/row-function.js'

/** Each component less its shift, times its scale, plus an offset; sparse vectors stay sparse where only a scale is given. */
export const scaleVector = {
  kind: 'scaleVector',
  make: (payload: {
    scale?: Float64Array | undefined
    shift?: Float64Array | undefined
    offset?: number | undefined
    /** Where a scale is 0: the result. */
    constant?: number | undefined
  }): RowFunction => {
    const { scale, shift, offset = 0, constant } = payload
    return ([input], rows) => {
      const vector = input as TensorRows | SparseRows
      if (vector.kind === 'sparse' && shift === undefined) {
        const { indices, values: x } = vector
        const values = x.slice()
        if (scale !== undefined) for (let i = 0; i < values.length; i++) values[i] = x[i]! * scale[indices[i]!]!
        return { ...vector, values }
      }
      const { values: x, width } = dense(vector, rows)
      const values = new Float64Array(rows * width)
      for (let row = 0, at = 0; row < rows; row++) {
        for (let j = 0; j < width; j++, at++) {
          const factor = scale === undefined ? 1 : scale[j]!
          values[at] =
            factor === 0 && constant !== undefined ? constant : (x[at]! - (shift?.[j] ?? 0)) * factor + offset
        }
      }
      return { kind: 'tensors', width, values, valid: vector.valid }
    }
  },
}

/** Each vector by its p-norm; a vector of zeros stays as it is. */
export const normalise = {
  kind: 'normalise',
  make: ({ p }: { p: number }): RowFunction => {
    const norm = (values: ArrayLike<number>, from: number, to: number): number => {
      let sum = 0
      for (let i = from; i < to; i++) {
        const size = Math.abs(values[i]!)
        sum = p === Infinity ? Math.max(sum, size) : sum + (p === 2 ? size * size : p === 1 ? size : size ** p)
      }
      const whole = p === Infinity || p === 1 ? sum : p === 2 ? Math.sqrt(sum) : sum ** (1 / p)
      return whole === 0 ? 1 : whole
    }
    return ([input], rows) => {
      const vector = input as TensorRows | SparseRows
      if (vector.kind === 'sparse') {
        const { starts, ends, values: x } = vector
        const values = new Float32Array(x.length)
        for (let row = 0; row < rows; row++) {
          const by = norm(x, starts[row]!, ends[row]!)
          for (let i = starts[row]!; i < ends[row]!; i++) values[i] = x[i]! / by
        }
        return { ...vector, values }
      }
      const { values: x, width, valid } = vector
      const values = new Float64Array(rows * width)
      for (let row = 0; row < rows; row++) {
        const by = norm(x, row * width, (row + 1) * width)
        for (let i = row * width; i < (row + 1) * width; i++) values[i] = x[i]! / by
      }
      return { kind: 'tensors', width, values, valid }
    }
  },
}

/** The vector's products with the rows of a matrix `[outputs, inputs]`. */
export const project = {
  kind: 'project',
  make: ({ matrix, outputs }: { matrix: Float64Array; outputs: number }): RowFunction => {
    const inputs = matrix.length / outputs
    return ([input], rows) => {
      const vector = input as TensorRows | SparseRows
      const values = new Float64Array(rows * outputs)
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < outputs; k++) values[row * outputs + k] = dot(vector, row, matrix, k * inputs)
      }
      return { kind: 'tensors', width: outputs, values, valid: vector.valid }
    }
  },
}

/** The vector of a row times `weights[at .. at + width)`. */
export function dot(
  vector: TensorRows | SparseRows,
  row: number,
  weights: Float64Array | Float32Array,
  at: number,
): number {
  let sum = 0
  if (vector.kind === 'sparse') {
    const { starts, ends, indices, values } = vector
    for (let i = starts[row]!; i < ends[row]!; i++) sum += values[i]! * weights[at + indices[i]!]!
    return sum
  }
  const { width, values } = vector
  for (let j = 0, i = row * width; j < width; j++, i++) sum += values[i]! * weights[at + j]!
  return sum
}

/** Numbers and vectors one behind the other, dense or sparse. */
export const assemble = {
  kind: 'assemble',
  make: (payload: {
    names: readonly string[]
    size: number
    sparse: boolean
    invalid: 'error' | 'keep' | 'skip'
    caller: string
  }): RowFunction => {
    const { names, size, sparse, invalid, caller } = payload
    return (args, rows) => {
      if (invalid === 'error') refuseMissing(caller, names, args, rows)
      const valid = invalid === 'skip' ? missing(args, rows) : null
      return sparse ? assembleSparse(args, rows, size, valid) : assembleDense(args, rows, size, valid)
    }
  },
}

function assembleDense(args: readonly RowValues[], rows: number, size: number, valid: Uint8Array | null): TensorRows {
  const values = new Float64Array(rows * size)
  let at = 0
  for (const arg of args) {
    if (arg.kind === 'numbers') {
      for (let row = 0; row < rows; row++) values[row * size + at] = isMissing(arg, row) ? NaN : arg.values[row]!
      at++
    } else if (arg.kind === 'tensors') {
      const { width } = arg
      for (let row = 0; row < rows; row++) {
        const target = row * size + at
        for (let j = 0; j < width; j++) values[target + j] = isMissing(arg, row) ? NaN : arg.values[row * width + j]!
      }
      at += width
    }
  }
  return { kind: 'tensors', width: size, values, valid }
}

function assembleSparse(args: readonly RowValues[], rows: number, size: number, valid: Uint8Array | null): SparseRows {
  let capacity = 0
  for (const arg of args) {
    capacity += arg.kind === 'sparse' ? arg.indices.length : rows * (arg.kind === 'tensors' ? arg.width : 1)
  }
  const [indices, values] = [new Int32Array(capacity), new Float32Array(capacity)]
  const bounds = { starts: new Uint32Array(rows), ends: new Uint32Array(rows) }
  let count = 0
  const put = (index: number, value: number): void => {
    if (value === 0) return
    indices[count] = index
    values[count++] = value
  }
  for (let row = 0; row < rows; row++) {
    bounds.starts[row] = count
    let at = 0
    for (const arg of args) {
      if (arg.kind === 'numbers') put(at++, isMissing(arg, row) ? NaN : arg.values[row]!)
      else if (arg.kind === 'sparse') {
        for (let i = arg.starts[row]!; i < arg.ends[row]!; i++) put(at + arg.indices[i]!, arg.values[i]!)
        at += arg.size
      } else if (arg.kind === 'tensors') {
        for (let j = 0; j < arg.width; j++) {
          put(at + j, isMissing(arg, row) ? NaN : arg.values[row * arg.width + j]!)
        }
        at += arg.width
      }
    }
    bounds.ends[row] = count
  }
  return { kind: 'sparse', size, ...bounds, indices, values, valid }
}

function isMissing({ valid }: RowValues, row: number): boolean {
  return valid !== null && valid[row] === 0
}

function hasMissing(arg: RowValues, row: number): boolean {
  if (isMissing(arg, row)) return true
  return arg.kind === 'numbers' && Number.isNaN(arg.values[row])
}

function missing(args: readonly RowValues[], rows: number): Uint8Array | null {
  const valid = Uint8Array.from({ length: rows }, (_, row) => (args.some((arg) => hasMissing(arg, row)) ? 0 : 1))
  return valid.includes(0) ? valid : allValid(args, rows)
}

function refuseMissing(caller: string, names: readonly string[], args: readonly RowValues[], rows: number): void {
  args.forEach((arg, i) => {
    for (let row = 0; row < rows; row++) {
      if (!hasMissing(arg, row)) continue
      const what = isMissing(arg, row) ? 'null' : 'NaN'
      throw new ShardbookError('data', `${caller}: expected a number in '${names[i]}' in every row, got ${what}.`, {
        hint: "handleInvalid: 'skip' leaves such rows out, 'keep' makes NaN of them.",
      })
    }
  })
}

function dense(vector: TensorRows | SparseRows, rows: number): { values: ArrayLike<number>; width: number } {
  if (vector.kind === 'tensors') return vector
  const values = new Float64Array(rows * vector.size)
  for (let row = 0; row < rows; row++) {
    for (let i = vector.starts[row]!; i < vector.ends[row]!; i++) {
      values[row * vector.size + vector.indices[i]!] = vector.values[i]!
    }
  }
  return { values, width: vector.size }
}
