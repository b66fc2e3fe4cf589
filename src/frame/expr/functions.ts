/**
 * Types of expressions: what each function takes and gives. The only place that says so; every engine follows it.
 *
 * A result is null when an argument is null, but for: `isNull`, `isNotNull`, `fillNull`, `and`/`or` (SQL's three-valued
 * logic), `when` and the aggregates (which skip nulls). Arithmetic on numbers is IEEE float64, as in JavaScript;
 * comparisons order NaN above every number and equal to itself, so that sorting and grouping are well defined.
 */
import { ShardbookError } from '../../core/errors.js'
import {
  boolean,
  describeType,
  findColumn,
  float64,
  int64,
  sameType,
  string,
  type Column,
  type ColumnType,
  type Schema,
} from '../schema.js'
import { hasAggregate, printExpr, type AggregateOp, type ExprNode, type LiteralValue, type ScalarOp } from './node.js'

/** The type of an expression. */
export type Typed = Pick<Column, 'type' | 'nullable'>

/** The type of `node` over rows of `schema`. @throws `column` on an unknown column or a wrong type */
export function inferExpr(caller: string, node: ExprNode, schema: Schema): Typed {
  switch (node.kind) {
    case 'column':
      return findColumn(caller, schema, node.name)
    case 'literal':
      return literalType(node.literal)
    case 'cast': {
      const input = inferExpr(caller, node.input, schema)
      checkCast(caller, node, input, node.to)
      return { type: node.to, nullable: input.nullable }
    }
    case 'aggregate': {
      if (node.input !== null && hasAggregate(node.input)) {
        throw new ShardbookError('column', `${caller}: expected rows inside ${node.op}(), got another aggregate.`)
      }
      return aggregateType(caller, node.op, node.input, schema)
    }
    case 'call':
      return callType(caller, node.op, node.args, schema)
    default:
      return node satisfies never
  }
}

function literalType(literal: LiteralValue): Typed {
  switch (literal.kind) {
    case 'number':
      return { type: float64, nullable: false }
    case 'null':
      // Null is of every type; `unify` lets the other side decide.
      return { type: nullType, nullable: true }
    default:
      return { type: { kind: literal.kind }, nullable: false }
  }
}

const nullType: ColumnType = { kind: 'opaque', sql: 'NULL' }
const isNullType = (type: ColumnType): boolean => type.kind === 'opaque' && type.sql === 'NULL'

const comparable = ['number', 'bigint', 'string', 'boolean', 'date', 'timestamp'] as const
type Kind = ColumnType['kind']

