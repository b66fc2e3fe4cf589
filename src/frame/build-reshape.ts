/** Plans that turn rows into columns and back. */
import { show } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { aggregate, freeze, project, reference } from './build.js'
import { literalNode } from './expr/literal.js'
import { mapParts, type ExprNode } from './expr/node.js'
import type { ExplodeNode, NamedExpr, Plan } from './plan.js'
import { findColumn } from './schema.js'
import { categoricalType, describeType } from './schema-spec.js'

/** A row for each element of a list column. */
export function explode(caller: string, input: Plan, column: string, keepEmpty: boolean): ExplodeNode {
  const list = findColumn(caller, input.schema, column)
  if (list.type.kind !== 'list') {
    throw new ShardbookError(
      'column',
      `${caller}: expected a list column, got '${column}' of type ${describeType(list)}.`,
    )
  }
  const { type, nullable } = list.type.element
  const schema = input.schema.map((each) =>
    each === list ? { name: column, type, nullable: nullable || keepEmpty } : each,
  )
  return freeze({ kind: 'explode', input, column, keepEmpty, schema })
}

/** A row for each of `index`, a column for each of `values` of the column `on`: the aggregate of the rows with that value. */
export function pivot(
  caller: string,
  input: Plan,
  options: { index: readonly string[]; on: string; values: readonly unknown[]; aggregate: ExprNode },
): Plan {
  if (options.values.length === 0) {
    throw new ShardbookError('argument', `${caller}: expected at least one value of '${options.on}', got none.`)
  }
  const keys = options.index.map((name) => ({
    name: findColumn(caller, input.schema, name).name,
    expr: reference(name),
  }))
  const cells = options.values.map((value): NamedExpr => {
    if (value === null || value === undefined || typeof value === 'object') {
      throw new ShardbookError(
        'argument',
        `${caller}: expected values to be text, numbers or booleans, got ${show(value)}.`,
      )
    }
    const where: ExprNode = { kind: 'call', op: 'eq', args: [reference(options.on), literalNode(caller, value)] }
    return { name: String(value), expr: onlyWhere(options.aggregate, where) }
  })
  return aggregate(caller, input, keys, cells)
}

function onlyWhere(node: ExprNode, where: ExprNode): ExprNode {
  if (node.kind === 'aggregate') return { ...node, where }
  return mapParts(node, (part) => onlyWhere(part, where))
}

/** A row for each of the columns `on` of each row: its name in `variable`, its value in `value`. */
export function unpivot(
  caller: string,
  input: Plan,
  options: { index: readonly string[]; on: readonly string[]; variable: string; value: string },
): Plan {
  const { index, on, variable, value } = options
  if (on.length === 0) throw new ShardbookError('argument', `${caller}: expected at least one column, got none.`)
  const text = (literal: string): ExprNode => literalNode(caller, literal)
  let pair = 'pair'
  while (index.includes(pair)) pair += '_'
  const variables = categoricalType(caller, on)
  const structs = on.map((name): ExprNode => {
    const named: ExprNode = { kind: 'cast', input: text(name), to: variables }
    return { kind: 'call', op: 'struct', args: [text('variable'), named, text('value'), reference(name)] }
  })
  const kept = index.map((name) => ({ name, expr: reference(name) }))
  const lists = project(caller, input, [...kept, { name: pair, expr: { kind: 'call', op: 'list', args: structs } }])
  const field = (name: string): ExprNode => ({ kind: 'call', op: 'field', args: [reference(pair), text(name)] })
  return project(caller, explode(caller, lists, pair, false), [
    ...kept,
    { name: variable, expr: field('variable') },
    { name: value, expr: field('value') },
  ])
}
