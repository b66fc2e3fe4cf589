/**
 * Scalar functions: what each takes and gives. The only place that says so; every engine follows it.
 *
 * A result is null when an argument is null, but for: `isNull`, `isNotNull`, `fillNull`, `and`/`or` (SQL's three-valued
 * logic), `when`, `list`, `struct`. Arithmetic on numbers is IEEE float64, as in JavaScript: a division by zero is an
 * infinity or NaN. Arithmetic on bigints is in 64 bits and raises when it overflows. Comparisons order NaN above every
 * number and equal to itself, so that sorting and grouping are well defined.
 */
import { checkOneOf } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { boolean, float64, int64, isNullType, nullType, string, type ColumnType, type Typed } from '../schema.js'
import { describeType, structType } from '../schema-spec.js'
import type { ExprNode, ScalarOp } from './node.js'
import { printExpr } from './print.js'
import { fixedUnits, timeUnits, type TimeUnit } from './time-unit.js'
import { comparable, unify, type Kind } from './unify.js'

/** A call whose arguments are typed. */
export interface Call {
  readonly caller: string
  readonly op: string
  readonly args: readonly ExprNode[]
  readonly types: readonly Typed[]
}
type Signature = (call: Call) => Typed

export const functions: Readonly<Record<ScalarOp, Signature>> = {
  ...same(['add', 'sub', 'mul'], (call) => {
    checkKinds(call, ['number', 'bigint'])
    return { type: common(call).kind === 'bigint' ? { kind: 'bigint' } : float64, nullable: anyNull(call) }
  }),
  ...same(['neg', 'abs'], (call) => {
    checkKinds(call, ['number', 'bigint'])
    return { type: call.types[0]!.type.kind === 'bigint' ? { kind: 'bigint' } : float64, nullable: anyNull(call) }
  }),
  ...same(
    ['div', 'mod', 'pow', 'sign', 'sqrt', 'exp', 'log', 'log2', 'log10', 'sin', 'cos', 'tan', 'tanh'],
    of(['number'], float64),
  ),
  ...same(['floor', 'ceil', 'round', 'clip'], of(['number'], float64)),
  ...same(['isNaN', 'isFinite'], of(['number'], boolean)),
  ...same(['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'isIn'], (call) => {
    checkKinds(call, comparable)
    common(call)
    return { type: boolean, nullable: anyNull(call) }
  }),
  ...same(['and', 'or', 'not'], of(['boolean'], boolean)),
  ...same(['isNull', 'isNotNull'], () => ({ type: boolean, nullable: false })),
  fillNull: (call) => ({ type: common(call), nullable: call.types.every((each) => each.nullable) }),
  when: (call) => {
    const isValue = (index: number): boolean => index % 2 === 1 || index === call.types.length - 1
    checkKinds(
      part(call, (_, i) => !isValue(i)),
      ['boolean'],
    )
    const values = part(call, (_, i) => isValue(i))
    return { type: common(values), nullable: anyNull(values) }
  },

  ...same(['lower', 'upper', 'trim', 'trimStart', 'trimEnd', 'replace', 'concat'], of(['string'], string)),
  ...same(['matches', 'contains', 'startsWith', 'endsWith'], of(['string'], boolean)),
  ...same(['length', 'indexOf'], of(['string'], int64)),
  substring: by([['string'], ['number'], ['number']], string),
  ...same(['padStart', 'padEnd'], by([['string'], ['number'], ['string']], string)),
  repeat: by([['string'], ['number']], string),
  reverse: of(['string'], string),
  replaceMatches: of(['string'], string),
  split: of(['string'], { kind: 'list', element: { type: string, nullable: false } }),
  extract: by([['string'], ['string'], ['number']], string, { nullable: true }),
  toTimestamp: of(['string'], { kind: 'timestamp' }),

  ...same(['year', 'quarter', 'month', 'week', 'day', 'weekday', 'dayOfYear'], of(['date', 'timestamp'], int64)),
  ...same(['hour', 'minute', 'second', 'millisecond'], of(['date', 'timestamp'], int64)),
  truncate: (call) => {
    checkUnit(call, 1, timeUnits)
    return keepFirst(call, [['date', 'timestamp'], ['string']])
  },
  plus: (call) => {
    checkUnit(call, 2, timeUnits)
    return by([['date', 'timestamp'], ['number'], ['string']], { kind: 'timestamp' })(call)
  },
  since: (call) => {
    checkUnit(call, 2, fixedUnits)
    return by([['date', 'timestamp'], ['date', 'timestamp'], ['string']], float64)(call)
  },
  format: by([['date', 'timestamp'], ['string']], string),

  list: (call) => ({
    type: { kind: 'list', element: { type: common(call), nullable: anyNull(call) } },
    nullable: false,
  }),
  listLength: of(['list'], int64),
  listGet: (call) => {
    checkArguments(call, [['list'], ['number']])
    return { type: elementOf(call).type, nullable: true }
  },
  listContains: (call) => {
    checkArguments(call, [['list'], comparable])
    common({ ...call, types: [elementOf(call), call.types[1]!] })
    return { type: boolean, nullable: anyNull(call) }
  },
  ...same(['listSum', 'listMean'], (call) => {
    checkElements(call, ['number'])
    return { type: float64, nullable: true }
  }),
  ...same(['listMin', 'listMax'], (call) => {
    checkElements(call, comparable)
    return { type: elementOf(call).type, nullable: true }
  }),
  listSort: (call) => {
    checkElements(call, comparable)
    return call.types[0]!
  },
  listUnique: (call) => {
    checkElements(call, comparable)
    // Nulls are no values: a list of distinct ones has none.
    return { type: { kind: 'list', element: { ...elementOf(call), nullable: false } }, nullable: anyNull(call) }
  },
  listReverse: (call) => keepFirst(call, [['list']]),
  listSlice: (call) => keepFirst(call, [['list'], ['number'], ['number']]),
  listJoin: (call) => {
    checkArguments(call, [['list'], ['string']])
    checkElements(call, ['string'])
    return { type: string, nullable: anyNull(call) }
  },

  struct: (call) => {
    const fields = call.types.flatMap((typed, i) => (i % 2 === 0 ? [] : [{ name: literalText(call, i - 1), ...typed }]))
    return { type: structType(call.caller, fields), nullable: false }
  },
  field: (call) => {
    checkArguments(call, [['struct'], ['string']])
    const { type, nullable } = call.types[0]!
    const [fields, name] = [type.kind === 'struct' ? type.fields : [], literalText(call, 1)]
    const field = fields.find((each) => each.name === name)
    if (field !== undefined) return { type: field.type, nullable: nullable || field.nullable }
    throw new ShardbookError('column', `${call.caller}: there is no field '${name}' in ${printExpr(call.args[0]!)}.`, {
      hint: `Fields: ${fields.map((each) => each.name).join(', ')}.`,
    })
  },
  level: of(['categorical'], int64),
  vector: (call) => {
    checkKinds(call, ['number', 'boolean'])
    return { type: { kind: 'tensor', dtype: 'float32', shape: [call.args.length], held: 'inline' }, nullable: false }
  },
}

