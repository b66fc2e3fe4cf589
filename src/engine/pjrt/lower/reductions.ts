/** Kernels that fold axes of a tensor, and those that order its last axis. */
import { sizeOf } from '../../../core/dtype.js'
import { type Builder, type Combiner, type Value, axesOf, broadcastShape, typeOf } from './builder.js'
import { float } from './elementwise.js'
import { type Given, type Lowering, type Lowerings, input, listed } from './lowering.js'

interface Attributes {
  readonly axis?: number | readonly number[] | null
  readonly reductionIndices?: number | readonly number[] | null
  readonly keepDims?: boolean
}

/** What a fold starts from: what changes nothing. */
const starts = {
  add: () => 0,
  multiply: () => 1,
  and: () => 1,
  or: () => 0,
  maximum: (x: Value) => (x.element === 'i32' ? -(2 ** 31) : -Infinity),
  minimum: (x: Value) => (x.element === 'i32' ? 2 ** 31 - 1 : Infinity),
} satisfies Record<Combiner, (x: Value) => number>

/** Folds axes away. */
export function fold(b: Builder, combiner: Combiner, x: Value, axes: readonly number[], keepDims = false): Value {
  const result = b.reduce(combiner, x, axes, starts[combiner](x))
  return keepDims ? b.reshape(result, kept(x, axes)) : result
}

function kept({ shape }: Value, axes: readonly number[]): number[] {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
}

function reduction(combiner: Combiner): Lowering {
  return (b, given) => {
    const x = input(given, 'x')
    const { axis, reductionIndices, keepDims } = given.attrs as Attributes
    return fold(b, combiner, x, axesOf(axis ?? reductionIndices, x.shape.length), keepDims)
  }
}

/** A running fold along an axis: a window that reaches from the first element to each. */
function running(combiner: 'add' | 'multiply'): Lowering {
  return (b, given) => {
    const x = input(given, 'x')
    const { axis, exclusive, reverse } = given.attrs as { axis: number; exclusive?: boolean; reverse?: boolean }
    const along = axis < 0 ? axis + x.shape.length : axis
    const size = x.shape[along]!
    if (sizeOf(x.shape) === 0) return x
    const before = size - 1
    const low = exclusive === true ? before + 1 : before
    const padding = reverse === true ? [exclusive === true ? -1 : 0, low] : [low, exclusive === true ? -1 : 0]
    const axes = x.shape.map((_, i) => (i === along ? size : 1))
    return reduceWindow(b, combiner, x, {
      window: axes,
      strides: x.shape.map(() => 1),
      padding: x.shape.map((_, i) => (i === along ? (padding as [number, number]) : [0, 0])),
    })
  }
}

export interface Window {
  readonly window: readonly number[]
  readonly strides: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
  /** Distance of elements that came from neighbours; default 1. */
  readonly spread?: readonly number[]
}

/** Folds windows that slide over a tensor. */
export function reduceWindow(
  b: Builder,
  combiner: 'add' | 'multiply' | 'maximum',
  x: Value,
  { window, strides, padding, spread = strides.map(() => 1) }: Window,
): Value {
  const shape = x.shape.map((size, i) => {
    const [low, high] = padding[i]!
    const length = (size - 1) * spread[i]! + 1 + low + high
    return Math.floor((length - window[i]!) / strides[i]!) + 1
  })
  const start = b.constant(starts[combiner](x), x.element)
  const scalar = typeOf(start)
  const attributes = [
    `window_dimensions = array<i64: ${window.join(', ')}>`,
    `window_strides = array<i64: ${strides.join(', ')}>`,
    `base_dilations = array<i64: ${spread.join(', ')}>`,
    `padding = dense<[${padding.map(([low, high]) => `[${low}, ${high}]`).join(', ')}]> : tensor<${padding.length}x2xi64>`,
  ]
  return b.define(
    `"stablehlo.reduce_window"(${x.name}, ${start.name}) <{${attributes.join(', ')}}> ({
${combinerRegion(b, combiner, scalar)}
}) : (${typeOf(x)}, ${scalar}) -> ${typeOf({ ...x, shape })}`,
    shape,
    x.element,
  )
}

/** The body that combines two scalars of a type. */
export function combinerRegion(b: Builder, combiner: Combiner, scalar: string): string {
  const [left, right, result] = [b.fresh('l'), b.fresh('r'), b.fresh('c')]
  return `^bb0(${left}: ${scalar}, ${right}: ${scalar}):
${result} = stablehlo.${combiner} ${left}, ${right} : ${scalar}
stablehlo.return ${result} : ${scalar}`
}

