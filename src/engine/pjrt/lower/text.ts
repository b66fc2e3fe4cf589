/** How StableHLO is written: types, numbers and lists as text, and the arithmetic of shapes. */
import { sizeOf } from '../../../core/dtype.js'
import { ShardbookError } from '../../../core/errors.js'

/** Element types that programs compute with. */
export type Element = 'f32' | 'bf16' | 'i32' | 'i1' | 'ui32'

export interface Value {
  readonly name: string
  readonly shape: readonly number[]
  readonly element: Element
}

export type Comparison = 'EQ' | 'NE' | 'GE' | 'GT' | 'LE' | 'LT'
export type Combiner = 'add' | 'multiply' | 'maximum' | 'minimum' | 'and' | 'or'

export const elementOf = { float32: 'f32', int32: 'i32', bool: 'i1' } as const

/** `tensor<2x3xf32>` */
export function typeOf({ shape, element }: Pick<Value, 'shape' | 'element'>): string {
  return `tensor<${[...shape, element].join('x')}>`
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}

/** The shape of two that are broadcast against one another. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1]
    if (x === y || y === 1) return x
    if (x === 1) return y
    throw new ShardbookError(
      'engine',
      `lower: expected shapes that broadcast, got [${a.join(', ')}] and [${b.join(', ')}].`,
    )
  })
}

/** `[1, 2]` */
export function list(values: readonly (number | string)[]): string {
  return `[${values.join(', ')}]`
}

/** Axes as non-negative numbers in order; all of them for none. */
export function axesOf(axis: number | readonly number[] | null | undefined, rank: number): number[] {
  const axes = axis == null ? Array.from({ length: rank }, (_, i) => i) : [axis].flat()
  return [...new Set(axes.map((one) => (one < 0 ? one + rank : one)))].toSorted((a, b) => a - b)
}

/** With its dialect. */
export function qualified(operation: string): string {
  return operation.includes('.') ? operation : `stablehlo.${operation}`
}

/** How the types of an operation on one value are written. */
export function arrow(operation: string, x: Value): string {
  return operation.startsWith('chlo.') ? `${typeOf(x)} -> ${typeOf(x)}` : typeOf(x)
}

/** A number as MLIR writes it: floats by their bits where a decimal could lose any. */
export function literal(value: number, element: Element): string {
  if (element === 'i1') return value === 0 ? 'false' : 'true'
  if (element === 'ui32') return String(value >>> 0)
  if (element === 'i32') return String(value | 0)
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 20 && !Object.is(value, -0)) return `${value}.0`
  const bits = new DataView(new ArrayBuffer(4))
  bits.setFloat32(0, value)
  return `0x${bits.getUint32(0).toString(16).toUpperCase().padStart(8, '0')}`
}

/** Nested lists of a shape. */
export function nested(shape: readonly number[], at: (index: number) => string, offset = 0): string {
  if (shape.length === 0) return at(offset)
  const [size, ...inner] = shape as [number, ...number[]]
  const width = sizeOf(inner)
  return `[${Array.from({ length: size }, (_, i) => nested(inner, at, offset + i * width)).join(', ')}]`
}
