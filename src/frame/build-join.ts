/** Constructors of the plan nodes that put frames together. */
import { checkOneOf } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { checkKey, freeze, project, reference } from './build.js'
import { unify, unifyTyped } from './expr/unify.js'
import type { ConcatNode, JoinHow, JoinNode, Plan } from './plan.js'
import { checkDistinctNames, findColumn, type Column } from './schema.js'
import { describeType } from './schema-spec.js'

const hows: readonly JoinHow[] = ['inner', 'left', 'right', 'full', 'semi', 'anti', 'cross', 'asof']

export function join(
  caller: string,
  left: Plan,
  right: Plan,
  options: Pick<JoinNode, 'on' | 'how' | 'at' | 'suffix'>,
): JoinNode {
  const { on, how, at, suffix } = options
  checkOneOf(caller, 'how', how, hows)
  const hasKeys = how !== 'cross' && how !== 'asof'
  if (hasKeys && on.length === 0) {
    throw new ShardbookError('argument', `${caller}: expected columns to join on, got none.`, {
      hint: `All pairs of rows: { how: 'cross' }.`,
    })
  }
  if (how === 'cross' && on.length > 0) {
    throw new ShardbookError('argument', `${caller}: expected no columns to join on, got ${on.join(', ')}.`, {
      hint: 'A cross join has all pairs of rows.',
    })
  }
  checkDistinctNames(caller, on)
  for (const name of at === null ? on : [...on, at]) checkSameType(caller, left, right, name)

  const keepsAllOfRight = how === 'right' || how === 'full'
  const schema = left.schema.map((column): Column => {
    if (!keepsAllOfRight) return column
    if (!on.includes(column.name)) return { ...column, nullable: true }
    const theirs = findColumn(caller, right.schema, column.name)
    const nullable = theirs.nullable || (how === 'full' && column.nullable)
    return { name: column.name, type: unify(column.type, theirs.type) ?? column.type, nullable }
  })
  if (how !== 'semi' && how !== 'anti') {
    const taken = new Set(left.schema.map((column) => column.name))
    const mayMiss = how === 'left' || how === 'full' || how === 'asof'
    for (const column of right.schema) {
      if (on.includes(column.name)) continue
      const name = taken.has(column.name) ? `${column.name}${suffix}` : column.name
      schema.push({ name, type: column.type, nullable: column.nullable || mayMiss })
    }
  }
  checkDistinctNames(
    caller,
    schema.map((column) => column.name),
  )
  return freeze({ kind: 'join', left, right, on, how, at, suffix, schema })
}

/** What a join meets rows by: columns of one name on both sides, or of this frame's name and the other's. */
export type JoinOn = string | readonly string[] | Readonly<Record<string, string>>

/** The names on the left. */
export function keysOf(on: JoinOn): readonly string[] {
  return isPairs(on) ? Object.keys(on) : [on].flat()
}

/** Those of them that are paired with a name on the right. */
export function pairsOf(on: JoinOn): Readonly<Record<string, string>> {
  return isPairs(on) ? on : {}
}

function isPairs(on: JoinOn): on is Readonly<Record<string, string>> {
  return typeof on === 'object' && !Array.isArray(on)
}

/**
 * The right side of a join on columns of other names, by its own names: `pairs` says which column on the left meets which on the
 * right, which takes its name. A column that has that name already gets the suffix, as it would in the join.
 */
export function rekeyed(caller: string, right: Plan, pairs: Readonly<Record<string, string>>, suffix: string): Plan {
  const theirs = Object.values(pairs)
  checkDistinctNames(caller, theirs)
  for (const name of theirs) findColumn(`${caller} (right)`, right.schema, name)
  const names = new Map(Object.entries(pairs).map(([ours, name]) => [name, ours]))
  const renamed = right.schema.map(({ name }) => ({
    name: names.get(name) ?? (name in pairs ? `${name}${suffix}` : name),
    expr: reference(name),
  }))
  return renamed.every(({ name }, i) => name === right.schema[i]!.name) ? right : project(caller, right, renamed)
}

function checkSameType(caller: string, left: Plan, right: Plan, name: string): void {
  const ours = findColumn(`${caller} (left)`, left.schema, name)
  const theirs = findColumn(`${caller} (right)`, right.schema, name)
  checkKey(caller, ours)
  if (unify(ours.type, theirs.type) !== undefined) return
  throw new ShardbookError(
    'column',
    `${caller}: expected '${name}' to have one type on both sides, got ${describeType(ours)} and ${describeType(theirs)}.`,
  )
}

export function concat(caller: string, inputs: readonly Plan[]): ConcatNode {
  const [first, ...rest] = inputs
  if (first === undefined) throw new ShardbookError('argument', `${caller}: expected at least one frame, got none.`)
  const schema = first.schema.map((column) =>
    rest.reduce<Column>((ours, other) => {
      const theirs = findColumn(caller, other.schema, column.name)
      const unified = unifyTyped(ours, theirs)
      if (unified !== undefined) return { name: ours.name, ...unified }
      throw new ShardbookError(
        'column',
        `${caller}: expected '${column.name}' to have one type in all frames, got ${describeType(ours)} and ${describeType(theirs)}.`,
      )
    }, column),
  )
  for (const other of rest) for (const { name } of other.schema) findColumn(caller, schema, name)
  return freeze({ kind: 'concat', inputs, schema })
}
