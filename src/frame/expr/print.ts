/** Expressions as a user would write them, for messages and `explain()`. */
import { describeType } from '../schema-spec.js'
import type { ExprNode, LiteralValue, OverExpr, SortKey } from './node.js'

export function printExpr(node: ExprNode): string {
  switch (node.kind) {
    case 'column':
      return `col(${JSON.stringify(node.name)})`
    case 'literal':
      return printLiteral(node.literal)
    case 'cast': {
      const to = JSON.stringify(describeType({ type: node.to, nullable: false }))
      return `${printExpr(node.input)}.${node.lenient === true ? 'tryCast' : 'cast'}(${to})`
    }
    case 'aggregate': {
      const call = node.input === null ? 'col.count()' : `${printExpr(node.input)}.${node.op}()`
      return node.where === undefined ? call : `${call} where ${printExpr(node.where)}`
    }
    case 'window':
      return node.op === 'lag' || node.op === 'lead'
        ? method(node.op, node.args)
        : `col.${node.op}(${node.args.map(printExpr).join(', ')})`
    case 'over':
      return `${printExpr(node.input)}.over(${printWindow(node)})`
    case 'call':
      if (node.op === 'when') return printWhen(node.args)
      if (node.op === 'vector' || node.op === 'list' || node.op === 'struct') {
        return `${node.op}(${node.args.map(printExpr).join(', ')})`
      }
      return method(node.op.replace(/^list(?=[A-Z])/, 'list.'), node.args)
    case 'apply':
      return `${node.fn}(${node.args.map(printExpr).join(', ')})`
    default:
      return node satisfies never
  }
}

function method(name: string, [self, ...rest]: readonly ExprNode[]): string {
  const [, space = '', op = name] = /^(list\.)(.*)$/.exec(name) ?? []
  return `${printExpr(self!)}.${space}${op.slice(0, 1).toLowerCase()}${op.slice(1)}(${rest.map(printExpr).join(', ')})`
}

function printWhen(args: readonly ExprNode[]): string {
  const branches: string[] = []
  for (let i = 0; i + 1 < args.length; i += 2) {
    branches.push(`when(${printExpr(args[i]!)}).then(${printExpr(args[i + 1]!)})`)
  }
  return `${branches.join('.')}.otherwise(${printExpr(args.at(-1)!)})`
}

function printWindow({ partitionBy, orderBy, frame }: OverExpr): string {
  const parts = [
    ...(partitionBy.length === 0 ? [] : [`partitionBy: ${partitionBy.map(printExpr).join(', ')}`]),
    ...(orderBy.length === 0 ? [] : [`orderBy: ${orderBy.map(printSortKey).join(', ')}`]),
    ...(frame === null ? [] : [`frame: [${frame.join(', ')}]`]),
  ]
  return parts.length === 0 ? '' : `{ ${parts.join(', ')} }`
}

export function printSortKey({ expr, descending }: SortKey): string {
  return descending ? `${printExpr(expr)}.desc()` : printExpr(expr)
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