function callType(caller: string, op: ScalarOp, args: readonly ExprNode[], schema: Schema): Typed {
  const types = args.map((arg) => inferExpr(caller, arg, schema))
  const nullable = types.some((each) => each.nullable)
  const expect = (index: number, ...kinds: readonly Kind[]): Typed => {
    const got = types[index]!
    if (kinds.includes(got.type.kind) || isNullType(got.type)) return got
    throw new ShardbookError(
      'column',
      `${caller}: ${op} expected ${kinds.join(' or ')}, got ${describeType(got)} (${printExpr(args[index]!)}).`,
      got.type.kind === 'string' && kinds.includes('number') ? { hint: `Cast it: .cast('number').` } : {},
    )
  }
  const all = (...kinds: readonly Kind[]): void => args.forEach((_, index) => void expect(index, ...kinds))
  const alike = (from = 0): ColumnType =>
    types.slice(from).reduce<ColumnType>((type, each, index) => {
      const unified = unify(type, each.type)
      if (unified !== undefined) return unified
      throw new ShardbookError(
        'column',
        `${caller}: ${op} expected values of one type, got ${describeType(types[from]!)} (${printExpr(args[from]!)}) and ${describeType(each)} (${printExpr(args[from + index]!)}).`,
      )
    }, nullType)

  switch (op) {
    case 'add':
    case 'sub':
    case 'mul': {
      all('number', 'bigint')
      return { type: alike().kind === 'bigint' ? { kind: 'bigint' } : float64, nullable }
    }
    case 'neg':
    case 'abs':
      expect(0, 'number', 'bigint')
      return { type: types[0]!.type.kind === 'bigint' ? { kind: 'bigint' } : float64, nullable }
    case 'div':
    case 'mod':
    case 'pow':
    case 'sqrt':
    case 'exp':
    case 'log':
    case 'floor':
    case 'ceil':
    case 'round':
      all('number')
      return { type: float64, nullable }
    case 'eq':
    case 'ne':
    case 'gt':
    case 'ge':
    case 'lt':
    case 'le':
    case 'isIn':
      all(...comparable)
      alike()
      return { type: boolean, nullable }
    case 'and':
    case 'or':
    case 'not':
      all('boolean')
      return { type: boolean, nullable }
    case 'isNull':
    case 'isNotNull':
      return { type: boolean, nullable: false }
    case 'fillNull':
      return { type: alike(), nullable: types.every((each) => each.nullable) }
    case 'when':
      expect(0, 'boolean')
      return { type: alike(1), nullable: types.slice(1).some((each) => each.nullable) }
    case 'lower':
    case 'upper':
    case 'trim':
    case 'replace':
    case 'concat':
      all('string')
      return { type: string, nullable }
    case 'length':
      all('string')
      return { type: int64, nullable }
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      all('string')
      return { type: boolean, nullable }
    case 'year':
    case 'month':
    case 'day':
      all('date', 'timestamp')
      return { type: int64, nullable }
    case 'vector':
      all('number', 'boolean')
      return { type: { kind: 'tensor', dtype: 'float32', shape: [args.length], held: 'inline' }, nullable: false }
    default:
      return op satisfies never
  }
}

function aggregateType(caller: string, op: AggregateOp, input: ExprNode | null, schema: Schema): Typed {
  if (input === null) return { type: int64, nullable: false }
  const got = inferExpr(caller, input, schema)
  const expect = (...kinds: readonly Kind[]): void => {
    if (kinds.includes(got.type.kind)) return
    throw new ShardbookError(
      'column',
      `${caller}: ${op} expected ${kinds.join(' or ')}, got ${describeType(got)} (${printExpr(input)}).`,
    )
  }
  switch (op) {
    case 'count':
      return { type: int64, nullable: false }
    case 'countDistinct':
      expect(...comparable)
      return { type: int64, nullable: false }
    case 'sum':
      expect('number', 'bigint', 'boolean')
      return { type: got.type.kind === 'bigint' ? got.type : float64, nullable: got.nullable }
    case 'mean':
      expect('number', 'boolean')
      return { type: float64, nullable: got.nullable }
    case 'median':
      expect('number')
      return { type: float64, nullable: got.nullable }
    case 'std':
      // The sample standard deviation of one value is null.
      expect('number')
      return { type: float64, nullable: true }
    case 'min':
    case 'max':
      expect(...comparable)
      return got
    case 'first':
    case 'last':
      return got
    default:
      return op satisfies never
  }
}

/** The type that holds values of both, if there is one. */
export function unify(a: ColumnType, b: ColumnType): ColumnType | undefined {
  if (isNullType(a)) return b
  if (isNullType(b) || sameType(a, b)) return a
  if (a.kind === 'number' && b.kind === 'number') return float64
  const dates: readonly Kind[] = ['date', 'timestamp']
  if (dates.includes(a.kind) && dates.includes(b.kind)) return { kind: 'timestamp' }
  return undefined
}

function checkCast(caller: string, node: ExprNode, from: Typed, to: ColumnType): void {
  const plain: readonly Kind[] = comparable
  if (plain.includes(to.kind) && (plain.includes(from.type.kind) || isNullType(from.type))) return
  if (to.kind === 'tensor' && from.type.kind === 'opaque') return
  if (to.kind === 'string' && from.type.kind === 'opaque') return
  throw new ShardbookError(
    'column',
    `${caller}: cannot cast ${describeType(from)} to ${describeType({ type: to, nullable: false })} (${printExpr(node)}).`,
  )
}
