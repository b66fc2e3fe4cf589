/**
 * The surface of expressions: `col`, `lit`, `when`, `vector`, and the object with all methods behind the typed interfaces of
 * `types.ts`. It only builds nodes; the frame that uses them checks them.
 */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { float64, unknownColumn, type ColumnType, type Schema } from '../schema.js'
import type { CastName, ColumnExpr, Columns, Expr, ExprOf, NullIf, NumberExpr, Ref, SortExpr } from './types.js'
import type { Tensor } from '../tensor/tensor.js'
import { literalNode, type Literal } from './literal.js'
import { aggregateOps, scalarOps, type AggregateOp, type ExprNode, type ScalarOp } from './node.js'

/**
 * A column by its name; `col.count()` counts rows.
 *
 * @example
 * ```ts
 * df.filter(col('age').ge(18).and(col('name').startsWith('A')))
 * df.groupBy('city').agg({ people: col.count(), age: col('age').mean() })
 * ```
 */
export const col: ColumnFunction = Object.assign((name: string) => build({ kind: 'column', name }), {
  count: () => build({ kind: 'aggregate', op: 'count', input: null }),
}) as unknown as ColumnFunction

interface ColumnFunction {
  <const K extends string>(name: K): ColumnExpr<K>
  /** The number of rows. */
  count(): NumberExpr<number, unknown, 'group'>
}

/**
 * A literal.
 *
 * @example
 * ```ts
 * df.withColumns({ one: lit(1), country: lit('CH') })
 * ```
 */
export function lit<V extends Literal>(value: V): ExprOf<Widen<V>, unknown, 'row'> {
  return build(literalNode('lit', value)) as ExprOf<Widen<V>, unknown, 'row'>
}
type Widen<V> = V extends number
  ? number
  : V extends string
    ? string
    : V extends boolean
      ? boolean
      : V extends bigint
        ? bigint
        : V

/**
 * One value where a condition holds, another one elsewhere (also where the condition is null).
 *
 * @example
 * ```ts
 * df.withColumns({ size: when(col('n').gt(10), lit('big'), lit('small')) })
 * ```
 */
export function when<NC, A extends Expr<unknown, unknown, 'row'>, B extends Expr<unknown, unknown, 'row'>>(
  condition: Expr<boolean | null | NullIf<string> | Ref<string>, NC, 'row'>,
  then: A,
  otherwise: B,
): ExprOf<TypeIn<A> | TypeIn<B>, NC & NeedsIn<A> & NeedsIn<B>, 'row'> {
  const node: ExprNode = { kind: 'call', op: 'when', args: [condition.node, then.node, otherwise.node] }
  return build(node) as ExprOf<TypeIn<A> | TypeIn<B>, NC & NeedsIn<A> & NeedsIn<B>, 'row'>
}
type TypeIn<E> = E extends Expr<infer T> ? T : never
type NeedsIn<E> = E extends Expr<unknown, infer N> ? N : unknown

/**
 * Numbers side by side as one float32 tensor column of shape `[n]`; a null component is an error when it runs.
 *
 * @example
 * ```ts
 * df.withColumns({ features: vector('sepalLength', 'sepalWidth', 'petalLength', 'petalWidth') })
 * ```
 */
export function vector<const K extends readonly string[]>(
  ...columns: K
): Expr<Tensor<VectorShape<K>>, VectorNeeds<K>, 'row'> {
  if (columns.length === 0) throw new ShardbookError('argument', 'vector: expected at least one column, got none.')
  const node: ExprNode = { kind: 'call', op: 'vector', args: columns.map((name) => ({ kind: 'column', name })) }
  return build(node) as Expr<Tensor<VectorShape<K>>, VectorNeeds<K>, 'row'>
}
type VectorNeeds<K extends readonly string[]> = { readonly [P in K[number]]: number | boolean | null }
type VectorShape<K extends readonly string[]> = number extends K['length'] ? [number] : [K['length']]

/** The columns of a frame as a callback gets them; an unknown name raises at once. */
export function columnsProxy<S>(caller: string, schema: Schema): Columns<S> {
  return new Proxy(
    {},
    {
      get: (_, name) => {
        if (typeof name !== 'string') return undefined
        if (!schema.some((column) => column.name === name)) throw unknownColumn(caller, schema, name)
        return build({ kind: 'column', name })
      },
      has: (_, name) => schema.some((column) => column.name === name),
      ownKeys: () => schema.map((column) => column.name),
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      set: () => false,
    },
  ) as Columns<S>
}

export function isExpr(value: unknown): value is Expr {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === methods
}

export function isSortExpr(value: unknown): value is SortExpr {
  return typeof value === 'object' && value !== null && 'sort' in value && !isExpr(value)
}

/** The node of an expression. @throws `argument` when it is none */
export function nodeOf(caller: string, value: unknown): ExprNode {
  if (isExpr(value)) return value.node
  throw new ShardbookError(
    'argument',
    `${caller}: expected an expression such as col('a').gt(1), got ${show(value)}.`,
    {
      hint: 'Write a constant as lit(…).',
    },
  )
}

function build(node: ExprNode): Expr {
  return Object.freeze(
    Object.assign(Object.create(methods) as object, { node: Object.freeze(node) }),
  ) as unknown as Expr
}

const castTypes: Readonly<Record<CastName, ColumnType>> = {
  number: float64,
  bigint: { kind: 'bigint' },
  string: { kind: 'string' },
  boolean: { kind: 'boolean' },
  date: { kind: 'date' },
  timestamp: { kind: 'timestamp' },
}

/** The prototype of every expression: a method for each function, which builds the node. */
const methods: object = (() => {
  type Self = { readonly node: ExprNode }
  const argument = (op: string, value: unknown): ExprNode => (isExpr(value) ? value.node : literalNode(op, value))
  const table: Record<string, (this: Self, ...args: readonly unknown[]) => unknown> = {}
  const free: readonly (ScalarOp | AggregateOp)[] = ['when', 'vector', 'isIn']
  for (const op of scalarOps) {
    if (free.includes(op)) continue
    table[op] = function (...args) {
      return build({ kind: 'call', op, args: [this.node, ...args.map((arg) => argument(op, arg))] })
    }
  }
  for (const op of aggregateOps) {
    table[op] = function () {
      return build({ kind: 'aggregate', op, input: this.node })
    }
  }
  table['isIn'] = function (values) {
    if (!Array.isArray(values)) throw new ShardbookError('argument', `isIn: expected an array, got ${show(values)}.`)
    return build({ kind: 'call', op: 'isIn', args: [this.node, ...values.map((value) => literalNode('isIn', value))] })
  }
  table['between'] = function (low, high) {
    const bound = (op: ScalarOp, value: unknown): ExprNode => ({
      kind: 'call',
      op,
      args: [this.node, argument('between', value)],
    })
    return build({ kind: 'call', op: 'and', args: [bound('ge', low), bound('le', high)] })
  }
  table['cast'] = function (to) {
    const type = castTypes[to as CastName]
    if (type === undefined) {
      throw new ShardbookError(
        'argument',
        `cast: expected one of ${Object.keys(castTypes).join(', ')}, got ${show(to)}.`,
      )
    }
    return build({ kind: 'cast', input: this.node, to: type })
  }
  table['asc'] = function () {
    return Object.freeze({ sort: { expr: this.node, descending: false } })
  }
  table['desc'] = function () {
    return Object.freeze({ sort: { expr: this.node, descending: true } })
  }
  return Object.freeze(table)
})()
