/** Expressions as plain data: what a row or a group of rows computes. */
import type { ColumnType, Typed } from '../schema.js'

/** Scalar functions; `functions.ts` has their types, each engine its printing. */
export const scalarOps = [
  ...(['add', 'sub', 'mul', 'div', 'mod', 'pow', 'neg', 'abs', 'sign', 'sqrt', 'exp', 'log', 'log2', 'log10'] as const),
  ...(['sin', 'cos', 'tan', 'tanh', 'floor', 'ceil', 'round', 'clip', 'isNaN', 'isFinite'] as const),
  ...(['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'isIn', 'and', 'or', 'not'] as const),
  ...(['isNull', 'isNotNull', 'fillNull', 'when'] as const),
  ...(['lower', 'upper', 'trim', 'trimStart', 'trimEnd', 'length', 'contains', 'startsWith', 'endsWith'] as const),
  ...(['indexOf', 'replace', 'concat', 'substring', 'padStart', 'padEnd', 'repeat', 'reverse', 'split'] as const),
  ...(['matches', 'extract', 'replaceMatches', 'toTimestamp'] as const),
  ...(['year', 'quarter', 'month', 'week', 'day', 'weekday', 'dayOfYear', 'hour', 'minute', 'second'] as const),
  ...(['millisecond', 'truncate', 'plus', 'since', 'format'] as const),
  ...(['list', 'listLength', 'listGet', 'listContains', 'listSum', 'listMean', 'listMin', 'listMax'] as const),
  ...(['listSort', 'listUnique', 'listReverse', 'listSlice', 'listJoin'] as const),
  ...(['struct', 'field', 'level', 'vector'] as const),
] as const
export type ScalarOp = (typeof scalarOps)[number]

export const aggregateOps = [
  'count',
  'countDistinct',
  'sum',
  'mean',
  'min',
  'max',
  'std',
  'median',
  'first',
  'last',
  'toList',
] as const
export type AggregateOp = (typeof aggregateOps)[number]

/** Functions of a row's place among the rows of its window. */
export const windowOps = ['rowNumber', 'rank', 'denseRank', 'percentRank', 'ntile', 'lag', 'lead'] as const
export type WindowOp = (typeof windowOps)[number]

/** A literal as JSON: numbers that JSON lacks, bigints and dates as text. */
export type LiteralValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  /** `value` as `String(number)`: `1.5`, `NaN`, `-Infinity`. */
  | { readonly kind: 'number'; readonly value: string }
  | { readonly kind: 'bigint'; readonly value: string }
  /** ISO 8601, UTC, with milliseconds. */
  | { readonly kind: 'timestamp'; readonly value: string }

export interface SortKey {
  readonly expr: ExprNode
  readonly descending: boolean
}

export interface AggregateExpr {
  readonly kind: 'aggregate'
  readonly op: AggregateOp
  /** `null` for the number of rows. */
  readonly input: ExprNode | null
  /** Only the rows where this is true. */
  readonly where?: ExprNode
}

export interface WindowExpr {
  readonly kind: 'window'
  readonly op: WindowOp
  readonly args: readonly ExprNode[]
}

/**
 * An aggregate or a window function over the rows of each row's partition. Without a frame, aggregates run from the
 * partition's first row to the row itself where there is an order (but for `first` and `last`), else over all of them.
 */
export interface OverExpr {
  readonly kind: 'over'
  readonly input: AggregateExpr | WindowExpr
  readonly partitionBy: readonly ExprNode[]
  /** Ties, and no order at all, are in the order of the rows. */
  readonly orderBy: readonly SortKey[]
  /** Rows relative to the row itself, both included; `null` without end. */
  readonly frame: WindowFrame | null
}
/** A row function (`row-function.ts`) of the arguments' values. */
export interface ApplyExpr {
  readonly kind: 'apply'
  /** Its kind. */
  readonly fn: string
  /** Plain data; the same object for the same function, which is made once. */
  readonly payload: object
  readonly args: readonly ExprNode[]
  /** What it gives. */
  readonly gives: Typed
}
export type WindowFrame = readonly [from: number | null, to: number | null]

export type ExprNode =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'literal'; readonly literal: LiteralValue }
  | { readonly kind: 'call'; readonly op: ScalarOp; readonly args: readonly ExprNode[] }
  /** `lenient`: null for what cannot be cast, instead of an error. */
  | { readonly kind: 'cast'; readonly input: ExprNode; readonly to: ColumnType; readonly lenient?: boolean }
  | ApplyExpr
  | AggregateExpr
  | WindowExpr
  | OverExpr

/** The expressions directly below one. */
export function partsOf(node: ExprNode): readonly ExprNode[] {
  switch (node.kind) {
    case 'column':
    case 'literal':
      return []
    case 'call':
    case 'apply':
    case 'window':
      return node.args
    case 'cast':
      return [node.input]
    case 'aggregate':
      return [...(node.input === null ? [] : [node.input]), ...(node.where === undefined ? [] : [node.where])]
    case 'over':
      return [node.input, ...node.partitionBy, ...node.orderBy.map(({ expr }) => expr)]
    default:
      return node satisfies never
  }
}

/** The same expression with each part changed. */
export function mapParts(node: ExprNode, change: (part: ExprNode) => ExprNode): ExprNode {
  switch (node.kind) {
    case 'column':
    case 'literal':
      return node
    case 'call':
    case 'apply':
    case 'window':
      return { ...node, args: node.args.map(change) }
    case 'cast':
      return { ...node, input: change(node.input) }
    case 'aggregate':
      return {
        ...node,
        input: node.input === null ? null : change(node.input),
        ...(node.where === undefined ? {} : { where: change(node.where) }),
      }
    case 'over':
      return {
        ...node,
        input: mapParts(node.input, change) as OverExpr['input'],
        partitionBy: node.partitionBy.map(change),
        orderBy: node.orderBy.map((key) => ({ ...key, expr: change(key.expr) })),
      }
    default:
      return node satisfies never
  }
}

/** Names of the columns that an expression reads. */
export function columnsOf(node: ExprNode, into: Set<string> = new Set()): Set<string> {
  if (node.kind === 'column') into.add(node.name)
  for (const part of partsOf(node)) columnsOf(part, into)
  return into
}

/** Whether an expression is over groups: an aggregate or a window function that no `over` makes one over rows. */
export function hasAggregate(node: ExprNode): boolean {
  if (node.kind === 'over') return [...partsOf(node.input), ...partsOf(node).slice(1)].some(hasAggregate)
  return node.kind === 'aggregate' || node.kind === 'window' || partsOf(node).some(hasAggregate)
}

export function hasWindow(node: ExprNode): boolean {
  return node.kind === 'over' || partsOf(node).some(hasWindow)
}
