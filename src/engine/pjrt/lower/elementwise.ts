/** Kernels that compute element by element. */
import type { Builder, Comparison, Element, Value } from './builder.js'
import { elementOf } from './builder.js'
import { type Lowering, type Lowerings, input } from './lowering.js'

const selu = { scale: 1.0507009873554805, alpha: 1.6732632423543772 }

type Unary = (b: Builder, x: Value) => Value

/** StableHLO's operation on floating-point numbers. */
const onFloats =
  (operation: string): Unary =>
  (b, x) =>
    b.unary(operation, x)

/** On a number of its kind, whatever that is. */
const onAny: Readonly<Record<string, Unary>> = {
  Abs: (b, x) => b.unary('abs', x),
  Neg: (b, x) => b.unary('negate', x),
  Sign: (b, x) => b.unary('sign', x),
  Square: (b, x) => b.binary('multiply', x, x),
  Relu: (b, x) => b.binary('maximum', x, b.like(x, 0)),
  Relu6: (b, x) => b.binary('minimum', b.binary('maximum', x, b.like(x, 0)), b.like(x, 6)),
  OnesLike: (b, x) => b.like(x, 1),
  ZerosLike: (b, x) => b.like(x, 0),
  LogicalNot: (b, x) => b.unary('not', x),
  Identity: (_, x) => x,
}

const floating: Readonly<Record<string, Unary>> = {
  Acos: onFloats('chlo.acos'),
  Acosh: onFloats('chlo.acosh'),
  Asin: onFloats('chlo.asin'),
  Asinh: onFloats('chlo.asinh'),
  Atan: onFloats('chlo.atan'),
  Atanh: onFloats('chlo.atanh'),
  Ceil: onFloats('ceil'),
  Cos: onFloats('cosine'),
  Cosh: onFloats('chlo.cosh'),
  Erf: onFloats('chlo.erf'),
  Exp: onFloats('exponential'),
  Expm1: onFloats('exponential_minus_one'),
  Floor: onFloats('floor'),
  Log: onFloats('log'),
  Log1p: onFloats('log_plus_one'),
  Round: onFloats('round_nearest_even'),
  Rsqrt: onFloats('rsqrt'),
  Sigmoid: onFloats('logistic'),
  Sin: onFloats('sine'),
  Sinh: onFloats('chlo.sinh'),
  Sqrt: onFloats('sqrt'),
  Tan: onFloats('tan'),
  Tanh: onFloats('tanh'),
  Reciprocal: (b, x) => b.binary('divide', b.like(x, 1), x),
  Elu: (b, x) => b.select(positive(b, x), x, b.unary('exponential_minus_one', x)),
  Selu: (b, x) => {
    const negative = b.binary('multiply', b.like(x, selu.alpha), b.unary('exponential_minus_one', x))
    return b.binary('multiply', b.like(x, selu.scale), b.select(positive(b, x), x, negative))
  },
  // log(1 + e^x) without an overflow.
  Softplus: (b, x) => {
    const rest = b.unary('log_plus_one', b.unary('exponential', b.unary('negate', b.unary('abs', x))))
    return b.binary('add', b.binary('maximum', x, b.like(x, 0)), rest)
  },
}

const tests: Readonly<Record<string, Unary>> = {
  IsFinite: (b, x) => isFinite(b, x),
  IsInf: (b, x) => b.compare('EQ', b.unary('abs', x), b.like(x, Infinity)),
  IsNan: (b, x) => b.compare('NE', x, x),
}

const comparisons: Readonly<Record<string, Comparison>> = {
  Equal: 'EQ',
  NotEqual: 'NE',
  Greater: 'GT',
  GreaterEqual: 'GE',
  Less: 'LT',
  LessEqual: 'LE',
}

const arithmetic: Readonly<Record<string, string>> = {
  Add: 'add',
  Sub: 'subtract',
  Multiply: 'multiply',
  RealDiv: 'divide',
  Maximum: 'maximum',
  Minimum: 'minimum',
  Pow: 'power',
  Atan2: 'atan2',
  LogicalAnd: 'and',
  LogicalOr: 'or',
  LogicalXor: 'xor',
  BitwiseAnd: 'and',
}

/** Whether numbers are neither infinite nor not-a-number; a tensor of truth values. */
export function isFinite(b: Builder, x: Value): Value {
  return b.define(
    `stablehlo.is_finite ${x.name} : (tensor<${[...x.shape, x.element].join('x')}>) -> tensor<${[...x.shape, 'i1'].join('x')}>`,
    x.shape,
    'i1',
  )
}

function positive(b: Builder, x: Value): Value {
  return b.compare('GT', x, b.like(x, 0))
}

/** Integers and truth values as floating-point numbers; those as they are. */
export function float(b: Builder, x: Value): Value {
  return x.element === 'f32' || x.element === 'bf16' ? x : b.convert(x, 'f32')
}

function mapped<T>(table: Readonly<Record<string, T>>, lowering: (entry: T) => Lowering): Lowerings {
  return Object.fromEntries(Object.entries(table).map(([kernel, entry]) => [kernel, lowering(entry)]))
}

