/** Values of the user's as cells of columns: what type they have, and whether they fit one that was given. */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { sizeOf, type StoredDType } from '../core/dtype.js'
import { unifyTyped } from './expr/unify.js'
import { float64, isNullType, nullType, sameType, type ColumnType, type Typed } from './schema.js'
import { describeType, structType } from './schema-spec.js'
import { isSparseLike, sparseOf } from './tensor/sparse.js'
import type { Tensor } from './tensor/tensor.js'

/** The type that holds all of a column's values. @throws `argument` for values of mixed type, or only nulls */
export function typeOfCells(name: string, values: readonly unknown[]): Typed {
  let typed: Typed = { type: nullType, nullable: false }
  values.forEach((value, row) => {
    if (typeof value === typed.type.kind) return
    const got = typeOfValue(value)
    const unified = got === undefined ? undefined : unifyTyped(typed, got)
    if (unified === undefined) throw misfit(`'${name}' (row ${row})`, typed, value)
    typed = unified
  })
  const known = holesFilled(typed.type)
  if (known !== undefined) return { type: known, nullable: typed.nullable }
  throw new ShardbookError('argument', `frame: expected '${name}' to hold a value, got only nulls or empty lists.`, {
    hint: `Give the columns' types: frame(…, { schema: { ${name}: 'number?' } }).`,
  })
}

/** The type, unless a part of it is still unknown. */
function holesFilled(type: ColumnType): ColumnType | undefined {
  if (isNullType(type)) return undefined
  if (type.kind === 'list') return holesFilled(type.element.type) && type
  if (type.kind === 'struct') return type.fields.every((field) => holesFilled(field.type)) ? type : undefined
  return type
}

function typeOfValue(value: unknown): Typed | undefined {
  if (value === null || value === undefined) return { type: nullType, nullable: true }
  const type = typeOfHeld(value)
  return type && { type, nullable: false }
}

function typeOfHeld(value: unknown): ColumnType | undefined {
  switch (typeof value) {
    case 'number':
      return float64
    case 'bigint':
    case 'string':
    case 'boolean':
      return { kind: typeof value as 'bigint' | 'string' | 'boolean' }
    case 'object':
      break
    default:
      return undefined
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : { kind: 'timestamp' }
  if (isTensorLike(value)) {
    const fits = value.values.length === sizeOf(value.shape)
    return fits ? { kind: 'tensor', dtype: value.dtype, shape: [...value.shape], held: 'reference' } : undefined
  }
  if (isSparseLike(value)) return { kind: 'sparse', size: value.size }
  if (Array.isArray(value)) {
    const element = (value as readonly unknown[])
      .map(typeOfValue)
      .reduce<Typed | undefined>((a, b) => a && b && unifyTyped(a, b), { type: nullType, nullable: false })
    return element && element.type.kind !== 'tensor' ? { kind: 'list', element } : undefined
  }
  if (value === null || Object.getPrototypeOf(value) !== Object.prototype) return undefined
  const fields = Object.entries(value).map(([name, each]) => ({ name, typed: typeOfValue(each) }))
  if (fields.some(({ typed }) => typed === undefined || typed.type.kind === 'tensor')) return undefined
  return structType(
    'frame',
    fields.map(({ name, typed }) => ({ name, ...typed! })),
  )
}

/** The value as a cell of that type. @throws `argument` when it is none */
export function cellOf(where: string, typed: Typed, value: unknown): unknown {
  if (value === null || value === undefined) {
    if (typed.nullable) return null
    throw misfit(where, typed, value)
  }
  const { type } = typed
  switch (type.kind) {
    case 'number':
    case 'string':
    case 'boolean':
      if (typeof value === type.kind) return value
      break
    case 'bigint':
      if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
      break
    case 'date':
    case 'timestamp':
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value
      break
    case 'categorical':
      if (type.levels.includes(value as string)) return value
      break
    case 'tensor':
      if (isTensorLike(value) && sameTensor(value, type)) return value
      break
    case 'sparse':
      if (isSparseLike(value) && value.size === type.size) return sparseOf(`frame: ${where}`, value)
      break
    case 'list':
      if (Array.isArray(value)) return value.map((each) => cellOf(where, type.element, each))
      break
    case 'struct': {
      if (typeof value !== 'object' || Array.isArray(value)) break
      const fields = value as Readonly<Record<string, unknown>>
      return Object.fromEntries(
        type.fields.map((field) => [field.name, cellOf(`${where}, ${field.name}`, field, fields[field.name])]),
      )
    }
    case 'opaque':
      break
    default:
      return type satisfies never
  }
  throw misfit(where, typed, value)
}

function misfit(where: string, typed: Typed, value: unknown): ShardbookError {
  const expected = isNullType(typed.type)
    ? 'a value that a column can hold'
    : describeType({ type: typed.type, nullable: false })
  const got = isTensorLike(value) ? describeType({ type: typeOfTensor(value), nullable: false }) : show(value)
  const hint =
    typed.type.kind === 'categorical'
      ? { hint: `Levels: ${typed.type.levels.join(', ')}.` }
      : typed.type.kind === 'tensor' && isTensorLike(value)
        ? { hint: 'The tensors of a column have one shape; read.images and ml.ImageFeature bring pictures to one.' }
        : {}
  return new ShardbookError('argument', `frame: expected ${expected} in ${where}, got ${got}.`, hint)
}

function sameTensor(value: Tensor, type: ColumnType): boolean {
  const own = typeOfTensor(value)
  return sameType(own, { ...type, held: 'reference' } as ColumnType) && value.values.length === sizeOf(value.shape)
}

function typeOfTensor({ dtype, shape }: Tensor): ColumnType {
  return { kind: 'tensor', dtype, shape: [...shape], held: 'reference' }
}

const dtypes: readonly StoredDType[] = ['uint8', 'int32', 'float32', 'float64']

export function isTensorLike(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false
  const { shape, dtype, values } = value as Partial<Tensor>
  return Array.isArray(shape) && dtypes.includes(dtype!) && ArrayBuffer.isView(values)
}
