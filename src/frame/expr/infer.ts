/** The type of an expression over rows of a schema; aggregates skip nulls and are null where there is nothing else. */
import { ShardbookError } from '../../core/errors.js'
import {
  findColumn,
  float64,
  int64,
  isNullType,
  nullType,
  type ColumnType,
  type Schema,
  type Typed,
} from '../schema.js'
import { argumentKind } from '../row-function.js'
import { describeType } from '../schema-spec.js'
import { checkKinds, functions, type Call } from './functions.js'
import {
  hasAggregate,
  hasWindow,
  partsOf,
  type AggregateExpr,
  type ExprNode,
  type LiteralValue,
  type OverExpr,
  type WindowExpr,
} from './node.js'
import { printExpr } from './print.js'
import { comparable, unify } from './unify.js'

/** @throws `column` on an unknown column or a wrong type */
export function inferExpr(caller: string, node: ExprNode, schema: Schema): Typed {
  switch (node.kind) {
    case 'column': {
      const { type, nullable } = findColumn(caller, schema, node.name)
      return { type, nullable }
    }
    case 'literal':
      return literalType(node.literal)
    case 'cast': {
      const input = inferExpr(caller, node.input, schema)
      checkCast(caller, node, input, node.to)
      return { type: node.to, nullable: input.nullable || node.lenient === true }
    }
    case 'aggregate':
      if (partsOf(node).some((part) => hasAggregate(part) || hasWindow(part))) {
        throw new ShardbookError('column', `${caller}: expected rows inside ${node.op}(), got ${printExpr(node)}.`)
      }
      return aggregateType(caller, node, schema)
    case 'window':
      throw new ShardbookError('column', `${caller}: expected ${printExpr(node)} to be over a window, got it alone.`, {
        hint: `Say over which rows: .over({ partitionBy: 'a', orderBy: 'b' }).`,
      })
    case 'over':
      return overType(caller, node, schema)
    case 'call':
      return functions[node.op](callOf(caller, node.op, node.args, schema))
    case 'apply': {
      const { args, types } = callOf(caller, node.fn, node.args, schema)
      const wrong = types.findIndex(({ type }) => argumentKind(type) === undefined)
      if (wrong < 0) return node.gives
      const got = `${describeType(types[wrong]!)} (${printExpr(args[wrong]!)})`
      throw new ShardbookError('column', `${caller}: ${node.fn} expected numbers, text, lists or vectors, got ${got}.`)
    }
    default:
      return node satisfies never
  }
}

function callOf(caller: string, op: string, args: readonly ExprNode[], schema: Schema): Call {
  return { caller, op, args, types: args.map((arg) => inferExpr(caller, arg, schema)) }
}

function literalType(literal: LiteralValue): Typed {
  switch (literal.kind) {
    case 'number':
      return { type: float64, nullable: false }
    case 'null':
      return { type: nullType, nullable: true }
    default:
      return { type: { kind: literal.kind }, nullable: false }
  }
}

function aggregateType(caller: string, { op, input, where }: AggregateExpr, schema: Schema): Typed {
  if (where !== undefined) checkKinds(callOf(caller, 'where', [where], schema), ['boolean'])
  if (input === null) return { type: int64, nullable: false }
  const call = callOf(caller, op, [input], schema)
  const { type, nullable } = call.types[0]!
  // With a condition there may be no row left.
  const typed = (result: ColumnType, mayBeNull = nullable): Typed => ({
    type: result,
    nullable: mayBeNull || where !== undefined,
  })
  switch (op) {
    case 'count':
      return { type: int64, nullable: false }
    case 'countDistinct':
      checkKinds(call, comparable)
      return { type: int64, nullable: false }
    case 'sum':
      checkKinds(call, ['number', 'bigint', 'boolean'])
      return typed(type.kind === 'bigint' ? type : float64)
    case 'mean':
      checkKinds(call, ['number', 'boolean'])
      return typed(float64)
    case 'median':
      checkKinds(call, ['number'])
      return typed(float64)
    case 'std':
      // The sample standard deviation of one value is null.
      checkKinds(call, ['number'])
      return typed(float64, true)
    case 'min':
    case 'max':
      checkKinds(call, comparable)
      return typed(type)
    case 'first':
    case 'last':
      return typed(type)
    case 'toList':
      return typed({ kind: 'list', element: { type, nullable } }, false)
    default:
      return op satisfies never
  }
}

function overType(caller: string, node: OverExpr, schema: Schema): Typed {
  if (
    partsOf(node)
      .slice(1)
      .concat(partsOf(node.input))
      .some((part) => hasWindow(part) || hasAggregate(part))
  ) {
    throw new ShardbookError('column', `${caller}: expected rows inside a window, got ${printExpr(node)}.`, {
      hint: 'Add the inner one as a column first.',
    })
  }
  for (const expr of [...node.partitionBy, ...node.orderBy.map((key) => key.expr)]) {
    checkKinds(callOf(caller, 'over', [expr], schema), comparable)
  }
  const { input, frame } = node
  if (input.kind === 'window') return windowType(caller, input, node, schema)
  const typed = aggregateType(caller, input, schema)
  const [from, to] = frame ?? [null, null]
  const holdsRow = (from === null || from <= 0) && (to === null || to >= 0)
  const isCount = input.op === 'count' || input.op === 'countDistinct'
  return { type: typed.type, nullable: typed.nullable || (!holdsRow && !isCount) }
}

function windowType(caller: string, { op, args }: WindowExpr, over: OverExpr, schema: Schema): Typed {
  switch (op) {
    case 'rank':
    case 'denseRank':
    case 'percentRank':
      if (over.orderBy.length === 0) {
        throw new ShardbookError('column', `${caller}: expected ${op}() over rows in an order, got no orderBy.`, {
          hint: `Say which: .over({ orderBy: col('a').desc() }).`,
        })
      }
      return { type: op === 'percentRank' ? float64 : int64, nullable: false }
    case 'rowNumber':
    case 'ntile':
      return { type: int64, nullable: false }
    case 'lag':
    case 'lead': {
      const [value, , fill] = callOf(caller, op, args, schema).types
      const type = fill === undefined ? value!.type : unify(value!.type, fill.type)
      if (type !== undefined) return { type, nullable: value!.nullable || (fill?.nullable ?? true) }
      throw new ShardbookError(
        'column',
        `${caller}: expected ${op} to fill with ${describeType(value!)}, got ${describeType(fill!)}.`,
      )
    }
    default:
      return op satisfies never
  }
}

function checkCast(caller: string, node: ExprNode, from: Typed, to: ColumnType): void {
  const castable = (type: ColumnType): boolean => comparable.includes(type.kind) || isNullType(type)
  if (castable(to) && castable(from.type)) return
  if (isNullType(from.type) && to.kind !== 'tensor') return
  if (to.kind === 'string' && ['opaque', 'list', 'struct'].includes(from.type.kind)) return
  if ((to.kind === 'tensor' || to.kind === 'list') && (from.type.kind === 'list' || from.type.kind === 'opaque')) return
  if (to.kind === 'struct' && from.type.kind === 'struct') return
  throw new ShardbookError(
    'column',
    `${caller}: cannot cast ${describeType(from)} to ${describeType({ type: to, nullable: false })} (${printExpr(node)}).`,
  )
}