/** Two inputs of one type: the wider one where they differ. */
function pair(b: Builder, left: Value, right: Value): [Value, Value] {
  if (left.element === right.element) return [left, right]
  const order: readonly Element[] = ['i1', 'i32', 'ui32', 'bf16', 'f32']
  const element = order[Math.max(order.indexOf(left.element), order.indexOf(right.element))]!
  return [b.convert(left, element), b.convert(right, element)]
}

/** The remainder with the divisor's sign. */
function modulo(b: Builder, x: Value, y: Value): Value {
  const [a, d] = b.matched(x, y)
  const rest = b.binary('remainder', a, d)
  const zero = b.like(rest, 0)
  const signsDiffer = b.binary('xor', b.compare('LT', rest, zero), b.compare('LT', d, zero))
  const wrong = b.binary('and', b.compare('NE', rest, zero), signsDiffer)
  return b.select(wrong, b.binary('add', rest, d), rest)
}

function floorDivide(b: Builder, x: Value, y: Value): Value {
  if (x.element !== 'i32') return b.unary('floor', b.binary('divide', x, y))
  return b.binary('divide', b.binary('subtract', x, modulo(b, x, y)), y)
}

/** A binary kernel whose inputs are `a` and `b`. */
const binary =
  (lower: (b: Builder, x: Value, y: Value) => Value): Lowering =>
  (b, given) =>
    lower(b, ...pair(b, input(given, 'a'), input(given, 'b')))

/** What follows the gradient `dy` where only the output `y` is known. */
const fromOutput =
  (slope: (b: Builder, y: Value) => Value): Lowering =>
  (b, given) =>
    b.binary('multiply', ...pair(b, input(given, 'dy'), slope(b, input(given, 'y'))))

/** The activation of a fused kernel, by its name. */
export function activate(b: Builder, x: Value, name: string, options: { alpha?: number; weights?: Value } = {}): Value {
  switch (name) {
    case 'linear':
      return x
    case 'relu':
      return onAny['Relu']!(b, x)
    case 'relu6':
      return onAny['Relu6']!(b, x)
    case 'elu':
    case 'sigmoid':
    case 'tanh':
    case 'selu':
    case 'softplus':
      return floating[name[0]!.toUpperCase() + name.slice(1)]!(b, x)
    case 'leakyrelu':
      return leaky(b, x, b.like(x, options.alpha ?? 0.2))
    default:
      return leaky(b, x, options.weights!)
  }
}

function leaky(b: Builder, x: Value, slope: Value): Value {
  return b.select(b.compare('GE', x, b.like(x, 0)), x, b.binary('multiply', x, slope))
}

export const elementwise: Lowerings = {
  ...mapped(onAny, (lower) => (b, given) => lower(b, input(given, 'x'))),
  ...mapped(floating, (lower) => (b, given) => lower(b, float(b, input(given, 'x')))),
  ...mapped(tests, (lower) => (b, given) => lower(b, float(b, input(given, 'x')))),
  ...mapped(comparisons, (direction) => binary((b, x, y) => b.compare(direction, x, y))),
  ...mapped(arithmetic, (operation) => binary((b, x, y) => b.binary(operation, x, y))),
  FloorDiv: binary(floorDivide),
  Mod: binary(modulo),
  SquaredDifference: binary((b, x, y) => onAny['Square']!(b, b.binary('subtract', x, y))),
  ReluGrad: (b, given) => {
    const [dy, y] = pair(b, input(given, 'dy'), input(given, 'y'))
    return b.select(positive(b, y), dy, b.like(dy, 0))
  },
  SigmoidGrad: fromOutput((b, y) => b.binary('multiply', y, b.binary('subtract', b.like(y, 1), y))),
  TanhGrad: fromOutput((b, y) => b.binary('subtract', b.like(y, 1), b.binary('multiply', y, y))),
  EluGrad: fromOutput((b, y) =>
    b.select(b.compare('GE', y, b.like(y, 0)), b.like(y, 1), b.binary('add', y, b.like(y, 1))),
  ),
  LeakyRelu: (b, given) => {
    const x = float(b, input(given, 'x'))
    return b.select(positive(b, x), x, b.binary('multiply', x, b.like(x, given.attrs['alpha'] as number)))
  },
  Prelu: (b, given) => leaky(b, ...pair(b, input(given, 'x'), input(given, 'alpha'))),
  Step: (b, given) => {
    const x = float(b, input(given, 'x'))
    const low = b.like(x, (given.attrs['alpha'] as number | undefined) ?? 0)
    const step = b.select(positive(b, x), b.like(x, 1), low)
    return b.select(b.compare('NE', x, x), x, step)
  },
  ClipByValue: (b, given) => {
    const x = input(given, 'x')
    const { clipValueMin, clipValueMax } = given.attrs as unknown as { clipValueMin: number; clipValueMax: number }
    return b.binary('minimum', b.binary('maximum', x, b.like(x, clipValueMin)), b.like(x, clipValueMax))
  },
  Cast: (b, given) => {
    const element = elementOf[given.attrs['dtype'] as keyof typeof elementOf]
    const x = input(given, 'x')
    return element === 'f32' ? float(b, x) : b.convert(x, element)
  },
  Select: (b, given) => {
    const [t, e] = pair(b, input(given, 't'), input(given, 'e'))
    const condition = input(given, 'condition')
    const rows = condition.shape.length === 1 && t.shape.length > 1
    return b.select(rows ? b.broadcast(condition, t.shape, [0]) : condition, t, e)
  },
}
