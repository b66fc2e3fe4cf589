/** Kernels of training that are ours: losses, optimisers, random numbers, sums over devices, loops. */
import { adamKernel, type AdamAttributes } from '../../adam.js'
import { crossEntropyKernel } from '../../cross-entropy.js'
import type { ScanAttributes } from '../../trace.js'
import { type Builder, type Value, typeOf } from './builder.js'
import { type Given, type Lowering, type Lowerings, input, listed } from './lowering.js'
import { fold, shifted } from './reductions.js'

/** Losses `[rows]` and their gradients by the logits, `[rows, classes]`. */
const crossEntropy: Lowering = (b, given) => {
  const [logits, labels] = [input(given, 'logits'), input(given, 'labels')]
  const { centred, exponentials, sum } = shifted(b, logits, 1)
  const classes = b.iota(logits.shape, 1, 'i32')
  const hit = b.compare('EQ', classes, b.broadcast(b.convert(labels, 'i32'), logits.shape, [0]))
  const zero = b.like(logits, 0)
  const right = fold(b, 'add', b.select(hit, centred, zero), [1])
  const losses = b.binary('subtract', b.unary('log', b.reshape(sum, right.shape)), right)
  const expected = b.select(hit, b.like(logits, 1), zero)
  return [losses, b.binary('subtract', b.binary('divide', exponentials, sum), expected)]
}

/** The order of operations and the roundings of `../../adam.ts`. */
const adam: Lowering = (b, given) => {
  const [weight, first, second, gradient, rate, step] = ['weight', 'first', 'second', 'gradient', 'rate', 'step'].map(
    (name) => input(given, name),
  ) as [Value, Value, Value, Value, Value, Value]
  const { beta1, beta2, epsilon } = given.attrs as unknown as AdamAttributes
  const number = (value: number): Value => b.constant(value, 'f32')
  const rest = (beta: number): Value => b.binary('subtract', number(1), b.binary('power', number(beta), step))
  const ratio = b.binary('divide', b.unary('sqrt', rest(beta2)), rest(beta1))
  const corrected = b.binary('multiply', rate, ratio)
  const towards = (mean: Value, value: Value, beta: number): Value =>
    b.binary('add', mean, b.binary('multiply', b.binary('subtract', value, mean), number(1 - Math.fround(beta))))
  const m = towards(first, gradient, beta1)
  const v = towards(second, b.binary('multiply', gradient, gradient), beta2)
  const change = b.binary(
    'divide',
    b.binary('multiply', m, corrected),
    b.binary('add', b.unary('sqrt', v), number(epsilon)),
  )
  return [b.binary('subtract', weight, change), m, v]
}

/** The generator of `core/random`, on unsigned integers: the same bits on every engine. */
const randomUniform: Lowering = (b, given) => {
  const [key, rows] = [input(given, 'key'), input(given, 'rows')]
  const { stream, width } = given.attrs as { stream: number; width: number }
  const number = (value: number): Value => b.constant(value, 'ui32')
  const bits = (x: Value): Value =>
    b.define(
      `stablehlo.bitcast_convert ${x.name} : (${typeOf(x)}) -> ${typeOf({ ...x, element: 'ui32' })}`,
      x.shape,
      'ui32',
    )
  const shift = (x: Value, by: number): Value => b.binary('shift_right_logical', x, number(by))
  const mix = (value: Value): Value => {
    const a = b.binary('multiply', b.binary('xor', value, shift(value, 16)), number(0x85ebca6b))
    const c = b.binary('multiply', b.binary('xor', a, shift(a, 13)), number(0xc2b2ae35))
    return b.binary('xor', c, shift(c, 16))
  }
  const foldIn = (by: Value, data: Value): Value => {
    const mixed = mix(b.binary('xor', by, number(0x85ebca6b)))
    return mix(b.binary('add', mixed, b.binary('multiply', b.binary('add', data, number(1)), number(0x9e3779b1))))
  }
  const count = rows.shape[0]!
  const ofRows = foldIn(foldIn(bits(key), number(stream)), bits(rows))
  const columns = b.iota([1, width], 1, 'ui32')
  const draws = shift(foldIn(b.reshape(ofRows, [count, 1]), columns), 8)
  return b.binary('multiply', b.convert(draws, 'f32'), b.constant(2 ** -24, 'f32'))
}

/** Lowers the calls of a body; given by `index.ts`, which knows all lowerings. */
export type LowerBody = (b: Builder, given: Given, inputs: readonly Value[]) => Value[]

