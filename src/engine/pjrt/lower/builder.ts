/**
 * Writes StableHLO text: one method an operation, each of which adds a line and gives the value that it defines. Shapes are
 * computed here, so that a lowering states what it does and never how large the result is.
 *
 * Specification: https://openxla.org/stablehlo/spec.
 */
import type { TensorData } from '../../../core/dtype.js'
import { ShardbookError } from '../../../core/errors.js'
import {
  type Combiner,
  type Comparison,
  type Element,
  type Value,
  arrow,
  broadcastShape,
  elementOf,
  list,
  literal,
  nested,
  qualified,
  sameShape,
  typeOf,
} from './text.js'

export {
  type Combiner,
  type Comparison,
  type Element,
  type Value,
  axesOf,
  broadcastShape,
  elementOf,
  list,
  sameShape,
  typeOf,
} from './text.js'

export class Builder {
  readonly #lines: string[] = []
  #next = 0

  /** The program's text so far. */
  get text(): string {
    return this.#lines.join('\n')
  }

  /** A name that no other value has. */
  fresh(prefix = 'v'): string {
    return `%${prefix}${this.#next++}`
  }

  line(text: string): void {
    this.#lines.push(text)
  }

  /** Adds `name = text` and gives the value. */
  define(text: string, shape: readonly number[], element: Element): Value {
    const name = this.fresh()
    this.line(`${name} = ${text}`)
    return { name, shape: [...shape], element }
  }

  /** The lines that `build` adds, not added here: the body of a region. */
  region(build: () => void): string {
    const start = this.#lines.length
    build()
    return this.#lines.splice(start).join('\n')
  }

  constant(value: number, element: Element, shape: readonly number[] = []): Value {
    if (element === 'bf16') return this.convert(this.constant(value, 'f32', shape), 'bf16')
    const type = typeOf({ shape, element })
    return this.define(`stablehlo.constant dense<${literal(value, element)}> : ${type}`, shape, element)
  }

  /** A constant of the value's element type and shape. */
  like(value: Value, number: number): Value {
    return this.constant(number, value.element, value.shape)
  }

  dense({ shape, dtype, values }: TensorData): Value {
    const element = elementOf[dtype]
    const [first] = values
    if (values.length === 0) return this.constant(0, element, shape)
    if (values.every((value) => Object.is(value, first))) return this.constant(first!, element, shape)
    const type = typeOf({ shape, element })
    const text =
      element === 'i1'
        ? nested(shape, (i) => (values[i] === 0 ? 'false' : 'true'))
        : `"0x${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex').toUpperCase()}"`
    return this.define(`stablehlo.constant dense<${text}> : ${type}`, shape, element)
  }

  integers(values: readonly number[]): Value {
    return this.dense({ shape: [values.length], dtype: 'int32', values: Int32Array.from(values) })
  }

  unary(operation: string, x: Value): Value {
    return this.define(`${qualified(operation)} ${x.name} : ${arrow(operation, x)}`, x.shape, x.element)
  }

  /** Of two values, one of which may have to be broadcast. */
  binary(operation: string, left: Value, right: Value): Value {
    const [a, b] = this.matched(left, right)
    if (operation.startsWith('chlo.')) {
      return this.define(
        `${operation} ${a.name}, ${b.name} : ${typeOf(a)}, ${typeOf(b)} -> ${typeOf(a)}`,
        a.shape,
        a.element,
      )
    }
    return this.define(`${qualified(operation)} ${a.name}, ${b.name} : ${typeOf(a)}`, a.shape, a.element)
  }

  compare(direction: Comparison, left: Value, right: Value, total = false): Value {
    const [a, b] = this.matched(left, right)
    const kinds = { f32: 'FLOAT', bf16: 'FLOAT', i32: 'SIGNED', i1: 'UNSIGNED', ui32: 'UNSIGNED' } as const
    const kind = total && kinds[a.element] === 'FLOAT' ? 'TOTALORDER' : kinds[a.element]
    const text = `stablehlo.compare ${direction}, ${a.name}, ${b.name}, ${kind} : (${typeOf(a)}, ${typeOf(b)})`
    return this.define(`${text} -> ${typeOf({ ...a, element: 'i1' })}`, a.shape, 'i1')
  }

  select(condition: Value, left: Value, right: Value): Value {
    const shape = broadcastShape(broadcastShape(left.shape, right.shape), condition.shape)
    const [p, a, b] = [condition, left, right].map((value) => this.expand(value, shape)) as [Value, Value, Value]
    return this.define(
      `stablehlo.select ${p.name}, ${a.name}, ${b.name} : ${typeOf(p)}, ${typeOf(a)}`,
      shape,
      a.element,
    )
  }

  convert(x: Value, element: Element): Value {
    if (x.element === element) return x
    if (element === 'i1') return this.compare('NE', x, this.like(x, 0))
    return this.define(`stablehlo.convert ${x.name} : (${typeOf(x)}) -> ${typeOf({ ...x, element })}`, x.shape, element)
  }

  reshape(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x
    return this.define(`stablehlo.reshape ${x.name} : (${typeOf(x)}) -> ${typeOf({ ...x, shape })}`, shape, x.element)
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    if (permutation.every((axis, i) => axis === i)) return x
    const shape = permutation.map((axis) => x.shape[axis]!)
    const type = typeOf({ ...x, shape })
    return this.define(
      `stablehlo.transpose ${x.name}, dims = ${list(permutation)} : (${typeOf(x)}) -> ${type}`,
      shape,
      x.element,
    )
  }

