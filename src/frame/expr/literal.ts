/** JavaScript values as literals of a plan. */
import { show } from '../../core/check.js'
import { ShardbookError } from '../../core/errors.js'
import type { ExprNode, LiteralValue } from './node.js'

/** A value that can be written as a literal. */
export type Literal = number | string | boolean | bigint | Date | null

/** @throws `argument` for any other value */
export function literalNode(caller: string, value: unknown): ExprNode {
  return Object.freeze({ kind: 'literal', literal: literalOf(caller, value) })
}

/** @throws `argument` for any other value */
export function literalOf(caller: string, value: unknown): LiteralValue {
  if (value === null) return { kind: 'null' }
  if (typeof value === 'number') return { kind: 'number', value: Object.is(value, -0) ? '-0.0' : String(value) }
  if (typeof value === 'string') return { kind: 'string', value }
  if (typeof value === 'boolean') return { kind: 'boolean', value }
  if (typeof value === 'bigint') return { kind: 'bigint', value: String(value) }
  if (value instanceof Date && !Number.isNaN(value.getTime())) return { kind: 'timestamp', value: value.toISOString() }
  throw new ShardbookError(
    'argument',
    `${caller}: expected an expression, number, string, boolean, bigint, valid Date or null, got ${show(value)}.`,
  )
}