function same<K extends ScalarOp>(ops: readonly K[], signature: Signature): Record<K, Signature> {
  return Object.fromEntries(ops.map((op) => [op, signature])) as Record<K, Signature>
}

/** All arguments of these kinds. */
function of(kinds: readonly Kind[], type: ColumnType): Signature {
  return (call) => {
    checkKinds(call, kinds)
    return { type, nullable: anyNull(call) }
  }
}

/** Each argument of its kinds. */
function by(kinds: readonly (readonly Kind[])[], type: ColumnType, { nullable = false } = {}): Signature {
  return (call) => {
    checkArguments(call, kinds)
    return { type, nullable: nullable || anyNull(call) }
  }
}

function keepFirst(call: Call, kinds: readonly (readonly Kind[])[]): Typed {
  checkArguments(call, kinds)
  return { type: call.types[0]!.type, nullable: anyNull(call) }
}

function part(call: Call, keep: (typed: Typed, index: number) => boolean): Call {
  return { ...call, types: call.types.filter(keep), args: call.args.filter((_, i) => keep(call.types[i]!, i)) }
}

export function checkKinds(call: Call, kinds: readonly Kind[]): void {
  call.types.forEach((_, index) => checkKind(call, index, kinds))
}

function checkArguments(call: Call, kinds: readonly (readonly Kind[])[]): void {
  call.types.forEach((_, index) => checkKind(call, index, kinds[index] ?? []))
}

function checkKind({ caller, op, args, types }: Call, index: number, kinds: readonly Kind[]): void {
  const got = types[index]!
  if (kinds.includes(got.type.kind) || isNullType(got.type)) return
  const hint =
    got.type.kind === 'string' && kinds.includes('number')
      ? { hint: `Cast it: .cast('number').` }
      : got.type.kind === 'categorical' && kinds.includes('string')
        ? { hint: `Cast it: .cast('string').` }
        : {}
  throw new ShardbookError(
    'column',
    `${caller}: ${op} expected ${kinds.join(' or ')}, got ${describeType(got)} (${printExpr(args[index]!)}).`,
    hint,
  )
}

function checkElements(call: Call, kinds: readonly Kind[]): void {
  checkKind(call, 0, ['list'])
  checkKind({ ...call, types: [elementOf(call)] }, 0, kinds)
}

function elementOf({ types }: Call): Typed {
  const { type } = types[0]!
  return type.kind === 'list' ? type.element : { type: nullType, nullable: true }
}

function anyNull({ types }: Call): boolean {
  return types.some((each) => each.nullable)
}

/** The one type that holds all arguments. */
function common({ caller, op, args, types }: Call): ColumnType {
  return types.reduce<ColumnType>((type, each, index) => {
    const unified = unify(type, each.type, args[index])
    if (unified !== undefined) return unified
    const { type: first } = types[0]!
    throw new ShardbookError(
      'column',
      `${caller}: ${op} expected values of one type, got ${describeType(types[0]!)} (${printExpr(args[0]!)}) and ${describeType(each)} (${printExpr(args[index]!)}).`,
      first.kind === 'categorical' ? { hint: `Levels: ${first.levels.join(', ')}.` } : {},
    )
  }, nullType)
}

function checkUnit(call: Call, index: number, units: readonly TimeUnit[]): void {
  checkOneOf(`${call.caller}: ${call.op}`, 'unit', literalText(call, index), units)
}

function literalText({ caller, op, args }: Call, index: number): string {
  const node = args[index]
  if (node?.kind === 'literal' && node.literal.kind === 'string') return node.literal.value
  throw new ShardbookError('argument', `${caller}: expected ${op} to take a name, got another expression.`)
}