  /** Puts axis `i` of `x` at axis `dims[i]` of a larger shape. */
  broadcast(x: Value, shape: readonly number[], dims: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x
    const type = typeOf({ ...x, shape })
    return this.define(
      `stablehlo.broadcast_in_dim ${x.name}, dims = ${list(dims)} : (${typeOf(x)}) -> ${type}`,
      shape,
      x.element,
    )
  }

  /** As NumPy broadcasts: axes are matched from the last. */
  expand(x: Value, shape: readonly number[]): Value {
    const offset = shape.length - x.shape.length
    return this.broadcast(
      x,
      shape,
      x.shape.map((_, axis) => axis + offset),
    )
  }

  matched(left: Value, right: Value): [Value, Value] {
    if (left.element !== right.element) {
      throw new ShardbookError('internal', `lower: expected equal types, got ${typeOf(left)} and ${typeOf(right)}.`)
    }
    const shape = broadcastShape(left.shape, right.shape)
    return [this.expand(left, shape), this.expand(right, shape)]
  }

  reduce(combiner: Combiner, x: Value, axes: readonly number[], start: number): Value {
    const first = this.constant(start, x.element)
    const shape = x.shape.filter((_, axis) => !axes.includes(axis))
    const types = `(${typeOf(x)}, ${typeOf(first)}) -> ${typeOf({ ...x, shape })}`
    return this.define(
      `stablehlo.reduce(${x.name} init: ${first.name}) applies stablehlo.${combiner} across dimensions = ${list(axes)} : ${types}`,
      shape,
      x.element,
    )
  }

  slice(
    x: Value,
    begin: readonly number[],
    end: readonly number[],
    strides: readonly number[] = begin.map(() => 1),
  ): Value {
    const shape = begin.map((start, i) => Math.max(0, Math.ceil((end[i]! - start) / strides[i]!)))
    if (sameShape(shape, x.shape)) return x
    const ranges = begin.map((start, i) => `${start}:${end[i]}:${strides[i]}`).join(', ')
    return this.define(
      `stablehlo.slice ${x.name} [${ranges}] : (${typeOf(x)}) -> ${typeOf({ ...x, shape })}`,
      shape,
      x.element,
    )
  }

  pad(
    x: Value,
    fill: Value,
    low: readonly number[],
    high: readonly number[],
    interior: readonly number[] = low.map(() => 0),
  ): Value {
    const shape = x.shape.map((size, i) => size + low[i]! + high[i]! + Math.max(0, size - 1) * interior[i]!)
    const widths = `low = ${list(low)}, high = ${list(high)}, interior = ${list(interior)}`
    const types = `(${typeOf(x)}, ${typeOf(fill)}) -> ${typeOf({ ...x, shape })}`
    return this.define(`stablehlo.pad ${x.name}, ${fill.name}, ${widths} : ${types}`, shape, x.element)
  }

  concatenate(parts: readonly Value[], axis: number): Value {
    const [first] = parts
    if (parts.length === 1) return first!
    const odd = parts.find(({ shape }) => !shape.every((size, i) => i === axis || size === first!.shape[i]))
    if (odd !== undefined) {
      throw new ShardbookError(
        'engine',
        `lower: expected shapes that differ along axis ${axis} only, got ${first!.shape.join(',')} and ${odd.shape.join(',')}.`,
      )
    }
    const shape = first!.shape.map((size, i) =>
      i === axis ? parts.reduce((sum, part) => sum + part.shape[i]!, 0) : size,
    )
    const types = `(${parts.map(typeOf).join(', ')}) -> ${typeOf({ ...first!, shape })}`
    return this.define(
      `stablehlo.concatenate ${parts.map(({ name }) => name).join(', ')}, dim = ${axis} : ${types}`,
      shape,
      first!.element,
    )
  }

  iota(shape: readonly number[], axis: number, element: Element): Value {
    return this.define(`stablehlo.iota dim = ${axis} : ${typeOf({ shape, element })}`, shape, element)
  }

  reverse(x: Value, axes: readonly number[]): Value {
    if (axes.length === 0) return x
    return this.define(`stablehlo.reverse ${x.name}, dims = ${list(axes)} : ${typeOf(x)}`, x.shape, x.element)
  }

  /** The product of `[...batch, m, k]` and `[...batch, k, n]`, contracted over the axes named. */
  dot(a: Value, b: Value, batch: number, contracted: readonly [number, number], options: DotOptions = {}): Value {
    const [left, right] = [a.shape[contracted[0]], b.shape[contracted[1]]]
    if (left !== right) {
      throw new ShardbookError(
        'engine',
        `lower: expected as many columns as rows, got ${left} and ${right} (shapes ${a.shape.join(',')} and ${b.shape.join(',')}).`,
      )
    }
    const free = (x: Value, axis: number): number[] => x.shape.filter((_, i) => i >= batch && i !== axis)
    const shape = [...a.shape.slice(0, batch), ...free(a, contracted[0]), ...free(b, contracted[1])]
    const batches = Array.from({ length: batch }, (_, i) => i)
    const batching = batch === 0 ? '' : `batching_dims = ${list(batches)} x ${list(batches)}, `
    const element = options.element ?? a.element
    const precision = options.exact === true ? ', precision = [HIGHEST, HIGHEST]' : ''
    return this.define(
      `stablehlo.dot_general ${a.name}, ${b.name}, ${batching}contracting_dims = [${contracted[0]}] x [${contracted[1]}]${precision} : (${typeOf(a)}, ${typeOf(b)}) -> ${typeOf({ shape, element })}`,
      shape,
      element,
    )
  }
}

interface DotOptions {
  /** Of the result, where it is wider than the operands'. */
  readonly element?: Element
  /** In full precision also where the device rounds what it multiplies. */
  readonly exact?: boolean
}
