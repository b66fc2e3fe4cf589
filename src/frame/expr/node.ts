/** Expressions as plain data: what a row or a group of rows computes. */
import type { ColumnType } from '../schema.js'

/** Scalar functions; `functions.ts` has their types, each engine its printing. */
export const scalarOps = [
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'pow',
  'neg',
  'abs',
  'sqrt',
  'exp',
  'log',
  'floor',
  'ceil',
  'round',
  'eq',
  'ne',
  'gt',
  'ge',
  'lt',
  'le',
  'isIn',
  'and',
  'or',
  'not',
  'isNull',
  'isNotNull',
  'fillNull',
  'when',
  'lower',
  'upper',
  'trim',
  'length',
  'contains',
  'startsWith',
  'endsWith',
  'replace',
  'concat',
  'year',
  'month',
  'day',
  'vector',
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
] as const
export type AggregateOp = (typeof aggregateOps)[number]

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

export type ExprNode =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'literal'; readonly literal: LiteralValue }
  | { readonly kind: 'call'; readonly op: ScalarOp; readonly args: readonly ExprNode[] }
  | { readonly kind: 'cast'; readonly input: ExprNode; readonly to: ColumnType }
  /** `input` is `null` for the number of rows. */
  | { readonly kind: 'aggregate'; readonly op: AggregateOp; readonly input: ExprNode | null }

/** The expressions directly below one. */
export function partsOf(node: ExprNode): readonly ExprNode[] {
  switch (node.kind) {
    case 'column':
    case 'literal':
      return []
    case 'call':
      return node.args
    case 'cast':
      return [node.input]
    case 'aggregate':
      return node.input === null ? [] : [node.input]
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

export function hasAggregate(node: ExprNode): boolean {
  return node.kind === 'aggregate' || partsOf(node).some(hasAggregate)
}

/** An expression as a user would write it, for messages and `explain()`. */
export function printExpr(node: ExprNode): string {
  switch (node.kind) {
    case 'column':
      return `col(${JSON.stringify(node.name)})`
    case 'literal':
      return printLiteral(node.literal)
    case 'cast':
      return `${printExpr(node.input)}.cast(${JSON.stringify(node.to.kind)})`
    case 'aggregate':
      return node.input === null ? 'col.count()' : `${printExpr(node.input)}.${node.op}()`
    case 'call': {
      if (node.op === 'vector' || node.op === 'when') return `${node.op}(${node.args.map(printExpr).join(', ')})`
      const [self, ...rest] = node.args
      return `${printExpr(self!)}.${node.op}(${rest.map(printExpr).join(', ')})`
    }
    default:
      return node satisfies never
  }
}

function printLiteral(literal: LiteralValue): string {
  switch (literal.kind) {
    case 'null':
      return 'null'
    case 'string':
      return JSON.stringify(literal.value)
    case 'bigint':
      return `${literal.value}n`
    case 'timestamp':
      return `new Date(${JSON.stringify(literal.value)})`
    default:
      return String(literal.value)
  }
}
