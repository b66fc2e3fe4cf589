/** The oracle: plans over arrays of row objects, as plainly as they can be run. It knows the nodes and functions that the suite uses. */
import { memoryChunk } from '../../../src/frame/memory.js'
import { cellReader, rowsOfChunk } from '../../../src/frame/chunk.js'
import type { ExprNode, OverExpr, SortKey } from '../../../src/frame/expr/node.js'
import type { Plan } from '../../../src/frame/plan.js'
import { compare, type Row, type Value } from '../../frame/oracle.js'

export function runOracle(plan: Plan): Row[] {
  const select = (rows: readonly Row[]): Row[] =>
    rows.map((row) => Object.fromEntries(plan.schema.map(({ name }) => [name, row[name] ?? null])))
  switch (plan.kind) {
    case 'scan': {
      if (plan.source.kind !== 'memory') throw new Error(`The oracle has no ${plan.source.kind} source.`)
      return rowsOfChunk(
        plan.schema,
        memoryChunk(plan.source.id),
        cellReader({ schema: plan.schema, stores: [] }),
      ) as Row[]
    }
    case 'project': {
      const rows = runOracle(plan.input)
      return rows.map((row) =>
        Object.fromEntries(plan.columns.map(({ name, expr }) => [name, valueOf(expr, row, rows)])),
      )
    }
    case 'filter':
      return runOracle(plan.input).filter((row) => valueOf(plan.predicate, row, []) === true)
    case 'slice':
      return runOracle(plan.input).slice(plan.offset, plan.length === null ? undefined : plan.offset + plan.length)
    case 'sort':
      return sorted(runOracle(plan.input), plan.by)
    case 'distinct':
      return [...groupsOf(runOracle(plan.input), (row) => plan.on.map((name) => row[name]!)).values()].map(
        ([row]) => row!,
      )
    case 'concat':
      return plan.inputs.flatMap((input) => select(runOracle(input)))
    case 'cache':
      return runOracle(plan.input)
    case 'aggregate': {
      const groups = groupsOf(runOracle(plan.input), (row) => plan.keys.map(({ expr }) => valueOf(expr, row, [])))
      if (plan.keys.length === 0 && groups.size === 0) groups.set('', [])
      const rows = [...groups.values()].map((group) =>
        Object.fromEntries([
          ...plan.keys.map(({ name, expr }) => [name, valueOf(expr, group[0]!, [])]),
          ...plan.aggregates.map(({ name, expr }) => [name, valueOf(expr, {}, group)]),
        ]),
      )
      return sorted(
        rows,
        plan.keys.map(({ name }) => ({ expr: { kind: 'column', name }, descending: false })),
      )
    }
    case 'join': {
      const [left, right] = [runOracle(plan.left), runOracle(plan.right)]
      const equal = (a: Row, b: Row): boolean =>
        plan.on.every((name) => a[name] !== null && b[name] !== null && compare(a[name]!, b[name]!) === 0)
      const names = plan.schema.slice(plan.left.schema.length).map(({ name }) => name)
      const theirs = plan.right.schema.filter(({ name }) => !plan.on.includes(name))
      const pair = (a: Row, b: Row | undefined): Row => ({
        ...a,
        ...Object.fromEntries(names.map((name, i) => [name, b?.[theirs[i]!.name] ?? null])),
      })
      const joined = left.flatMap((a) => {
        const matches = right.filter((b) => equal(a, b))
        if (plan.how === 'semi') return matches.length > 0 ? [a] : []
        if (plan.how === 'anti') return matches.length > 0 ? [] : [a]
        const keeps = plan.how === 'left' || plan.how === 'full'
        return matches.length === 0 && keeps ? [pair(a, undefined)] : matches.map((b) => pair(a, b))
      })
      if (plan.how !== 'right' && plan.how !== 'full') return joined
      const alone = right.filter((b) => !left.some((a) => equal(a, b)))
      const none = Object.fromEntries(plan.left.schema.map(({ name }) => [name, null]))
      return [
        ...joined,
        ...alone.map((b) => pair({ ...none, ...Object.fromEntries(plan.on.map((name) => [name, b[name]!])) }, b)),
      ]
    }
    default:
      throw new Error(`The oracle has no ${plan.kind}.`)
  }
}

function sorted(rows: readonly Row[], by: readonly SortKey[]): Row[] {
  const order = (a: Row, b: Row, { expr, descending }: SortKey): number => {
    const [x, y] = [valueOf(expr, a, []), valueOf(expr, b, [])]
    return x === null || y === null || !descending ? compare(x, y) : -compare(x, y)
  }
  return [...rows].sort((a, b) => by.reduce((found, key) => found || order(a, b, key), 0))
}

