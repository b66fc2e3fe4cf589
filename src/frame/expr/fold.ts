/** Expressions whose literal parts are computed once, here, with the semantics that `functions.ts` states. */
import { literalNode } from './literal.js'
import { mapParts, partsOf, type ExprNode } from './node.js'

/** An equal expression; the very same one when there is nothing to fold. */
export function foldExpr(node: ExprNode): ExprNode {
  const parts = partsOf(node)
  const folded = new Map(parts.map((part) => [part, foldExpr(part)]))
  const changed = parts.some((part) => folded.get(part) !== part)
  const whole = changed ? mapParts(node, (part) => folded.get(part) ?? foldExpr(part)) : node
  return whole.kind === 'call' ? foldCall(whole) : whole
}

function foldCall(call: Extract<ExprNode, { kind: 'call' }>): ExprNode {
  if (call.op === 'and' || call.op === 'or') return foldLogic(call, call.op === 'and')
  const [a, b] = call.args.map(numberIn)
  if (call.args.length !== 2 || a === undefined || b === undefined) return call
  switch (call.op) {
    case 'add':
      return literalNode('add', a + b)
    case 'sub':
      return literalNode('sub', a - b)
    case 'mul':
      return literalNode('mul', a * b)
    default:
      return call
  }
}

/** `neutral` leaves the other side as it is; its opposite decides alone, whatever the other side is. */
function foldLogic(call: Extract<ExprNode, { kind: 'call' }>, neutral: boolean): ExprNode {
  const values = call.args.map((arg) =>
    arg.kind === 'literal' && arg.literal.kind === 'boolean' ? arg.literal.value : undefined,
  )
  if (values.includes(!neutral)) return literalNode(call.op, !neutral)
  const open = call.args.filter((_, i) => values[i] === undefined)
  if (open.length === call.args.length) return call
  if (open.length === 0) return literalNode(call.op, neutral)
  return open.length === 1 ? open[0]! : { ...call, args: open }
}

function numberIn(node: ExprNode): number | undefined {
  return node.kind === 'literal' && node.literal.kind === 'number' ? Number(node.literal.value) : undefined
}