/** The place of the first largest, or smallest, along an axis. */
function place(combiner: 'maximum' | 'minimum'): Lowering {
  return (b, given) => {
    const x = input(given, 'x')
    const [axis] = axesOf(given.attrs['axis'] as number, x.shape.length) as [number]
    const best = fold(b, combiner, x, [axis], true)
    const places = b.iota(x.shape, axis, 'i32')
    const found = b.select(b.compare('EQ', x, best), places, b.like(places, 2 ** 31 - 1))
    return b.binary('minimum', fold(b, 'minimum', found, [axis]), b.constant(Math.max(0, x.shape[axis]! - 1), 'i32'))
  }
}

/** `x - max(x)` along an axis, its exponentials and their sum. */
export function shifted(b: Builder, x: Value, axis: number) {
  const centred = b.binary('subtract', x, fold(b, 'maximum', x, [axis], true))
  const exponentials = b.unary('exponential', centred)
  return { centred, exponentials, sum: fold(b, 'add', exponentials, [axis], true) }
}

function lastAxis(given: Given, x: Value, name: string): number {
  const axis = (given.attrs[name] as number | undefined) ?? -1
  return axis < 0 ? axis + x.shape.length : axis
}

/** Sorts the last axis of some values by the first of them, largest first; equal ones keep their order. */
function sortDescending(b: Builder, values: readonly Value[]): Value[] {
  const [first] = values
  const name = b.fresh('sorted')
  const scalars = values.map((value) => [b.fresh('l'), b.fresh('r'), typeOf({ ...value, shape: [] })] as const)
  const parameters = scalars.flatMap(([left, right, type]) => [`${left}: ${type}`, `${right}: ${type}`]).join(', ')
  const [left, right] = scalars[0]!
  const body = b.region(() => {
    const [l, r] = [left, right].map((scalar): Value => ({ name: scalar, shape: [], element: first!.element }))
    const before = b.compare('GT', l!, r!, true)
    b.line(`stablehlo.return ${before.name} : tensor<i1>`)
  })
  const types = values.map(typeOf).join(', ')
  b.line(`${name}:${values.length} = "stablehlo.sort"(${values.map((value) => value.name).join(', ')}) <{dimension = ${first!.shape.length - 1} : i64, is_stable = true}> ({
^bb0(${parameters}):
${body}
}) : (${types}) -> (${types})`)
  return values.map((value, i) => ({ ...value, name: `${name}#${i}` }))
}

export const reductions: Lowerings = {
  Sum: reduction('add'),
  Prod: reduction('multiply'),
  Max: reduction('maximum'),
  Min: reduction('minimum'),
  All: reduction('and'),
  Any: reduction('or'),
  Mean: (b, given) => {
    const x = float(b, input(given, 'x'))
    const { axis, keepDims } = given.attrs as Attributes
    const axes = axesOf(axis, x.shape.length)
    const sum = fold(b, 'add', x, axes, keepDims)
    return b.binary('divide', sum, b.like(sum, sizeOf(axes.map((one) => x.shape[one]!))))
  },
  AddN: (b, given) => listed(given).reduce((sum, x) => b.binary('add', sum, x)),
  ArgMax: place('maximum'),
  ArgMin: place('minimum'),
  Cumsum: running('add'),
  Cumprod: running('multiply'),
  Softmax: (b, given) => {
    const x = float(b, input(given, 'logits'))
    const { exponentials, sum } = shifted(b, x, lastAxis(given, x, 'dim'))
    return b.binary('divide', exponentials, sum)
  },
  LogSoftmax: (b, given) => {
    const x = float(b, input(given, 'logits'))
    const { centred, sum } = shifted(b, x, lastAxis(given, x, 'axis'))
    return b.binary('subtract', centred, b.unary('log', sum))
  },
  TopK: (b, given) => {
    const x = input(given, 'x')
    const { k } = given.attrs as { k: number }
    const last = x.shape.length - 1
    const sorted = sortDescending(b, [x, b.iota(x.shape, last, 'i32')])
    const end = x.shape.map((size, axis) => (axis === last ? k : size))
    return sorted.map((value) =>
      b.slice(
        value,
        end.map(() => 0),
        end,
      ),
    )
  },
  FusedBatchNorm: (b, given) => {
    const [x, mean, variance] = ['x', 'mean', 'variance'].map((name) => input(given, name)) as [Value, Value, Value]
    const epsilon = (given.attrs['varianceEpsilon'] as number | undefined) ?? 1e-3
    const { scale, offset } = given.inputs as { scale?: Value; offset?: Value }
    const inverse = b.unary('rsqrt', b.binary('add', variance, b.like(variance, epsilon)))
    const factor = scale == null ? inverse : b.binary('multiply', inverse, scale)
    const result = b.binary('multiply', b.binary('subtract', x, mean), factor)
    const whole = b.expand(result, broadcastShape(result.shape, x.shape))
    return offset == null ? whole : b.binary('add', whole, offset)
  },
}