/** A loop over rows: a `while` whose variables are the run's number, what it carries, the stacks, and what it reads. */
export function scanLowering(lowerBody: LowerBody): Lowering {
  return (b, given) => {
    const { count, carried, scanned, reverse } = given.attrs as unknown as ScanAttributes
    const body = given.body!
    const inputs = listed(given)
    const stacks = body.outputs.slice(carried).map(({ value }) => {
      const { shape, dtype } = body.values[value]!
      const element = ({ float32: 'f32', int32: 'i32', bool: 'i1' } as const)[dtype]
      return b.constant(0, element, [count, ...shape])
    })
    const operands = [b.constant(0, 'i32'), ...inputs.slice(0, carried), ...stacks, ...inputs.slice(carried)]
    const parameters = operands.map((operand) => ({ ...operand, name: b.fresh('i') }))
    const condition = b.region(() => {
      const more = b.compare('LT', parameters[0]!, b.constant(count, 'i32'))
      b.line(`stablehlo.return ${more.name} : tensor<i1>`)
    })
    const step = b.region(() => {
      const [run, ...others] = parameters as [Value, ...Value[]]
      const row = reverse ? b.binary('subtract', b.constant(count - 1, 'i32'), run) : run
      const state = others.slice(0, carried)
      const before = others.slice(carried, carried + stacks.length)
      const read = others.slice(carried + stacks.length)
      const rows = read.slice(0, scanned).map((tensor) => rowAt(b, tensor, row))
      const results = lowerBody(b, given, [...state, ...rows, ...read.slice(scanned)])
      const after = before.map((stack, i) => withRow(b, stack, b.convert(results[carried + i]!, stack.element), row))
      const next = results.slice(0, carried).map((value, i) => b.convert(value, state[i]!.element))
      const ends = [b.binary('add', run, b.constant(1, 'i32')), ...next, ...after, ...read]
      b.line(`stablehlo.return ${ends.map(({ name }) => name).join(', ')} : ${ends.map(typeOf).join(', ')}`)
    })
    const name = b.fresh('loop')
    const initial = parameters.map((parameter, i) => `${parameter.name} = ${operands[i]!.name}`).join(', ')
    b.line(`${name}:${operands.length} = stablehlo.while(${initial}) : ${operands.map(typeOf).join(', ')}
cond {
${condition}
} do {
${step}
}`)
    const results = operands.map((operand, i) => ({ ...operand, name: `${name}#${i}` }))
    return results.slice(1, 1 + carried + stacks.length)
  }
}

function starts(b: Builder, tensor: Value, row: Value): Value[] {
  return [row, ...tensor.shape.slice(1).map(() => b.constant(0, 'i32'))]
}

function rowAt(b: Builder, tensor: Value, row: Value): Value {
  const at = starts(b, tensor, row)
  const shape = [1, ...tensor.shape.slice(1)]
  const types = `(${[typeOf(tensor), ...at.map(typeOf)].join(', ')}) -> ${typeOf({ ...tensor, shape })}`
  const sliced = b.define(
    `stablehlo.dynamic_slice ${[tensor, ...at].map(({ name }) => name).join(', ')}, sizes = [${shape.join(', ')}] : ${types}`,
    shape,
    tensor.element,
  )
  return b.reshape(sliced, tensor.shape.slice(1))
}

function withRow(b: Builder, stack: Value, value: Value, row: Value): Value {
  const update = b.reshape(value, [1, ...value.shape])
  const operands = [stack, update, ...starts(b, stack, row)]
  return b.define(
    `stablehlo.dynamic_update_slice ${operands.map(({ name }) => name).join(', ')} : (${operands.map(typeOf).join(', ')}) -> ${typeOf(stack)}`,
    stack.shape,
    stack.element,
  )
}

/** The sum of a value over all devices that run the program. */
export function allReduce(b: Builder, x: Value, replicas: number): Value {
  if (replicas === 1) return x
  const scalar = typeOf({ ...x, shape: [] })
  const [left, right, sum] = [b.fresh('l'), b.fresh('r'), b.fresh('c')]
  const group = Array.from({ length: replicas }, (_, i) => i).join(', ')
  return b.define(
    `"stablehlo.all_reduce"(${x.name}) <{replica_groups = dense<[[${group}]]> : tensor<1x${replicas}xi64>}> ({
^bb0(${left}: ${scalar}, ${right}: ${scalar}):
${sum} = stablehlo.add ${left}, ${right} : ${scalar}
stablehlo.return ${sum} : ${scalar}
}) : (${typeOf(x)}) -> ${typeOf(x)}`,
    x.shape,
    x.element,
  )
}

export const training: Lowerings = {
  [crossEntropyKernel]: crossEntropy,
  [adamKernel]: adam,
  RandomUniform: randomUniform,
}