function groupsOf(rows: readonly Row[], keys: (row: Row) => readonly Value[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = JSON.stringify(keys(row).map(String))
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return groups
}

/** `rows`: the group of an aggregate, or all rows for a window. */
function valueOf(node: ExprNode, row: Row, rows: readonly Row[]): Value {
  switch (node.kind) {
    case 'column':
      return row[node.name]!
    case 'literal':
      return node.literal.kind === 'null'
        ? null
        : node.literal.kind === 'number'
          ? Number(node.literal.value)
          : node.literal.value
    case 'aggregate': {
      const held = rows.filter((each) => node.where === undefined || valueOf(node.where, each, []) === true)
      return aggregateOf(
        node.op,
        node.input === null ? held.map(() => 1) : held.map((each) => valueOf(node.input!, each, [])),
      )
    }
    case 'over':
      return overOf(node, row, rows)
    case 'call': {
      const args = node.args.map((arg) => valueOf(arg, row, rows))
      const whole = ['isNull', 'isNotNull', 'fillNull', 'and', 'or'].includes(node.op)
      return !whole && args.includes(null) ? null : callOf(node.op, args)
    }
    default:
      throw new Error(`The oracle has no ${node.kind}.`)
  }
}

function callOf(op: string, [a = null, b = null]: readonly Value[]): Value {
  switch (op) {
    case 'add':
      return Number(a) + Number(b)
    case 'sub':
      return Number(a) - Number(b)
    case 'mul':
      return Number(a) * Number(b)
    case 'gt':
      return compare(a, b) > 0
    case 'le':
      return compare(a, b) <= 0
    case 'eq':
      return compare(a, b) === 0
    case 'and':
      return a === false || b === false ? false : a === null || b === null ? null : true
    case 'or':
      return a === true || b === true ? true : a === null || b === null ? null : false
    case 'isNull':
      return a === null
    case 'isNotNull':
      return a !== null
    case 'fillNull':
      return a ?? b
    case 'concat':
      return `${String(a)}${String(b)}`
    default:
      throw new Error(`The oracle has no ${op}.`)
  }
}

function aggregateOf(op: string, values: readonly Value[]): Value {
  const held = values.filter((value) => value !== null)
  const sum = (): number => held.reduce<number>((total, value) => total + Number(value), 0)
  if (op === 'count') return held.length
  if (op === 'first') return values[0] ?? null
  if (op === 'last') return values.at(-1) ?? null
  if (held.length === 0) return null
  if (op === 'sum') return sum()
  if (op === 'mean') return sum() / held.length
  const order = [...held].sort(compare)
  if (op === 'min') return order[0]!
  if (op === 'max') return order.at(-1)!
  throw new Error(`The oracle has no ${op}.`)
}

function overOf(node: OverExpr, row: Row, rows: readonly Row[]): Value {
  const keys = (each: Row): string => JSON.stringify(node.partitionBy.map((key) => String(valueOf(key, each, []))))
  const partition = sorted(
    rows.filter((each) => keys(each) === keys(row)),
    node.orderBy,
  )
  const at = partition.indexOf(row)
  const { input, orderBy } = node
  if (input.kind === 'aggregate') {
    const whole = orderBy.length === 0 || input.op === 'first' || input.op === 'last'
    const [from, to] = node.frame ?? [null, whole ? null : 0]
    const inFrame = partition.filter((_, i) => (from === null || i >= at + from) && (to === null || i <= at + to))
    return valueOf(input, {}, inFrame)
  }
  const value = (i: number): Value =>
    i < 0 || i >= partition.length ? null : valueOf(input.args[0]!, partition[i]!, [])
  const ahead = partition.filter(
    (each) => sorted([row, each], orderBy)[0] === each && sorted([each, row], orderBy)[0] === each && each !== row,
  )
  switch (input.op) {
    case 'rowNumber':
      return at + 1
    case 'rank':
      return ahead.length + 1
    case 'denseRank':
      return groupsOf(ahead, (each) => orderBy.map(({ expr }) => valueOf(expr, each, []))).size + 1
    case 'lag':
      return value(at - Number(valueOf(input.args[1]!, {}, [])))
    case 'lead':
      return value(at + Number(valueOf(input.args[1]!, {}, [])))
    default:
      throw new Error(`The oracle has no ${input.op}.`)
  }
}
