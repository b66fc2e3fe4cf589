/**
 * The surface of expressions: `col`, `lit`, `when`, `list`, `struct`, `vector`, and the object with all methods behind the
 * typed interfaces of `methods.ts`. It only builds nodes; the frame that uses them checks them.
 */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import { unknownColumn, type Schema } from '../schema.js'
import type { Tensor } from '../tensor/tensor.js'
import { literalNode, type Literal } from './literal.js'
import { methods } from './method-table.js'
import type { ColumnExpr } from './column-methods.js'
import type { NumberExpr } from './methods.js'
import type { ExprNode, WindowOp } from './node.js'
import type { Columns, Expr, ExprOf, Intersect, Open, SortExpr } from './types.js'

/**
 * A column by its name. `col.count()` counts rows; `col.rank()` and its like number them in a window.
 *
 * @example
 * ```ts
 * df.filter(col('age').ge(18).and(col('name').startsWith('A')))
 * df.groupBy('city').agg({ people: col.count(), age: col('age').mean() })
 * df.withColumns({ place: col.rank().over({ partitionBy: 'city', orderBy: col('age').desc() }) })
 * ```
 */
export const col: ColumnFunction = Object.assign((name: string) => build({ kind: 'column', name }), {
  count: () => build({ kind: 'aggregate', op: 'count', input: null }),
  rowNumber: () => place('rowNumber'),
  rank: () => place('rank'),
  denseRank: () => place('denseRank'),
  percentRank: () => place('percentRank'),
  ntile: (parts: number) => place('ntile', literalNode('ntile', parts)),
}) as unknown as ColumnFunction

type Place = NumberExpr<number, unknown, 'window'>
interface ColumnFunction {
  <const K extends string>(name: K): ColumnExpr<K>
  /** The number of rows. */
  count(): NumberExpr<number, unknown, 'group'>
  /** The row's number in its window, from 1. */
  rowNumber(): Place
  /** The row's rank in its window, from 1; equal rows have the same, and the next one leaves a gap. */
  rank(): Place
  /** As `rank`, without gaps. */
  denseRank(): Place
  /** The rank from 0 to 1. */
  percentRank(): Place
  /** The number, from 1, of the row's part when its window is cut in so many equal ones. */
  ntile(parts: number): Place
}

function place(op: WindowOp, ...args: readonly ExprNode[]): Expr {
  return build({ kind: 'window', op, args })
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
type RowValue = Literal | Expr<unknown, unknown, 'row'>
type TypeIn<E> = E extends Expr<infer T> ? T : Widen<E>
type NeedsIn<E> = E extends Expr<unknown, infer N> ? N : unknown

/**
 * The value of the first condition that holds, and another one elsewhere (also where a condition is null).
 *
 * @example
 * ```ts
 * df.withColumns({ size: when(col('n').gt(10)).then('big').when(col('n').gt(5)).then('middle').otherwise('small') })
 * ```
 */
export function when<N>(condition: Condition<N>): Then<never, N> {
  return branch([condition.node])
}
type Condition<N> = Expr<boolean | null | Open, N, 'row'>
export interface Then<T, N> {
  then<const V extends RowValue>(value: V): Otherwise<T | TypeIn<V>, N & NeedsIn<V>>
}
export interface Otherwise<T, N> {
  when<M>(condition: Condition<M>): Then<T, N & M>
  otherwise<const V extends RowValue>(value: V): ExprOf<T | TypeIn<V>, N & NeedsIn<V>, 'row'>
}

function branch<T, N>(args: readonly ExprNode[]): Then<T, N> {
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- the word that SQL has for it; awaited, it raises
    then: (value) => {
      const branches = [...args, valueNode('then', value)]
      return {
        when: (condition) => branch([...branches, condition.node]),
        otherwise: (last) =>
          build({ kind: 'call', op: 'when', args: [...branches, valueNode('otherwise', last)] }) as never,
      }
    },
  }
}

function valueNode(caller: string, value: unknown): ExprNode {
  return isExpr(value) ? value.node : literalNode(caller, value)
}

/**
 * A list of these values, for each row.
 *
 * @example
 * ```ts
 * df.withColumns({ both: list(col('first'), col('second')) })
 * ```
 */
export function list<const V extends readonly RowValue[]>(
  ...values: V
): ExprOf<TypeIn<V[number]>[], Intersect<NeedIn<V[number]>>, 'row'> {
  return build({ kind: 'call', op: 'list', args: values.map((value) => valueNode('list', value)) }) as never
}
/** In a tuple, so that a union of them is a union of needs. */
type NeedIn<E> = E extends unknown ? [NeedsIn<E>] : never

/**
 * A struct of these fields, for each row.
 *
 * @example
 * ```ts
 * df.withColumns({ place: struct({ x: col('x'), y: col('y') }) })
 * ```
 */
export function struct<const F extends Readonly<Record<string, RowValue>>>(
  fields: F,
): ExprOf<{ -readonly [K in keyof F]: TypeIn<F[K]> }, Intersect<NeedIn<F[keyof F]>>, 'row'> {
  const args = Object.entries(fields).flatMap(([name, value]) => [
    literalNode('struct', name),
    valueNode('struct', value),
  ])
  return build({ kind: 'call', op: 'struct', args }) as never
}

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
): ExprOf<Tensor<VectorShape<K>>, VectorNeeds<K>, 'row'> {
  if (columns.length === 0) throw new ShardbookError('argument', 'vector: expected at least one column, got none.')
  return build({ kind: 'call', op: 'vector', args: columns.map((name) => ({ kind: 'column', name })) }) as never
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
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === prototype
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

/** The prototype of every expression. */
const prototype: object = methods(build, isExpr, isSortExpr)

function build(node: ExprNode): Expr {
  return Object.freeze(
    Object.assign(Object.create(prototype) as object, { node: Object.freeze(node) }),
  ) as unknown as Expr
}
